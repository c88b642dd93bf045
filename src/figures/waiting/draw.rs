//! Draws the bars of blocks.

use super::{Bar, Waits};
use crate::figures::Width;
use crate::figures::elements::{Block, Line, words};
use crate::figures::font::{self, Weight};
use crate::figures::key::{Key, Sample};
use crate::figures::panel::{
    Area, Axis, Fault, Frame, LABELS, LINE, NAME, heading, lines, page, panel, time_unit,
};
use crate::figures::scene::{Anchor, Fill, Place, Scene, Stroke};
use crate::figures::style::{self, MARGIN, SMALL, TEXT};

/// From a bar to the next.
const ROW: i32 = 720;

/// Above and below the bars of a block.
const HEAD: i32 = 2 * 800 + 150;
const FOOT: i32 = 350;

/// Between blocks, side by side.
const BETWEEN: i32 = 900;

/// Blocks are in more than one line if they are no taller than this together.
const TALLEST: i32 = 52_000;

/// When the barrier of a block opens, in seconds since the gate spoke.
fn opening(bars: &[Bar]) -> f64 {
    let ends = bars.iter().map(|bar| bar.busy() + bar.wait_s);
    ends.fold(0.0, f64::max)
}

/// Who holds the barrier of a block.
fn holders(bars: &[Bar]) -> String {
    let holders = bars.iter().filter(|bar| bar.holds_barrier);
    let holders: Vec<&str> = holders.map(|bar| bar.node.as_str()).collect();
    match &holders[..] {
        [] => "held by the gate's own node".to_owned(),
        [one] => format!("held by {one}"),
        all if all.len() == bars.len() => "held by all together".to_owned(),
        several => format!("held by {} together", several.len()),
    }
}

fn width_of(text: &str) -> i32 {
    font::width(text, SMALL, Weight::Regular)
}

/// Where everything is.
struct Layout<'w> {
    blocks: &'w [Vec<Bar>],
    /// The nodes of all blocks shown, each with a row.
    nodes: Vec<&'w str>,
    width: i32,
    /// Where the first block's number of tokens is.
    left: i32,
    /// How many blocks are side by side, and how wide each is, tokens and bars.
    columns: usize,
    tokens: i32,
    bars: i32,
    notes: Vec<String>,
    key: Key,
}

impl Waits {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The picture at `width`.
    pub fn draw(&self, width: Width) -> Scene {
        let layout = Layout::new(self, width);
        let title = "Who keeps the next attention waiting";
        let mut scene = page((layout.width, layout.height()), title, |area| {
            layout.draw(area, title)
        });
        let held: Vec<String> = layout
            .blocks
            .iter()
            .map(|bars| format!("block {} {}", bars[0].layer, holders(bars)))
            .collect();
        scene.description = format!("Barriers of {}: {}.", self.whose, held.join(", "));
        scene
    }
}

impl<'w> Layout<'w> {
    fn new(waits: &'w Waits, width: Width) -> Self {
        let columns = match width {
            Width::Column => 2,
            Width::Page => 4,
        };
        let mut nodes: Vec<&str> = Vec::new();
        for bar in waits.blocks.iter().flatten() {
            if !nodes.contains(&bar.node.as_str()) {
                nodes.push(&bar.node);
            }
        }
        let tall = HEAD + nodes.len() as i32 * ROW + FOOT;
        let lines = (TALLEST / tall).max(1) as usize;
        let blocks = &waits.blocks[..waits.blocks.len().min(lines * columns)];
        let names = nodes.iter().map(|name| width_of(name)).max().unwrap_or(0);
        let numbers = blocks
            .iter()
            .flatten()
            .map(|bar| width_of(&bar.tokens.to_string()));
        let tokens = numbers.max().unwrap_or(0);
        let width = width.length();
        let names = names.min(width / 4);
        let left = MARGIN + names + 400;
        let room = (width - MARGIN - left) / columns as i32;
        let shown = match (blocks.len(), waits.count) {
            (shown, count) if shown == count => format!("All {count} blocks"),
            (shown, count) => format!("The first {shown} of {count} blocks"),
        };
        let note = format!(
            "{shown} of {}; numbers are tokens that a node was sent.",
            waits.whose
        );
        let key = Key::default()
            .with(Sample::Fill(Fill::Plain(style::DOWNLINK)), "downlink")
            .with(Sample::Fill(Fill::Plain(style::COMPUTE)), "compute")
            .with(Sample::Fill(Fill::Plain(style::UPLINK)), "uplink")
            .with(
                Sample::Fill(Fill::Hatched(style::WAITING)),
                "waiting for the barrier",
            )
            .with(Sample::Upright(style::BARRIER), "barrier opens");
        Self {
            blocks,
            nodes,
            width,
            left,
            columns,
            tokens,
            bars: room - tokens - 200 - BETWEEN,
            notes: font::wrapped(&note, SMALL, Weight::Regular, width - 2 * MARGIN),
            key,
        }
    }

    fn key_top(&self) -> i32 {
        MARGIN + TEXT * 3 / 4 + LINE * (1 + self.notes.len() as i32) + 100
    }

    fn top(&self) -> i32 {
        self.key_top() + self.key.height(self.width - 2 * MARGIN)
    }

