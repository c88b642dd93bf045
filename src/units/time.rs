//! Simulated time: whole picoseconds, so that it has one value on every machine (law 3).

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

const PICOSECONDS_PER_SECOND: f64 = 1e12;

/// An instant of simulated time: picoseconds since the start of the run.
///
/// A u64 of picoseconds holds 213 days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

/// A length of simulated time in picoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub u64);

/// A duration that simulated time cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{seconds} s is no duration: it must be finite, not negative and below 213 days")]
pub struct DurationError {
    /// The value that was asked for, in seconds.
    pub seconds: f64,
}

impl Instant {
    /// The start of the run.
    pub const ZERO: Self = Self(0);

    /// Seconds since the start, for reports; never computed on.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / PICOSECONDS_PER_SECOND
    }

    /// The time from `earlier` to here.
    ///
    /// # Panics
    /// If `earlier` is later: time ran backwards, which is a bug of the caller.
    pub fn since(self, earlier: Self) -> Duration {
        Duration(
            self.0
                .checked_sub(earlier.0)
                .expect("an earlier instant lies before a later one"),
        )
    }

    /// The instant `duration` later, or `None` beyond what a u64 holds.
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration.0).map(Self)
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// Rounds `seconds` up to whole picoseconds, once.
    ///
    /// # Errors
    /// If `seconds` is not finite, negative, or more than a u64 of picoseconds.
    pub fn from_seconds(seconds: f64) -> Result<Self, DurationError> {
        let picoseconds = (seconds * PICOSECONDS_PER_SECOND).ceil();
        if seconds >= 0.0 && picoseconds < u64::MAX as f64 {
            Ok(Self(picoseconds as u64))
        } else {
            Err(DurationError { seconds })
        }
    }

    /// Seconds, for reports; never computed on.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / PICOSECONDS_PER_SECOND
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Beyond the clock's end it is that end: plans may reach there, but the engine refuses
    /// every task that would.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }
}

impl Add for Duration {
    type Output = Self;

    /// At most what the clock can show; see the sum with an [`Instant`].
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Duration {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Duration {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(
            self.0
                .checked_sub(other.0)
                .expect("a duration is not negative"),
        )
    }
}

impl std::iter::Sum for Duration {
    fn sum<I: Iterator<Item = Self>>(durations: I) -> Self {
        durations.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Duration {
    /// In the largest unit that leaves at least one whole digit: `12.5 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scale, unit) = match self.0 {
            0 => return f.write_str("0 s"),
            1..1_000 => (1.0, "ps"),
            1_000..1_000_000 => (1e3, "ns"),
            1_000_000..1_000_000_000 => (1e6, "µs"),
            1_000_000_000..1_000_000_000_000 => (1e9, "ms"),
            _ => (1e12, "s"),
        };
        write!(f, "{:.4} {unit}", self.0 as f64 / scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_up_once() {
        assert_eq!(Duration::from_seconds(1e-12).unwrap(), Duration(1));
        assert_eq!(Duration::from_seconds(1.1e-12).unwrap(), Duration(2));
        assert_eq!(Duration::from_seconds(0.0).unwrap(), Duration::ZERO);
    }

    #[test]
    fn refuses_what_a_clock_cannot_show() {
        for seconds in [-1e-12, f64::NAN, f64::INFINITY, 1e8] {
            assert!(Duration::from_seconds(seconds).is_err(), "{seconds}");
        }
    }
}
