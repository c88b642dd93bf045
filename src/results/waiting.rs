//! `waiting.svg`: who kept the next attention waiting, drawn from `waits.csv`.
//!
//! Shown are the blocks of the run's first pass, at most 32 of them. Per block there is a bar for every
//! node with tokens: downlink, compute and uplink one after the other, then hatched
//! waiting up to the barrier, a dashed line. Where tokens are pipelined the three overlap,
//! and the bar shows their proportions.

use super::svg::{self, Anchor, Svg, time_axis};
use super::tables::{TableError, TableFile, WAITS, not_negative};
use serde::Deserialize;
use std::path::Path;

/// The figure's file name.
pub const WAITING: &str = "waiting.svg";

/// Blocks shown, and in how many columns.
const BLOCKS: usize = 32;
const COLUMNS: usize = 4;

const COLUMN_WIDTH: f64 = 420.0;
const LABELS: f64 = 84.0;
const BAR: f64 = 9.0;
const HEAD: f64 = 26.0;
const TOP: f64 = 66.0;
const BOTTOM: f64 = 44.0;

/// One node's bar.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Bar {
    request: u32,
    step: u32,
    layer: u32,
    node: String,
    tokens: u64,
    #[serde(deserialize_with = "not_negative")]
    downlink_s: f64,
    #[serde(deserialize_with = "not_negative")]
    compute_s: f64,
    #[serde(deserialize_with = "not_negative")]
    uplink_s: f64,
    start_ps: u64,
    end_ps: u64,
    #[serde(deserialize_with = "not_negative")]
    wait_s: f64,
    holds_barrier: bool,
}

impl Bar {
    fn busy(&self) -> f64 {
        (self.end_ps - self.start_ps) as f64 * 1e-12
    }
}

/// Reads the bars of the first blocks of the first pass of the run in `folder`.
///
/// # Errors
/// If `waits.csv` is missing or damaged.
pub fn read(folder: &Path) -> Result<Vec<Vec<Bar>>, TableError> {
    let mut blocks: Vec<Vec<Bar>> = Vec::new();
    let block = |bar: &Bar| (bar.request, bar.step, bar.layer);
    let path = folder.join(WAITS);
    for bar in TableFile::open(&path)?.rows::<Bar>() {
        let (line, bar) = bar?;
        if bar.end_ps < bar.start_ps {
            return Err(TableError {
                path,
                line: Some(line),
                fault: "the visit ends before it starts".to_owned(),
            });
        }
        let last = blocks.last().map(|bars| &bars[0]);
        let same_pass = |last: &Bar| (last.request, last.step) == (bar.request, bar.step);
        if last.is_some_and(|last| block(last) == block(&bar)) {
            blocks.last_mut().expect("it has a last one").push(bar);
        } else if blocks.len() == BLOCKS || last.is_some_and(|last| !same_pass(last)) {
            break;
        } else {
            blocks.push(vec![bar]);
        }
    }
    Ok(blocks)
}

/// When the barrier of a block opens, in seconds since the gate spoke.
fn opening(bars: &[Bar]) -> f64 {
    let ends = bars.iter().map(|bar| bar.busy() + bar.wait_s);
    ends.fold(0.0, f64::max)
}

/// The SVG text of `blocks`.
pub fn draw(blocks: &[Vec<Bar>]) -> String {
    let rows = blocks.iter().map(Vec::len).max().unwrap_or(0);
    let group = HEAD + rows as f64 * BAR + 10.0;
    let lines = blocks.len().div_ceil(COLUMNS);
    let height = TOP + lines as f64 * group + BOTTOM;
    let longest = blocks.iter().map(|bars| opening(bars)).fold(0.0, f64::max);
    let length = COLUMN_WIDTH - LABELS - 76.0;
    let scale = if longest > 0.0 { length / longest } else { 0.0 };
    let mut svg = Svg::new(COLUMNS as f64 * COLUMN_WIDTH + 24.0, height);
    let title = "Who keeps the next attention waiting";
    svg.text((12.0, 24.0), 17.0, Anchor::Start, title);
    legend(&mut svg);
    for (number, bars) in blocks.iter().enumerate() {
        let left = 12.0 + (number % COLUMNS) as f64 * COLUMN_WIDTH;
        let top = TOP + (number / COLUMNS) as f64 * group;
        let barrier = opening(bars);
        let words = format!(
            "block {}: {} the barrier, {:.3} ms",
            bars[0].layer,
            holders(bars),
            barrier * 1e3
        );
        svg.text((left, top + 14.0), 12.0, Anchor::Start, &words);
        let zero = left + LABELS;
        let first = top + HEAD - 4.0;
        for (row, bar) in bars.iter().enumerate() {
            draw_bar(&mut svg, bar, (zero, first + row as f64 * BAR), scale);
        }
        let bottom = first + 2.0 + bars.len() as f64 * BAR;
        svg.dashed(zero + barrier * scale, (first - 4.0, bottom));
    }
    for column in 0..COLUMNS.min(blocks.len()) {
        let zero = 12.0 + column as f64 * COLUMN_WIDTH + LABELS;
        let place = (zero, zero + longest * scale, height - BOTTOM + 4.0);
        time_axis(&mut svg, place, longest, 5.0, "time since the gate spoke");
    }
    svg.finish()
}

/// Who holds the barrier of a block, as the subject of a sentence and its verb.
fn holders(bars: &[Bar]) -> String {
    let holders: Vec<&str> = bars
        .iter()
        .filter(|bar| bar.holds_barrier)
        .map(|bar| bar.node.as_str())
        .collect();
    match &holders[..] {
        [] => "the gate's own node holds".to_owned(),
        [one] => format!("{one} holds"),
        all if all.len() == bars.len() => "all together hold".to_owned(),
        several => format!("{} nodes together hold", several.len()),
    }
}

fn legend(svg: &mut Svg) {
    let mut x = 12.0;
    for (fill, name, width) in [
        (svg::DOWNLINK, "downlink", 96.0),
        (svg::COMPUTE, "compute", 96.0),
        (svg::UPLINK, "uplink", 96.0),
        (svg::WAITING, "waiting for the barrier", 178.0),
    ] {
        svg.rect((x, 36.0), (18.0, 11.0), fill);
        svg.text((x + 24.0, 46.0), 11.0, Anchor::Start, name);
        x += width;
    }
    svg.dashed(x, (34.0, 50.0));
    svg.text((x + 8.0, 46.0), 11.0, Anchor::Start, "barrier opens");
}

fn draw_bar(svg: &mut Svg, bar: &Bar, (zero, top): (f64, f64), scale: f64) {
    let label = format!("{} · {} tok", bar.node, bar.tokens);
    svg.text((zero - 5.0, top + 6.5), 8.0, Anchor::End, &label);
    let stages = bar.downlink_s + bar.compute_s + bar.uplink_s;
    let squeeze = if stages > 0.0 {
        bar.busy() / stages
    } else {
        0.0
    };
    let mut x = zero;
    for (seconds, fill) in [
        (bar.downlink_s * squeeze, svg::DOWNLINK),
        (bar.compute_s * squeeze, svg::COMPUTE),
        (bar.uplink_s * squeeze, svg::UPLINK),
        (bar.wait_s, svg::WAITING),
    ] {
        let length = seconds * scale;
        if length > 0.0 {
            svg.rect((x, top), (length, BAR - 2.0), fill);
        }
        x += length;
    }
}
