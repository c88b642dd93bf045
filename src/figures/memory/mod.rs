//! `memory`: what each node holds over time, drawn from `nodes.csv` and `batches.csv`.
//!
//! Weights stay, and room for the activations of the largest pass. The KV cache is what
//! changes: while a pass runs in which a request has n tokens after c tokens of context it
//! holds c + n of that request, keeps them until its next pass, and drops them once the
//! request is answered. Nodes that hold the same are drawn once.

mod draw;

use super::Width;
use super::catalogue::Figure;
use crate::measurement::NodeRecord;
use crate::results::tables::{BATCHES, Batches, Slice, TableError, read_batches, read_nodes};
use crate::units::Instant;
use std::collections::BTreeMap;
use std::path::Path;

/// Its line in the catalogue.
pub const FIGURE: Figure = Figure {
    name: "memory",
    width: Width::Column,
    has_parts: false,
    wanted: |run| {
        let full = run.events.is_some() && run.has(BATCHES);
        Ok(full && read(run.folder)?.changes())
    },
    draw: |run, width, _| Ok(read(run.folder)?.draw(width)),
};

/// A column of the picture, in hundredths of a point: more steps within it are not seen.
const COLUMN: f64 = 20.0;

/// What a KV cache holds from an instant on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Since when.
    pub at: Instant,
    /// How many tokens.
    pub tokens: u64,
}

/// What the nodes of a run hold over time.
#[derive(Debug, Clone)]
pub struct Memory {
    nodes: Vec<String>,
    per_node: Vec<NodeRecord>,
    /// In time order; the last is the end of the run's last pass.
    steps: Vec<Step>,
}

/// When the KV cache changes, and to what.
fn steps(batches: &Batches) -> Vec<Step> {
    let slices = || batches.values().flatten();
    let mut last: BTreeMap<u32, &Slice> = BTreeMap::new();
    for slice in slices() {
        let known = last.entry(slice.request).or_insert(slice);
        if slice.end >= known.end {
            *known = slice;
        }
    }
    // At one instant requests go before others come, unless it is their only one.
    let ends = last.iter().map(|(request, slice)| {
        let order = if slice.start == slice.end { 2 } else { 0 };
        (slice.end, order, *request, 0)
    });
    let starts = slices().map(|slice| {
        let tokens = slice.context.saturating_add(slice.tokens);
        (slice.start, 1, slice.request, tokens)
    });
    let mut changes: Vec<(Instant, u8, u32, u64)> = starts.chain(ends).collect();
    changes.sort_by_key(|(at, order, ..)| (*at, *order));
    let mut held: BTreeMap<u32, u64> = BTreeMap::new();
    let mut steps = Vec::with_capacity(changes.len());
    let mut tokens: u64 = 0;
    for (at, _, request, now) in changes {
        let before = held.insert(request, now).unwrap_or(0);
        tokens = tokens.saturating_sub(before).saturating_add(now);
        steps.push(Step { at, tokens });
    }
    steps
}

/// Reads the memory of the run in `folder`.
///
/// # Errors
/// If a table is missing or damaged.
pub fn read(folder: &Path) -> Result<Memory, TableError> {
    let (nodes, per_node) = read_nodes(folder)?;
    Ok(Memory {
        nodes,
        per_node,
        steps: steps(&read_batches(folder)?),
    })
}

impl Memory {
    /// Whether anything changes: somebody keeps a KV cache.
    pub fn changes(&self) -> bool {
        !self.steps.is_empty() && self.per_node.iter().any(|node| node.kv_token_bytes > 0)
    }

    /// The end of the run's last pass, in seconds.
    fn end(&self) -> f64 {
        self.steps.last().map_or(0.0, |step| step.at.as_seconds())
    }

