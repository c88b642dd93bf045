//! Why nobody can say when a transfer ends.

use super::MOST_BITS;
use crate::radio::RadioError;
use crate::units::Instant;

/// Why nobody can say when a transfer ends.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FluidError {
    /// The channel failed.
    #[error(transparent)]
    Radio(#[from] RadioError),
    /// A rate that is none.
    #[error("transfer {transfer} has a rate of {rate} bit/s at {at:?}, which is impossible")]
    Rate {
        /// Its identity.
        transfer: String,
        /// NaN or below zero.
        rate: f64,
        /// When.
        at: Instant,
    },
    /// Nothing arrives.
    #[error(
        "transfer {transfer} does not end: in {blocks} coherence blocks from {} s on nothing has arrived whole; bring its ends nearer, raise their power, or give it a link that carries something",
        since.as_seconds()
    )]
    Silent {
        /// The first that is under way.
        transfer: String,
        /// Since when nothing has ended.
        since: Instant,
        /// Blocks since then.
        blocks: u32,
    },
    /// A transfer longer than can be counted.
    #[error("transfer {transfer} has {bits} bits; one can have {MOST_BITS} at most")]
    TooManyBits {
        /// Its identity.
        transfer: String,
        /// Its bits.
        bits: u64,
    },
}
