//! What a request should take at most: service-level objectives.

use crate::units::{FieldFault, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Goals of every request: one that meets all of them counts as good. A goal that is left out
/// is met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Goals {
    /// From arrival to the first token.
    pub ttft: Option<Seconds>,
    /// From one token to the next, on average over a request.
    pub tpot: Option<Seconds>,
    /// From arrival to the last token.
    pub e2e: Option<Seconds>,
    /// From one token to the next, every time.
    pub itl: Option<Seconds>,
}

impl Goals {
    /// Every goal by its name.
    pub fn by_name(&self) -> [(&'static str, Option<Seconds>); 4] {
        [
            ("ttft", self.ttft),
            ("tpot", self.tpot),
            ("e2e", self.e2e),
            ("itl", self.itl),
        ]
    }

    /// Checks that there is a goal, and that each can be met.
    ///
    /// # Errors
    /// The first that cannot, by its path within the goals.
    pub fn validate(&self) -> Result<(), FieldFault> {
        let mut given = 0;
        for (name, goal) in self.by_name() {
            let Some(goal) = goal else { continue };
            given += 1;
            if goal.0 == 0.0 {
                let message = "no request takes 0 s; use a time above zero, or leave it out";
                return Err(FieldFault::new(name, message));
            }
        }
        match given {
            0 => Err(FieldFault::new(
                "ttft",
                "there is no goal; give one, such as ttft: \"500 ms\", or leave `goals` out",
            )),
            _ => Ok(()),
        }
    }
}
