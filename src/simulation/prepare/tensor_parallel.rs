//! What tensor parallelism needs: the model divided, the air, the text as tokens.

use super::{Made, digest, node, text_digest};
use crate::architecture::tensor_parallel::{Parts, Source};
use crate::architecture::{Loaded, Node, Words};
use crate::numerics::{Llama, Tokenizer};
use crate::radio::{Air, Channels};
use crate::results::folder::FileDigest;
use crate::rng::Streams;
use crate::scenario::{Resolved, TensorParallel};
use crate::simulation::assignment::divide;
use crate::simulation::channel_trace::channel_trace;
use crate::simulation::error::RunError;
use crate::simulation::requests::{Frame, Reader};
use crate::units::FieldFault;

pub(super) fn make(
    resolved: &Resolved,
    architecture: &TensorParallel,
    streams: Streams,
) -> Result<Made, RunError> {
    let scenario = &resolved.scenario;
    let Some(folder) = resolved.model_folder() else {
        let fault = FieldFault::new("model", "tensor parallelism needs a Folder with weights");
        return Err(resolved.fault(fault).into());
    };
    let model = Llama::load(&folder)?;
    let tokenizer = Tokenizer::load(&folder)?;
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
    let devices: Vec<Node> = resolved.devices.iter().map(node).collect();
    let (trace, trace_digest) = channel_trace(resolved)?.unzip();
    let channels = Channels::new(&scenario.radio, devices.len(), streams, trace)?;
    let divided = divide(resolved, architecture, model.shape(), &channels)?;
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
    let parts = Box::new(Parts {
        source: Source::Computed(Box::new(Loaded {
            model: model.shard(&divided.plan)?,
            words: Words {
                tokenizer,
                end_tokens: model.config().eos.clone(),
            },
        })),
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
