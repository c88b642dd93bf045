//! Which stretches of a long run the page holds task by task.
//!
//! All of a run that fits. Of a longer one, for everything that passes do (read a prompt, decode,
//! score, choose): the first such pass, the longest, and one in the middle of the run, each with as
//! much of what led to it as there is room for. Elsewhere the page shows shares and claims nothing
//! finer.

use crate::results::tables::{Phase, TableError, for_each_slice};
use crate::units::Instant;
use std::collections::BTreeMap;
use std::path::Path;

/// Tasks that a page holds one by one, over all windows.
pub(super) const MOST_TASKS: usize = 40_000;

/// Between the first and the last name of windows that are one.
const JOINT: &str = " to ";

/// A stretch of time of which every task is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    /// Why it was chosen; empty for the whole run.
    pub(super) name: String,
    pub(super) start: Instant,
    pub(super) end: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Pass {
    start: Instant,
    end: Instant,
}

#[derive(Debug, Default)]
struct Choice {
    first: Option<Pass>,
    middle: Option<Pass>,
    longest: Option<Pass>,
}

impl Choice {
    fn meet(&mut self, pass: Pass, half: Instant) {
        let length = |pass: Pass| pass.end.since(pass.start);
        if self.first.is_none_or(|first| pass.start < first.start) {
            self.first = Some(pass);
        }
        if self
            .longest
            .is_none_or(|longest| length(pass) > length(longest))
        {
            self.longest = Some(pass);
        }
        let nearer = |middle: Pass| pass.start < middle.start;
        if pass.end >= half && self.middle.is_none_or(nearer) {
            self.middle = Some(pass);
        }
    }
}

fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Prefill => "prefill",
        Phase::Decode => "decode step",
        Phase::Score => "scoring pass",
        Phase::Choose => "choosing pass",
        Phase::Draft => "draft pass",
    }
}

/// The windows of the run in `folder`, which has `rows` tasks and takes `makespan`, in order of
/// time, for `most` tasks; windows that meet are one.
///
/// # Errors
/// If the table of batches is missing or damaged.
pub(super) fn choose(
    folder: &Path,
    rows: u64,
    makespan: Instant,
    most: usize,
) -> Result<Vec<Window>, TableError> {
    if rows <= most as u64 {
        return Ok(vec![Window {
            name: String::new(),
            start: Instant::ZERO,
            end: makespan,
        }]);
    }
    let mut choices: BTreeMap<&str, Choice> = BTreeMap::new();
    let half = Instant(makespan.0 / 2);
    for_each_slice(folder, |_, slice| {
        let pass = Pass {
            start: slice.start,
            end: slice.end,
        };
        choices
            .entry(name(slice.phase))
            .or_default()
            .meet(pass, half);
    })?;
    let mut windows = Vec::new();
    for (what, choice) in choices {
        let chosen = [
            ("first", choice.first),
            ("middle", choice.middle),
            ("longest", choice.longest),
        ];
        windows.extend(chosen.into_iter().filter_map(|(which, pass)| {
            let pass = pass.filter(|pass| pass.end > pass.start)?;
            Some(Window {
                name: format!("{which} {what}"),
                start: pass.start,
                end: pass.end.min(makespan),
            })
        }));
    }
    // What the run's mean density lets expect in three quarters of each window's room.
    let room = most as u64 * 3 / 4 / windows.len().max(1) as u64;
    let width = u128::from(makespan.0) * u128::from(room) / u128::from(rows);
    for window in &mut windows {
        let earlier = window.end.0.saturating_sub(width as u64);
        window.start = window.start.min(Instant(earlier));
    }
    Ok(merged(windows))
}

fn merged(mut windows: Vec<Window>) -> Vec<Window> {
    windows.sort_by_key(|window| (window.start, window.end));
    let mut merged: Vec<Window> = Vec::new();
    for window in windows {
        match merged.last_mut() {
            Some(last) if window.start <= last.end => {
                last.end = last.end.max(window.end);
                // Those between lie between.
                let first = last.name.split(JOINT).next().unwrap_or_default();
                last.name = format!("{first}{JOINT}{}", window.name);
            }
            _ => merged.push(window),
        }
    }
    merged
}
