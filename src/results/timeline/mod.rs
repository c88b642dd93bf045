//! `timeline.svg`: where the time of one pass goes, drawn from `events.csv`.
//!
//! Shown is the first decode step (or, without one, the first pass): it is the pass that
//! users wait for over and over. Above the whole pass, below its longest block. Lanes are
//! per node and resource; what is left of a node's time when it neither computes nor uses
//! a link is waiting. What nodes do meanwhile for other passes is pale. Marked are the critical path of the pass and who held each barrier.

mod draw;
mod panel;
mod read;

pub use draw::draw;
pub use read::{TimelineError, read};

use crate::engine::Kind;
use crate::units::{Duration, Instant};

/// The figure's file name.
pub const TIMELINE: &str = "timeline.svg";

/// What a lane shows: one use of one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lane {
    /// What its tasks do.
    pub kind: Kind,
    /// The resource's name among those of its node.
    pub name: String,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slice {
    /// When it began.
    pub start: Instant,
    /// When it ended.
    pub end: Instant,
}

impl Slice {
    /// The part within `window`, if there is one.
    fn within(self, window: Self) -> Option<Self> {
        let part = Self {
            start: self.start.max(window.start),
            end: self.end.min(window.end),
        };
        (part.end > part.start).then_some(part)
    }

    /// How long it is.
    pub fn length(self) -> Duration {
        self.end.since(self.start)
    }
}

/// A node with its lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name in the figure.
    pub name: String,
    /// The lanes that it used, each with its busy stretches by start.
    pub lanes: Vec<(Lane, Vec<Slice>)>,
    /// What each of its lanes did meanwhile for other passes.
    pub others: Vec<Vec<Slice>>,
    /// Waiting stretches.
    pub waiting: Vec<Slice>,
    /// Barriers of the pass that waited for it alone.
    pub held: u64,
}

/// Where something happened: a group and a lane of it.
pub type Place = (usize, usize);

/// A barrier of the pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barrier {
    /// When it opened.
    pub at: Instant,
    /// Its stage.
    pub stage: String,
    /// Who arrived last; several if they came together.
    pub held_by: Vec<Place>,
    /// By how much those came after the others.
    pub lead: Duration,
}

/// One pass, ready to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// What the figure shows.
    pub title: String,
    /// Nodes in order.
    pub groups: Vec<Group>,
    /// Barriers at which several nodes met, in order.
    pub barriers: Vec<Barrier>,
    /// The critical path of the pass: each began when the one before it ended.
    pub path: Vec<(Place, Slice)>,
    /// The pass.
    pub whole: Slice,
    /// Its longest block, with a caption; none if there is no block.
    pub block: Option<(String, Slice)>,
}
