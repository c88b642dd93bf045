//! Draws what nodes hold, a panel for those that hold the same.

use super::{COLUMN, Memory};
use crate::figures::Width;
use crate::figures::elements::{Polygon, Words};
use crate::figures::font::{self, Weight};
use crate::figures::names::in_few_words;
use crate::figures::panel::{
    Area, Axis, Fault, Frame, LABELS, LINE, NAME, beside, curve, heading, lines, page, panel,
    time_unit,
};
use crate::figures::scene::{Anchor, Fill, Scene, Stroke, Text};
use crate::figures::style::{self, MARGIN, SMALL, TEXT};
use crate::measurement::NodeRecord;
use crate::results::readable::bytes;

/// Above a panel: what stays.
const HEAD: i32 = 1_000;

/// From what stands above a panel to the panel.
const UNDER: i32 = 450;

/// Between panels.
const BETWEEN: i32 = 700;

/// All panels together are about as tall as this, if they are many.
const TALLEST: i32 = 50_000;

impl Memory {
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
        let text = text.anchored(Anchor::Middle);
        area.draw(&Words::at(at, text))
    }
}
