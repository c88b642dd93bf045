//! A run in memory, without a folder.

use super::error::RunError;
use super::prepare::{goals, prepare};
use crate::engine::{self, CsvTrace, Resources, TraceLevel};
use crate::execution::{Execution, STAGE_NAMES, System};
use crate::measurement::{Goals, Measurements};
use crate::observer::Observer;
use crate::results::folder::FolderError;
use crate::results::metrics::Metrics;
use crate::rng::Streams;
use crate::scenario::Resolved;
use crate::units::Instant;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// What a run in memory came to.
#[derive(Debug)]
pub struct Simulated {
    /// Its metrics, as `metrics.json` has them.
    pub metrics: Metrics,
    /// Everything that it measured.
    pub measured: Measurements,
    /// When it ended.
    pub makespan: Instant,
    /// The BLAKE3 of its log of events.
    pub log_blake3: String,
    /// The BLAKE3 of all logits, in the order in which they were computed.
    pub logits_blake3: String,
}

/// Simulates the scenario `resolved` as run 0 of its seed; `observer` is told of every pass and
/// of the tensors that travel.
///
/// # Errors
/// If an input is missing or damaged, the parts do not fit each other, or the run breaks off.
pub fn simulate(resolved: &Resolved, observer: &mut dyn Observer) -> Result<Simulated, RunError> {
    let streams = Streams {
        seed: resolved.seed(),
        run: 0,
    };
    let prepared = prepare(resolved, streams, Vec::new())?;
    let mut simulated = simulate_system(prepared.system, observer)?;
    simulated.measured.totals.assignment = prepared.about.assignment;
    simulated.metrics = Metrics::of(&simulated.measured, &goals(resolved), simulated.makespan);
    Ok(simulated)
}

/// Simulates a `system` that was put together by hand.
///
/// # Errors
/// If the parts do not fit each other, or the run breaks off.
pub fn simulate_system(system: System, observer: &mut dyn Observer) -> Result<Simulated, RunError> {
    let broken = |source: io::Error| FolderError::Io {
        path: PathBuf::from("events.csv"),
        source,
    };
    let nodes = system.node_names();
    let mut log =
        CsvTrace::new(TraceLevel::Off, io::sink(), STAGE_NAMES, &nodes).map_err(broken)?;
    let mut resources = Resources::new();
    let mut measured = Measurements::default();
    let mut watch = (&mut measured, observer);
    let mut program = Execution::new(system, &mut watch, &mut resources)?;
    let never = AtomicBool::new(false);
    let report = engine::run(&mut program, &resources, &mut log, &never)?;
    let makespan = Instant(report.makespan.0);
    let (totals, logits_blake3) = program.finish(makespan);
    measured.totals = totals;
    let (log, _) = log.finish().map_err(broken)?;
    Ok(Simulated {
        metrics: Metrics::of(&measured, &Goals::default(), makespan),
        measured,
        makespan,
        log_blake3: log.blake3,
        logits_blake3,
    })
}
