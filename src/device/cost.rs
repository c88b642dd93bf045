//! What a task costs on a device: seconds and joules.

use super::error::DeviceError;
use super::profile::{DeviceProfile, Group};
use crate::model::Work;
use crate::units::{Duration, Watts};

/// What a task takes on a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Computation {
    /// How long.
    pub duration: Duration,
    /// Above idling: power over time, or FLOPs × energy per FLOP + bytes × energy per byte,
    /// where the profile has either.
    pub joules: Option<f64>,
}

/// The parts of a task's time, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Times {
    arithmetic: f64,
    /// Weights and activations; arithmetic goes on meanwhile.
    memory: f64,
    /// Attention over the cache, where that has a rate of its own.
    cache: f64,
    overhead: f64,
}

impl Times {
    fn total(self) -> f64 {
        self.arithmetic.max(self.memory) + self.cache + self.overhead
    }
}

impl DeviceProfile {
    /// Time and energy of `work`, this device's part of a block divided among `group`.
    ///
    /// t = max(FLOPs/(peak × efficiency), bytes/memory bandwidth) + overhead; with
    /// [`measured`](Self::measured) its formula stands in place of the second term, and with
    /// [`cache_rate`](Self::cache_rate) the cache's bytes over it come on top and not among the bytes. A
    /// clock of f over the nominal one divides the first term and the overhead by f.
    ///
    /// E = FLOPs e_f + bytes e_b, or with [`power`](Self::power) what
    /// [`Power`](super::Power) says of the first term and the rest, times f³. No work takes
    /// neither time nor energy.
    ///
    /// Source: the roofline model (Williams et al., 2009); f³ as in Le Sueur and Heiser,
    /// "Dynamic voltage and frequency scaling" (2010).
    ///
    /// # Errors
    /// If the time exceeds what the clock holds.
    pub fn compute(&self, work: &Work, group: Group) -> Result<Computation, DeviceError> {
        self.compute_at(work, group, 1.0)
    }

    /// [`compute`](Self::compute) with the clock slowed down to the part `throttle` of it.
    ///
    /// # Errors
    /// If the time exceeds what the clock holds.
    pub fn compute_at(
        &self,
        work: &Work,
        group: Group,
        throttle: f64,
    ) -> Result<Computation, DeviceError> {
        let clock = self.clock() * throttle;
        if *work == Work::default() {
            return Ok(Computation {
                duration: Duration::ZERO,
                joules: self.energy_of(work, 0.0, 0.0, clock),
            });
        }
        let times = self.times(work, group, clock);
        let seconds = times.total();
        let arithmetic = times.arithmetic;
        Ok(Computation {
            duration: Duration::from_seconds(seconds)?,
            joules: self.energy_of(work, arithmetic, seconds - arithmetic, clock),
        })
    }

    /// The clock over the nominal one.
    fn clock(&self) -> f64 {
        self.frequency.map_or(1.0, |frequency| frequency.ratio())
    }

    fn times(&self, work: &Work, group: Group, clock: f64) -> Times {
        let cache = self.cache_rate;
        let cached = cache.map_or(0, |_| work.cache_bytes);
        let bits = 8.0 * work.weight_bytes as f64 / work.weights.max(1) as f64;
        Times {
            arithmetic: work.flops as f64 / (self.peak.0 * self.efficiency * clock),
            memory: match self.measured {
                Some(measured) => measured.seconds(work.weights, bits, group),
                None => work.bytes.saturating_sub(cached) as f64 / self.memory_bandwidth.0,
            },
            cache: cache.map_or(0.0, |rate| cached as f64 / rate.0),
            overhead: self.overhead.0 / clock,
        }
    }

    fn energy_of(&self, work: &Work, arithmetic: f64, rest: f64, clock: f64) -> Option<f64> {
        match self.power {
            Some(power) => Some(power.joules(arithmetic, rest) * clock * clock * clock),
            None => {
                let (flop, byte) = self.energy_per_flop.zip(self.energy_per_byte)?;
                Some(work.flops as f64 * flop.0 + work.bytes as f64 * byte.0)
            }
        }
    }

    /// The choice of `rows` tokens, whose `work` is its pass over the logits:
    /// [`compute_at`](Self::compute_at) and rows × [`per_token`](Self::per_token), which the clock
    /// divides too.
    ///
    /// # Errors
    /// If the time exceeds what the clock holds.
    pub fn choose_at(
        &self,
        work: &Work,
        rows: usize,
        throttle: f64,
    ) -> Result<Computation, DeviceError> {
        let alone = Group {
            devices: 1,
            weights: work.weights,
        };
        let mut chosen = self.compute_at(work, alone, throttle)?;
        let clock = self.clock() * throttle;
        let between = rows as f64 * self.per_token.0 / clock;
        chosen.duration += Duration::from_seconds(between)?;
        if let (Some(power), Some(joules)) = (self.power, &mut chosen.joules) {
            *joules += power.joules(0.0, between) * clock * clock * clock;
        }
        Ok(chosen)
    }

    /// Joules above idling of `work` that takes `seconds`, however these were reckoned.
    pub fn joules_during(&self, work: &Work, seconds: f64) -> Option<f64> {
        let clock = self.clock();
        let arithmetic = work.flops as f64 / (self.peak.0 * self.efficiency * clock);
        let arithmetic = arithmetic.min(seconds);
        self.energy_of(work, arithmetic, seconds - arithmetic, clock)
    }

    /// Joules of `work` above idling: those of [`compute`](Self::compute), which needs no clock.
    pub fn joules(&self, work: &Work, group: Group) -> Option<f64> {
        let times = self.times(work, group, self.clock());
        let (arithmetic, total) = match *work == Work::default() {
            true => (0.0, 0.0),
            false => (times.arithmetic, times.total()),
        };
        self.energy_of(work, arithmetic, total - arithmetic, self.clock())
    }

    /// Joules per weight in a step that reads each weight once and uses it for one
    /// multiply–add per token, above idling: e_n = bits/8 · e_b + 2 e_f (per token), or with
    /// [`power`](Self::power) what that draws while it takes its time; where known.
    pub fn joules_per_weight(&self, weight_bits: f64) -> Option<f64> {
        if self.power.is_some() {
            // So many weights that rounding to bytes and the overhead do not show.
            const MANY: u64 = 1 << 40;
            let bytes = (MANY as f64 * weight_bits / 8.0) as u64;
            let work = Work {
                flops: 2 * MANY,
                bytes,
                weights: MANY,
                weight_bytes: bytes,
                cache_bytes: 0,
            };
            let alone = Group {
                devices: 1,
                weights: MANY,
            };
            return self.joules(&work, alone).map(|joules| joules / MANY as f64);
        }
        let (flop, byte) = self.energy_per_flop.zip(self.energy_per_byte)?;
        Some(weight_bits / 8.0 * byte.0 + 2.0 * flop.0)
    }

    /// What it draws all the time, where known.
    pub fn idle(&self) -> Option<Watts> {
        self.power.map(|power| power.idle).or(self.idle_power)
    }
}