    /// How many tokens are held from which second on: a line of level stretches. Steps that lie
    /// in one of `columns` columns are its highest and its last.
    fn outline(&self, columns: f64) -> Vec<(f64, f64)> {
        let end = self.end().max(f64::MIN_POSITIVE);
        let column = |step: &Step| libm::floor(step.at.as_seconds() / end * columns);
        let mut line = vec![(0.0, 0.0)];
        let mut put = |at: f64, tokens: u64| {
            let before = line[line.len() - 1].1;
            line.extend([(at, before), (at, tokens as f64)]);
        };
        for steps in self.steps.chunk_by(|a, b| column(a) == column(b)) {
            let most = steps.iter().map(|step| step.tokens).max().unwrap_or(0);
            let last = steps[steps.len() - 1];
            if steps.len() > 2 {
                put(steps[0].at.as_seconds(), most);
            } else if steps.len() == 2 {
                put(steps[0].at.as_seconds(), steps[0].tokens);
            }
            put(last.at.as_seconds(), last.tokens);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tables::Phase;

    /// What a cache holds over time if these are the (request, context, tokens, start, end)
    /// of passes of one request each.
    fn held(passes: &[(u32, u64, u64, u64, u64)]) -> Vec<(u64, u64)> {
        let slices = passes.iter().map(|(request, context, tokens, start, end)| {
            vec![Slice {
                replica: 0,
                request: *request,
                step: 0,
                phase: Phase::Decode,
                context: *context,
                tokens: *tokens,
                start: Instant(*start),
                end: Instant(*end),
            }]
        });
        let steps = steps(&(0..).zip(slices).collect());
        steps.iter().map(|step| (step.at.0, step.tokens)).collect()
    }

    #[test]
    fn a_cache_grows_with_its_request_and_is_empty_after_it() {
        let found = held(&[
            (0, 0, 5, 10, 20),
            (0, 5, 1, 20, 30),
            // Another window of the same request starts afresh.
            (0, 0, 4, 30, 40),
            (1, 0, 2, 70, 90),
        ]);
        let expected = [(10, 5), (20, 6), (30, 4), (40, 0), (70, 2), (90, 0)];
        assert_eq!(found, expected);
    }

    #[test]
    fn requests_that_are_served_at_once_hold_their_tokens_side_by_side() {
        let found = held(&[
            (0, 0, 5, 0, 10),
            (1, 0, 3, 5, 15),
            (0, 5, 1, 10, 20),
            (1, 3, 1, 20, 30),
        ]);
        let expected = [(0, 5), (5, 8), (10, 9), (20, 3), (20, 4), (30, 0)];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_outline_keeps_the_highest_and_the_last_of_each_column() {
        let steps: Vec<Step> = (0..10_000u64)
            .map(|k| Step {
                at: Instant(1 + k * 1_000_000),
                tokens: (k * 7919) % 1000,
            })
            .collect();
        let memory = Memory {
            nodes: Vec::new(),
            per_node: Vec::new(),
            steps: steps.clone(),
        };
        let line = memory.outline(50.0);
        assert!(line.len() <= 1 + 4 * 51);
        let most = |from: f64, to: f64| {
            let within = steps
                .iter()
                .filter(|step| (from..to).contains(&step.at.as_seconds()));
            within.map(|step| step.tokens).max().unwrap_or(0) as f64
        };
        let end = memory.end();
        let highest = line.iter().map(|(_, tokens)| *tokens).fold(0.0, f64::max);
        assert_eq!(highest, most(0.0, 2.0 * end));
        assert_eq!(line[line.len() - 1].1, steps[9_999].tokens as f64);
        for column in 0..50 {
            let (from, to) = (
                f64::from(column) / 50.0 * end,
                f64::from(column + 1) / 50.0 * end,
            );
            let shown = line.iter().filter(|(at, _)| (from..to).contains(at));
            let shown = shown.map(|(_, tokens)| *tokens).fold(0.0, f64::max);
            assert!(shown >= most(from, to), "column {column}");
        }
    }
}
