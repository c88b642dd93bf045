//! `waiting.svg`: who kept the next attention waiting, drawn from `waits.csv`.
//!
//! Shown are the blocks of the run's first pass, at most 32 of them. Per block there is a bar for every
//! device with tokens: downlink, compute and uplink one after the other, then hatched
//! waiting up to the barrier, a dashed line. Where tokens are pipelined the three overlap,
//! and the bar shows their proportions.

use serde::Deserialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

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

/// Seconds within which devices return together: a thousand times what stages are rounded to.
const TOGETHER: f64 = 1e-9;

/// Okabe–Ito, as in the timeline.
const DOWNLINK: &str = "#009E73";
const COMPUTE: &str = "#0072B2";
const UPLINK: &str = "#E69F00";

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {source}")]
pub struct WaitingError {
    path: PathBuf,
    source: csv::Error,
}

/// One device's bar.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Bar {
    request: u32,
    step: u32,
    layer: u32,
    device: u32,
    tokens: u64,
    downlink_s: f64,
    compute_s: f64,
    uplink_s: f64,
    start_ps: u64,
    end_ps: u64,
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
pub fn read(folder: &Path) -> Result<Vec<Vec<Bar>>, WaitingError> {
    let path = folder.join(super::tables::WAITS);
    let fault = |source| WaitingError {
        path: path.clone(),
        source,
    };
    let mut reader = csv::Reader::from_path(&path).map_err(fault)?;
    let mut blocks: Vec<Vec<Bar>> = Vec::new();
    let block = |bar: &Bar| (bar.request, bar.step, bar.layer);
    for bar in reader.deserialize() {
        let bar: Bar = bar.map_err(fault)?;
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

/// The SVG text of `blocks`.
pub fn draw(blocks: &[Vec<Bar>]) -> String {
    let rows = blocks.iter().map(Vec::len).max().unwrap_or(0);
    let group = HEAD + rows as f64 * BAR + 10.0;
    let lines = blocks.len().div_ceil(COLUMNS);
    let (width, height) = (
        COLUMNS as f64 * COLUMN_WIDTH + 24.0,
        TOP + lines as f64 * group + BOTTOM,
    );
    let ends = |bars: &[Bar]| {
        let ends = bars.iter().map(|bar| bar.busy() + bar.wait_s);
        ends.fold(0.0, f64::max)
    };
    let longest = blocks.iter().map(|bars| ends(bars)).fold(0.0, f64::max);
    let scale = if longest > 0.0 {
        (COLUMN_WIDTH - LABELS - 76.0) / longest
    } else {
        0.0
    };
    let mut svg = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <defs><pattern id=\"wait\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">\
         <rect width=\"6\" height=\"6\" fill=\"#EEEEEE\"/>\
         <path d=\"M0,6 L6,0\" stroke=\"#969696\" stroke-width=\"1\"/></pattern></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"17\">Who keeps the next attention waiting</text>"
    );
    legend(&mut svg);
    for (number, bars) in blocks.iter().enumerate() {
        let left = 12.0 + (number % COLUMNS) as f64 * COLUMN_WIDTH;
        let top = TOP + (number / COLUMNS) as f64 * group;
        let barrier = ends(bars);
        let together = bars.len() > 1 && bars.iter().all(|bar| bar.wait_s <= TOGETHER);
        let holder = bars.iter().find(|bar| bar.holds_barrier);
        let held = match holder {
            _ if together => "all together hold".to_owned(),
            Some(bar) => format!("device {} holds", bar.device),
            None => "the server holds".to_owned(),
        };
        let _ = writeln!(
            svg,
            "<text x=\"{left}\" y=\"{:.1}\" font-size=\"12\">block {}: {held} the \
             barrier, {:.3} ms</text>",
            top + 14.0,
            bars[0].layer,
            barrier * 1e3
        );
        let zero = left + LABELS;
        for (row, bar) in bars.iter().enumerate() {
            draw_bar(
                &mut svg,
                bar,
                zero,
                top + HEAD - 4.0 + row as f64 * BAR,
                scale,
            );
        }
        let x = zero + barrier * scale;
        let bottom = top + HEAD - 2.0 + bars.len() as f64 * BAR;
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.2},{:.1} V{bottom:.1}\" stroke=\"#464646\" stroke-width=\"1.5\" \
             stroke-dasharray=\"4 3\"/>",
            top + HEAD - 8.0
        );
    }
    axes(&mut svg, height, longest, scale);
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String) {
    let entries = [
        (DOWNLINK, "downlink"),
        (COMPUTE, "compute"),
        (UPLINK, "uplink"),
        ("url(#wait)", "waiting for the barrier"),
    ];
    let mut x = 12.0;
    for (fill, name) in entries {
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"36\" width=\"18\" height=\"11\" fill=\"{fill}\"/>\
             <text x=\"{}\" y=\"46\">{name}</text>",
            x + 24.0
        );
        x += 96.0;
    }
    let _ = writeln!(
        svg,
        "<path d=\"M{0},34 V50\" stroke=\"#464646\" stroke-width=\"1.5\" \
         stroke-dasharray=\"4 3\"/><text x=\"{1}\" y=\"46\">barrier opens</text>",
        x + 66.0,
        x + 74.0
    );
}

fn draw_bar(svg: &mut String, bar: &Bar, zero: f64, top: f64, scale: f64) {
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"8\">{} · {} tok</text>",
        zero - 5.0,
        top + 6.5,
        bar.device,
        bar.tokens
    );
    let stages = bar.downlink_s + bar.compute_s + bar.uplink_s;
    let squeeze = if stages > 0.0 {
        bar.busy() / stages
    } else {
        0.0
    };
    let mut x = zero;
    for (seconds, fill) in [
        (bar.downlink_s * squeeze, DOWNLINK),
        (bar.compute_s * squeeze, COMPUTE),
        (bar.uplink_s * squeeze, UPLINK),
        (bar.wait_s, "url(#wait)"),
    ] {
        let length = seconds * scale;
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.2}\" y=\"{top:.1}\" width=\"{length:.2}\" height=\"{}\" fill=\"{fill}\"/>",
            BAR - 2.0
        );
        x += length;
    }
}

/// A time axis under every column, with a step of 1, 2 or 5 times a power of ten.
fn axes(svg: &mut String, height: f64, longest: f64, scale: f64) {
    if longest <= 0.0 {
        return;
    }
    let raw = longest / 5.0;
    let magnitude = libm::pow(10.0, libm::floor(libm::log10(raw)));
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * magnitude >= raw);
    let step = factor.unwrap_or(10.0) * magnitude;
    let y = height - BOTTOM + 4.0;
    for column in 0..COLUMNS {
        let zero = 12.0 + column as f64 * COLUMN_WIDTH + LABELS;
        let end = zero + longest * scale;
        let _ = writeln!(svg, "<path d=\"M{zero},{y} H{end:.2}\" stroke=\"black\"/>");
        let mut count = 0;
        while f64::from(count) * step <= longest * (1.0 + 1e-9) {
            let at = f64::from(count) * step;
            let x = zero + at * scale;
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.2},{y} v5\" stroke=\"black\"/>\
                 <text x=\"{x:.2}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                y + 17.0,
                if count == 0 {
                    "0".to_owned()
                } else {
                    super::readable::significant(at * 1e3)
                }
            );
            count += 1;
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">time since the gate spoke (ms)</text>",
            (zero + end) / 2.0,
            y + 32.0
        );
    }
}
