//! `timeline`: where the time of a pass, or of a request, goes, drawn from `events.csv`.
//!
//! Shown is the first decode step (or, without one, the first pass), the pass that was asked
//! for, or a request from its arrival to its answer. Above is the whole of it, below its
//! longest part: a pass's longest block, a request's longest pass. Lanes are per node and
//! resource; what is left of a node's time when it neither computes nor uses a link is
//! waiting. What nodes do meanwhile for other passes is pale. Marked are the critical path and
//! who held each barrier.
//!
//! Nodes whose lanes show the same fold into one where there are many.

mod density;
mod draw;
mod fold;
mod lanes;
mod layout;
mod panel;
mod parts;
mod read;
mod words;

pub use draw::draw;
pub use fold::{Tolerance, fold};
pub use read::{read, timeline};

use super::Width;
use super::catalogue::Figure;
use super::choice::Choice;
use crate::engine::Kind;
use crate::units::{Duration, Instant};

/// Its line in the catalogue.
pub const FIGURE: Figure = Figure {
    name: "timeline",
    width: Width::Page,
    has_parts: true,
    wanted: |run| Ok(run.holds_a_pass()),
    draw: |run, width, part| {
        let chosen = Choice::from(part).find(run.folder)?;
        let timeline = match &run.events {
            Some(events) if !events.goes_on() => timeline(events, &chosen),
            _ => read(run.folder, &chosen)?,
        };
        Ok(draw(timeline, width))
    },
};

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
pub struct Stretch {
    /// When it began.
    pub start: Instant,
    /// When it ended.
    pub end: Instant,
}

impl Stretch {
    /// The part within `window`, if there is one.
    pub fn within(self, window: Self) -> Option<Self> {
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

/// A lane and what was done there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which lane.
    pub lane: Lane,
    /// Its busy stretches for what is shown, by start.
    pub own: Vec<Stretch>,
    /// Those for other passes meanwhile.
    pub others: Vec<Stretch>,
}

/// A node with its lanes, or several that show the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The names of the nodes; the lanes are those of the first.
    pub nodes: Vec<String>,
    /// The lanes that it used.
    pub rows: Vec<Row>,
    /// Waiting stretches.
    pub waiting: Vec<Stretch>,
    /// Barriers that waited for it alone; of several nodes, for one of them.
    pub held: u64,
}

/// Where something happened: a group and a lane of it.
pub type Place = (usize, usize);

/// A barrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barrier {
    /// When it opened.
    pub at: Instant,
    /// Its stage.
    pub stage: String,
    /// Where those are who arrived last; several if they came together.
    pub held_by: Vec<Place>,
    /// Who they are: node and lane.
    pub holders: Vec<String>,
    /// By how much those came after the others.
    pub lead: Duration,
}

/// One pass or request, ready to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// What the figure shows.
    pub title: String,
    /// What its whole is called: `the whole pass`.
    pub subject: &'static str,
    /// Nodes in order.
    pub groups: Vec<Group>,
    /// Barriers at which several nodes met, in order.
    pub barriers: Vec<Barrier>,
    /// The critical path: each began when the one before it ended.
    pub path: Vec<(Place, Stretch)>,
    /// The time that is shown.
    pub whole: Stretch,
    /// Its longest part, with a caption and a name; none if it has no parts.
    pub detail: Option<Detail>,
    /// Within what nodes that folded are alike; none if none did.
    pub folded: Option<Tolerance>,
}

/// The longest part of what is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// What it is.
    pub caption: String,
    /// `block`, or `pass`.
    pub name: &'static str,
    /// When it ran.
    pub window: Stretch,
}

impl Timeline {
    /// How many lanes all groups have.
    pub fn lanes(&self) -> usize {
        self.groups.iter().map(|group| group.rows.len()).sum()
    }

    /// The barriers that open within `window`.
    pub fn barriers_in(&self, window: Stretch) -> impl Iterator<Item = &Barrier> {
        let barriers = self.barriers.iter();
        barriers.filter(move |barrier| barrier.at > window.start && barrier.at <= window.end)
    }
}
