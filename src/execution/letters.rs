//! Messages that belong to a request and not to a batch: its prompt on the way up, its tokens on the
//! way down, its cache on the way from one place to another.

use super::Execution;
use super::cut::TOKEN_BITS;
use super::error::ExecutionError;
use super::messages::{Carried, Then};
use super::stage::Stage;
use crate::engine::{Graph, Record, TaskId, TaskKey};
use crate::serving::workload::{Carries, Task};
use crate::topology::NodeId;
use crate::units::Instant;

/// What a message carries for whom, and what numbers its draws.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letter {
    pub(super) stage: Stage,
    pub(super) request: u32,
    /// The batch that made it necessary, if one did.
    pub(super) batch: u32,
    /// The layer, of a layer's cache.
    pub(super) layer: u16,
    pub(super) bits: u64,
    /// Tokens that it delivers.
    tokens: u32,
    /// Its place among the request's messages.
    place: u64,
    sent: Instant,
    /// The last of its tasks.
    awaited: Option<TaskId>,
}

/// Draws that a request's passes leave to its messages.
const MESSAGES: u64 = 1 << 36;

/// Tokens whose delivery comes before the parts of its cache.
const CACHES: u64 = 1 << 32;

/// Draws that everything else leaves to drafts and verdicts.
const DRAFTS: u64 = 1 << 38;

/// What a letter is known by: stage, batch, request, layer.
pub(super) type Address = (u16, u32, u32, u16);

impl Letter {
    /// The prompt of `request`.
    pub(super) fn prompt(request: u32, bits: u64) -> Self {
        Self {
            stage: Stage::Prompt,
            request,
            batch: TaskKey::NO_BATCH,
            layer: TaskKey::NO_LAYER,
            bits,
            tokens: 0,
            place: 0,
            sent: Instant::ZERO,
            awaited: None,
        }
    }

    /// So many `tokens` of `request`, from its token number `index` on, which `batch` chose.
    pub(super) fn tokens(request: u32, batch: u32, (index, tokens): (u32, u32), bits: u64) -> Self {
        Self {
            stage: Stage::TokenDelivery,
            batch,
            tokens,
            place: 1 + u64::from(index),
            ..Self::prompt(request, bits)
        }
    }

    /// A part of the cache of `request` that moves for `batch`.
    pub(super) fn cache(request: u32, batch: u32, layer: u16, bits: u64) -> Self {
        Self {
            stage: Stage::CacheMove,
            batch,
            layer,
            place: CACHES + (u64::from(batch) << 16) + u64::from(layer),
            ..Self::prompt(request, bits)
        }
    }

    /// The cache of `request` on a node, which makes room for `batch` or comes back for it.
    pub(super) fn swap(request: u32, batch: u32, holder: u16, bits: u64) -> Self {
        Self {
            stage: Stage::CacheSwap,
            ..Self::cache(request, batch, holder, bits)
        }
    }

    /// The prompt of `request` on its way to who drafts for it.
    pub(super) fn draft_prompt(request: u32, bits: u64) -> Self {
        Self {
            stage: Stage::DraftPrompt,
            place: DRAFTS,
            ..Self::prompt(request, bits)
        }
    }

    /// What is drafted for `request` after so many tokens of its answer, by `batch` to the end.
    pub(super) fn draft(request: u32, batch: u32, generated: u64, bits: u64) -> Self {
        Self {
            stage: Stage::Draft,
            batch,
            place: DRAFTS + 1 + 2 * generated,
            ..Self::prompt(request, bits)
        }
    }

    /// What `batch` has found to stand of `request`, so many tokens of its answer, for who drafts for
    /// it.
    pub(super) fn verdict(request: u32, batch: u32, generated: u64, bits: u64) -> Self {
        Self {
            stage: Stage::Verdict,
            batch,
            place: DRAFTS + 2 + 2 * generated,
            ..Self::prompt(request, bits)
        }
    }

    fn address(&self) -> Address {
        (self.stage.code(), self.batch, self.request, self.layer)
    }
}

