//! The links of a scenario.

use crate::device::MessageCost;
use crate::radio::RadioConfig;
use crate::units::{BitsPerSecond, FieldFault, JoulesPerBit, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What joins nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Link {
    /// A hub and the nodes around it, through the air.
    Radio(Box<RadioConfig>),
    /// Two nodes, through a cable or a network of fixed rate.
    Wire(Wire),
    /// Several nodes, each on a port of its own, such as an Ethernet switch.
    Switch(Switch),
}

impl Link {
    /// Every kind of link, as a scenario writes it, with a one-line summary.
    pub const REGISTRY: &[(&str, &str)] = &[
        ("Radio", "a hub and the nodes around it, through the air"),
        ("Wire", "two nodes, at a fixed rate after a fixed delay"),
        (
            "Switch",
            "nodes on ports of a fixed rate, such as those of an Ethernet switch",
        ),
    ];

    /// Its fields, if it is a radio.
    pub fn radio(&self) -> Option<&RadioConfig> {
        match self {
            Self::Radio(radio) => Some(radio),
            Self::Wire(_) | Self::Switch(_) => None,
        }
    }
}

/// The fields of [`Link::Wire`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wire {
    /// The two nodes that it joins, both ways.
    pub between: (String, String),
    /// Bits per second in each direction.
    pub rate: BitsPerSecond,
    /// How long a bit is on its way.
    pub delay: Seconds,
    /// The mean of what chance adds to the delay of a transfer, exponentially distributed.
    /// Default 0 s.
    #[serde(default)]
    pub jitter: Seconds,
    /// Added to every transfer's time on the wire, whatever its length. Default 0 s.
    #[serde(default)]
    pub per_message: Seconds,
    /// What a transfer costs its two ends beside its time on the wire. Default: what the profiles of
    /// its nodes say, of several the most.
    #[serde(default)]
    pub messages: Option<MessageCost>,
    /// What its ends spend on a bit. Default 0 J/bit.
    #[serde(default)]
    pub energy_per_bit: JoulesPerBit,
    /// What a transfer gets of the rate while others go on. Default: all, one after another.
    #[serde(default)]
    pub sharing: WireSharing,
}

/// What a transfer gets of a wire's rate while others go on in its direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum WireSharing {
    /// All of it: transfers follow one another.
    #[default]
    Exclusive,
    /// An equal part of it.
    Equal,
}

impl Wire {
    /// Checks every number.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(&self) -> Result<(), FieldFault> {
        FieldFault::unless_positive("rate", self.rate.0)?;
        FieldFault::if_negative("delay", self.delay.0)?;
        FieldFault::if_negative("jitter", self.jitter.0)?;
        FieldFault::if_negative("per_message", self.per_message.0)?;
        self.messages
            .unwrap_or_default()
            .validate()
            .map_err(|fault| fault.under("messages"))?;
        FieldFault::if_negative("energy_per_bit", self.energy_per_bit.0)
    }
}

/// The fields of [`Link::Switch`].
///
/// Every node has a port, which sends and receives at once, one transfer after the other each way.
/// A transfer is forwarded while it comes in, so that it occupies the sender's and the receiver's
/// port at the same time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// The groups and nodes that it joins, at most 256 nodes.
    pub members: Vec<String>,
    /// Bits per second of a port, each way.
    pub rate: BitsPerSecond,
    /// How long a bit is on its way.
    pub delay: Seconds,
    /// The mean of what chance adds to the delay of a transfer, exponentially distributed.
    /// Default 0 s.
    #[serde(default)]
    pub jitter: Seconds,
    /// Added to every transfer's time on both ports, whatever its length. Default 0 s.
    #[serde(default)]
    pub per_message: Seconds,
    /// What a transfer costs its two ends beside its time on the ports. Default: what the profiles
    /// of its nodes say, of several the most.
    #[serde(default)]
    pub messages: Option<MessageCost>,
    /// What is spent on a bit, charged to its sender. Default 0 J/bit.
    #[serde(default)]
    pub energy_per_bit: JoulesPerBit,
}

impl Switch {
    /// More nodes than that are on several switches.
    pub const MOST_MEMBERS: usize = 256;

    /// A port as a wire: what a transfer takes of it.
    pub fn port(&self) -> Wire {
        Wire {
            between: (String::new(), String::new()),
            rate: self.rate,
            delay: self.delay,
            jitter: self.jitter,
            per_message: self.per_message,
            messages: self.messages,
            energy_per_bit: self.energy_per_bit,
            sharing: WireSharing::Exclusive,
        }
    }
}
