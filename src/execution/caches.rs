//! Caches on their way: of who is preempted and returns, and of who goes on in another replica.

use super::Execution;
use super::error::ExecutionError;
use super::letters::Letter;
use super::stage::Stage;
use crate::engine::{Graph, TaskId};
use crate::serving::workload::Task;
use crate::serving::{Job, Role};
use crate::topology::NodeId;
use crate::units::Instant;

impl Execution<'_> {
    /// Moves the cache of request `number`, of so many `tokens`, from the nodes of `replica` to
    /// where it swaps to, or back. Returns the messages that a batch has to wait for.
    pub(super) fn swap(
        &mut self,
        replica: usize,
        number: u32,
        tokens: usize,
        out: bool,
        graph: &mut Graph,
    ) -> Result<Vec<TaskId>, ExecutionError> {
        let serving = &self.replicas[replica];
        let store = serving.swap_to;
        let store = store.expect("only who has a place to swap to swaps");
        let holders = serving.holders.clone();
        // What comes back has left before.
        let mut after = std::mem::take(&mut self.sequence(number).swapped);
        let mut open = Vec::new();
        for id in after.drain(..) {
            if !graph.is_finished(id)? {
                open.push(id);
            }
        }
        let mut messages = Vec::new();
        for (place, (node, per_token)) in holders.into_iter().enumerate() {
            if node == store || per_token == 0 {
                continue;
            }
            let ends = if out { [node, store] } else { [store, node] };
            let bits = 8 * per_token * tokens as u64;
            let letter = Letter::swap(number, self.next_batch, place as u16, bits);
            messages.push(self.send_letter(letter, ends, &open, graph)?);
        }
        self.sequence(number).swapped.clone_from(&messages);
        Ok(messages)
    }

    /// Sends the keys and values that `layer` of `batch` made after `made`, of whose requests the
    /// next token will be decoded elsewhere.
    pub(super) fn stream_cache(
        &mut self,
        batch: u32,
        layer: usize,
        node: NodeId,
        made: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let state = self.batch(batch);
        if self.replica(batch).role != Role::Prefill {
            return Ok(());
        }
        let per_token = self.replica(batch).bytes_per_layer;
        // What was read again has been sent, what another's cache held has not.
        let moves: Vec<(u32, u64)> = state
            .slices
            .iter()
            .map(|slice| {
                let sent = self.sequences[&slice.request].sent;
                let unsent = (slice.context + slice.tokens()).saturating_sub(sent);
                (slice.request, 8 * per_token * unsent as u64)
            })
            .filter(|(_, bits)| *bits > 0)
            .collect();
        for (number, bits) in moves {
            if !self.goes_on_elsewhere(number) {
                continue;
            }
            let target = self.successor(number, graph.now())?;
            let to = self.replicas[target].node_of_layer(layer);
            if to == node {
                continue;
            }
            let sequence = self.sequences.get_mut(&number);
            sequence.expect("who is in a batch has arrived").moving += 1;
            let letter = Letter::cache(number, batch, layer as u16, bits);
            self.send_letter(letter, [node, to], &[made], graph)?;
        }
        Ok(())
    }

    /// Whether request `number`, whose prompt is read in a replica for prompts, is decoded in
    /// another one: if it wants more than one token. Texts that are scored or chosen from are
    /// prompts alone.
    pub(super) fn goes_on_elsewhere(&self, number: u32) -> bool {
        match self.requests[number as usize].task {
            Task::Generate { max_tokens, .. } => max_tokens > 1,
            Task::Tokens { generate, .. } => generate > 1,
            Task::Score { .. } | Task::Choose { .. } => false,
        }
    }

    /// The replica in which request `number` will be decoded: chosen when its prompt is read.
    fn successor(&mut self, number: u32, now: Instant) -> Result<usize, ExecutionError> {
        if let Some(known) = self.sequences[&number].successor {
            return Ok(known);
        }
        let chosen = self.route(number, Role::Decode, now)?;
        self.replicas[chosen].coming += 1;
        let sequence = self.sequences.get_mut(&number);
        sequence.expect("who is in a batch has arrived").successor = Some(chosen);
        Ok(chosen)
    }

    /// A layer's cache has arrived: if it was the last, its request goes on there.
    pub(super) fn cache_arrives(
        &mut self,
        letter: &Letter,
        id: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        // A cache that is swapped is awaited by its batch.
        if letter.stage == Stage::CacheMove {
            self.sequence(letter.request).moving -= 1;
            self.join_successor_if_moved(letter.request, graph.now());
            self.answer_if_done(letter.request, graph.now())?;
        }
        self.admit(Some(id), graph)
    }

    /// Lets request `number` wait at the replica that will decode it, if its prompt is read and its
    /// cache is there. Until it is admitted the one that read the prompt keeps its room.
    pub(super) fn join_successor_if_moved(&mut self, number: u32, now: Instant) {
        let sequence = &self.sequences[&number];
        let from = sequence.replica;
        let ready = sequence.moving == 0 && sequence.outcome.generated() > 0;
        let Some(to) = sequence.successor.filter(|to| ready && *to != from) else {
            return;
        };
        if sequence.is_read() {
            return;
        }
        let job = self.replicas[from].jobs.get(number).cloned();
        let job = job.expect("who hands its cache on still holds it");
        let longest = self.requests[number as usize].task.longest_context() as usize;
        let sequence = self.sequence(number);
        (sequence.replica, sequence.kept_by) = (to, Some(from));
        self.replicas[to].coming -= 1;
        self.replicas[to].jobs.join(Job {
            busy: false,
            held: false,
            blocks: None,
            arrival: now,
            longest,
            ..job
        });
    }

    /// Request `number` was admitted where it will be decoded: takes its cache there, if another
    /// replica keeps it.
    pub(super) fn take_over(&mut self, number: u32) -> Result<(), ExecutionError> {
        let sequence = self.sequence(number);
        let to = sequence.replica;
        let Some(from) = sequence.kept_by.take() else {
            return Ok(());
        };
        let layers = self.replicas[from].network.hand_over(number)?;
        self.leave_replica(from, number);
        self.gave_room = true;
        match layers {
            Some(layers) => self.replicas[to].network.take_over(number, layers),
            None => Ok(()),
        }
    }
}
