//! Caches on their way: of who is preempted and returns, and of who goes on in another replica.

use super::Execution;
use super::error::ExecutionError;
use super::letters::Letter;
use crate::engine::{Graph, TaskId};
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
        let mut messages = Vec::new();
        for (place, (node, per_token)) in holders.into_iter().enumerate() {
            if node == store || per_token == 0 {
                continue;
            }
            let ends = if out { [node, store] } else { [store, node] };
            let bits = 8 * per_token * tokens as u64;
            let letter = Letter::cache(number, self.next_batch, place as u16, bits);
            messages.push(self.send_letter(letter, ends, &[], graph)?);
        }
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
        let moves: Vec<(u32, u64)> = state
            .slices
            .iter()
            .map(|slice| (slice.request, 8 * per_token * slice.tokens() as u64))
            .collect();
        for (number, bits) in moves {
            if self.ends_with_first(number) {
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

    /// Whether request `number` has all that it asked for with its first token.
    fn ends_with_first(&self, number: u32) -> bool {
        self.requests[number as usize].task.most_passes() < 2
    }

    /// The replica in which request `number` will be decoded: chosen when its prompt is read.
    fn successor(&mut self, number: u32, now: Instant) -> Result<usize, ExecutionError> {
        if let Some(known) = self.sequences[&number].successor {
            return Ok(known);
        }
        let chosen = self.route(number, Role::Decode, now)?;
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
        let Some(sequence) = self.sequences.get_mut(&letter.request) else {
            return Ok(());
        };
        // A cache that is swapped is awaited by its batch.
        if sequence.successor.is_none() {
            return Ok(());
        }
        sequence.moving -= 1;
        self.hand_over_if_moved(letter.request, graph.now())?;
        self.admit(Some(id), graph)
    }

    /// Lets request `number` go on in the replica that will decode it, if its prompt is read and
    /// its cache is there.
    pub(super) fn hand_over_if_moved(
        &mut self,
        number: u32,
        now: Instant,
    ) -> Result<(), ExecutionError> {
        let sequence = &self.sequences[&number];
        let (from, ready) = (sequence.replica, sequence.moving == 0);
        let Some(to) = sequence.successor.filter(|to| ready && *to != from) else {
            return Ok(());
        };
        if self.replicas[from].role != Role::Prefill || sequence.outcome.generated() == 0 {
            return Ok(());
        }
        let job = self.replicas[from].jobs.get(number).cloned();
        let job = job.expect("who hands its cache on still holds it");
        let layers = self.replicas[from].network.hand_over(number)?;
        self.leave_replica(from, number);
        if let Some(layers) = layers {
            self.replicas[to].network.take_over(number, layers)?;
        }
        let sequence = self.sequences.get_mut(&number);
        sequence.expect("looked up just now").replica = to;
        self.replicas[to].jobs.join(Job {
            busy: false,
            arrival: now,
            ..job
        });
        Ok(())
    }
}