impl Execution<'_> {
    /// Bits of the prompt of request `number` on its way up.
    ///
    /// # Errors
    /// If the tokenizer cannot write it.
    pub(super) fn prompt_bits(&self, number: u32) -> Result<u64, ExecutionError> {
        let request = &self.requests[number as usize];
        let counted = TOKEN_BITS * request.task.asked_tokens();
        match (&request.task, request.carries, &self.words) {
            (Task::Generate { prompt, .. }, Carries::Text, Some(words)) => {
                Ok(8 * words.tokenizer.decode(prompt)?.len() as u64)
            }
            _ => Ok(counted),
        }
    }

    /// Bits of so many tokens of request `number` on their way down, whose text is known where they
    /// were computed.
    pub(super) fn token_bits(&self, number: u32, tokens: u32, text: Option<&str>) -> u64 {
        match (self.requests[number as usize].carries, text) {
            (Carries::Text, Some(text)) => 8 * text.len() as u64,
            _ => TOKEN_BITS * u64::from(tokens),
        }
    }

    /// Sends `letter` from one node to another, after `after`.
    pub(super) fn send_letter(
        &mut self,
        mut letter: Letter,
        ends: [NodeId; 2],
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<TaskId, ExecutionError> {
        let of_hop = |_, from: NodeId, to: NodeId| TaskKey {
            batch: letter.batch,
            layer: letter.layer,
            stage: letter.stage.code(),
            node: from.0,
            peer: to.0,
            sequence: letter.request,
        };
        let index = self.letter_index(&letter);
        let numbered = (index, Then::GoesOn);
        let last = self.emit_route(letter.stage, ends, of_hop, numbered, after, graph)?;
        letter.awaited = Some(last);
        letter.sent = graph.now();
        self.meter.letter_sent(letter.sent);
        // Nodes may be busy with it after its request is answered.
        self.in_service.begin(letter.sent);
        self.letters.insert(letter.address(), letter);
        Ok(last)
    }

    fn letter_index(&self, letter: &Letter) -> u64 {
        let identity = self.identities[letter.request as usize];
        identity.draw(MESSAGES + letter.place)
    }

    fn letter(&self, key: TaskKey) -> (Address, Letter) {
        let stage = Stage::of(key.stage).whole();
        let address = (stage.code(), key.batch, key.sequence, key.layer);
        (address, self.letters[&address])
    }

    pub(super) fn letter_carries(&self, key: TaskKey) -> Carried {
        let (_, letter) = self.letter(key);
        Carried {
            bits: letter.bits,
            index: self.letter_index(&letter),
        }
    }

    /// A hop of a letter is over: if it was the last, whoever waits for it goes on.
    pub(super) fn letter_arrives(
        &mut self,
        id: TaskId,
        key: TaskKey,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let (address, letter) = self.letter(key);
        if letter.awaited != Some(id) {
            return Ok(());
        }
        self.letters.remove(&address);
        self.meter.letter_arrived(letter.sent);
        self.in_service.end(graph.now());
        match letter.stage {
            Stage::Prompt => {
                self.in_transit -= 1;
                let replica = self.sequences[&letter.request].replica;
                self.replicas[replica].coming -= 1;
                self.join(letter.request, graph.now())?;
                self.admit(Some(id), graph)
            }
            Stage::TokenDelivery => {
                let index = (letter.place - 1) as u32;
                self.tokens_arrive(letter.request, (index, letter.tokens), graph.now())?;
                self.admit(Some(id), graph)
            }
            Stage::DraftPrompt | Stage::Draft | Stage::Verdict => {
                self.draft_letter_arrives(&letter, graph)?;
                self.admit(Some(id), graph)
            }
            _ => self.cache_arrives(&letter, id, graph),
        }
    }

    /// Charges a request with what its own messages took.
    pub(super) fn charge_letter(&mut self, record: &Record<'_>) {
        if let Some(sequence) = self.sequences.get_mut(&record.key.sequence) {
            sequence.joules += record.cost.joules;
        }
    }
}
