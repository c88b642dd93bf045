//! What tensor parallelism needs: the model or its shape divided, the air, the text as
//! tokens.

use super::{Made, digest, node, shape, text_digest};
use crate::architecture::tensor_parallel::{Parts, Source};
use crate::architecture::workload::Request;
use crate::architecture::{Loaded, Node, Words};
use crate::model::{ModelShape, ShardPlan};
use crate::numerics::{Llama, Tokenizer};
use crate::radio::{Air, Channels};
use crate::results::folder::FileDigest;
use crate::rng::Streams;
use crate::scenario::{Model, Resolved, TensorParallel};
use crate::simulation::assignment::divide;
use crate::simulation::channel_trace::channel_trace;
use crate::simulation::error::RunError;
use crate::simulation::requests::{Frame, Reader, counted_requests};
use std::path::Path;

pub(super) fn make(
    resolved: &Resolved,
    architecture: &TensorParallel,
    streams: Streams,
) -> Result<Made, RunError> {
    let scenario = &resolved.scenario;
    let served = match &scenario.model {
        Model::Shape(name) => Served::Timed(shape(resolved, name)?),
        Model::Folder(written) => Served::read(&resolved.path(written))?,
    };
    let mut inputs = Vec::new();
    let requests = served.requests(resolved, &mut inputs)?;
    let devices: Vec<Node> = resolved.devices.iter().map(node).collect();
    let (trace, trace_digest) = channel_trace(resolved)?.unzip();
    inputs.extend(trace_digest);
    let channels = Channels::new(&scenario.radio, devices.len(), streams, trace)?;
    let divided = divide(resolved, architecture, served.shape(), &channels)?;
    let air = Air::over(
        channels,
        scenario.radio.clone(),
        architecture.all_reduce,
        architecture.design.transceiver_design(),
    )?
    .charge(&divided.load)?;
    let headline = format!(
        "{} on {} devices, {}{} all-reduce",
        served.shape().name,
        devices.len(),
        match served {
            Served::Timed(_) => "timed and not computed, ",
            Served::Computed(_) => "",
        },
        architecture.all_reduce.name()
    );
    let parts = Box::new(Parts {
        source: served.divided(divided.plan)?,
        devices,
        server: node(&resolved.server),
        air,
        requests,
    });
    Ok(Made {
        parts,
        inputs,
        headline,
        assignment: divided.record,
    })
}

/// What is served: a shape, or a model that was read.
enum Served {
    Timed(ModelShape),
    Computed(Box<Loaded<Llama>>),
}

impl Served {
    fn read(folder: &Path) -> Result<Self, RunError> {
        let model = Llama::load(folder)?;
        let words = Words {
            tokenizer: Tokenizer::load(folder)?,
            end_tokens: model.config().eos.clone(),
        };
        Ok(Self::Computed(Box::new(Loaded { model, words })))
    }

    fn shape(&self) -> &ModelShape {
        match self {
            Self::Timed(shape) => shape,
            Self::Computed(loaded) => loaded.model.shape(),
        }
    }

    /// The requests of the workload; what was read for them goes to `inputs`.
    fn requests(
        &self,
        resolved: &Resolved,
        inputs: &mut Vec<FileDigest>,
    ) -> Result<Vec<Request>, RunError> {
        let workload = &resolved.scenario.workload;
        let Loaded { model, words } = match self {
            Self::Timed(_) => {
                let requests = counted_requests(workload);
                return requests.map_err(|error| error.placed(resolved));
            }
            Self::Computed(loaded) => loaded.as_ref(),
        };
        let reader = Reader {
            tokenizer: &words.tokenizer,
            frame: Frame {
                begin: model.config().bos,
                end: words.end_tokens.first().copied(),
            },
            folder: &resolved.folder,
            max_positions: model.config().max_positions,
        };
        let requests = reader
            .requests(workload)
            .map_err(|error| error.placed(resolved))?;
        inputs.extend(model.digests().iter().map(digest));
        inputs.push(digest(words.tokenizer.digest()));
        inputs.push(text_digest(&requests));
        Ok(requests)
    }

    fn divided(self, plan: ShardPlan) -> Result<Source, RunError> {
        Ok(match self {
            Self::Timed(_) => Source::Timed(plan),
            Self::Computed(loaded) => Source::Computed(Box::new(Loaded {
                model: loaded.model.shard(&plan)?,
                words: loaded.words,
            })),
        })
    }
}
