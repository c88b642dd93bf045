//! Reads everything that a run needs and puts it together.

use super::assignment::divide;
use super::channel_trace::channel_trace;
use super::error::RunError;
use super::requests::{Frame, Reader};
use super::run::About;
use crate::architecture::tensor_parallel::{Node, Parts};
use crate::architecture::workload::{Request, Task};
use crate::engine::TraceLevel;
use crate::numerics::{self, Llama, Tokenizer};
use crate::radio::{Air, Channels};
use crate::results::folder::FileDigest;
use crate::results::manifest::Origin;
use crate::rng::Streams;
use crate::scenario::{Architecture, Model, NamedProfile, Resolved, Trace};

/// A run that is ready to be simulated.
#[derive(Debug)]
pub struct Prepared {
    pub(super) parts: Parts,
    pub(super) about: About,
}

impl Prepared {
    /// The most forward passes that the run can take.
    pub fn expected_passes(&self) -> u64 {
        let passes = |request: &Request| match &request.task {
            Task::Score {
                windows,
                stepwise: false,
            } => windows.len() as u64,
            Task::Score { windows, .. } => windows
                .iter()
                .map(|window| window.inputs.len() as u64)
                .sum(),
            Task::Generate { max_tokens, .. } => u64::from(*max_tokens),
            Task::Choose { questions } => questions
                .iter()
                .map(|question| question.choices.len() as u64)
                .sum(),
        };
        self.parts.requests.iter().map(passes).sum()
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
    let scenario = &resolved.scenario;
    let Model::Folder(folder) = &scenario.model;
    let folder = resolved.folder.join(folder);
    let model = Llama::load(&folder)?;
    let tokenizer = Tokenizer::load(&folder)?;
    let Architecture::TensorParallel(architecture) = &scenario.architecture;

    let reader = Reader {
        tokenizer: &tokenizer,
        frame: Frame {
            begin: model.config().bos,
            end: model.config().eos.first().copied(),
        },
        folder: &resolved.folder,
        max_positions: model.config().max_positions,
    };
    let requests = reader
        .requests(&scenario.workload)
        .map_err(|error| error.placed(resolved))?;
    let node = |named: &NamedProfile| Node {
        name: named.name.clone(),
        profile: named.profile,
    };
    let devices: Vec<Node> = resolved.devices.iter().map(node).collect();
    let (trace, trace_digest) = channel_trace(resolved)?.unzip();
    let channels = Channels::new(&scenario.radio, devices.len(), streams, trace)?;
    let divided = divide(resolved, model.shape(), &channels)?;
    let air = Air::over(
        channels,
        scenario.radio.clone(),
        architecture.all_reduce,
        architecture.design.transceiver_design(),
    )?
    .charge(&divided.load)?;
    let mut inputs: Vec<FileDigest> = model.digests().iter().map(digest).collect();
    inputs.push(digest(tokenizer.digest()));
    inputs.push(text_digest(&requests));
    inputs.extend(trace_digest);
    let headline = format!(
        "{} on {} devices, {} all-reduce",
        model.shape().name,
        devices.len(),
        architecture.all_reduce.name()
    );
    let about = About {
        name: resolved.name.clone(),
        scenario: resolved.configuration(),
        streams,
        trace: match scenario.trace {
            Trace::Full => TraceLevel::Full,
            Trace::Summary => TraceLevel::Summary,
            Trace::Off => TraceLevel::Off,
        },
        inputs,
        origin: Origin {
            folder: resolved.folder.display().to_string(),
            overrides,
        },
        kernels: numerics::kernels::Kernels::active()
            .map_err(numerics::StepError::from)?
            .path()
            .to_string(),
        headline,
        assignment: divided.record,
    };
    let parts = Parts {
        end_tokens: model.config().eos.clone(),
        model: model.shard(&divided.plan)?,
        tokenizer,
        devices,
        server: node(&resolved.server),
        air,
        requests,
    };
    Ok(Prepared { parts, about })
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
        }
    }
    FileDigest {
        name: "text (tokens)".to_owned(),
        bytes,
        blake3: hasher.finalize().to_hex().to_string(),
    }
}
