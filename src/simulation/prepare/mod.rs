//! Reads everything that a run needs and puts it together: what all architectures share
//! here, what each needs in a file of its own.

mod tensor_parallel;
mod wdmoe;

use super::error::RunError;
use super::place::own_folder;
use super::requests::Reader;
use super::run::About;
use crate::architecture::measurement::AssignmentRecord;
use crate::architecture::workload::{Request, Task};
use crate::architecture::{Assembly, Node};
use crate::engine::TraceLevel;
use crate::interrupt::Interrupt;
use crate::model::{Architecture as Family, ModelShape};
use crate::numerics::{self, Tokenizer};
use crate::placement::{Experts, Placed, TensorParallel};
use crate::radio::RadioConfig;
use crate::results::folder::FileDigest;
use crate::results::manifest::Origin;
use crate::rng::Streams;
use crate::scenario::{Model, Resolved, ScenarioError, Trace};
use crate::topology::{LinkId, NodeId};
use crate::units::FieldFault;
use std::path::{Path, PathBuf};

/// The input that is no file: the tokens that the run reads.
pub(super) const TEXT: &str = "text (tokens)";

/// A run that is ready to be simulated.
#[derive(Debug)]
pub struct Prepared {
    pub(super) parts: Box<dyn Assembly>,
    pub(super) about: About,
    /// Whether another run in its folder may be replaced.
    pub(super) overwrites: bool,
}

/// What one architecture makes of a scenario.
struct Made {
    parts: Box<dyn Assembly>,
    /// Every file that was read.
    inputs: Vec<FileDigest>,
    /// What a reader should know at first sight.
    headline: String,
    /// How the model came to be divided, where that is worth telling.
    assignment: Option<AssignmentRecord>,
}

/// The nodes around one radio that serve the whole model together.
pub(super) struct Team<'a> {
    pub(super) resolved: &'a Resolved,
    /// The field of the placement.
    pub(super) path: &'a str,
    pub(super) members: &'a [NodeId],
    pub(super) at: NodeId,
    pub(super) link: LinkId,
    pub(super) radio: &'a RadioConfig,
    part: Part<'a>,
}

/// How they divide it.
#[derive(Clone, Copy)]
enum Part<'a> {
    Tensor(&'a TensorParallel),
    Experts(&'a Experts),
}

impl<'a> Team<'a> {
    /// The only one of `resolved`.
    fn of(resolved: &'a Resolved) -> Result<Self, ScenarioError> {
        let fault = |path: &str, message: &str| Err(resolved.fault(FieldFault::new(path, message)));
        let [placed] = resolved.replicas.as_slice() else {
            return fault(
                "replicas",
                "several replicas are not simulated yet; use one",
            );
        };
        let (path, members, at, link, part) = match placed {
            Placed::Tensor {
                path,
                members,
                at,
                link,
                fields,
            } => (path, members, at, link, Part::Tensor(fields)),
            Placed::Experts {
                path,
                members,
                at,
                link,
                fields,
            } => (path, members, at, link, Part::Experts(fields)),
            Placed::Single { path, .. } | Placed::Pipeline { path, .. } => {
                return fault(
                    path,
                    "this placement is not simulated yet; use TensorParallel or Experts",
                );
            }
        };
        let radio = link.and_then(|link| Some((link, resolved.link(link).radio()?)));
        let Some((link, radio)) = radio else {
            return fault(
                path,
                "this placement is not simulated yet without one Radio around `at`; add one",
            );
        };
        Ok(Self {
            resolved,
            path,
            members,
            at: *at,
            link,
            radio,
            part,
        })
    }

    /// The nodes of the group, in order.
    fn devices(&self) -> Vec<Node> {
        self.members.iter().map(|id| self.node(*id)).collect()
    }

    fn server(&self) -> Node {
        self.node(self.at)
    }

    fn node(&self, id: NodeId) -> Node {
        let node = self.resolved.topology.at(id);
        Node {
            name: node.label.clone(),
            profile: node.profile,
        }
    }

    /// A field of the placement, for what is found wrong with it.
    pub(super) fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }
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
        let requests = self.parts.requests().iter();
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
    let scenario = &resolved.scenario;
    let team = Team::of(resolved)?;
    let made = match team.part {
        Part::Tensor(fields) => tensor_parallel::make(&team, fields, streams, interrupt),
        Part::Experts(fields) => wdmoe::make(&team, fields, streams, interrupt),
    };
    let made = made.map_err(|error| error.placed(resolved))?;
    let about = About {
        name: resolved.name.clone(),
        scenario: resolved.configuration(),
        streams,
        trace: match scenario.trace {
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
        assignment: made.assignment,
    };
    Ok(Prepared {
        parts: made.parts,
        about,
        overwrites: false,
    })
}

/// Checks the files that a run of `resolved` would read, weights by their headers alone and
/// of the world's texts only the first of each request.
///
/// # Errors
/// What [`prepare`] would say about them, each at its field.
pub(super) fn check(resolved: &Resolved, interrupt: Interrupt<'_>) -> Result<(), RunError> {
    let team = Team::of(resolved)?;
    let checked = match team.part {
        Part::Tensor(_) => tensor_parallel::check(resolved, interrupt),
        Part::Experts(fields) => wdmoe::check(&team, fields, interrupt),
    };
    checked.map_err(|error| error.placed(resolved))
}

/// Checks the model folder `folder` for a model of `family`, and reads the workload by it;
/// returns the model's shape.
fn check_folder(
    resolved: &Resolved,
    folder: &Path,
    family: Family,
    interrupt: Interrupt<'_>,
) -> Result<ModelShape, RunError> {
    let config = numerics::inspect(folder, family)?;
    let tokenizer = Tokenizer::load(folder)?;
    let reader = Reader {
        tokenizer: &tokenizer,
        config: &config,
        folder: &resolved.folder,
        most_of_world: 1,
        interrupt,
    };
    reader.requests(&resolved.scenario.workload)?;
    Ok(config.shape)
}

/// The published shape of that name, in the scenario's precision.
fn shape(resolved: &Resolved, name: &str) -> Result<ModelShape, RunError> {
    let precision = resolved.scenario.precision.unwrap_or_default();
    precision.shape(name).ok_or_else(|| {
        let fault = FieldFault::new("model", format!("there is no shape `{name}`"));
        resolved.fault(fault).into()
    })
}

/// What the scenario calls its model: not where it happens to lie now.
fn model_name(resolved: &Resolved, shape: &ModelShape) -> String {
    let written = match &resolved.scenario.model {
        Model::Folder(written) => Path::new(written).file_name(),
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

/// Digest of every token that the run reads, in order, as 32-bit little-endian
/// numbers: inputs and targets of every window and choice, and prompts.
fn text_digest(requests: &[Request]) -> FileDigest {
    let mut hasher = blake3::Hasher::new();
    let mut bytes = 0;
    let mut update = |tokens: &[u32]| {
        for token in tokens {
            hasher.update(&token.to_le_bytes());
        }
        bytes += 4 * tokens.len() as u64;
    };
    for request in requests {
        match &request.task {
            Task::Score { windows, .. } => {
                for window in windows {
                    update(&window.inputs);
                    update(&window.targets);
                }
            }
            Task::Generate { prompt, .. } => update(prompt),
            Task::Choose { questions } => {
                for choice in questions.iter().flat_map(|question| &question.choices) {
                    update(&choice.inputs);
                    update(&choice.targets);
                }
            }
            Task::Tokens { .. } => {}
        }
    }
    FileDigest {
        name: TEXT.to_owned(),
        bytes,
        blake3: hasher.finalize().to_hex().to_string(),
    }
}
