//! Names of tasks.
//!
//! A [`TaskKey`] says what a task *is*, never when it was made: its order decides
//! which of two events at one instant comes first, so it must not depend on the
//! order in which a program happens to build its tasks.

use std::fmt;

/// What a task does; the engine treats all kinds alike except [`Kind::Barrier`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Arithmetic on a node.
    Compute,
    /// Transmission by radio towards the hub of its cell.
    Uplink,
    /// Transmission by radio from the hub of its cell.
    Downlink,
    /// Transmission over a wire.
    Transfer,
    /// Time that is neither: pilots, scheduling, arrival of a request.
    Overhead,
    /// A meeting of tasks: no resource, no duration, opens with its last arrival.
    Barrier,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Self; 6] = [
        Self::Compute,
        Self::Uplink,
        Self::Downlink,
        Self::Transfer,
        Self::Overhead,
        Self::Barrier,
    ];

    /// The name in `events.csv`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Uplink => "uplink",
            Self::Downlink => "downlink",
            Self::Transfer => "transfer",
            Self::Overhead => "overhead",
            Self::Barrier => "barrier",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a task is. Keys are unique within a run and ordered field by field.
///
/// A field that means nothing for a task holds the `NO_…` constant of its name;
/// it sorts last and is written as an empty cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKey {
    /// The batch that the task serves: one forward pass of one replica.
    pub batch: u32,
    /// The layer of the model.
    pub layer: u16,
    /// What part of the layer; the program that made the task names it.
    pub stage: u16,
    /// The node that works: that computes, sends or, in a reception, receives.
    pub node: u16,
    /// The other end of a transmission.
    pub peer: u16,
    /// Tells apart tasks that agree in all else, such as the rounds of a transmission.
    pub sequence: u32,
}

impl TaskKey {
    /// The `batch` of a task that belongs to none.
    pub const NO_BATCH: u32 = u32::MAX;
    /// The `layer` of a task outside all layers, such as sampling.
    pub const NO_LAYER: u16 = u16::MAX;
    /// The `node` of a task of the whole system, such as a barrier.
    pub const NO_NODE: u16 = u16::MAX;
    /// The `peer` of a task that is no transmission, or one to many.
    pub const NO_PEER: u16 = u16::MAX;

    /// The same order in two words, which a heap compares faster than six fields.
    pub(super) const fn order(&self) -> Order {
        Order(
            (self.batch as u64) << 32 | (self.layer as u64) << 16 | self.stage as u64,
            (self.node as u64) << 48 | (self.peer as u64) << 32 | self.sequence as u64,
        )
    }
}

/// A [`TaskKey`] packed so that comparing words compares fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order(u64, u64);

impl Order {
    /// The key that has this order.
    pub(super) const fn key(self) -> TaskKey {
        TaskKey {
            batch: (self.0 >> 32) as u32,
            layer: (self.0 >> 16) as u16,
            stage: self.0 as u16,
            node: (self.1 >> 48) as u16,
            peer: (self.1 >> 32) as u16,
            sequence: self.1 as u32,
        }
    }
}

impl fmt::Display for TaskKey {
    /// For messages: `batch 3, layer 12, stage 1, node 2, peer 0, sequence 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.batch != Self::NO_BATCH {
            write!(f, "batch {}, ", self.batch)?;
        }
        if self.layer != Self::NO_LAYER {
            write!(f, "layer {}, ", self.layer)?;
        }
        write!(f, "stage {}, ", self.stage)?;
        if self.node != Self::NO_NODE {
            write!(f, "node {}, ", self.node)?;
        }
        if self.peer != Self::NO_PEER {
            write!(f, "peer {}, ", self.peer)?;
        }
        write!(f, "sequence {}", self.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = TaskKey> {
        // Small ranges beside whole ones, so that ties in leading fields occur.
        let word = || prop_oneof![0..3u32, any::<u32>()];
        let half = || prop_oneof![0..3u16, any::<u16>()];
        (word(), half(), half(), half(), half(), word()).prop_map(
            |(batch, layer, stage, node, peer, sequence)| TaskKey {
                batch,
                layer,
                stage,
                node,
                peer,
                sequence,
            },
        )
    }

    proptest! {
        #[test]
        fn packed_order_is_the_order_of_the_fields(a in key(), b in key()) {
            prop_assert_eq!(a.order().cmp(&b.order()), a.cmp(&b));
            prop_assert_eq!(a.order().key(), a);
        }
    }
}
