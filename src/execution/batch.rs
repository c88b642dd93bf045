//! A batch in flight: one forward pass of one replica, whose tokens it holds, and where it is.

use super::all_reduce::Planned;
use super::experts::Dispatch;
use super::stage::{Stage, Sublayer};
use crate::engine::{TaskId, TaskKey};
use crate::numerics::Rows;
use crate::serving::Identity;
use crate::serving::passes::Pass;
use crate::topology::NodeId;
use crate::units::Instant;
use std::ops::Range;

/// A batch in flight.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) id: u32,
    pub(super) replica: usize,
    /// In the order of their rows, at least one.
    pub(super) slices: Vec<Slice>,
    /// Tokens that go through the model, of all slices.
    pub(super) tokens: usize,
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
    /// By slice, the stage at which its last token left at an exit.
    pub(super) left: Vec<Option<usize>>,
    /// The layers under way in a whole stage.
    pub(super) segment: Range<usize>,
    /// Layers before the exit asked last, and what who stays goes on after.
    pub(super) done: usize,
    pub(super) resumes: Vec<TaskId>,
    /// States of tokens that left before which cross beside its own.
    pub(super) owed: usize,
}

/// The tokens of one request in a batch: a pass of it, or a piece of one.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    pub(super) request: u32,
    /// Number of the pass within its request.
    pub(super) step: u32,
    pub(super) identity: Identity,
    /// Its tokens' places in the pass.
    pub(super) piece: Range<usize>,
    /// Tokens that its sequence has in its cache already.
    pub(super) context: usize,
    /// Rows of logits that are wanted of it, of its last tokens.
    pub(super) rows: usize,
    /// Whether the token that it reads was chosen by the pass before.
    pub(super) continues: bool,
    /// Whether texts are scored by it.
    pub(super) scores: bool,
    /// Whether its pass is read to the end with it.
    pub(super) completes: bool,
    /// How many of the last tokens of its pass are drafted, and the bits that these take on
    /// their way through a pipeline.
    pub(super) drafted: usize,
    pub(super) draft_bits: u64,
    /// Where the token that it reads was chosen, if that was at an exit.
    pub(super) chosen_at: Option<NodeId>,
}

impl Slice {
    pub(super) fn tokens(&self) -> usize {
        self.piece.len()
    }

    /// Whether its last token chooses one that is generated, after the first: it may leave at an
    /// exit.
    pub(super) fn decides(&self) -> bool {
        self.step > 0 && self.completes && self.rows == 1 && !self.scores
    }

    /// The rows of logits wanted of it.
    pub(super) fn wanted(&self) -> Rows {
        match self.rows {
            0 => Rows::None,
            rows => Rows::Final(rows),
        }
    }

    /// The place of its first row of logits among those wanted of `pass`.
    pub(super) fn first_row(&self, pass: &Pass) -> usize {
        let unasked = pass.count - pass.rows();
        (self.piece.end - self.rows).saturating_sub(unasked)
    }

    /// The number of the draw that is `place` of the `draws` of a pass.
    ///
    /// What numbers a pass is its step and not how many batches it took: the token that is
    /// decoded next meets the same channels however its prompt was cut into pieces. Pieces after
    /// the first have draws of their own.
    pub(super) fn draw(&self, draws: u64, place: u64) -> u64 {
        let pass = u64::from(self.step) + ((self.piece.start as u64) << 20);
        self.identity.draw(pass.wrapping_mul(draws) + place)
    }
}

impl Batch {
    /// Whose weather it meets and by whom its tensors are named: of its requests the one that has
    /// been served longest.
    pub(super) fn lead(&self) -> &Slice {
        &self.slices[0]
    }

    /// Whether any logits are wanted of it.
    pub(super) fn wants_logits(&self) -> bool {
        self.slices.iter().any(|slice| slice.rows > 0)
    }

    /// Rows of logits that it asks of the LM head.
    pub(super) fn logit_rows(&self) -> usize {
        let slices = self.slices.iter().zip(&self.left);
        let staying = slices.filter(|(_, left)| left.is_none());
        staying.map(|(slice, _)| slice.rows).sum()
    }

    /// The places of slices whose last token may leave and has not.
    pub(super) fn may_leave(&self) -> impl Iterator<Item = usize> + '_ {
        let slices = self.slices.iter().zip(&self.left).enumerate();
        slices
            .filter(|(_, (slice, left))| slice.decides() && left.is_none())
            .map(|(place, _)| place)
    }

    /// Tokens that are in it still.
    pub(super) fn active_tokens(&self) -> usize {
        self.tokens - self.left.iter().flatten().count()
    }

    /// Bits of the drafts that go with it.
    pub(super) fn draft_bits(&self) -> u64 {
        self.slices.iter().map(|slice| slice.draft_bits).sum()
    }

    /// New tokens and those before them, of every slice.
    pub(super) fn contexts(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let slices = self.slices.iter().zip(&self.left);
        let staying = slices
            .map(|(slice, left)| (slice.tokens() - usize::from(left.is_some()), slice.context));
        staying.filter(|(tokens, _)| *tokens > 0)
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
