//! A request as the replica that drafts for it sees it, and what work on it took.

use super::batch::Slice;
use super::choice::Drafted;
use crate::serving::{Identity, Piece};

/// A request at the replica that drafts for it.
#[derive(Debug)]
pub(super) struct Drafting {
    pub(super) replica: usize,
    /// The prompt, what stands of the answer, and the draft.
    pub(super) text: Vec<u32>,
    /// Tokens of it in the draft model's cache.
    pub(super) cached: usize,
    /// Tokens that the draft in the making will have; 0 while a verdict is awaited.
    pub(super) wanted: usize,
    /// Those that it has.
    pub(super) drafted: Vec<Drafted>,
    /// What each took.
    pub(super) spent: Vec<Spent>,
    /// Bits of the draft on its way.
    pub(super) bits: u64,
    /// Whether its prompt has come.
    pub(super) has_prompt: bool,
    /// Whether it is among the replica's jobs.
    pub(super) is_there: bool,
    pub(super) step: u32,
}

/// What work took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) flops: f64,
    pub(super) joules: f64,
}

impl Spent {
    /// Its part of each of so many tokens.
    pub(super) fn over(self, tokens: usize) -> Self {
        Self {
            flops: self.flops / tokens as f64,
            joules: self.joules / tokens as f64,
        }
    }

    pub(super) fn times(self, tokens: usize) -> Self {
        Self {
            flops: self.flops * tokens as f64,
            joules: self.joules * tokens as f64,
        }
    }

    pub(super) fn and(self, other: &Self) -> Self {
        Self {
            flops: self.flops + other.flops,
            joules: self.joules + other.joules,
        }
    }
}

impl Drafting {
    /// The slice that reads the next tokens of it. Its last token's logits are wanted if a draft
    /// is, and if that is where the text ends.
    pub(super) fn slice(&self, piece: &Piece, identity: Identity) -> Slice {
        let ends = self.cached + piece.tokens == self.text.len();
        let asks = self.wanted > self.drafted.len() && ends;
        Slice {
            request: piece.request,
            step: self.step,
            identity,
            piece: 0..piece.tokens,
            context: self.cached,
            rows: usize::from(asks),
            continues: false,
            scores: false,
            chosen_at: None,
            completes: true,
            drafted: 0,
            draft_bits: 0,
        }
    }

    /// The tokens of `slice`.
    pub(super) fn tokens(&self, slice: &Slice) -> &[u32] {
        &self.text[slice.context..][..slice.tokens()]
    }
}
