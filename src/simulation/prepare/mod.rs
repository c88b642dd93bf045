//! Reads everything that a run needs and puts its system together: links, replicas, requests.

mod check;
mod experts;
mod links;
mod partition;
mod replica;
mod seconds;
mod served;
mod team;
mod trust;

pub(super) use check::check;
pub(super) use team::Team;
pub(super) use trust::Grounds;

use super::error::RunError;
use super::place::own_folder;
use super::run::About;
use crate::engine::TraceLevel;
use crate::execution::System;
use crate::interrupt::Interrupt;
use crate::measurement::{AssignmentRecord, Goals};
use crate::model::ModelShape;
use crate::numerics;
use crate::results::folder::FileDigest;
use crate::results::manifest::Origin;
use crate::rng::Streams;
use crate::scenario::{Model, Resolved, ShapeSource, Trace};
use crate::units::{FieldFault, Seconds};
use links::Links;
use served::Served;
use std::path::{Path, PathBuf};

/// The input that is no file: the tokens that the run reads.
pub(super) const TEXT: &str = "text (tokens)";

/// What stands between the name of another model and that of one of its files.
pub(super) const MODEL_FILE: &str = ": ";

/// A run that is ready to be simulated.
#[derive(Debug)]
pub struct Prepared {
    pub(super) system: System,
    pub(super) about: About,
    /// Whether another run in its folder may be replaced.
    pub(super) overwrites: bool,
}

/// What was made of a scenario.
struct Made {
    system: System,
    /// Every file that was read.
    inputs: Vec<FileDigest>,
    /// What a reader should know at first sight.
    headline: String,
    /// How the model came to be divided, where that is worth telling.
    assignment: Option<AssignmentRecord>,
    /// What its sources rest on.
    grounds: Grounds,
}

impl Prepared {
    /// `folder`, or a folder of its own beside it if that holds another run: its name ends
    /// with a digest of what this run is.
    pub fn own_folder(&self, folder: PathBuf) -> PathBuf {
        own_folder(folder, &self.about.identity())
    }

    /// The same run, which may replace another run in its folder.
    #[must_use]
    pub fn overwriting(mut self) -> Self {
        self.overwrites = true;
        self
    }

    /// The most forward passes that the run can take.
    pub fn expected_passes(&self) -> u64 {
        let requests = self.system.requests.iter();
        requests.map(|request| request.task.most_passes()).sum()
    }
}

/// Reads the inputs of a scenario's run, which draws from `streams`, and checks what can be
/// checked without simulating. `overrides` are those that `resolved` already has, to
/// be named in the manifest.
///
/// # Errors
/// If a file is missing or damaged, or the parts do not fit each other.
pub fn prepare(
    resolved: &Resolved,
    streams: Streams,
    overrides: Vec<String>,
) -> Result<Prepared, RunError> {
    prepare_until(resolved, streams, overrides, Interrupt::NEVER)
}

/// [`prepare`], given up when `interrupt` is raised.
///
/// # Errors
/// Those of [`prepare`], and [`RunError::Interrupted`].
pub fn prepare_until(
    resolved: &Resolved,
    streams: Streams,
    overrides: Vec<String>,
    interrupt: Interrupt<'_>,
) -> Result<Prepared, RunError> {
    let made = make(resolved, streams, interrupt).map_err(|error| error.placed(resolved))?;
    let about = About {
        name: resolved.name.clone(),
        scenario: resolved.configuration(),
        streams,
        trace: match resolved.scenario.trace {
            Trace::Full => TraceLevel::Full,
            Trace::Summary => TraceLevel::Summary,
            Trace::Off => TraceLevel::Off,
        },
        inputs: made.inputs,
        origin: Origin {
            folder: std::path::absolute(&resolved.folder)
                .unwrap_or_else(|_| resolved.folder.clone())
                .display()
                .to_string(),
            overrides,
        },
        kernels: numerics::kernels::Kernels::active()
            .map_err(numerics::StepError::from)?
            .path()
            .to_string(),
        headline: made.headline,
        goals: goals(resolved),
        assignment: made.assignment,
        grounds: made.grounds,
    };
    Ok(Prepared {
        system: made.system,
        about,
        overwrites: false,
    })
}

fn make(resolved: &Resolved, streams: Streams, interrupt: Interrupt<'_>) -> Result<Made, RunError> {
    let served = Served::read(resolved, interrupt)?;
    let words = served.words().cloned();
    let mut inputs = Vec::new();
    let requests = served.requests(resolved, streams, &mut inputs, interrupt)?;
    let links = Links::open(resolved, streams, &mut inputs)?;
    let maker = replica::Maker {
        resolved,
        served: &served,
        links: &links,
        requests: &requests,
        interrupt,
    };
    let mut replicas = Vec::with_capacity(resolved.replicas.len());
    let mut exits = Vec::with_capacity(resolved.replicas.len());
    let mut assignment = None;
    for (number, placed) in resolved.replicas.iter().enumerate() {
        let made = maker.replica(number, placed, &mut inputs)?;
        assignment = assignment.or(made.assignment);
        replicas.push(made.replica);
        exits.push(made.exits);
    }
    let seconds = seconds::Seconds {
        resolved,
        served: &served,
        requests: &requests,
        interrupt,
    };
    seconds.join(&mut replicas, &mut inputs)?;
    let routing = resolved.scenario.router.routing();
    let headline = replica::headline(resolved, &served);
    let grounds = trust::grounds(resolved, served.shape(), &requests)?;
    if let Served::Dense(loaded) = served {
        let own = &mut replicas[..resolved.replicas.len()];
        replica::divide(loaded.model, own, exits)?;
    }
    Ok(Made {
        system: System {
            topology: resolved.topology.clone(),
            links: links.media(resolved)?,
            replicas,
            routing,
            words,
            requests,
            streams,
        },
        inputs,
        headline,
        assignment,
        grounds,
    })
}

/// The shape from `source`, in the scenario's precision, and the digest of its file, if it is from
/// one.
fn shape(
    resolved: &Resolved,
    source: &ShapeSource,
) -> Result<(ModelShape, Option<numerics::FileDigest>), RunError> {
    let precision = resolved.scenario.precision.unwrap_or_default();
    let (shape, file) = source
        .shape(&resolved.folder)
        .map_err(|message| resolved.fault(FieldFault::new("model", message)))?;
    Ok((precision.of(shape), file))
}

/// What the scenario calls its model: not where it happens to lie now.
fn model_name(resolved: &Resolved, shape: &ModelShape) -> String {
    let written = match &resolved.scenario.model {
        Model::Folder(written) => Path::new(written).file_name(),
        Model::Gguf(written) => Path::new(written).file_stem(),
        Model::Shape(_) => None,
    };
    written.map_or_else(
        || shape.name.clone(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn digest(file: &numerics::FileDigest) -> FileDigest {
    FileDigest {
        name: file.name.clone(),
        bytes: file.bytes,
        blake3: file.blake3.clone(),
    }
}

/// What users of `resolved` expect.
pub(super) fn goals(resolved: &Resolved) -> Goals {
    let asked = resolved.scenario.goals.unwrap_or_default();
    let seconds = |goal: Option<Seconds>| goal.map(|goal| goal.0);
    Goals {
        ttft_s: seconds(asked.ttft),
        tpot_s: seconds(asked.tpot),
        e2e_s: seconds(asked.e2e),
        itl_s: seconds(asked.itl),
    }
}
