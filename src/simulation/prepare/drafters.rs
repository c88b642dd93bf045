//! How replicas decode, and the replicas that draft for them.

use super::served::{Served, family};
use super::{MODEL_FILE, digest};
use crate::execution::{
    Decodes, Dense, PipelineStage, Replica, Serves, Source, Speculation, StageKind,
};
use crate::interrupt::Interrupt;
use crate::model::ShardPlan;
use crate::numerics::{Rounding, StepError, Tokenizer};
use crate::radio::Payload;
use crate::results::folder::FileDigest;
use crate::scenario::Resolved;
use crate::serving::passes::longest_context;
use crate::serving::workload::Request;
use crate::serving::{Continuous, Decoding, Draft, DraftModel, Scheduling};
use crate::simulation::error::RunError;
use crate::topology::NodeId;
use crate::units::FieldFault;
use std::sync::Arc;

/// What drafters are made of.
pub(super) struct Drafters<'a> {
    pub(super) resolved: &'a Resolved,
    pub(super) served: &'a Served,
    pub(super) requests: &'a [Request],
    pub(super) interrupt: Interrupt<'a>,
}

impl Drafters<'_> {
    /// Says how each of the scenario's `replicas` decodes, and adds those that draft after them;
    /// what was read goes to `inputs`.
    pub(super) fn join(
        &self,
        replicas: &mut Vec<Replica>,
        inputs: &mut Vec<FileDigest>,
    ) -> Result<(), RunError> {
        for (number, replica) in self.resolved.scenario.replicas.iter().enumerate() {
            let mut decodes = Decodes {
                sampling: replica.decoding.sampling(),
                ..Decodes::default()
            };
            if let Decoding::Speculative(fields) = &replica.decoding {
                let first = replicas.len();
                let lookup = match &fields.draft {
                    Draft::Lookup(lookup) => Some(*lookup),
                    Draft::Model(draft) => {
                        let drafting = self.drafting(number, draft, &replicas[number], inputs)?;
                        replicas.extend(drafting);
                        None
                    }
                };
                decodes.speculation = Some(Speculation {
                    length: fields.length,
                    lookup,
                    drafters: (first..replicas.len()).collect(),
                    sends: fields.sends,
                    draws: fields.draws,
                });
            }
            replicas[number].decodes = decodes;
        }
        Ok(())
    }

    /// The replicas that draft for the `target`, one on each node that `draft` names.
    fn drafting(
        &self,
        number: usize,
        draft: &DraftModel,
        target: &Replica,
        inputs: &mut Vec<FileDigest>,
    ) -> Result<Vec<Replica>, RunError> {
        let path = format!("replicas[{number}].decoding.Speculative.draft.Model.model");
        let fault = |message: String| RunError::from(FieldFault::new(path.as_str(), message));
        let Some(folder) = self.resolved.other_model_folder(&draft.model) else {
            return Err(fault(format!("there is no folder of `{}`", draft.model)));
        };
        // Drafters compute with their numbers as their files have them.
        let as_written = Rounding::default();
        let model = Served::of_folder(&folder, family(&folder), as_written, self.interrupt);
        let model = model.map_err(|error| match error {
            RunError::Model(error) => {
                let path = format!("models.{}", draft.model);
                FieldFault::new(path, error.to_string()).into()
            }
            error => error,
        })?;
        let (Some((config, files, words)), Some(own)) = (model.parts(), self.served.words()) else {
            return Err(fault("a Shape computes no token".to_owned()));
        };
        let sizes = [model.shape().vocabulary, self.served.shape().vocabulary];
        if let Some(message) = differ(&words.tokenizer, &own.tokenizer, sizes) {
            return Err(fault(message));
        }
        let longest = longest_context(self.requests);
        if longest > config.max_positions {
            return Err(fault(format!(
                "requests come to {longest} tokens, and the draft model was made for {}; ask for \
                 less, or use another model",
                config.max_positions
            )));
        }
        let files = files.iter().chain(words.tokenizer.digests()).map(digest);
        inputs.extend(files.map(|file| FileDigest {
            name: format!("{}{MODEL_FILE}{}", draft.model, file.name),
            ..file
        }));
        let serves = &target.serves;
        let batch = serves.scheduling.batch().saturating_mul(target.in_flight);
        let batch = batch.min(serves.admission.most_in_service());
        let nodes = self.resolved.topology.named(&draft.at).into_iter();
        nodes
            .map(|node| drafter(&model, node, batch))
            .collect::<Result<_, StepError>>()
            .map_err(RunError::from)
    }
}

/// `model` whole on `node`, where it drafts for up to `batch` requests at once.
fn drafter(model: &Served, node: NodeId, batch: usize) -> Result<Replica, StepError> {
    let shape = model.shape();
    let plan = ShardPlan::whole(shape)?;
    let source = match model {
        Served::Timed(..) => Source::Timed,
        Served::Dense(loaded) => {
            Source::Dense(Box::new(Dense::new(vec![loaded.model.shard(&plan)?])))
        }
        Served::Sparse(model, _) => Source::Sparse(Arc::clone(model), Payload::default()),
    };
    let stage = PipelineStage {
        layers: 0..shape.layers,
        kind: StageKind::Whole {
            node,
            plan: Box::new(plan),
        },
    };
    let scheduling = Scheduling::Continuous(Continuous {
        batch,
        ..Continuous::default()
    });
    Ok(Replica {
        serves: Serves {
            scheduling,
            ..Serves::default()
        },
        decodes: Decodes {
            helps: true,
            ..Decodes::default()
        },
        ..Replica::new(shape.clone(), vec![stage], source)
    })
}

/// What is wrong with a draft model of the words `draft` for one of the words `own`, if anything
/// is; `sizes` are those of both models' vocabularies.
fn differ(draft: &Tokenizer, own: &Tokenizer, sizes: [usize; 2]) -> Option<String> {
    let fix = "a draft model shares the vocabulary of the model that it drafts for";
    if sizes[0] != sizes[1] {
        let [draft, own] = sizes;
        return Some(format!("it has {draft} tokens, and the model {own}; {fix}"));
    }
    let text = |tokenizer: &Tokenizer, token: u32| tokenizer.decode(&[token]).ok();
    let known = draft.vocabulary().max(own.vocabulary()) as u32;
    let other = (0..known).find(|token| text(draft, *token) != text(own, *token))?;
    let [one, two] = [draft, own].map(|tokenizer| text(tokenizer, other).unwrap_or_default());
    Some(format!(
        "its token {other} is {one:?}, and the model's {two:?}; {fix}"
    ))
}
