//! What a device draws: at rest, while its arithmetic limits it, while its memory does; what a
//! slower clock saves and what heat costs.

use super::few::Few;
use crate::units::{FieldFault, Hertz, Seconds, Watts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Measured powers, in place of energies per operation and byte.
///
/// A processor that waits for memory draws nearly as much as one that computes, which joules per
/// byte moved miss by a factor of three on small boards. With a of a task's time limited by
/// arithmetic and the rest m by memory or by launching,
///
/// E = a (P_c − P_i) + m (P_m − P_i)
///
/// above the idle power P_i, which is drawn all the time and counted once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// P_i, drawn all the time, busy or not.
    pub idle: Watts,
    /// P_c, all that is drawn while arithmetic limits a task: a long prompt's matrix products.
    pub compute_bound: Watts,
    /// P_m, all that is drawn while memory limits a task: tokens generated one by one.
    pub memory_bound: Watts,
    /// Where it was measured.
    pub measured_at: MeasuredAt,
}

/// Where a power was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum MeasuredAt {
    /// At the wall: power supply, fan and storage included.
    Wall,
    /// At the board's supply.
    Board,
}

/// A clock that is not the one of the profile's other numbers.
///
/// Time that arithmetic or launching limits goes with 1/f; time that memory limits does not. Power
/// above idling goes with f³: P = P_i + c f³, because voltage follows frequency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Frequency {
    /// The clock at which the profile's other numbers hold.
    pub nominal: Hertz,
    /// The clock at which the device runs. Default: the nominal one.
    #[serde(default)]
    pub at: Option<Hertz>,
    /// The clocks that it has, in ascending order. Default: any.
    #[serde(default)]
    pub levels: Few<Hertz>,
}

/// A body that warms up with what the device draws, and a clock that falls when it is hot.
///
/// C dT/dt = P − (T − T_a)/R. A task that starts at T_max or above runs at the throttled clock.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heat {
    /// T_a, of the air around it and of the device at the start, in °C. Default 25.
    #[serde(default = "room")]
    pub ambient: f64,
    /// T_max, above which it throttles, in °C.
    pub limit: f64,
    /// R, from the device to the air, in K/W.
    pub resistance: f64,
    /// R·C, the time in which a difference of temperature falls to 1/e.
    pub time_constant: Seconds,
    /// The clock when it is hot over the clock otherwise, in (0, 1].
    pub throttle: f64,
}

fn room() -> f64 {
    25.0
}

impl Power {
    /// Checks every field.
    ///
    /// # Errors
    /// The first that is impossible, such as less power at work than idle.
    pub fn validate(&self) -> Result<(), FieldFault> {
        FieldFault::if_negative("idle", self.idle.0)?;
        for (path, busy) in [
            ("compute_bound", self.compute_bound),
            ("memory_bound", self.memory_bound),
        ] {
            FieldFault::unless_positive(path, busy.0)?;
            if busy.0 < self.idle.0 {
                let message = format!(
                    "{busy} is less than the idle power of {}; it is the whole power, idling \
                     included",
                    self.idle
                );
                return Err(FieldFault::new(path, message));
            }
        }
        Ok(())
    }

    /// Joules above idling of `arithmetic` seconds that compute limits and `rest` that it does
    /// not.
    pub(super) fn joules(&self, arithmetic: f64, rest: f64) -> f64 {
        arithmetic * (self.compute_bound.0 - self.idle.0)
            + rest * (self.memory_bound.0 - self.idle.0)
    }
}

impl Frequency {
    /// The clock over the nominal one.
    pub fn ratio(&self) -> f64 {
        self.at.map_or(1.0, |at| at.0 / self.nominal.0)
    }

    /// Checks every field.
    ///
    /// # Errors
    /// The first that is impossible, or a clock that is none of the levels.
    pub fn validate(&self) -> Result<(), FieldFault> {
        FieldFault::unless_positive("nominal", self.nominal.0)?;
        let mut before = 0.0;
        for level in self.levels.iter() {
            if level.0 <= before {
                let message = format!("{level}; write clocks in ascending order, each once");
                return Err(FieldFault::new("levels", message));
            }
            before = level.0;
        }
        let Some(at) = self.at else { return Ok(()) };
        FieldFault::unless_positive("at", at.0)?;
        if !self.levels.is_empty() && !self.levels.iter().any(|level| level == at) {
            let levels: Vec<String> = self.levels.iter().map(|level| level.to_string()).collect();
            let message = format!("{at} is none of its levels: {}", levels.join(", "));
            return Err(FieldFault::new("at", message));
        }
        Ok(())
    }
}

impl Heat {
    /// Checks every field.
    ///
    /// # Errors
    /// The first that is impossible.
    pub fn validate(&self) -> Result<(), FieldFault> {
        if !self.ambient.is_finite() {
            let message = format!("{} is no temperature; use °C", self.ambient);
            return Err(FieldFault::new("ambient", message));
        }
        if !(self.limit.is_finite() && self.limit > self.ambient) {
            let message = format!(
                "{} °C is not above the air's {} °C: it would always throttle",
                self.limit, self.ambient
            );
            return Err(FieldFault::new("limit", message));
        }
        FieldFault::unless_positive("resistance", self.resistance)?;
        FieldFault::unless_positive("time_constant", self.time_constant.0)?;
        FieldFault::unless_positive("throttle", self.throttle)?;
        if self.throttle > 1.0 {
            let message = format!("{} exceeds 1, the clock when it is cool", self.throttle);
            return Err(FieldFault::new("throttle", message));
        }
        Ok(())
    }

    /// The temperature `seconds` after it was `from`, while the device draws `watts`:
    /// T_∞ + (T − T_∞) e^(−t/RC) with T_∞ = T_a + R P.
    pub fn after(&self, from: f64, watts: f64, seconds: f64) -> f64 {
        let last = self.ambient + self.resistance * watts;
        last + (from - last) * libm::exp(-seconds / self.time_constant.0)
    }
}
