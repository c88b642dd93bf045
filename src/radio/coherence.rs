//! How long a channel draw lasts.

use crate::units::{FieldFault, Instant, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const PICOSECONDS_PER_SECOND: f64 = 1e12;

/// Block fading: the channel is constant within a coherence block and independent
/// between blocks. This says where one block ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Coherence {
    /// One draw for the whole run.
    Static,
    /// A new draw for every all-reduce.
    #[default]
    PerAllReduce,
    /// A new draw at every multiple of this time.
    Time(Seconds),
}

impl Coherence {
    /// The numbers of all-reduces go by request: each has so many of its own.
    pub const DRAWS_OF_REQUEST: u64 = 1 << 40;

    /// The number of the block in which all-reduce `index`, planned at `now`, happens.
    pub fn block(self, index: u64, now: Instant) -> u64 {
        match self {
            Self::Static => 0,
            Self::PerAllReduce => index,
            Self::Time(span) => now.0 / span_picoseconds(span),
        }
    }

    /// When block `block` starts; `None` where all-reduces decide that.
    ///
    /// Past the end of simulated time, its end.
    pub fn start(self, block: u64) -> Option<Instant> {
        match self {
            Self::Static => Some(Instant::ZERO),
            Self::PerAllReduce => None,
            Self::Time(span) => Some(Instant(block.saturating_mul(span_picoseconds(span)))),
        }
    }

    /// Checks the time.
    ///
    /// # Errors
    /// If it is not finite or shorter than a picosecond.
    pub fn validate(self) -> Result<(), FieldFault> {
        match self {
            Self::Static | Self::PerAllReduce => Ok(()),
            Self::Time(span) if span.0.is_finite() && span.0 * PICOSECONDS_PER_SECOND >= 1.0 => {
                Ok(())
            }
            Self::Time(span) => Err(FieldFault::new(
                "Time",
                format!("a coherence time of {span} is too short; write for example \"5 ms\""),
            )),
        }
    }
}

fn span_picoseconds(span: Seconds) -> u64 {
    (span.0 * PICOSECONDS_PER_SECOND) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_the_rule_chosen() {
        let late = Instant(12_000_000_000);
        assert_eq!(Coherence::Static.block(7, late), 0);
        assert_eq!(Coherence::PerAllReduce.block(7, late), 7);
        let five_ms = Coherence::Time(Seconds(0.005));
        assert_eq!(five_ms.block(7, late), 2);
        assert_eq!(five_ms.block(7, Instant(4_999_999_999)), 0);
        assert_eq!(five_ms.block(7, Instant(5_000_000_000)), 1);
    }

    #[test]
    fn a_time_of_zero_is_refused() {
        assert!(Coherence::Time(Seconds(0.0)).validate().is_err());
        assert!(Coherence::Time(Seconds(f64::NAN)).validate().is_err());
        assert!(Coherence::Time(Seconds(1e-3)).validate().is_ok());
    }
}
