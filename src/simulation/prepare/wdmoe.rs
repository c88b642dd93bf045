//! What WDMoE needs: a model or a shape, a router, and who holds which expert.

use super::{Made, digest, node, shape, text_digest};
use crate::architecture::wdmoe::{GateTrace, Parts, Router, Source, Wdmoe};
use crate::architecture::{Loaded, Node, Words};
use crate::model::Architecture as Family;
use crate::numerics::{Mixtral, Tokenizer};
use crate::radio::Channels;
use crate::results::folder::FileDigest;
use crate::rng::Streams;
use crate::scenario::{Model, Resolved};
use crate::simulation::channel_trace::channel_trace;
use crate::simulation::error::RunError;
use crate::simulation::requests::{Frame, Reader, counted_requests};
use crate::units::FieldFault;

pub(super) fn make(
    resolved: &Resolved,
    fields: &Wdmoe,
    streams: Streams,
) -> Result<Made, RunError> {
    let scenario = &resolved.scenario;
    let fault = |path: &str, message: String| -> RunError {
        resolved.fault(FieldFault::new(path, message)).into()
    };
    let mut inputs = Vec::new();
    let mut computed = None;
    let shape = match &scenario.model {
        Model::Shape(name) => shape(resolved, name)?,
        Model::Folder(written) => {
            let folder = resolved.path(written);
            let model = Mixtral::load(&folder)?;
            let shape = model.shape().clone();
            computed = Some((model, Tokenizer::load(&folder)?));
            shape
        }
    };
    if shape.architecture != Family::Mixtral {
        let message = format!("`{}` has no experts; use mixtral-8x7b", shape.name);
        return Err(fault("model", message));
    }
    let experts = shape.expert_count();
    if let Some(visits) = fields.experts_per_token.filter(|visits| *visits > experts) {
        let message = format!("{visits} of {experts} experts; use {experts} or fewer");
        return Err(fault("architecture.experts_per_token", message));
    }
    let placement = fields
        .placement
        .resolve(shape.layers, experts, resolved.devices.len())
        .map_err(|fault| fault.under("architecture.placement"))
        .map_err(|fault| resolved.fault(fault))?;
    let headline = format!(
        "{} on {} device{}, {}, {} selection, {} bandwidth",
        shape.name,
        resolved.devices.len(),
        if resolved.devices.len() == 1 { "" } else { "s" },
        match &computed {
            Some(_) => "computed",
            None => "timed and not computed",
        },
        fields.selection.name(),
        fields.bandwidth.name(),
    );
    let counted = || counted_requests(&scenario.workload).map_err(|error| error.placed(resolved));
    let (source, requests) = match (computed, &fields.router) {
        (Some((model, tokenizer)), _) => {
            let end_tokens = model.config().eos.clone();
            let reader = Reader {
                tokenizer: &tokenizer,
                frame: Frame {
                    begin: model.config().bos,
                    end: end_tokens.first().copied(),
                },
                folder: &resolved.folder,
                max_positions: model.config().max_positions,
            };
            let requests = reader
                .requests(&scenario.workload)
                .map_err(|error| error.placed(resolved))?;
            inputs.extend(model.digests().iter().map(digest));
            inputs.push(digest(tokenizer.digest()));
            inputs.push(text_digest(&requests));
            let source = Source::Computed(Box::new(Loaded {
                model,
                words: Words {
                    tokenizer,
                    end_tokens,
                },
            }));
            (source, requests)
        }
        (None, Router::Synthetic(synthetic)) => (Source::Drawn(shape, *synthetic), counted()?),
        (None, Router::Trace(written)) => {
            let path = resolved.path(written);
            let read = std::fs::read(&path).map_err(|error| {
                let message = format!("cannot read {}: {error}", path.display());
                fault("architecture.router", message)
            })?;
            inputs.push(FileDigest {
                name: written.clone(),
                bytes: read.len() as u64,
                blake3: blake3::hash(&read).to_hex().to_string(),
            });
            let file = path.display().to_string();
            let trace = GateTrace::parse(&file, &read, shape.layers, experts)
                .map_err(|error| fault("architecture.router", error.to_string()))?;
            (Source::Recorded(shape, trace), counted()?)
        }
        (None, Router::Model) => {
            let message = "a Shape computes no weights; use Synthetic() or Trace";
            return Err(fault("architecture.router", message.to_owned()));
        }
    };
    let devices: Vec<Node> = resolved.devices.iter().map(node).collect();
    let (trace, trace_digest) = channel_trace(resolved)?.unzip();
    inputs.extend(trace_digest);
    let channels = Channels::new(&scenario.radio, devices.len(), streams, trace)?;
    let parts = Box::new(Parts {
        source,
        fields: fields.clone(),
        placement,
        devices,
        server: node(&resolved.server),
        radio: scenario.radio.clone(),
        channels,
        streams,
        requests,
    });
    Ok(Made {
        parts,
        inputs,
        headline,
        assignment: None,
    })
}
