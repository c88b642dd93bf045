//! `timeline.svg`: where the time of one pass goes, drawn from `events.csv`.
//!
//! Shown is the first decode step (or, without one, the first pass): it is the
//! pass that users wait for over and over. Lanes are per device; what is left of
//! a device's time when it neither computes nor uses the radio is waiting.

mod draw;
mod read;

pub use draw::draw;
pub use read::{TimelineError, read};

use crate::units::Instant;

/// A lane of one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// The compute unit.
    Compute,
    /// The transmitter.
    Uplink,
    /// The receiver.
    Downlink,
}

impl Lane {
    /// The lane's short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Uplink => "uplink",
            Self::Downlink => "downlink",
        }
    }
}

/// A stretch of time on a lane; without a lane it is waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Where it happened.
    pub lane: Option<Lane>,
    /// When it began.
    pub start: Instant,
    /// When it ended.
    pub end: Instant,
}

/// A device or the server, with its lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its name in the figure.
    pub name: String,
    /// The lanes that it used.
    pub lanes: Vec<Lane>,
    /// Busy stretches, by start.
    pub busy: Vec<Slice>,
    /// Waiting stretches: the gaps between the busy ones.
    pub waiting: Vec<Slice>,
}

/// One pass, ready to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// What the figure shows.
    pub title: String,
    /// Devices in order, the server last.
    pub owners: Vec<Owner>,
    /// What the barriers are, such as `all-reduce`.
    pub barrier_name: &'static str,
    /// When the barriers opened.
    pub barriers: Vec<Instant>,
    /// When the pass began.
    pub start: Instant,
    /// When it ended.
    pub end: Instant,
    /// Where the zoomed panel ends.
    pub zoom_end: Instant,
    /// What the zoomed panel shows, such as `2 layers`.
    pub zoom_caption: String,
}

/// The gaps between `busy` stretches within `start..end`.
fn gaps(busy: &[Slice], start: Instant, end: Instant) -> Vec<Slice> {
    let mut sorted: Vec<Slice> = busy.to_vec();
    sorted.sort_by_key(|slice| (slice.start, slice.end));
    let mut gaps = Vec::new();
    let mut covered = start;
    let edge = Slice {
        lane: None,
        start: end,
        end,
    };
    for slice in sorted.iter().chain([&edge]) {
        if slice.start > covered {
            gaps.push(Slice {
                lane: None,
                start: covered,
                end: slice.start,
            });
        }
        covered = covered.max(slice.end);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_and_busy_time_cover_the_pass() {
        let slice = |start, end| Slice {
            lane: Some(Lane::Compute),
            start: Instant(start),
            end: Instant(end),
        };
        let gaps = gaps(
            &[slice(6, 8), slice(0, 2), slice(1, 3)],
            Instant(0),
            Instant(10),
        );
        let spans: Vec<_> = gaps.iter().map(|gap| (gap.start.0, gap.end.0)).collect();
        assert_eq!(spans, [(3, 6), (8, 10)]);
    }
}
