//! A device's roofline, energy model and memory.

use super::measured::Measured;
use super::messages::MessageCost;
use super::power::{Frequency, Heat, Power};
use crate::units::{
    Bytes, BytesPerSecond, FieldFault, FlopsPerSecond, JoulesPerByte, JoulesPerFlop, Seconds, Watts,
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
    /// What keys and values are read at, where attention over them was measured: their time then
    /// comes on top of the weights'. Default: they are read with everything else.
    #[serde(default)]
    pub cache_rate: Option<BytesPerSecond>,
    /// Added to every task: launching its kernels, synchronising. Default 0 s.
    #[serde(default)]
    pub overhead: Seconds,
    /// Added to the choice of every token: sampling, and what a program does between passes.
    /// Default 0 s.
    #[serde(default)]
    pub per_token: Seconds,
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
    /// Measured powers, in place of idle_power and of energies per operation and byte.
    #[serde(default)]
    pub power: Option<Power>,
    /// Its clock, where it is not the one of the other numbers.
    #[serde(default)]
    pub frequency: Option<Frequency>,
    /// What a message costs it beside its bits, on wires and switches that do not say it
    /// themselves. Default: nothing.
    #[serde(default)]
    pub messages: Option<MessageCost>,
    /// How it warms up and throttles; power must be given. Default: it stays cool.
    #[serde(default)]
    pub heat: Option<Heat>,
}

pub(super) fn one() -> f64 {
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

impl DeviceProfile {
    /// A roofline and a memory: no overhead, no joules, nothing measured.
    pub const fn roofline(
        peak: FlopsPerSecond,
        memory_bandwidth: BytesPerSecond,
        memory: Bytes,
    ) -> Self {
        Self {
            peak,
            efficiency: 1.0,
            memory_bandwidth,
            memory,
            cache_rate: None,
            overhead: Seconds(0.0),
            per_token: Seconds(0.0),
            energy_per_flop: None,
            energy_per_byte: None,
            idle_power: None,
            measured: None,
            power: None,
            frequency: None,
            heat: None,
            messages: None,
        }
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
            ("per_token", Some(self.per_token.0)),
            ("energy_per_flop", self.energy_per_flop.map(|x| x.0)),
            ("energy_per_byte", self.energy_per_byte.map(|x| x.0)),
            ("idle_power", self.idle_power.map(|x| x.0)),
        ] {
            FieldFault::if_negative(path, value.unwrap_or(0.0))?;
        }
        if let Some(rate) = self.cache_rate {
            FieldFault::unless_positive("cache_rate", rate.0)?;
        }
        let checks = [
            ("measured", self.measured.map(|part| part.validate())),
            ("power", self.power.map(|part| part.validate())),
            ("frequency", self.frequency.map(|part| part.validate())),
            ("heat", self.heat.map(|part| part.validate())),
            ("messages", self.messages.map(|part| part.validate())),
        ];
        for (name, check) in checks {
            check.unwrap_or(Ok(())).map_err(|fault| fault.under(name))?;
        }
        self.check_power()
    }

    /// Joules come from one place.
    fn check_power(&self) -> Result<(), FieldFault> {
        if self.power.is_none() {
            return match self.heat {
                Some(_) => Err(FieldFault::new(
                    "heat",
                    "it needs power, which warms the device",
                )),
                None => Ok(()),
            };
        }
        let others = [
            ("energy_per_flop", self.energy_per_flop.is_some()),
            ("energy_per_byte", self.energy_per_byte.is_some()),
            ("idle_power", self.idle_power.is_some()),
        ];
        match others.iter().find(|(_, given)| *given) {
            Some((name, _)) => {
                let message = "power is given as well, and takes its place; give one of them";
                Err(FieldFault::new(*name, message))
            }
            None => Ok(()),
        }
    }
}
