//! A batch in flight: one forward pass of one replica, and where it is.

use super::all_reduce::Planned;
use super::experts::Dispatch;
use super::stage::{Stage, Sublayer};
use crate::engine::{TaskId, TaskKey};
use crate::serving::Identity;
use crate::serving::passes::Pass;
use crate::topology::NodeId;
use crate::units::Instant;

/// A batch in flight.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) id: u32,
    pub(super) replica: usize,
    pub(super) request: u32,
    /// Number of the pass within its request.
    pub(super) step: u32,
    pub(super) identity: Identity,
    pub(super) pass: Pass,
    /// Tokens that its sequence had already.
    pub(super) context: usize,
    pub(super) start: Instant,
    /// The stage of the placement that it is in.
    pub(super) stage: usize,
    pub(super) layer: usize,
    pub(super) sublayer: Sublayer,
    /// The all-reduce or multicast that is on the air or was last.
    pub(super) planned: Option<Planned>,
    pub(super) dispatch: Dispatch,
    /// The last task of the message that it waits for.
    pub(super) awaited: Option<TaskId>,
}

impl Batch {
    /// Tokens that go through the model.
    pub(super) fn tokens(&self) -> usize {
        self.pass.tokens.len()
    }

    /// The key of one of its tasks.
    pub(super) fn key(&self, layer: Option<usize>, stage: Stage, node: Option<NodeId>) -> TaskKey {
        TaskKey {
            batch: self.id,
            layer: layer.map_or(TaskKey::NO_LAYER, |layer| layer as u16),
            stage: stage.code(),
            node: node.map_or(TaskKey::NO_NODE, |node| node.0),
            peer: TaskKey::NO_PEER,
            sequence: 0,
        }
    }

    /// The key of a transmission between `node` and `peer`.
    pub(super) fn sent(
        &self,
        layer: Option<usize>,
        stage: Stage,
        node: NodeId,
        peer: NodeId,
    ) -> TaskKey {
        TaskKey {
            peer: peer.0,
            ..self.key(layer, stage, Some(node))
        }
    }
}
