//! One member's tokens of a layer: down, through its experts, up.

use crate::execution::error::ExecutionError;
use crate::placement::Pipelining;
use crate::radio::RadioError;
use crate::units::Duration;

/// What goes to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delivery {
    /// q_k.
    pub(super) tokens: u64,
    /// Compute of all tokens, or of one if they are pipelined.
    pub(super) compute: Duration,
    pub(super) pipelining: Option<Pipelining>,
}

impl Delivery {
    /// How many tasks each of its stages is.
    pub(super) fn pieces(&self) -> u32 {
        match self.pipelining {
            None => 1,
            Some(Pipelining::Tokens) => self.tokens as u32,
        }
    }

    /// Tokens of each of them.
    pub(super) fn tokens_of_piece(&self) -> u64 {
        self.tokens / u64::from(self.pieces())
    }

    /// How long a piece is on the air of `device`, of which a token takes `seconds`.
    pub(super) fn on_air(&self, device: usize, seconds: f64) -> Result<Duration, ExecutionError> {
        let tokens = self.tokens_of_piece() as f64;
        let duration = Duration::from_seconds(tokens * seconds);
        Ok(duration.map_err(|source| RadioError::TooLong { device, source })?)
    }

    /// The part of `whole` of piece number `piece`: whole numbers that add up, the remainder
    /// with the first pieces.
    pub(super) fn share(&self, whole: u64, piece: u32) -> u64 {
        let (whole, pieces) = (u128::from(whole), u128::from(self.pieces()));
        let piece = u128::from(piece);
        (whole / pieces + u128::from(piece < whole % pieces)) as u64
    }
}
