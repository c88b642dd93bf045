//! The points of a sweep and what each is known by.
//!
//! A point's run folder is named by a digest of what the point is, its resolved scenario,
//! the seed and the run, never by its number: a sweep that gets more values, axes or runs
//! finds what it has made already.

use super::{POINTS, SweepOptions};
use crate::results::manifest::Identity;
use crate::rng::Streams;
use crate::scenario::{Column, Point, ScenarioError};

/// Digits of a point's digest in its folder's name: among the most points that a sweep may
/// have, two are alike by chance once in 10⁹ sweeps.
const DIGITS: usize = 16;

/// A point and what it is known by.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    pub(super) point: &'a Point,
    /// The name of its run folder.
    pub(super) name: String,
    pub(super) streams: Streams,
}

/// What the run folder of `identity` is called among the points of a sweep.
pub(super) fn name_of(identity: &Identity) -> String {
    identity.short(DIGITS).to_owned()
}

/// Whether a folder's name is the number by which earlier versions knew a point.
pub(super) fn is_numbered(name: &str) -> bool {
    name.len() < DIGITS && name.chars().all(|digit| digit.is_ascii_digit())
}

/// The point's run folder as the sweep's tables name it.
pub(super) fn shown(name: &str) -> String {
    format!("{POINTS}/{name}")
}

/// All `points` with their names.
///
/// # Errors
/// If a file that the scenario names has gone since the sweep was expanded.
pub(super) fn plan<'a>(
    points: &'a [Point],
    options: &SweepOptions<'_>,
) -> Result<Vec<Planned<'a>>, ScenarioError> {
    let mut plan = Vec::with_capacity(points.len());
    // Runs of one configuration follow each other.
    let mut last: Option<(&[usize], String)> = None;
    for point in points {
        let configuration = match last.take() {
            Some((choice, text)) if choice == point.choice => text,
            _ => point.resolve()?.configuration(),
        };
        let streams = Streams {
            seed: options.seed,
            run: point.run,
        };
        plan.push(Planned {
            point,
            name: name_of(&Identity::of(&configuration, streams.seed, streams.run)),
            streams,
        });
        last = Some((&point.choice, configuration));
    }
    Ok(plan)
}

/// What the columns say of a point with this `choice` of values.
pub(super) fn settings(columns: &[Column], choice: &[usize]) -> Vec<(String, String)> {
    let setting = |column: &Column| {
        let cell = &column.cells[choice[column.axis]];
        (column.name.clone(), cell.clone())
    };
    columns.iter().map(setting).collect()
}
