//! One run: engine, trace and run folder.

use super::drawings::{self, DRAWN};
use super::error::RunError;
use super::prepare::{Grounds, Prepared};
use super::recorded::SCENARIO;
use crate::engine::{self, BackgroundTrace, CsvTrace, EngineError, Resources, TraceLevel};
use crate::execution::{Execution, ExecutionError, STAGE_NAMES};
use crate::figures::catalogue::{DrawError, FIGURES, Options};
use crate::figures::format::Format;
use crate::measurement::{AssignmentRecord, Goals, Totals};
use crate::observer::Observer;
use crate::results::drawn::EVENTS;
use crate::results::folder::{FileDigest, FolderError, HashedFile, Staging};
use crate::results::host::Host;
use crate::results::manifest::{self, AnyRun, Identity, Manifest, Origin};
use crate::results::metrics::{Accumulator, FILE_NAME as METRICS, Metrics, overdraft};
use crate::results::summary::{MOST_TEXTS, Summary};
use crate::results::tables::{Recorded, Recorder};
use crate::results::tensors::{self, TensorLog};
use crate::results::{assignment, expert_pairs};
use crate::rng::Streams;
use crate::trust::Card;
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
    /// How far they are known.
    pub card: Card,
    /// What is known of it as a whole.
    pub totals: Totals,
    /// What requests generated, with their numbers.
    texts: Vec<(u32, String)>,
    title: String,
}

impl Finished {
    /// What is no fault of the run but hardly meant, as only its results can tell.
    pub fn warnings(&self) -> Vec<String> {
        let beyond = self.metrics.not_finite().map(|name| {
            format!(
                "{name} is beyond every number: what was asked of the model is as good as \
                 impossible to it, as after a radio that lets next to nothing through"
            )
        });
        beyond.chain(overdraft(&self.metrics)).collect()
    }

    /// The table for people, in lines of at most `columns` where that is possible.
    pub fn summary(&self, columns: Option<usize>) -> Summary<'_> {
        Summary {
            title: &self.title,
            metrics: &self.metrics,
            card: Some(&self.card),
            nodes: &self.totals.nodes,
            per_node: &self.totals.per_node,
            texts: self.texts.clone(),
            columns,
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
        TraceLevel::Full => Some(EVENTS),
        TraceLevel::Summary => Some("events_summary.csv"),
        TraceLevel::Off => None,
    }
}

/// Simulates `prepared` and writes its run folder; `observer` watches.
///
/// # Errors
/// If the folder cannot be written or belongs to another run, the simulation
/// fails, or it is interrupted. Then nothing is left behind.
pub fn run(
    prepared: Prepared,
    options: &RunOptions<'_>,
    observer: &mut dyn Observer,
) -> Result<Finished, RunError> {
    let mut staging = match prepared.overwrites {
        true => Staging::new(&options.out, AnyRun)?,
        false => Staging::new(&options.out, prepared.about.identity())?,
    };
    let title = prepared.about.title();
    let staged = stage(prepared, &mut staging, options.interrupt, observer)?;
    Ok(Finished {
        folder: staging.commit()?,
        metrics: staged.metrics,
        card: staged.card,
        totals: staged.totals,
        texts: staged.texts,
        title,
    })
}

/// A run whose folder is written but not in its place.
pub(super) struct Staged {
    pub(super) manifest: Manifest,
    pub(super) metrics: Metrics,
    pub(super) card: Card,
    pub(super) totals: Totals,
    pub(super) texts: Vec<(u32, String)>,
}

