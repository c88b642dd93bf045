//! One run: engine, trace and run folder.

use super::error::RunError;
use super::plot::TIMELINE;
use super::prepare::Prepared;
use crate::architecture::measurement::{Measurements, PassRecord};
use crate::architecture::tensor_parallel::{STAGE_NAMES, TensorParallel};
use crate::engine::{self, CsvTrace, EngineError, Resources, TraceLevel};
use crate::results::folder::{FileDigest, FolderError, HashedFile, Staging};
use crate::results::manifest::{self, Host, Identity, Manifest, TraceDigest};
use crate::results::metrics::Metrics;
use crate::results::summary::Summary;
use crate::results::{tables, timeline};
use crate::rng::Streams;
use crate::units::Instant;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// How a run is to be made.
#[derive(Debug, Clone)]
pub struct RunOptions<'a> {
    /// The run folder.
    pub out: PathBuf,
    /// Ends the run when it becomes true.
    pub interrupt: &'a AtomicBool,
}

/// A run that is done.
#[derive(Debug)]
pub struct Finished {
    /// Its folder.
    pub folder: PathBuf,
    /// Its metrics.
    pub metrics: Metrics,
    /// Everything it measured.
    pub measured: Measurements,
    title: String,
}

impl Finished {
    /// The table for people.
    pub fn summary(&self) -> Summary<'_> {
        Summary {
            title: &self.title,
            metrics: &self.metrics,
            run: &self.measured,
        }
    }
}

/// Where trace rows go.
#[derive(Debug)]
enum Sink {
    File(Box<HashedFile>),
    Nowhere,
}

impl Write for Sink {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(content),
            Self::Nowhere => Ok(content.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Nowhere => Ok(()),
        }
    }
}

/// The file that a trace of `level` fills.
fn trace_file(level: TraceLevel) -> Option<&'static str> {
    match level {
        TraceLevel::Full => Some("events.csv"),
        TraceLevel::Summary => Some("events_summary.csv"),
        TraceLevel::Off => None,
    }
}

/// Simulates `prepared` and writes its run folder; `on_pass` is told of every
/// forward pass.
///
/// # Errors
/// If the folder cannot be written or belongs to another run, the simulation
/// fails, or it is interrupted. Then nothing is left behind.
pub fn run(
    prepared: Prepared,
    options: &RunOptions<'_>,
    on_pass: Box<dyn FnMut(&PassRecord)>,
) -> Result<Finished, RunError> {
    let began = std::time::Instant::now();
    let about = prepared.about.clone();
    let target = options.out.clone();
    let identity = Identity::of(&about.scenario, about.streams.seed, about.streams.run);
    let mut staging = Staging::new(&target, &identity)?;

    let mut resources = Resources::new();
    let mut program = TensorParallel::new(prepared.parts, on_pass, &mut resources)?;
    let level = about.trace;
    let sink = match trace_file(level) {
        Some(name) => Sink::File(Box::new(staging.create(name)?)),
        None => Sink::Nowhere,
    };
    let events = target.join(trace_file(level).unwrap_or_default());
    let unwritable = |source| FolderError::Io {
        path: events.clone(),
        source,
    };
    let mut trace = CsvTrace::new(level, sink, STAGE_NAMES).map_err(&unwritable)?;
    let report =
        engine::run(&mut program, &resources, &mut trace, options.interrupt).map_err(|error| {
            match error {
                EngineError::Interrupted { .. } => RunError::Interrupted {
                    kept: "nothing was written",
                },
                EngineError::Trace(source) => unwritable(source).into(),
                EngineError::Program(error) => error.into(),
                other => other.into(),
            }
        })?;
    let rows = trace.rows();
    let (digest, sink) = trace.finish().map_err(&unwritable)?;
    if let Sink::File(file) = sink {
        let digest = file.finish()?;
        staging.record(digest);
    }

    let makespan = Instant(report.makespan.0);
    let (measured, logits_blake3) = program.finish(makespan);
    let metrics = Metrics::of(&measured, makespan);
    staging.write("metrics.json", metrics.to_json().as_bytes())?;
    tables::write_totals(&mut staging, &measured)?;
    if level != TraceLevel::Off {
        tables::write_details(&mut staging, &measured)?;
    }
    if level == TraceLevel::Full && !measured.passes.is_empty() {
        let drawn = timeline::read(staging.path())?;
        staging.write(TIMELINE, timeline::draw(&drawn)?.as_bytes())?;
    }
    let manifest = Manifest {
        format: Manifest::format(),
        airloom: env!("CARGO_PKG_VERSION").to_owned(),
        scenario_name: about.name.clone(),
        scenario: about.scenario.clone(),
        seed: about.streams.seed,
        run: about.streams.run,
        identity: identity.digest,
        inputs: about.inputs.clone(),
        trace: TraceDigest {
            events: rows,
            blake3: digest.to_hex().to_string(),
        },
        logits_blake3,
        files: staging.files(),
        host: Host {
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            threads: rayon::current_num_threads(),
            wall_s: began.elapsed().as_secs_f64(),
            kernels: about.kernels.clone(),
        },
    };
    staging.write_unlisted(manifest::FILE_NAME, manifest.to_json().as_bytes())?;
    Ok(Finished {
        folder: staging.commit()?,
        metrics,
        measured,
        title: about.title(),
    })
}

/// What a run is, beside the parts it is made of.
#[derive(Debug, Clone)]
pub(super) struct About {
    /// The scenario's name.
    pub(super) name: String,
    /// The resolved scenario, as text.
    pub(super) scenario: String,
    pub(super) streams: Streams,
    pub(super) trace: TraceLevel,
    pub(super) inputs: Vec<FileDigest>,
    pub(super) kernels: String,
    /// What a reader should know at first sight.
    pub(super) headline: String,
}

impl About {
    fn title(&self) -> String {
        format!(
            "{} (seed {}, run {}): {}",
            self.name, self.streams.seed, self.streams.run, self.headline
        )
    }
}
