//! Computations and transmissions as tasks of the engine's graph.

use crate::device::Computation;
use crate::engine::{Cost, Kind, ResourceId, Task, TaskKey};
use crate::model::Work;
use crate::radio::Transmission;

/// `work` on the resource `lane`, which takes and costs what `computation` says.
pub(super) fn compute(
    key: TaskKey,
    lane: ResourceId,
    work: Work,
    computation: Computation,
) -> Task {
    Task {
        key,
        kind: Kind::Compute,
        resource: Some(lane),
        duration: computation.duration,
        cost: Cost {
            flops: work.flops,
            bytes: work.bytes,
            bits: 0,
            joules: computation.joules.unwrap_or(0.0),
        },
    }
}

/// A use of the air on the resource `lane`.
pub(super) fn transmit(
    key: TaskKey,
    kind: Kind,
    lane: ResourceId,
    transmission: Transmission,
) -> Task {
    Task {
        key,
        kind,
        resource: Some(lane),
        duration: transmission.duration,
        cost: Cost {
            flops: 0,
            bytes: 0,
            bits: transmission.bits,
            joules: transmission.joules.unwrap_or(0.0),
        },
    }
}
