//! A device's roofline, energy model and memory, and what a task costs on it.

use super::error::DeviceError;
use crate::model::Work;
use crate::units::{
    Bytes, BytesPerSecond, Duration, FieldFault, FlopsPerSecond, JoulesPerByte, JoulesPerFlop,
    ParametersPerSecond, Seconds, Watts,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceProfile {
    /// Arithmetic peak, dense, in the precision that the model is computed in.
    pub peak: FlopsPerSecond,
    /// The fraction of the peak that large matrix products sustain, in (0, 1]. Default 1.
    #[serde(default = "one")]
    pub efficiency: f64,
    /// Between memory and the compute unit.
    pub memory_bandwidth: BytesPerSecond,
    /// Memory for weights, KV cache and activations.
    pub memory: Bytes,
    /// Added to every task: launching its kernels, synchronising. Default 0 s.
    #[serde(default)]
    pub overhead: Seconds,
    /// Energy of one operation, above idling. Without it, compute energy is not reported.
    #[serde(default)]
    pub energy_per_flop: Option<JoulesPerFlop>,
    /// Energy of moving one byte, above idling. Without it, compute energy is not reported.
    #[serde(default)]
    pub energy_per_byte: Option<JoulesPerByte>,
    /// Drawn all the time, busy or not. Without it, idle energy is not reported.
    #[serde(default)]
    pub idle_power: Option<Watts>,
    /// The fit of a measured machine, in place of the memory roof.
    #[serde(default)]
    pub measured: Option<Measured>,
}

/// A machine whose speed was measured as weights processed per second. With w_n of a
/// block's W weights on this device, and N devices:
///
/// t = κ/R · [w_n + α (W − w_n) + β (N − 1) W],
///
/// which for equal shares is (W/R) κ [1/N + α(N−1)/N + β(N−1)].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// R, weights per second of one device alone.
    pub weight_rate: ParametersPerSecond,
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

fn one() -> f64 {
    1.0
}

/// The devices among which a block is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// N.
    pub devices: usize,
    /// W, the weights of the whole block, all devices together.
    pub weights: u64,
}

/// What a task takes on a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Computation {
    /// How long.
    pub duration: Duration,
    /// FLOPs × energy per FLOP + bytes × energy per byte, where the profile has both.
    pub joules: Option<f64>,
}

impl DeviceProfile {
    /// Time and energy of `work`, this device's part of a block divided among `group`.
    ///
    /// t = max(FLOPs/(peak × efficiency), bytes/memory bandwidth) + overhead; with
    /// [`measured`](Self::measured) its formula stands in place of the second term.
    /// E = FLOPs e_f + bytes e_b. No work takes neither time nor energy.
    ///
    /// Source: the roofline model (Williams et al., 2009).
    ///
    /// # Errors
    /// If the time exceeds what the clock holds.
    pub fn compute(&self, work: &Work, group: Group) -> Result<Computation, DeviceError> {
        let joules = self.joules(work);
        if *work == Work::default() {
            return Ok(Computation {
                duration: Duration::ZERO,
                joules,
            });
        }
        let arithmetic = work.flops as f64 / (self.peak.0 * self.efficiency);
        let memory = match self.measured {
            Some(measured) => measured.seconds(work.weights, group),
            None => work.bytes as f64 / self.memory_bandwidth.0,
        };
        Ok(Computation {
            duration: Duration::from_seconds(arithmetic.max(memory) + self.overhead.0)?,
            joules,
        })
    }

    /// FLOPs e_f + bytes e_b of `work`, where the profile has both.
    pub fn joules(&self, work: &Work) -> Option<f64> {
        let (flop, byte) = self.energy_per_flop.zip(self.energy_per_byte)?;
        Some(work.flops as f64 * flop.0 + work.bytes as f64 * byte.0)
    }

    /// Joules per weight in a step that reads each weight once and uses it for one
    /// multiply–add per token: e_n = bits/8 · e_b + 2 e_f (per token), where known.
    pub fn joules_per_weight(&self, weight_bits: f64) -> Option<f64> {
        let (flop, byte) = self.energy_per_flop.zip(self.energy_per_byte)?;
        Some(weight_bits / 8.0 * byte.0 + 2.0 * flop.0)
    }

    /// Checks every field.
    ///
    /// # Errors
    /// The first that is NaN, infinite, negative, or zero where it must not be.
    pub fn validate(&self) -> Result<(), FieldFault> {
        FieldFault::unless_positive("peak", self.peak.0)?;
        FieldFault::unless_positive("efficiency", self.efficiency)?;
        if self.efficiency > 1.0 {
            let message = format!("{} exceeds 1, the peak itself", self.efficiency);
            return Err(FieldFault::new("efficiency", message));
        }
        FieldFault::unless_positive("memory_bandwidth", self.memory_bandwidth.0)?;
        FieldFault::unless_positive("memory", self.memory.0)?;
        for (path, value) in [
            ("overhead", Some(self.overhead.0)),
            ("energy_per_flop", self.energy_per_flop.map(|x| x.0)),
            ("energy_per_byte", self.energy_per_byte.map(|x| x.0)),
            ("idle_power", self.idle_power.map(|x| x.0)),
        ] {
            FieldFault::if_negative(path, value.unwrap_or(0.0))?;
        }
        self.measured.map_or(Ok(()), |measured| {
            measured.validate().map_err(|fault| fault.under("measured"))
        })
    }
}

impl Measured {
    fn seconds(&self, weights: u64, group: Group) -> f64 {
        let own = weights as f64;
        let whole = group.weights as f64;
        let peers = group.devices.saturating_sub(1) as f64;
        let slowed = own
            + self.replicated_fraction * (whole - own).max(0.0)
            + self.contention_per_peer * peers * whole;
        self.model_slowdown * slowed / self.weight_rate.0
    }

    fn validate(&self) -> Result<(), FieldFault> {
        FieldFault::unless_positive("weight_rate", self.weight_rate.0)?;
        FieldFault::if_negative("replicated_fraction", self.replicated_fraction)?;
        FieldFault::if_negative("contention_per_peer", self.contention_per_peer)?;
        FieldFault::unless_positive("model_slowdown", self.model_slowdown)
    }
}
