//! How long a device keeps its tokens: the closed form of its queue.

use crate::architecture::ArchitectureError;
use crate::placement::Pipelining;
use crate::policy::TokenLink;
use crate::radio::RadioError;
use crate::units::Duration;

/// One device's tokens of a block: down, through the experts, up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delivery {
    /// q_k.
    pub(super) tokens: u64,
    /// Time of each stage: of all tokens if nothing overlaps, of one token if pipelined.
    pub(super) downlink: Duration,
    pub(super) compute: Duration,
    pub(super) uplink: Duration,
    pub(super) pipelining: Option<Pipelining>,
}

impl Delivery {
    /// `tokens` over `link` with `bandwidth` Hz, for `device`, whose `compute` is that of all
    /// of them, or of one if they are pipelined.
    pub(super) fn new(
        device: usize,
        tokens: u64,
        link: &TokenLink,
        bandwidth: f64,
        compute: Duration,
        pipelining: Option<Pipelining>,
    ) -> Result<Self, ArchitectureError> {
        let count = match pipelining {
            None => tokens as f64,
            Some(Pipelining::Tokens) => 1.0,
        };
        let on_air = |seconds: f64| {
            Duration::from_seconds(count * seconds)
                .map_err(|source| RadioError::TooLong { device, source })
        };
        Ok(Self {
            tokens,
            downlink: on_air(link.downlink_time(bandwidth))?,
            compute,
            uplink: on_air(link.uplink_time(bandwidth))?,
            pipelining,
        })
    }

    /// How many tasks each stage is.
    pub(super) fn pieces(&self) -> u32 {
        match self.pipelining {
            None => 1,
            Some(Pipelining::Tokens) => self.tokens as u32,
        }
    }

    /// A stage of all tokens.
    pub(super) fn all(&self, stage: Duration) -> Duration {
        Duration(stage.0 * u64::from(self.pieces()))
    }

    /// From the first bit down to the last bit up: t_k of (10), or that of a pipeline of
    /// three stages that each keep every token equally long.
    pub(super) fn span(&self) -> Duration {
        let slowest = self.downlink.max(self.compute).max(self.uplink);
        let rest = u64::from(self.pieces().saturating_sub(1));
        self.downlink + self.compute + self.uplink + Duration(rest * slowest.0)
    }

    /// The stage that takes longest.
    pub(super) fn bottleneck(&self) -> &'static str {
        let slowest = self.downlink.max(self.compute).max(self.uplink);
        if self.uplink == slowest {
            "uplink"
        } else if self.downlink == slowest {
            "downlink"
        } else {
            "compute"
        }
    }
}
