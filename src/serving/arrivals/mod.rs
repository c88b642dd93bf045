//! When requests come: random processes in continuous time, and users who wait for their answer.
//!
//! Every process draws its gaps one after the other from a stream of its own, so that the same
//! seed gives the same gaps at any rate, in units of their mean: two loads meet the same crowd.

mod draws;

use super::workload::Arrival;
use crate::rng::Stream;
use crate::units::{Duration, DurationError, FieldFault, Instant, PerSecond, Seconds};
use draws::{Exponential, Gaps};
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When requests come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Process {
    /// Each whenever it likes: exponential gaps of mean 1/λ.
    Poisson(Poisson),
    /// Gaps of a gamma distribution: burstier than Poisson above a cv of 1, more even below.
    Gamma(Gamma),
    /// One after every gap, the first at the start.
    Deterministic(Deterministic),
    /// Bursts: Poisson while it is on, nobody while it is off, and it stays so for exponential
    /// times (Kuczura, "The interrupted Poisson process as an overflow process", 1973). On
    /// average λ·on/(on + off) come in a second. It begins on.
    OnOff(OnOff),
    /// Users each of whom thinks, asks, waits for the answer, and thinks again: request i is
    /// one of user i mod users, who begins to think at the start.
    ClosedLoop(ClosedLoop),
}

/// The fields of [`Process::Poisson`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Poisson {
    /// λ, how many come in a second on average.
    pub rate: PerSecond,
}

/// The fields of [`Process::Gamma`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gamma {
    /// λ, how many come in a second on average: gaps have the mean 1/λ.
    pub rate: PerSecond,
    /// The gaps' standard deviation over their mean, 0.01 to 100; 1 is Poisson.
    pub cv: f64,
}

/// The fields of [`Process::Deterministic`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deterministic {
    /// The time from one to the next.
    pub gap: Seconds,
}

/// The fields of [`Process::OnOff`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnOff {
    /// λ, how many come in a second on average while it is on.
    pub rate: PerSecond,
    /// How long it stays on, on average.
    pub on: Seconds,
    /// How long it stays off, on average.
    pub off: Seconds,
}

/// The fields of [`Process::ClosedLoop`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosedLoop {
    /// How many users, each with at most one request at a time. Of the requests each has an
    /// equal number, the first users one more.
    pub users: u32,
    /// How long a user thinks, on average. Default 0 s: who is answered asks again at once.
    #[serde(default)]
    pub think: Seconds,
    /// The thinking times' standard deviation over their mean, 0 to 100: 0 is always the same
    /// time, 1 exponential, others gamma. Default 1.
    #[serde(default = "exponential")]
    pub cv: f64,
}

fn exponential() -> f64 {
    1.0
}

/// Gaps vary no more than that: beyond it nearly all of them are 0.
const MOST_CV: f64 = 100.0;

/// Requests in a burst on average: with fewer nearly all bursts are empty, and what comes is
/// Poisson.
const LEAST_BURST: f64 = 0.01;

/// Gaps vary no less than that, unless they are all the same.
const LEAST_CV: f64 = 0.01;

