//! `memory`: what each node holds over time, drawn from `nodes.csv` and `batches.csv`.
//!
//! Weights stay, and room for the activations of the largest pass. The KV cache is what
//! changes: while a pass runs in which a request has n tokens after c tokens of context it
//! holds c + n of that request, keeps them until its next pass, and drops them once the
//! request is answered. Nodes that hold the same are drawn once.

use super::Width;
use super::catalogue::Figure;
use super::elements::{Polygon, Words};
use super::font::{self, Weight};
use super::names::in_few_words;
use super::panel::{
    Area, Axis, Fault, Frame, LABELS, LINE, NAME, beside, curve, heading, lines, page, panel,
    time_unit,
};
use super::scene::{Fill, Scene, Stroke, Text};
use super::style::{self, MARGIN, SMALL, TEXT};
use crate::measurement::NodeRecord;
use crate::results::readable::bytes;
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

/// Above a panel: what stays.
const HEAD: i32 = 1_000;

/// From what stands above a panel to the panel.
const UNDER: i32 = 450;

/// Between panels.
const BETWEEN: i32 = 700;

/// All panels together are about as tall as this, if they are many.
const TALLEST: i32 = 50_000;

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

    /// The nodes that keep a cache, those together that hold the same.
    fn rows(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        for node in self.per_node.iter().filter(|node| node.kv_token_bytes > 0) {
            let held = |it: &NodeRecord| (it.kv_token_bytes, it.weight_bytes, it.activation_bytes);
            let name = self.nodes[node.node as usize].clone();
            match rows.iter_mut().find(|row| held(row.node) == held(node)) {
                Some(row) => row.names.push(name),
                None => rows.push(Row {
                    names: vec![name],
                    node,
                }),
            }
        }
        rows
    }

    /// The end of the run's last pass, in seconds.
    fn end(&self) -> f64 {
        self.steps.last().map_or(0.0, |step| step.at.as_seconds())
    }

    /// The picture at `width`.
    pub fn draw(&self, width: Width) -> Scene {
        let layout = Layout::new(self, width);
        let title = "Memory: the KV cache over time, beside what stays";
        let mut scene = page((layout.width, layout.height()), title, |area| {
            layout.draw(area, title)
        });
        let tokens = self.steps.iter().map(|step| step.tokens).max().unwrap_or(0);
        let rows = layout.rows.iter().map(|(row, words)| {
            let most = row.node.kv_token_bytes.saturating_mul(tokens);
            format!("{}, cache at most {}", words.join(" "), bytes(most))
        });
        scene.description = format!("{}.", rows.collect::<Vec<_>>().join("; "));
        scene
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

/// Nodes that hold the same.
#[derive(Debug)]
struct Row<'m> {
    names: Vec<String>,
    node: &'m NodeRecord,
}

impl Row<'_> {
    /// What stays, in words.
    fn stays(&self) -> String {
        let each = if self.names.len() > 1 { " each" } else { "" };
        // Not every node's are counted: what is unknown is not zero.
        let activations = match self.node.activation_bytes {
            0 => String::new(),
            most => format!(", activations at most {}", bytes(most)),
        };
        let weights = bytes(self.node.weight_bytes);
        format!(
            "{}:{each} weights {weights}{activations}",
            in_few_words(&self.names)
        )
    }
}

/// The unit in which a number of bytes reads best, and how many bytes it is.
fn byte_unit(most: f64) -> (&'static str, f64) {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let found = units.into_iter().find(|(_, unit)| most >= *unit);
    found.unwrap_or(("B", 1.0))
}

