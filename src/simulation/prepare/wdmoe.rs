//! What WDMoE needs: a model or a shape, a router, and who holds which expert.

use super::{Made, Team, check_folder, digest, model_name, shape, text_digest};
use crate::architecture::wdmoe::{GateTrace, Parts, Router, Source};
use crate::architecture::{Loaded, Words};
use crate::files;
use crate::interrupt::Interrupt;
use crate::model::{Architecture as Family, ModelShape};
use crate::numerics::{Mixtral, Tokenizer};
use crate::placement::Experts;
use crate::radio::Channels;
use crate::results::folder::FileDigest;
use crate::rng::Streams;
use crate::scenario::Model;
use crate::simulation::channel_trace::channel_trace;
use crate::simulation::error::RunError;
use crate::simulation::requests::{Reader, counted_requests};
use crate::units::FieldFault;

/// The longest recorded router that is read.
const MOST_TRACE: u64 = 1 << 30;

pub(super) fn make(
    team: &Team<'_>,
    fields: &Experts,
    streams: Streams,
    interrupt: Interrupt<'_>,
) -> Result<Made, RunError> {
    let resolved = team.resolved;
    let scenario = &resolved.scenario;
    let fault = |path: &str, message: String| -> RunError {
        resolved.fault(FieldFault::new(path, message)).into()
    };
    let mut inputs = Vec::new();
    let mut computed = None;
    let shape = match &scenario.model {
        Model::Shape(name) => shape(resolved, name)?,
        Model::Folder(written) => {
            let folder = resolved.model_path(written);
            let model = Mixtral::load_until(&folder, interrupt)?;
            let shape = model.shape().clone();
            computed = Some((model, Tokenizer::load(&folder)?));
            shape
        }
    };
    let placement = placement(team, fields, &shape)?;
    let headline = format!(
        "{} on {} device{}, {}, {} selection, {} bandwidth",
        model_name(resolved, &shape),
        team.members.len(),
        if team.members.len() == 1 { "" } else { "s" },
        match &computed {
            Some(_) => "computed",
            None => "timed and not computed",
        },
        fields.selection.name(),
        fields.bandwidth.name(),
    );
    let counted = || counted_requests(&scenario.workload);
    let (source, requests) = match (computed, &fields.router) {
        (Some((model, tokenizer)), _) => {
            let end_tokens = model.config().eos.clone();
            let reader = Reader {
                tokenizer: &tokenizer,
                config: model.config(),
                folder: &resolved.folder,
                most_of_world: u64::MAX,
                interrupt,
            };
            let requests = reader.requests(&scenario.workload)?;
            inputs.extend(model.digests().iter().map(digest));
            inputs.extend(tokenizer.digests().iter().map(digest));
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
            let (trace, read) = recorded(team, written, &shape)?;
            inputs.push(read);
            (Source::Recorded(shape, trace), counted()?)
        }
        (None, Router::Model) => {
            let message = "a Shape computes no weights; use Synthetic() or Trace";
            return Err(fault(&team.field("router"), message.to_owned()));
        }
    };
    let devices = team.devices();
    let (trace, trace_digest) = channel_trace(resolved, team.link)?.unzip();
    inputs.extend(trace_digest);
    let channels = Channels::new(team.radio, devices.len(), streams, trace)?;
    let parts = Box::new(Parts {
        source,
        fields: fields.clone(),
        placement,
        devices,
        server: team.server(),
        radio: team.radio.clone(),
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

/// Checks what [`make`] would read.
pub(super) fn check(
    team: &Team<'_>,
    fields: &Experts,
    interrupt: Interrupt<'_>,
) -> Result<(), RunError> {
    let resolved = team.resolved;
    match &resolved.scenario.model {
        Model::Folder(written) => {
            let folder = resolved.path(written);
            let shape = check_folder(resolved, &folder, Family::Mixtral, interrupt)?;
            placement(team, fields, &shape)?;
        }
        Model::Shape(name) => {
            let shape = shape(resolved, name)?;
            placement(team, fields, &shape)?;
            if let Router::Trace(written) = &fields.router {
                recorded(team, written, &shape)?;
            }
        }
    }
    Ok(())
}

/// Which device holds which expert of each layer of a model of `shape`, if any does.
fn placement(
    team: &Team<'_>,
    fields: &Experts,
    shape: &ModelShape,
) -> Result<Vec<Vec<Option<usize>>>, FieldFault> {
    if shape.architecture != Family::Mixtral {
        let message = format!("`{}` has no experts; use mixtral-8x7b", shape.name);
        return Err(FieldFault::new("model", message));
    }
    let experts = shape.expert_count();
    if let Some(visits) = fields.experts_per_token.filter(|visits| *visits > experts) {
        let message = format!("{visits} of {experts} experts; use {experts} or fewer");
        return Err(FieldFault::new(team.field("experts_per_token"), message));
    }
    let placement = fields
        .experts
        .resolve(shape.layers, experts, team.members.len());
    placement.map_err(|fault| fault.under(&team.field("experts")))
}

/// The recorded router in the file `written`, for a model of `shape`.
fn recorded(
    team: &Team<'_>,
    written: &str,
    shape: &ModelShape,
) -> Result<(GateTrace, FileDigest), RunError> {
    let fault = |message: String| FieldFault::new(team.field("router"), message);
    let path = team.resolved.path(written);
    let read = files::read(&path, MOST_TRACE)
        .map_err(|error| fault(format!("cannot read {}: {error}", path.display())))?;
    let digest = FileDigest {
        name: written.to_owned(),
        bytes: read.len() as u64,
        blake3: blake3::hash(&read).to_hex().to_string(),
    };
    let file = path.display().to_string();
    let trace = GateTrace::parse(&file, &read, shape.layers, shape.expert_count())
        .map_err(|error| fault(error.to_string()))?;
    Ok((trace, digest))
}