/// Simulates `prepared` and fills `staging` with everything a run folder holds.
pub(super) fn stage(
    prepared: Prepared,
    staging: &mut Staging,
    interrupt: &AtomicBool,
    observer: &mut dyn Observer,
) -> Result<Staged, RunError> {
    let began = std::time::Instant::now();
    let Prepared { system, about, .. } = prepared;
    let level = about.trace;
    let full = level == TraceLevel::Full;
    let events = trace_file(level).unwrap_or_default();
    let shown = staging.shown("");
    let unwritable = |name: &str| {
        let path = staging.shown(name);
        move |source| FolderError::Io {
            path: path.clone(),
            source,
        }
    };
    let (no_events, no_tensors) = (unwritable(events), unwritable(tensors::FILE_NAME));
    let sink = match trace_file(level) {
        Some(name) => Sink::File(Box::new(staging.create(name)?)),
        None => Sink::Nowhere,
    };
    let tensor_file = full
        .then(|| staging.create(tensors::FILE_NAME))
        .transpose()?;
    let nodes = system.node_names();
    let mut log = TensorLog::new(tensor_file, nodes.clone()).map_err(&no_tensors)?;
    let mut accumulator = Accumulator::default();
    let details = level != TraceLevel::Off;
    let mut recorder = Recorder::create(staging, &nodes, about.goals, details)?;
    let mut watch = (&mut log, (&mut accumulator, (&mut recorder, observer)));
    let trace = CsvTrace::new(level, sink, STAGE_NAMES, &nodes).map_err(&no_events)?;
    let mut trace = BackgroundTrace::new(trace);

    let mut resources = Resources::new();
    let mut program = Execution::new(system, &mut watch, &mut resources)?;
    let report = engine::run(&mut program, &resources, &mut trace, interrupt).map_err(
        |error| -> RunError {
            match error {
                EngineError::Interrupted { .. } => RunError::Interrupted {
                    kept: "nothing was written",
                },
                EngineError::Trace(source) => no_events(source).into(),
                EngineError::Program(ExecutionError::Observer(source)) => {
                    FolderError::from_io(source, &shown).into()
                }
                EngineError::Program(error) => error.into(),
                other => other.into(),
            }
        },
    )?;
    let makespan = Instant(report.makespan.0);
    let (totals, logits_blake3) = program.finish(makespan);
    let totals = Totals {
        assignment: about.assignment.clone(),
        ..totals
    };
    let Recorded { requests, files } = recorder.finish(&totals, makespan)?;
    files.into_iter().for_each(|file| staging.record(file));
    let trace = trace.finish().map_err(&no_events)?;
    let (trace, sink) = trace.finish().map_err(&no_events)?;
    if let Sink::File(file) = sink {
        staging.record(file.finish()?);
    }
    let (file, tensors) = log.finish()?;
    if let Some(file) = file {
        staging.record(file);
    }

    staging.write(SCENARIO, about.scenario.as_bytes())?;
    let metrics = accumulator.finish(&requests, &totals, &about.goals, makespan);
    let card = about.grounds.card(&totals.per_node);
    staging.write(METRICS, metrics.to_trusted_json(&card).as_bytes())?;
    if let Some(record) = &totals.assignment {
        assignment::write(staging, record, &totals.nodes)?;
    }
    if details && !totals.pairs.is_empty() {
        expert_pairs::write(staging, &totals.pairs)?;
    }
    draw(staging, &about)?;
    let mut manifest = Manifest {
        format: Manifest::format(),
        digest: String::new(),
        airloom: env!("CARGO_PKG_VERSION").to_owned(),
        identity: about.identity().digest,
        scenario_name: about.name,
        scenario: about.scenario,
        seed: about.streams.seed,
        run: about.streams.run,
        headline: about.headline,
        inputs: about.inputs,
        trace,
        tensors,
        logits_blake3,
        files: staging.files(),
        origin: about.origin,
        host: Host::here(about.kernels, began.elapsed().as_secs_f64()),
    };
    manifest.seal();
    staging.write_unlisted(manifest::FILE_NAME, manifest.to_json().as_bytes())?;
    Ok(Staged {
        manifest,
        metrics,
        card,
        texts: match requests.len() {
            count if count > MOST_TEXTS => Vec::new(),
            _ => requests
                .into_iter()
                .filter_map(|request| Some((request.request, request.text?)))
                .collect(),
        },
        totals,
    })
}

/// Draws everything that follows from what the folder holds so far.
fn draw(staging: &mut Staging, about: &About) -> Result<(), RunError> {
    let folder = staging.path().to_owned();
    let title = about.title();
    let sources = drawings::sources(&folder, &title, &about.scenario)?;
    let usual = Options::default();
    for figure in FIGURES {
        if figure.is_wanted(&sources, usual)? {
            let bytes = figure.write(&sources, usual, Format::Svg)?;
            staging.write(&figure.file_name(usual, Format::Svg), &bytes)?;
        }
    }
    for drawn in DRAWN {
        if drawn.is_wanted(&sources)? {
            let mut file = staging.create(drawn.name)?;
            drawn
                .write(&sources, &mut file)
                .map_err(|error| match error {
                    DrawError::Io(source) => file.error(source).into(),
                    error => RunError::from(error),
                })?;
            staging.record(file.finish()?);
        }
    }
    Ok(())
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
    pub(super) origin: Origin,
    pub(super) kernels: String,
    /// What a reader should know at first sight.
    pub(super) headline: String,
    /// What users expect of the service.
    pub(super) goals: Goals,
    /// How the model came to be divided, where that is worth telling.
    pub(super) assignment: Option<AssignmentRecord>,
    /// What its sources rest on.
    pub(super) grounds: Grounds,
}

impl About {
    pub(super) fn identity(&self) -> Identity {
        Identity::of(&self.scenario, self.streams.seed, self.streams.run)
    }

    fn title(&self) -> String {
        let Streams { seed, run } = self.streams;
        manifest::title(&self.name, (seed, run), &self.headline)
    }
}