/// Where everything is.
struct Layout<'m> {
    memory: &'m Memory,
    /// Each with what is written above it.
    rows: Vec<(Row<'m>, Vec<String>)>,
    width: i32,
    /// How tall a panel is.
    tall: i32,
    /// Where panels begin inside.
    left: i32,
    unit: (&'static str, f64),
    axis: Axis,
}

impl<'m> Layout<'m> {
    fn new(memory: &'m Memory, width: Width) -> Self {
        let width = width.length();
        let rows = memory.rows();
        let tokens = memory
            .steps
            .iter()
            .map(|step| step.tokens)
            .max()
            .unwrap_or(0);
        let most = rows
            .iter()
            .map(|row| row.node.kv_token_bytes)
            .max()
            .unwrap_or(0);
        let most = (most as f64 * tokens as f64).max(1.0);
        let unit = byte_unit(most);
        let axis = Axis::linear(0.0..1.05 * most / unit.1, 2);
        let left = MARGIN + beside(&axis) + NAME;
        let room = width - MARGIN - left;
        let rows = rows.into_iter().map(|row| {
            let words = font::wrapped(&row.stays(), SMALL, Weight::Regular, room);
            (row, words)
        });
        let rows: Vec<_> = rows.collect();
        let tall = (TALLEST / rows.len().max(1) as i32 - HEAD - BETWEEN).clamp(1_400, 4_000);
        Self {
            memory,
            rows,
            width,
            tall,
            left,
            unit,
            axis,
        }
    }

    fn top(&self) -> i32 {
        MARGIN + TEXT * 3 / 4 + LINE
    }

    fn height(&self) -> i32 {
        let heads: i32 = self
            .rows
            .iter()
            .map(|(_, words)| words.len() as i32 * LINE)
            .sum();
        let panels = self.rows.len() as i32 * (self.tall + BETWEEN);
        self.top() + heads - LINE + UNDER + panels - BETWEEN + LABELS + NAME + MARGIN
    }

    fn draw(&self, area: &Area<'_>, title: &str) -> Result<(), Fault> {
        heading(area, (MARGIN, MARGIN + TEXT * 3 / 4), title)?;
        let end = self.memory.end();
        let (unit, seconds) = time_unit(end);
        let left = self.left;
        let width = self.width - MARGIN - 800 - left;
        let outline = self.memory.outline(f64::from(width) / COLUMN);
        let name = format!("time ({unit})");
        let mut y = self.top();
        for (number, (row, words)) in self.rows.iter().enumerate() {
            y = lines(area, (left, y), SMALL, words)? - LINE + UNDER;
            let last = number + 1 == self.rows.len();
            let below = if last { LABELS + NAME } else { 0 };
            let part = (width + left - MARGIN, self.tall + below);
            let part = area.clone().shrink((MARGIN, y), part);
            let frame = Frame {
                x: last.then_some(name.as_str()),
                grid: true,
                inside: Some(left - MARGIN),
                ..Frame::default()
            };
            let across = Axis::linear(
                0.0..(end / seconds).max(f64::MIN_POSITIVE),
                (width / 3500) as usize,
            );
            let mut chart = panel(&part, (across, self.axis.clone()), frame)?;
            let scale = row.node.kv_token_bytes as f64 / self.unit.1;
            let line = outline.iter();
            let line: Vec<(f64, f64)> = line
                .map(|(at, tokens)| (at / seconds, tokens * scale))
                .collect();
            let mut corners = line.clone();
            corners.push((line[line.len() - 1].0, 0.0));
            chart.draw_series(std::iter::once(Polygon {
                corners,
                fill: Fill::Plain(style::UPLINK),
                stroke: None,
            }))?;
            curve(&mut chart, line, Stroke::solid(style::BLACK, 50))?;
            y += self.tall + BETWEEN + LINE - UNDER;
        }
        let panels = y - BETWEEN - LINE + UNDER - self.top();
        let at = (MARGIN + TEXT * 3 / 4, self.top() + panels / 2);
        let name = format!("KV cache ({})", self.unit.0);
        let text = Text::new(&name, SMALL, at).turned(-90);
        let text = text.anchored(super::scene::Anchor::Middle);
        area.draw(&Words::at(at, text))
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
