//! `waiting`: who kept the next attention waiting, drawn from `waits.csv`.
//!
//! Shown are blocks of one pass, the run's first if none is chosen, or of one request: as many as
//! a page holds. Per block there is a bar for every node with tokens: downlink, compute and uplink
//! one after the other, then hatched waiting up to the barrier, a dashed line. Where tokens are
//! pipelined the three overlap, and the bar shows their proportions.

mod draw;

use super::Width;
use super::catalogue::Figure;
use super::choice::{Choice, Chosen};
use super::scene::Fill;
use super::style;
use crate::results::tables::{TableError, TableFile, WAITS, not_negative};
use serde::Deserialize;
use std::path::Path;

/// Its line in the catalogue.
pub const FIGURE: Figure = Figure {
    name: "waiting",
    width: Width::Page,
    has_parts: true,
    wanted: |run| Ok(run.holds_a_pass() && run.has(WAITS)),
    draw: |run, width, part| {
        let chosen = Choice::from(part).find(run.folder)?;
        Ok(read(run.folder, &chosen)?.draw(width))
    },
};

/// Blocks kept at most; a page has room for no more.
const MOST: usize = 64;

/// One node's bar.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Bar {
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

    fn block(&self) -> (u32, u32, u32) {
        (self.request, self.step, self.layer)
    }

    /// Its parts in their order: they add up to the time from the gate to the barrier.
    fn parts(&self) -> [(f64, Fill); 4] {
        let stages = self.downlink_s + self.compute_s + self.uplink_s;
        let squeeze = match stages > 0.0 {
            true => self.busy() / stages,
            false => 0.0,
        };
        [
            (self.downlink_s * squeeze, Fill::Plain(style::DOWNLINK)),
            (self.compute_s * squeeze, Fill::Plain(style::COMPUTE)),
            (self.uplink_s * squeeze, Fill::Plain(style::UPLINK)),
            (self.wait_s, Fill::Hatched(style::WAITING)),
        ]
    }
}

/// Blocks with what each node did in them.
#[derive(Debug, Clone, PartialEq)]
pub struct Waits {
    /// The first of them, each with a bar per node.
    blocks: Vec<Vec<Bar>>,
    /// How many there are.
    count: usize,
    /// Whose they are.
    whose: String,
}

/// Reads the blocks of what was `chosen` of the run in `folder`; by default those of the first
/// pass in the table.
///
/// # Errors
/// If `waits.csv` is missing or damaged.
pub fn read(folder: &Path, chosen: &Chosen) -> Result<Waits, TableError> {
    let slices = chosen.window.passes.values().flatten();
    let passes: Vec<(u32, u32)> = slices.map(|slice| (slice.request, slice.step)).collect();
    let mut waits = Waits {
        blocks: Vec::new(),
        count: 0,
        whose: match chosen.choice {
            Choice::Typical => "the first pass".to_owned(),
            Choice::Pass(pass) => format!("pass {pass}"),
            Choice::Request(request) => format!("request {request}"),
        },
    };
    let mut last = None;
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
        let pass = (bar.request, bar.step);
        match (chosen.choice, last) {
            (Choice::Typical, Some((request, step, _))) if pass != (request, step) => break,
            (Choice::Pass(_) | Choice::Request(_), _) if !passes.contains(&pass) => continue,
            _ => {}
        }
        if last != Some(bar.block()) {
            last = Some(bar.block());
            waits.count += 1;
            if waits.count <= MOST {
                waits.blocks.push(Vec::new());
            }
        }
        if waits.count <= MOST {
            waits.blocks.last_mut().expect("one was begun").push(bar);
        }
    }
    Ok(waits)
}