    fn tall(&self) -> i32 {
        HEAD + self.nodes.len() as i32 * ROW + FOOT
    }

    fn lines(&self) -> i32 {
        self.blocks.len().div_ceil(self.columns) as i32
    }

    fn height(&self) -> i32 {
        self.top() + self.lines() * self.tall() + LABELS + NAME + MARGIN
    }

    /// The upper left corner of a block's bars.
    fn corner(&self, number: usize) -> Place {
        let (line, column) = (
            (number / self.columns) as i32,
            (number % self.columns) as i32,
        );
        let each = self.tokens + 200 + self.bars + BETWEEN;
        (
            self.left + column * each + self.tokens + 200,
            self.top() + line * self.tall() + HEAD,
        )
    }

    fn draw(&self, area: &Area<'_>, title: &str) -> Result<(), Fault> {
        let y = MARGIN + TEXT * 3 / 4;
        heading(area, (MARGIN, y), title)?;
        lines(area, (MARGIN, y + LINE), SMALL, &self.notes)?;
        let room = self.width - 2 * MARGIN;
        self.key.draw(area, (MARGIN, self.key_top()), room)?;
        let longest = self
            .blocks
            .iter()
            .map(|bars| opening(bars))
            .fold(0.0, f64::max);
        let (unit, seconds) = time_unit(longest);
        for (number, bars) in self.blocks.iter().enumerate() {
            self.draw_block(area, (number, bars), (longest, seconds))?;
        }
        // One axis below each column.
        let rows = self.lines() * self.tall() + self.top() - FOOT;
        for column in 0..self.columns.min(self.blocks.len()) {
            let (left, _) = self.corner(column);
            let part = (self.bars, LABELS + 1);
            let strip = area.clone().shrink((left, rows), part);
            let axis = Axis::linear(0.0..longest / seconds, (self.bars / 3000).max(1) as usize);
            let frame = Frame {
                x_labels: true,
                inside: Some(0),
                ..Frame::default()
            };
            panel(&strip, (axis, Axis::bare(0.0..1.0)), frame)?;
        }
        let name = format!("time since the gate spoke ({unit})");
        let middle = (self.left + self.width - MARGIN) / 2;
        let at = (middle, self.height() - MARGIN - SMALL / 4);
        area.draw(&words(at, &name, SMALL, Anchor::Middle))?;
        for line in 0..self.lines() {
            let (_, top) = self.corner(line as usize * self.columns);
            for (row, name) in self.nodes.iter().enumerate() {
                let room = self.left - MARGIN - 200;
                let name = font::shortened(name, SMALL, Weight::Regular, room);
                let at = (MARGIN, top + row as i32 * ROW + ROW * 3 / 4);
                area.draw(&words(at, &name, SMALL, Anchor::Start))?;
            }
        }
        Ok(())
    }

    fn draw_block(
        &self,
        area: &Area<'_>,
        (number, bars): (usize, &[Bar]),
        (longest, unit): (f64, f64),
    ) -> Result<(), Fault> {
        let (left, top) = self.corner(number);
        let barrier = opening(bars);
        let room = self.tokens + 200 + self.bars + BETWEEN / 2;
        let first = &bars[0];
        let head = [
            format!("block {}: {:.3} ms", first.layer, barrier * 1e3),
            holders(bars),
        ];
        for (line, text) in head.iter().enumerate() {
            let text = font::shortened(text, SMALL, Weight::Regular, room);
            let at = (
                left - self.tokens - 200,
                top - HEAD + 750 + line as i32 * 750,
            );
            area.draw(&words(at, &text, SMALL, Anchor::Start))?;
        }
        let tall = self.nodes.len() as i32 * ROW;
        let inside = area.clone().shrink((left, top), (self.bars, tall));
        let axes = (
            Axis::bare(0.0..(longest / unit).max(f64::MIN_POSITIVE)),
            Axis::bare(f64::from(tall)..0.0),
        );
        let frame = Frame {
            inside: Some(0),
            ..Frame::default()
        };
        let mut chart = panel(&inside, axes, frame)?;
        for bar in bars {
            let row = self.nodes.iter().position(|node| *node == bar.node);
            let y = row.unwrap_or(0) as i32 * ROW;
            let at = (left - 200, top + y + ROW * 3 / 4);
            area.draw(&words(at, &bar.tokens.to_string(), SMALL, Anchor::End))?;
            let mut x = 0.0;
            let boxes = bar.parts().into_iter().map(|(seconds, fill)| {
                let from = x;
                x += seconds / unit;
                Block {
                    corners: [(from, f64::from(y + 80)), (x, f64::from(y + ROW - 80))],
                    fill: Some(fill),
                    // Sets parts apart where their colours do not.
                    stroke: Some(Stroke::solid(style::WHITE, 30)),
                }
            });
            let seen = boxes.filter(|part| part.corners[1].0 > part.corners[0].0);
            chart.draw_series(seen.collect::<Vec<_>>())?;
        }
        let x = barrier / unit;
        chart.draw_series(std::iter::once(Line {
            places: vec![(x, 0.0), (x, f64::from(tall))],
            stroke: style::BARRIER,
        }))?;
        Ok(())
    }
}
