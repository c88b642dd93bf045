//! How replicas decode, and the replicas that draft for them or answer before them.

use super::served::{Served, family};
use super::{MODEL_FILE, digest};
use crate::execution::{
    Cascading, Decodes, Dense, Duty, PipelineStage, Replica, Serves, Source, Speculation, StageKind,
};
use crate::interrupt::Interrupt;
use crate::model::ShardPlan;
use crate::numerics::{self, ModelConfig, Rounding, StepError, Tokenizer};
use crate::radio::Payload;
use crate::results::folder::FileDigest;
use crate::scenario::Resolved;
use crate::serving::passes::longest_context;
use crate::serving::workload::Request;
use crate::serving::{Continuous, Decoding, Draft, Scheduling};
use crate::simulation::error::RunError;
use crate::topology::NodeId;
use crate::units::FieldFault;
use std::sync::Arc;

/// What second models are made of.
pub(super) struct Seconds<'a> {
    pub(super) resolved: &'a Resolved,
    pub(super) served: &'a Served,
    pub(super) requests: &'a [Request],
    pub(super) interrupt: Interrupt<'a>,
}

impl Seconds<'_> {
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
            let first = replicas.len();
            match &replica.decoding {
                Decoding::Greedy | Decoding::Sample(_) | Decoding::EarlyExit(_) => {}
                Decoding::Speculative(fields) => {
                    let lookup = match &fields.draft {
                        Draft::Lookup(lookup) => Some(*lookup),
                        Draft::Model(draft) => {
                            let path = format!(
                                "replicas[{number}].decoding.Speculative.draft.Model.model"
                            );
                            let second = (draft.model.as_str(), draft.at.as_str(), Duty::Drafts);
                            let seconds = self.seconds(&path, second, &replicas[number], inputs)?;
                            replicas.extend(seconds);
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
                Decoding::Cascade(fields) => {
                    let path = format!("replicas[{number}].decoding.Cascade.model");
                    let second = (
                        fields.model.as_str(),
                        fields.at.as_str(),
                        Duty::AnswersFirst,
                    );
                    let mut firsts = self.seconds(&path, second, &replicas[number], inputs)?;
                    for first in &mut firsts {
                        first.decodes.sampling = fields.sampling;
                    }
                    replicas.extend(firsts);
                    decodes.cascade = Some(Cascading {
                        firsts: (first..replicas.len()).collect(),
                        threshold: fields.threshold,
                    });
                }
            }
            replicas[number].decodes = decodes;
        }
        Ok(())
    }

    /// The replicas of the model with a name that do a duty for the `target`, one on each node of
    /// a place; `path` is the field that names the model.
    fn seconds(
        &self,
        path: &str,
        (name, at, duty): (&str, &str, Duty),
        target: &Replica,
        inputs: &mut Vec<FileDigest>,
    ) -> Result<Vec<Replica>, RunError> {
        let fault = |message: String| RunError::from(FieldFault::new(path, message));
        let Some(folder) = self.resolved.other_model_folder(name) else {
            return Err(fault(format!("there is no folder of `{name}`")));
        };
        // Drafters compute with their numbers as their files have them.
        let as_written = Rounding::default();
        let model = Served::of_folder(&folder, family(&folder), as_written, self.interrupt);
        let model = model.map_err(|error| match error {
            RunError::Model(error) => {
                let path = format!("models.{name}");
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
                "requests come to {longest} tokens, and `{name}` was made for {}; ask for \
                 less, or use another model",
                config.max_positions
            )));
        }
        let files = files.iter().chain(words.tokenizer.digests()).map(digest);
        inputs.extend(files.map(|file| FileDigest {
            name: format!("{name}{MODEL_FILE}{}", file.name),
            ..file
        }));
        let serves = &target.serves;
        let batch = serves.scheduling.batch().saturating_mul(target.in_flight);
        let held = batch.min(serves.admission.most_in_service());
        // Who drafts turns nobody away: a place that is kept there from one whom the replica serves
        // could wait for it for ever.
        let batch = match duty {
            Duty::Drafts => self.requests.len().max(held),
            _ => held,
        };
        let nodes = self.resolved.topology.named(at).into_iter();
        nodes
            .map(|node| second(&model, node, [batch, held], duty))
            .collect::<Result<_, StepError>>()
            .map_err(RunError::from)
    }
}

/// Checks the models that draft for that of `own`, or answer before it, by their headers and words.
pub(super) fn check(
    resolved: &Resolved,
    (config, words): (&ModelConfig, &Tokenizer),
) -> Result<(), RunError> {
    for (number, replica) in resolved.scenario.replicas.iter().enumerate() {
        let Some((below, name)) = replica.decoding.second_model() else {
            continue;
        };
        let Some(folder) = resolved.other_model_folder(name) else {
            continue;
        };
        let broken = |error: String| FieldFault::new(format!("models.{name}"), error);
        let other = numerics::inspect(&folder, family(&folder));
        let other = other.map_err(|error| broken(error.to_string()))?;
        let tokenizer = Tokenizer::load(&folder).map_err(|error| broken(error.to_string()))?;
        let sizes = [other.shape.vocabulary, config.shape.vocabulary];
        if let Some(message) = differ(&tokenizer, words, sizes) {
            let path = format!("replicas[{number}].decoding.{below}.model");
            return Err(FieldFault::new(path, message).into());
        }
    }
    Ok(())
}

/// `model` whole on `node`, where it does its `duty` for up to `batch` requests at once, of which
/// `held` have caches.
fn second(
    model: &Served,
    node: NodeId,
    [batch, held]: [usize; 2],
    duty: Duty,
) -> Result<Replica, StepError> {
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
            held_at_once: Some(held),
            ..Serves::default()
        },
        decodes: Decodes {
            duty,
            ..Decodes::default()
        },
        ..Replica::new(shape.clone(), vec![stage], source)
    })
}

/// What is wrong with a draft model of the words `draft` for one of the words `own`, if anything
/// is; `sizes` are those of both models' vocabularies.
fn differ(draft: &Tokenizer, own: &Tokenizer, sizes: [usize; 2]) -> Option<String> {
    let fix = "a model that drafts, or answers first, shares the vocabulary of the other";
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
