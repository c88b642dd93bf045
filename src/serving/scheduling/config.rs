//! Who is in the next batch, as a scenario says it.

use super::Scheduler;
use super::continuous::Continuously;
use super::groups::InGroups;
use crate::serving::order::Order;
use crate::units::{FieldFault, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who is in the next batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Scheduling {
    /// A full batch begins together, and leaves together when its last request has its answer.
    Static(StaticBatches),
    /// The same, but a batch also begins a while after its oldest request began to wait.
    Dynamic(DynamicBatches),
    /// Requests join and leave at every iteration.
    Continuous(Continuous),
}

/// The fields of [`Scheduling::Static`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StaticBatches {
    /// Requests of a full batch. Default 8.
    pub batch: usize,
}

impl Default for StaticBatches {
    fn default() -> Self {
        Self { batch: 8 }
    }
}

/// The fields of [`Scheduling::Dynamic`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DynamicBatches {
    /// Requests of a full batch. Default 8.
    pub batch: usize,
    /// How long a request waits at most for others to fill its batch. Default 100 ms.
    pub window: Seconds,
}

impl Default for DynamicBatches {
    fn default() -> Self {
        Self {
            batch: 8,
            window: Seconds(0.1),
        }
    }
}

/// The fields of [`Scheduling::Continuous`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Continuous {
    /// Most requests of an iteration. Default 8; 1 where no scheduler is named.
    pub batch: usize,
    /// Most new tokens of an iteration; a longer prompt goes alone. Default 2048.
    pub tokens: usize,
    /// Most prompt tokens of an iteration: longer prompts are read in pieces, beside decode
    /// steps. Default: prompts are read whole.
    pub chunk: Option<usize>,
    /// Whether prompts and decode steps meet in an iteration. Default: they do.
    pub prefill: Prefill,
}

impl Default for Continuous {
    fn default() -> Self {
        Self {
            batch: 8,
            tokens: 2048,
            chunk: None,
            prefill: Prefill::Mixed,
        }
    }
}

/// Whether prompts and decode steps meet in an iteration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Prefill {
    /// Decode steps and prompts in one iteration.
    #[default]
    Mixed,
    /// Prompts alone as soon as somebody can be admitted, else decode steps.
    Apart,
}

impl Default for Scheduling {
    /// One request after another.
    fn default() -> Self {
        Self::Continuous(Continuous {
            batch: 1,
            ..Continuous::default()
        })
    }
}

impl Scheduling {
    /// Every scheduler's name, as a scenario writes it, with a one-line summary.
    pub const REGISTRY: &[(&str, &str)] = &[
        ("Static", "full batches that begin and leave together"),
        ("Dynamic", "the same, but nobody waits longer than a window"),
        ("Continuous", "requests join and leave at every iteration"),
    ];

    /// Checks its fields.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(&self) -> Result<(), FieldFault> {
        match self {
            Self::Static(fields) => {
                unless_batch(fields.batch).map_err(|fault| fault.under("Static"))
            }
            Self::Dynamic(fields) => {
                let window = || FieldFault::if_negative("window", fields.window.0);
                unless_batch(fields.batch)
                    .and_then(|()| window())
                    .map_err(|fault| fault.under("Dynamic"))
            }
            Self::Continuous(fields) => {
                fields.validate().map_err(|fault| fault.under("Continuous"))
            }
        }
    }

    /// Most requests of a batch.
    pub fn batch(&self) -> usize {
        match self {
            Self::Static(fields) => fields.batch,
            Self::Dynamic(fields) => fields.batch,
            Self::Continuous(fields) => fields.batch,
        }
    }

    /// Most tokens that go through the model in a batch, of whose requests none has more than
    /// `pass` in a pass.
    pub fn most_tokens(&self, pass: usize) -> usize {
        let all = self.batch().saturating_mul(pass);
        match self {
            Self::Static(_) | Self::Dynamic(_) => all,
            Self::Continuous(Continuous { tokens, chunk, .. }) => match chunk {
                None => all.min(pass.max(*tokens)),
                Some(chunk) => all.min(*tokens).min(chunk + self.batch()),
            },
        }
    }

    /// The scheduler at work at a replica with as many batches `in_flight`, of whose requests at
    /// most `most_in_service` run, in an `order`.
    pub fn scheduler(
        &self,
        order: &Order,
        in_flight: usize,
        most_in_service: usize,
    ) -> Box<dyn Scheduler> {
        let slots = self.batch().saturating_mul(in_flight).min(most_in_service);
        match self {
            Self::Static(fields) => Box::new(InGroups::new(fields.batch, slots, None)),
            Self::Dynamic(fields) => {
                Box::new(InGroups::new(fields.batch, slots, Some(fields.window)))
            }
            Self::Continuous(fields) => {
                // Those who are put off stay in service beside those who are chosen.
                let slots = match order {
                    Order::FeedbackQueue(_) => most_in_service,
                    _ => slots,
                };
                Box::new(Continuously::new(*fields, slots, order))
            }
        }
    }
}

fn unless_batch(batch: usize) -> Result<(), FieldFault> {
    match batch {
        0 => Err(FieldFault::new(
            "batch",
            "a batch of 0 serves nobody; use 1 or more",
        )),
        _ => Ok(()),
    }
}

impl Continuous {
    fn validate(&self) -> Result<(), FieldFault> {
        unless_batch(self.batch)?;
        let (batch, tokens) = (self.batch, self.tokens);
        if tokens < batch {
            let message = format!(
                "{tokens} tokens are less than one for each of batch: {batch}; use at least \
                 {batch}, or a smaller batch"
            );
            return Err(FieldFault::new("tokens", message));
        }
        match self.chunk {
            Some(0) => {
                let message = "no prompt would ever be read in pieces of 0 tokens; use 1 or more, \
                               or leave it out";
                Err(FieldFault::new("chunk", message))
            }
            Some(_) if self.prefill == Prefill::Apart => {
                let message = "pieces of prompts are there to run beside decode steps, which \
                               prefill: Apart excludes; leave one of the two out";
                Err(FieldFault::new("chunk", message))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(scheduling: Scheduling) -> String {
        scheduling.validate().unwrap_err().to_string()
    }

    #[test]
    fn impossible_fields_are_named_with_a_way_out() {
        let continuous = |batch, tokens, chunk, prefill| {
            fault(Scheduling::Continuous(Continuous {
                batch,
                tokens,
                chunk,
                prefill,
            }))
        };
        let mixed = Prefill::Mixed;
        assert!(continuous(0, 8, None, mixed).starts_with("Continuous.batch: a batch of 0"));
        assert!(continuous(8, 7, None, mixed).contains("use at least 8"));
        assert!(continuous(8, 8, Some(0), mixed).starts_with("Continuous.chunk: no prompt"));
        assert!(continuous(8, 8, Some(4), Prefill::Apart).contains("leave one of the two out"));
        let batch = 0;
        let refused = fault(Scheduling::Static(StaticBatches { batch }));
        assert!(refused.starts_with("Static.batch: a batch of 0"));
        for window in [f64::NAN, -1.0, f64::INFINITY] {
            let window = Seconds(window);
            let refused = fault(Scheduling::Dynamic(DynamicBatches { batch: 1, window }));
            assert!(refused.starts_with("Dynamic.window:"), "{refused}");
        }
        assert_eq!(Scheduling::default().validate(), Ok(()));
        assert_eq!(Scheduling::default().batch(), 1);
    }
}
