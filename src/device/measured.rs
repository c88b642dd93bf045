//! The fit of a machine whose speed was measured as weights per second.

use super::few::Few;
use super::profile::{Group, one};
use crate::units::{FieldFault, ParametersPerSecond};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A machine whose speed was measured as weights processed per second. With w_n of a
/// block's W weights of b bits on this device, and N devices:
///
/// t = κ/R(b) · [w_n + α (W − w_n) + β (N − 1) W],
///
/// which for equal shares is (W/R) κ [1/N + α(N−1)/N + β(N−1)]. The rate is one
/// [`weight_rate`](Self::weight_rate) for any number of bits, or [`weight_rates`](Self::weight_rates)
/// for some numbers of them, because weights are unpacked as well as read; just one of the two
/// is given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// R, weights per second of one device alone, whatever their bits.
    #[serde(default)]
    pub weight_rate: Option<ParametersPerSecond>,
    /// R(b), weights per second of one device alone by the bits of a weight, in ascending order.
    /// Seconds per weight are interpolated linearly between them; below the lowest number of
    /// bits they stay (unpacking rules), above the highest they grow with the bits (reading rules).
    #[serde(default)]
    pub weight_rates: Few<WeightRate>,
    /// α, the fraction of the others' work that this device does too. Default 0.
    #[serde(default)]
    pub replicated_fraction: f64,
    /// β, what each peer slows this device by, as a fraction of the whole block: above
    /// zero where "devices" share one machine. Default 0.
    #[serde(default)]
    pub contention_per_peer: f64,
    /// κ, a model that runs slower than its number of weights says. Default 1.
    #[serde(default = "one")]
    pub model_slowdown: f64,
}

/// How many weights of one kind a device processes per second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightRate {
    /// Bits per weight, the scales of its block included: 4.5 for Q4_0.
    pub bits: f64,
    /// Weights per second of one device alone.
    pub rate: ParametersPerSecond,
}

impl Measured {
    /// One rate for any number of bits, nothing replicated or contended.
    pub const fn at(rate: ParametersPerSecond) -> Self {
        Self {
            weight_rate: Some(rate),
            weight_rates: Few::NONE,
            replicated_fraction: 0.0,
            contention_per_peer: 0.0,
            model_slowdown: 1.0,
        }
    }

    /// What `weights` of `bits` each, one device's of the block of `group`, take in seconds.
    pub(super) fn seconds(&self, weights: u64, bits: f64, group: Group) -> f64 {
        let own = weights as f64;
        let whole = group.weights as f64;
        let peers = group.devices.saturating_sub(1) as f64;
        let slowed = own
            + self.replicated_fraction * (whole - own).max(0.0)
            + self.contention_per_peer * peers * whole;
        match self.weight_rate {
            Some(rate) => self.model_slowdown * slowed / rate.0,
            None => self.model_slowdown * slowed * self.seconds_per_weight(bits),
        }
    }

    /// 1/R(b): what one weight of `bits` takes on one device alone.
    pub fn seconds_per_weight(&self, bits: f64) -> f64 {
        if let Some(rate) = self.weight_rate {
            return 1.0 / rate.0;
        }
        let mut below: Option<WeightRate> = None;
        for known in self.weight_rates.iter() {
            if bits <= known.bits {
                let above = 1.0 / known.rate.0;
                return below.map_or(above, |below| {
                    let start = 1.0 / below.rate.0;
                    let part = (bits - below.bits) / (known.bits - below.bits);
                    start + (above - start) * part
                });
            }
            below = Some(known);
        }
        below.map_or(0.0, |last| bits / last.bits / last.rate.0)
    }

    /// Checks every field.
    ///
    /// # Errors
    /// The first that is impossible; neither or both of the two ways to give a rate.
    pub fn validate(&self) -> Result<(), FieldFault> {
        match (self.weight_rate, self.weight_rates.is_empty()) {
            (Some(rate), true) => FieldFault::unless_positive("weight_rate", rate.0)?,
            (None, false) => self.check_rates()?,
            (given, _) => {
                let fault = match given {
                    Some(_) => "weight_rates are given as well",
                    None => "it is missing",
                };
                let message = format!(
                    "{fault}; give either one weight_rate for any number of bits, or weight_rates"
                );
                return Err(FieldFault::new("weight_rate", message));
            }
        }
        FieldFault::if_negative("replicated_fraction", self.replicated_fraction)?;
        FieldFault::if_negative("contention_per_peer", self.contention_per_peer)?;
        FieldFault::unless_positive("model_slowdown", self.model_slowdown)
    }

    fn check_rates(&self) -> Result<(), FieldFault> {
        let mut before = 0.0;
        for (place, known) in self.weight_rates.iter().enumerate() {
            let under = |fault: FieldFault| fault.under(&format!("weight_rates[{place}]"));
            FieldFault::unless_positive("rate", known.rate.0).map_err(under)?;
            FieldFault::unless_positive("bits", known.bits).map_err(under)?;
            if known.bits <= before || known.bits > 64.0 {
                let message = format!(
                    "{} bits; use up to 64, in ascending order, each once",
                    known.bits
                );
                return Err(under(FieldFault::new("bits", message)));
            }
            before = known.bits;
        }
        Ok(())
    }
}
