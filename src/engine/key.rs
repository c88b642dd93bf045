//! Names of tasks.
//!
//! A [`TaskKey`] says what a task *is*, never when it was made: its order decides
//! which of two events at one instant comes first, so it must not depend on the
//! order in which a program happens to build its tasks.

use std::fmt;

/// What a task does; the engine treats all kinds alike except [`Kind::Barrier`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Arithmetic on a device or server.
    Compute,
    /// Transmission towards the server.
    Uplink,
    /// Transmission towards the devices.
    Downlink,
    /// Time that is neither: pilots, scheduling, arrival of a request.
    Overhead,
    /// A meeting of tasks: no resource, no duration, opens with its last arrival.
    Barrier,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Self; 5] = [
        Self::Compute,
        Self::Uplink,
        Self::Downlink,
        Self::Overhead,
        Self::Barrier,
    ];

    /// The name in `events.csv`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Uplink => "uplink",
            Self::Downlink => "downlink",
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
    /// The request that the task serves.
    pub request: u32,
    /// The step of that request: 0 is prefill, then one per decoded token.
    pub step: u32,
    /// The layer of the model.
    pub layer: u16,
    /// What part of the layer; the architecture that made the task names it.
    pub stage: u16,
    /// The device that works.
    pub device: u16,
    /// Tells apart tasks that agree in all else, such as the rounds of a transmission.
    pub sequence: u32,
}

impl TaskKey {
    /// The `request` of a task that belongs to none.
    pub const NO_REQUEST: u32 = u32::MAX;
    /// The `step` of a task outside all steps.
    pub const NO_STEP: u32 = u32::MAX;
    /// The `layer` of a task outside all layers, such as sampling.
    pub const NO_LAYER: u16 = u16::MAX;
    /// The `device` of a task of the whole system, such as a barrier.
    pub const NO_DEVICE: u16 = u16::MAX;

    /// The same order in three words, which a heap compares faster than six fields.
    pub(super) const fn order(&self) -> Order {
        Order(
            (self.request as u64) << 32 | self.step as u64,
            (self.layer as u64) << 32 | (self.stage as u64) << 16 | self.device as u64,
            self.sequence,
        )
    }
}

/// A [`TaskKey`] packed so that comparing words compares fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order(u64, u64, u32);

impl Order {
    /// The key that has this order.
    pub(super) const fn key(self) -> TaskKey {
        TaskKey {
            request: (self.0 >> 32) as u32,
            step: self.0 as u32,
            layer: (self.1 >> 32) as u16,
            stage: (self.1 >> 16) as u16,
            device: self.1 as u16,
            sequence: self.2,
        }
    }
}

impl fmt::Display for TaskKey {
    /// For messages: `request 0, step 3, layer 12, stage 1, device 2, sequence 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.request != Self::NO_REQUEST {
            write!(f, "request {}, ", self.request)?;
        }
        if self.step != Self::NO_STEP {
            write!(f, "step {}, ", self.step)?;
        }
        if self.layer != Self::NO_LAYER {
            write!(f, "layer {}, ", self.layer)?;
        }
        write!(f, "stage {}, ", self.stage)?;
        if self.device != Self::NO_DEVICE {
            write!(f, "device {}, ", self.device)?;
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
        (word(), word(), half(), half(), half(), word()).prop_map(
            |(request, step, layer, stage, device, sequence)| TaskKey {
                request,
                step,
                layer,
                stage,
                device,
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
