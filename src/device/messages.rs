//! What the processors at the two ends of a link do for a message, whatever its length: handing
//! it to the network, taking it from there, and going on.
//!
//! Alexandrov, Ionescu, Schauser and Scheiman, "LogGP: incorporating long messages into the
//! LogP model" (1995), call the first two the overhead o of a message: the time in which a
//! processor is engaged in sending or receiving it. Here both may differ, and the third is what a
//! processor needs to wake up and bring its threads together once what it waited for is there.
//! Where many small messages are exchanged, these rule: 4 kB take 35 µs of Gigabit Ethernet and
//! ten times that to be sent and received by a small board.

use crate::units::{FieldFault, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a message costs its two ends beside its bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MessageCost {
    /// Of the sender, one message after the other, before a message goes on its way. Default 0 s.
    pub send: Seconds,
    /// Of the receiver, one message after the other, once a message is there. Default 0 s.
    pub receive: Seconds,
    /// Of the receiver, once it has all that it waits for: until it goes on. Default 0 s.
    pub synchronise: Seconds,
}

impl MessageCost {
    /// Whether messages cost their ends nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Of either, what costs more.
    #[must_use]
    pub fn most(self, other: Self) -> Self {
        let most = |one: Seconds, two: Seconds| Seconds(one.0.max(two.0));
        Self {
            send: most(self.send, other.send),
            receive: most(self.receive, other.receive),
            synchronise: most(self.synchronise, other.synchronise),
        }
    }

    /// Of a message that somebody waits for.
    pub fn total(&self) -> f64 {
        self.send.0 + self.receive.0 + self.synchronise.0
    }

    /// Checks every number.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(&self) -> Result<(), FieldFault> {
        FieldFault::if_negative("send", self.send.0)?;
        FieldFault::if_negative("receive", self.receive.0)?;
        FieldFault::if_negative("synchronise", self.synchronise.0)
    }
}
