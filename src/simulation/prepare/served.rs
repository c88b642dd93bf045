//! What is served: a shape, or a model that was read.

use super::{TEXT, digest, shape};
use crate::execution::{Loaded, Words};
use crate::interrupt::Interrupt;
use crate::model::{Architecture, ModelShape};
use crate::numerics::{self, Llama, Mixtral, ModelConfig, Rounding, Tokenizer};
use crate::placement::Placed;
use crate::results::folder::FileDigest;
use crate::rng::Streams;
use crate::scenario::{self, Model, Resolved};
use crate::serving::workload::{Request, Task};
use crate::simulation::error::RunError;
use crate::simulation::requests::{Lowering, Reader};
use std::path::Path;
use std::sync::Arc;

/// What is served.
pub(super) enum Served {
    /// A shape, and the file that it is from, if it is from one.
    Timed(ModelShape, Option<numerics::FileDigest>),
    Dense(Box<Loaded<Llama>>),
    Sparse(Arc<Mixtral>, Words),
}

/// How the model in `folder` steps; one that is not known like a LLaMA, whose reader says what is
/// wrong with it.
pub(super) fn family(folder: &Path) -> Architecture {
    numerics::architecture(folder).unwrap_or(Architecture::Llama)
}

/// The family that the placements of `resolved` ask for, if one of them does.
pub(super) fn wanted(resolved: &Resolved) -> Option<Architecture> {
    let stages = resolved.replicas.iter().flat_map(Placed::stages);
    let mut families = stages.filter_map(|stage| match stage {
        Placed::Tensor { .. } => Some(Architecture::Llama),
        Placed::Experts { .. } => Some(Architecture::Mixtral),
        Placed::Single { .. } | Placed::Pipeline { .. } => None,
    });
    families.next()
}

impl Served {
    pub(super) fn read(resolved: &Resolved, interrupt: Interrupt<'_>) -> Result<Self, RunError> {
        match &resolved.scenario.model {
            Model::Shape(source) => {
                let (shape, file) = shape(resolved, source)?;
                Ok(Self::Timed(shape, file))
            }
            Model::Folder(written) | Model::Gguf(written) => {
                let path = resolved.model_path(written);
                let family = wanted(resolved).unwrap_or_else(|| family(&path));
                let rounding = resolved.scenario.precision.unwrap_or_default().rounding();
                Self::of_folder(&path, family, rounding, interrupt)
            }
        }
    }

    /// The model in `folder`, or in a file, read as of `family`.
    pub(super) fn of_folder(
        folder: &Path,
        family: Architecture,
        rounding: Rounding,
        interrupt: Interrupt<'_>,
    ) -> Result<Self, RunError> {
        let words = |config: &ModelConfig| -> Result<Words, RunError> {
            Ok(Words {
                tokenizer: Tokenizer::load(folder)?,
                end_tokens: config.eos.clone(),
            })
        };
        Ok(match family {
            Architecture::Llama => {
                let model = Llama::load_rounded(folder, rounding, interrupt)?;
                let words = words(model.config())?;
                Self::Dense(Box::new(Loaded { model, words }))
            }
            Architecture::Mixtral => {
                let model = Mixtral::load_rounded(folder, rounding, interrupt)?;
                let words = words(model.config())?;
                Self::Sparse(Arc::new(model), words)
            }
        })
    }

    pub(super) fn shape(&self) -> &ModelShape {
        match self {
            Self::Timed(shape, _) => shape,
            Self::Dense(loaded) => loaded.model.shape(),
            Self::Sparse(model, _) => model.shape(),
        }
    }

    pub(super) fn is_computed(&self) -> bool {
        !matches!(self, Self::Timed(..))
    }

    pub(super) fn words(&self) -> Option<&Words> {
        match self {
            Self::Timed(..) => None,
            Self::Dense(loaded) => Some(&loaded.words),
            Self::Sparse(_, words) => Some(words),
        }
    }

    /// What was read of a model: its settings, files and words.
    pub(super) fn parts(&self) -> Option<(&ModelConfig, &[numerics::FileDigest], &Words)> {
        match self {
            Self::Timed(..) => None,
            Self::Dense(loaded) => {
                let Loaded { model, words } = loaded.as_ref();
                Some((model.config(), model.digests(), words))
            }
            Self::Sparse(model, words) => Some((model.config(), model.digests(), words)),
        }
    }

    /// The requests of the workload, drawn from `streams`; what was read for them goes to
    /// `inputs`.
    pub(super) fn requests(
        &self,
        resolved: &Resolved,
        streams: Streams,
        inputs: &mut Vec<FileDigest>,
        interrupt: Interrupt<'_>,
    ) -> Result<Vec<Request>, RunError> {
        let read = self.parts();
        let lowering = Lowering {
            resolved,
            streams,
            reader: read.map(|(config, _, words)| Reader {
                tokenizer: &words.tokenizer,
                config,
                folder: &resolved.folder,
                most_of_world: u64::MAX,
                interrupt,
            }),
            interrupt,
        };
        let mut of_streams = Vec::new();
        let requests = lowering.requests(&mut of_streams)?;
        if let Some((_, files, words)) = read {
            inputs.extend(files.iter().map(digest));
            inputs.extend(words.tokenizer.digests().iter().map(digest));
            inputs.push(text_digest(&resolved.scenario.workload, &requests));
        }
        if let Self::Timed(_, Some(file)) = self {
            inputs.push(digest(file));
        }
        inputs.extend(of_streams);
        Ok(requests)
    }
}

/// Digest of every token that the run reads, in order, as 32-bit little-endian
/// numbers: inputs and targets of every window and choice, and prompts. Those of streams go by
/// what is drawn, which the run's seed says, and by their files.
fn text_digest(workload: &[scenario::Request], requests: &[Request]) -> FileDigest {
    let mut hasher = blake3::Hasher::new();
    let mut bytes = 0;
    let mut update = |tokens: &[u32]| {
        for token in tokens {
            hasher.update(&token.to_le_bytes());
        }
        bytes += 4 * tokens.len() as u64;
    };
    let is_stream = |request: &Request| {
        let entry = &workload[request.entry as usize];
        matches!(
            entry,
            scenario::Request::Arrivals(_) | scenario::Request::Trace(_)
        )
    };
    for request in requests.iter().filter(|request| !is_stream(request)) {
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
