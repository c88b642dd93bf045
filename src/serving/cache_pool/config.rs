//! The memory for keys and values, as a scenario says it.

use super::CachePool;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The memory that keys and values may take at a replica.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Cache {
    /// Every request gets room for its longest sequence at once, and keeps it to its end.
    Reserved(Reserved),
    /// Room is given in blocks as sequences grow; when there is none, somebody is preempted.
    Paged(Paged),
}

/// The fields of [`Cache::Reserved`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reserved {
    /// Tokens for which every request gets room; who comes to more is rejected. Default: as many
    /// as each comes to.
    pub longest: Option<usize>,
    /// Tokens that there is room for. Default: what the nodes' memories leave.
    pub tokens: Option<usize>,
}

/// The fields of [`Cache::Paged`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Paged {
    /// Tokens of a block. Default 16.
    pub block: usize,
    /// The part of all blocks that must be left when a request is admitted, so that those who run
    /// can grow; from 0 up to, but not including, 1. Default 0.01.
    pub watermark: f64,
    /// What becomes of the cache of who is preempted. Default: it is given up, and computed again.
    pub preemption: Preemption,
    /// Whether prompts that begin alike share blocks, also with requests that were answered
    /// before, until their blocks are needed. Default: no.
    pub prefix: bool,
    /// Tokens that there is room for, rounded down to blocks. Default: what the nodes' memories
    /// leave.
    pub tokens: Option<usize>,
}

impl Default for Paged {
    fn default() -> Self {
        Self {
            block: 16,
            watermark: 0.01,
            preemption: Preemption::Recompute,
            prefix: false,
            tokens: None,
        }
    }
}

/// What becomes of the cache of a request that is preempted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Preemption {
    /// It is given up; all tokens are read again, in one prompt.
    #[default]
    Recompute,
    /// It is sent to another node, and back before the request goes on.
    Swap(Swap),
}

/// The fields of [`Preemption::Swap`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Swap {
    /// The node that keeps it meanwhile.
    pub to: String,
}

impl Cache {
    /// Every kind's name, as a scenario writes it, with a one-line summary.
    pub const REGISTRY: &[(&str, &str)] = &[
        ("Reserved", "room for the longest sequence, kept to the end"),
        ("Paged", "blocks as sequences grow; preemption when full"),
    ];

    /// Checks its fields.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(&self) -> Result<(), FieldFault> {
        match self {
            Self::Reserved(reserved) => {
                reserved.validate().map_err(|fault| fault.under("Reserved"))
            }
            Self::Paged(paged) => paged.validate().map_err(|fault| fault.under("Paged")),
        }
    }

    /// How many tokens the scenario says there is room for.
    pub fn tokens(&self) -> Option<usize> {
        match self {
            Self::Reserved(reserved) => reserved.tokens,
            Self::Paged(paged) => paged.tokens,
        }
    }

    /// The pool that it is where memories leave `room` tokens; the scenario's own number goes
    /// before that.
    pub fn pool(&self, room: usize) -> CachePool {
        let tokens = self.tokens().unwrap_or(room);
        match self {
            Self::Reserved(reserved) => CachePool::reserved(tokens, reserved.longest),
            Self::Paged(paged) => CachePool::paged(tokens, paged),
        }
    }
}

fn unless_some(field: &str, count: Option<usize>) -> Result<(), FieldFault> {
    match count {
        Some(0) => Err(FieldFault::new(
            field,
            "no request fits into a cache of 0 tokens; use 1 or more, or leave it out",
        )),
        _ => Ok(()),
    }
}

impl Reserved {
    fn validate(&self) -> Result<(), FieldFault> {
        unless_some("longest", self.longest)?;
        unless_some("tokens", self.tokens)?;
        match (self.longest, self.tokens) {
            (Some(longest), Some(tokens)) if longest > tokens => {
                let message = format!(
                    "{longest} tokens for every request do not fit into tokens: {tokens}; use at \
                     most that"
                );
                Err(FieldFault::new("longest", message))
            }
            _ => Ok(()),
        }
    }
}

impl Paged {
    fn validate(&self) -> Result<(), FieldFault> {
        if self.block == 0 {
            let message = "a block of 0 tokens holds nothing; use 1 or more, for example 16";
            return Err(FieldFault::new("block", message));
        }
        if !(0.0..1.0).contains(&self.watermark) {
            let message = format!(
                "{} is no part of the blocks that can be left; use 0 or more, below 1, for \
                 example 0.01",
                self.watermark
            );
            return Err(FieldFault::new("watermark", message));
        }
        unless_some("tokens", self.tokens)?;
        match self.tokens {
            Some(tokens) if tokens < self.block => {
                let block = self.block;
                let message = format!("{tokens} tokens are less than one block of {block}");
                let message = format!("{message}; use more, or smaller blocks");
                Err(FieldFault::new("tokens", message))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(paged: Paged) -> String {
        Cache::Paged(paged).validate().unwrap_err().to_string()
    }

    #[test]
    fn impossible_fields_are_named_with_a_way_out() {
        let default = Paged::default;
        let block = fault(Paged {
            block: 0,
            ..default()
        });
        assert!(block.starts_with("Paged.block: a block of 0 tokens"));
        for watermark in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
            let fault = fault(Paged {
                watermark,
                ..default()
            });
            assert!(fault.starts_with("Paged.watermark:"), "{fault}");
        }
        let tokens = fault(Paged {
            tokens: Some(15),
            ..default()
        });
        assert!(tokens.contains("15 tokens are less than one block of 16"));
        let reserved = |longest, tokens| {
            let cache = Cache::Reserved(Reserved { longest, tokens });
            cache.validate().map_err(|fault| fault.to_string())
        };
        assert!(reserved(Some(0), None).is_err());
        assert!(reserved(None, Some(0)).is_err());
        assert!(
            reserved(Some(9), Some(8))
                .unwrap_err()
                .contains("do not fit")
        );
        assert_eq!(reserved(Some(8), Some(8)), Ok(()));
        assert_eq!(Cache::Paged(default()).validate(), Ok(()));
    }

    #[test]
    fn the_scenario_goes_before_what_memories_leave() {
        let cache = |tokens| {
            Cache::Reserved(Reserved {
                tokens,
                longest: None,
            })
        };
        assert_eq!(cache(Some(5)).pool(9).usage().total_tokens, Some(5));
        assert_eq!(cache(None).pool(9).usage().total_tokens, Some(9));
    }
}