impl Process {
    /// Checks every field.
    ///
    /// # Errors
    /// The first impossible one, by its path within the process.
    pub fn validate(&self) -> Result<(), FieldFault> {
        let rate = |rate: PerSecond| match rate.0 > 0.0 {
            true => Ok(()),
            false => Err(FieldFault::new(
                "rate",
                format!("at {rate} nobody ever comes; use a rate above zero, such as \"2 /s\""),
            )),
        };
        let time = |field: &str, time: Seconds| {
            let held = Duration::from_seconds(time.0);
            let fault = |message: String| FieldFault::new(field, message);
            held.map_err(|error| fault(error.to_string()))
                .and_then(|held| match held {
                    Duration::ZERO => Err(fault("0 s; use a time above zero".to_owned())),
                    _ => Ok(()),
                })
        };
        match self {
            Self::Poisson(poisson) => rate(poisson.rate),
            Self::Gamma(gamma) => {
                rate(gamma.rate)?;
                if (LEAST_CV..=MOST_CV).contains(&gamma.cv) {
                    return Ok(());
                }
                let message = format!(
                    "{}; use {LEAST_CV} to {MOST_CV}, or for equal gaps Deterministic(gap: …)",
                    gamma.cv
                );
                Err(FieldFault::new("cv", message))
            }
            Self::Deterministic(even) => time("gap", even.gap),
            Self::OnOff(bursts) => {
                rate(bursts.rate)?;
                time("on", bursts.on)?;
                time("off", bursts.off)?;
                let burst = bursts.rate.0 * bursts.on.0;
                if burst >= LEAST_BURST {
                    return Ok(());
                }
                let message = format!(
                    "at {} a burst of {} has {burst} requests on average; use a longer one or a \
                     higher rate, so that it has {LEAST_BURST} or more",
                    bursts.rate, bursts.on
                );
                Err(FieldFault::new("on", message))
            }
            Self::ClosedLoop(users) => {
                if users.users == 0 {
                    let message = "without users nobody ever asks; use 1 or more";
                    return Err(FieldFault::new("users", message));
                }
                Duration::from_seconds(users.think.0)
                    .map_err(|error| FieldFault::new("think", error.to_string()))?;
                if users.cv == 0.0 || (LEAST_CV..=MOST_CV).contains(&users.cv) {
                    return Ok(());
                }
                let message = format!("{}; use 0, or {LEAST_CV} to {MOST_CV}", users.cv);
                Err(FieldFault::new("cv", message))
            }
        }
    }

    /// When `count` requests come that are numbered from `first` on, with draws from `stream`;
    /// `start` is when the process begins.
    ///
    /// # Errors
    /// If one of them would come after the end of simulated time.
    pub fn arrivals(
        &self,
        first: u32,
        count: u32,
        start: Instant,
        stream: &mut Stream,
    ) -> Result<Vec<Arrival>, DurationError> {
        match *self {
            Self::Poisson(Poisson { rate }) => {
                let gaps = Gaps::new(1.0 / rate.0, 1.0);
                renewal(count, start, || stream.sample(gaps))
            }
            Self::Gamma(Gamma { rate, cv }) => {
                let gaps = Gaps::new(1.0 / rate.0, cv);
                renewal(count, start, || stream.sample(gaps))
            }
            Self::Deterministic(Deterministic { gap }) => {
                let gap = Duration::from_seconds(gap.0)?;
                let place = |number: u32| Some(Duration(gap.0.checked_mul(u64::from(number))?));
                let at = |number| {
                    let instant = place(number).and_then(|place| start.checked_add(place));
                    let beyond = gap.as_seconds() * f64::from(number);
                    instant
                        .map(Arrival::At)
                        .ok_or(DurationError { seconds: beyond })
                };
                (0..count).map(at).collect()
            }
            Self::OnOff(bursts) => {
                let mut left = stream.sample(Exponential(bursts.on.0));
                renewal(count, start, || {
                    let mut gap = 0.0;
                    loop {
                        let next = stream.sample(Exponential(1.0 / bursts.rate.0));
                        if next < left {
                            left -= next;
                            return gap + next;
                        }
                        // What is left of an exponential gap is one anew.
                        gap += left + stream.sample(Exponential(bursts.off.0));
                        left = stream.sample(Exponential(bursts.on.0));
                    }
                })
            }
            Self::ClosedLoop(ClosedLoop { users, think, cv }) => {
                let thinking = Gaps::new(think.0, cv);
                let next = |number: u32| {
                    let pause = Duration::from_seconds(stream.sample(thinking))?;
                    Ok(match number.checked_sub(users) {
                        Some(before) => Arrival::After {
                            request: first + before,
                            pause,
                        },
                        None => Arrival::At(later(start, pause)?),
                    })
                };
                (0..count).map(next).collect()
            }
        }
    }
}

/// The instant `gap` after `from`.
fn later(from: Instant, gap: Duration) -> Result<Instant, DurationError> {
    from.checked_add(gap).ok_or(DurationError {
        seconds: from.as_seconds() + gap.as_seconds(),
    })
}

/// Instants from `start` on with a `gap` before each.
fn renewal(
    count: u32,
    start: Instant,
    mut gap: impl FnMut() -> f64,
) -> Result<Vec<Arrival>, DurationError> {
    let mut now = start;
    let next = |_| {
        now = later(now, Duration::from_seconds(gap())?)?;
        Ok(Arrival::At(now))
    };
    (0..count).map(next).collect()
}

#[cfg(test)]
mod tests;
