//! `memory.svg`: what each node holds over time, drawn from `nodes.csv` and
//! `batches.csv`.
//!
//! Weights stay, and room for the activations of the largest pass. The KV cache is what
//! changes: while a pass runs in which a request has n tokens after c tokens of context it
//! holds c + n of that request, keeps them until its next pass, and drops them once the
//! request is answered.

use super::readable::bytes;
use super::svg::{Anchor, Svg, UPLINK, time_axis};
use super::tables::{Batches, Slice, TableError, read_batches, read_nodes};
use crate::measurement::NodeRecord;
use crate::units::Instant;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// The figure's file name.
pub const MEMORY: &str = "memory.svg";

const WIDTH: f64 = 1280.0;
const LEFT: f64 = 420.0;
const RIGHT: f64 = 1240.0;
const TOP: f64 = 64.0;
const ROW: f64 = 30.0;
const GAP: f64 = 10.0;
const AXIS: f64 = 52.0;

/// Steps in a picture at most: more are no longer seen, and the largest of each stretch
/// stands for it.
const MOST_STEPS: usize = 2000;

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

    /// The SVG text.
    pub fn draw(&self) -> String {
        let rows = || {
            let nodes = self.per_node.iter();
            nodes.filter(|node| node.kv_token_bytes > 0)
        };
        let count = rows().count() as f64;
        let bottom = TOP + count * (ROW + GAP);
        let mut svg = Svg::new(WIDTH, bottom + AXIS);
        svg.text(
            (12.0, 24.0),
            17.0,
            Anchor::Start,
            "Memory: the KV cache over time",
        );
        svg.text((12.0, 48.0), 12.0, Anchor::Start, "beside what stays");
        let most = rows().map(|node| node.kv_token_bytes).max().unwrap_or(0);
        let longest = self.steps.iter().map(|step| step.tokens).max().unwrap_or(0);
        let most = most.saturating_mul(longest).max(1);
        let words = format!("highest bar: {}", bytes(most));
        svg.text((RIGHT, 48.0), 12.0, Anchor::End, &words);
        for (number, node) in rows().enumerate() {
            let base = TOP + number as f64 * (ROW + GAP) + ROW;
            let name = &self.nodes[node.node as usize];
            // Not every node's are counted: what is unknown is not zero.
            let activations = match node.activation_bytes {
                0 => String::new(),
                most => format!(", activations at most {}", bytes(most)),
            };
            let stays = format!("{name}: weights {}{activations}", bytes(node.weight_bytes));
            svg.text((12.0, base - 2.0), 12.0, Anchor::Start, &stays);
            let high = node.kv_token_bytes as f64 * longest as f64 / most as f64 * ROW;
            let (line, area) = self.outline(base, high / longest.max(1) as f64);
            svg.area(&area, UPLINK);
            svg.lines(&line, "black", 0.8);
            let floor = format!("M{LEFT},{base:.1} H{RIGHT}");
            svg.lines(&floor, "#888888", 0.6);
        }
        let end = self.steps.last().map_or(0.0, |step| step.at.as_seconds());
        let place = (LEFT, RIGHT, bottom - GAP + 8.0);
        time_axis(&mut svg, place, end, 8.0, "time");
        svg.finish()
    }

    /// The upper edge and the area below it, `scale` pixels a token.
    fn outline(&self, base: f64, scale: f64) -> (String, String) {
        let end = self.steps.last().map_or(1, |step| step.at.0).max(1);
        let x = |at: Instant| LEFT + at.0 as f64 / end as f64 * (RIGHT - LEFT);
        let stretch = self.steps.len().div_ceil(MOST_STEPS).max(1);
        let mut line = format!("M{LEFT},{base:.1}");
        for steps in self.steps.chunks(stretch) {
            let tokens = steps.iter().map(|step| step.tokens).max().unwrap_or(0);
            let high = base - tokens as f64 * scale;
            // Writing to a String cannot fail.
            let _ = write!(line, " H{:.2} V{high:.2}", x(steps[0].at));
        }
        // The last stretch may have merged the end of the last request.
        let area = format!("{line} V{base:.1} Z");
        (line, area)
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
}
