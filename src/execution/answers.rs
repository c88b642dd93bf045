//! Requests on their way out: tokens that reach who asked for them, answers, and refusals.

use super::Execution;
use super::error::ExecutionError;
use super::letters::Letter;
use crate::engine::{Graph, TaskId};
use crate::measurement::{LoadRecord, Mode, RequestRecord, TokenRecord};
use crate::units::Instant;

impl Execution<'_> {
    /// Sends the token number `index` of request `number`, which `batch` chose, to who asked for
    /// it.
    pub(super) fn deliver(
        &mut self,
        number: u32,
        index: u32,
        batch: u32,
        sample: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let request = &self.requests[number as usize];
        let sequence = self.sequences.get_mut(&number);
        let sequence = sequence.expect("who is in a batch is not answered");
        if sequence.joules_to_first.is_none() {
            sequence.joules_to_first = Some(sequence.joules);
        }
        let stages = &self.replicas[sequence.replica].stages;
        let root = stages[stages.len() - 1].root();
        match request.from.filter(|from| *from != root) {
            None => self.note_token(number, index, graph.now()),
            Some(from) => {
                sequence.under_way.push_back(index);
                let letter = Letter::token(number, batch, index);
                self.send_letter(letter, [root, from], &[sample], graph)?;
                Ok(())
            }
        }
    }

    /// A token of request `number` has reached who asked for it.
    pub(super) fn token_arrives(
        &mut self,
        number: u32,
        now: Instant,
    ) -> Result<(), ExecutionError> {
        let sequence = self.sequences.get_mut(&number);
        let sequence = sequence.expect("who has tokens under way is not answered");
        let index = sequence.under_way.pop_front();
        self.note_token(number, index.unwrap_or(0), now)?;
        self.answer_if_done(number, now)
    }

    fn note_token(&mut self, request: u32, index: u32, at: Instant) -> Result<(), ExecutionError> {
        let sequence = self.sequences.get_mut(&request);
        let sequence = sequence.expect("who has tokens under way is not answered");
        sequence.first_token.get_or_insert(at);
        let token = TokenRecord { request, index, at };
        let noted = self.observer.token(&token);
        noted.map_err(ExecutionError::Observer)
    }

    /// Ends request `number` if it was read to its end and all tokens have arrived.
    pub(super) fn answer_if_done(
        &mut self,
        number: u32,
        now: Instant,
    ) -> Result<(), ExecutionError> {
        let sequence = &self.sequences[&number];
        match sequence.is_read() && sequence.under_way.is_empty() {
            true => self.answer(number, now, None),
            false => Ok(()),
        }
    }

    /// Writes down request `number`, which is answered at `now`, or rejected.
    pub(super) fn answer(
        &mut self,
        number: u32,
        now: Instant,
        rejected: Option<String>,
    ) -> Result<(), ExecutionError> {
        let sequence = self.sequences.remove(&number);
        let sequence = sequence.expect("a request is answered once");
        self.in_service.end(now);
        let known = self.knows_all_joules();
        let request = &self.requests[number as usize];
        let words = self.words.as_ref().map(|words| &words.tokenizer);
        let yielded = sequence.outcome.record(number, &request.task, words)?;
        let answered = rejected.is_none();
        let record = RequestRecord {
            from: request.from.map(|node| u32::from(node.0)),
            replica: Some(sequence.replica as u32),
            priority: request.priority,
            arrival: sequence.arrival,
            admitted: sequence.start,
            first_token: sequence.first_token,
            end: now,
            preemptions: sequence.preemptions,
            recomputed_tokens: sequence.recomputed,
            reused_tokens: sequence.reused,
            rejected,
            energy_j: known.then_some(sequence.joules),
            energy_first_token_j: sequence.joules_to_first.filter(|_| known && answered),
            ..yielded
        };
        debug_assert!(record.mode != Mode::Score || record.first_token.is_none());
        let noted = self.observer.request(&record);
        noted.map_err(ExecutionError::Observer)?;
        self.queue.done(number, now);
        Ok(())
    }

    /// Tells what `replica` has to do from `now` on, if that changed.
    pub(super) fn measure_load(
        &mut self,
        replica: usize,
        now: Instant,
    ) -> Result<(), ExecutionError> {
        let serving = &mut self.replicas[replica];
        let usage = serving.pool.usage();
        let load = LoadRecord {
            at: now,
            replica: replica as u32,
            waiting: serving.jobs.waiting_len() as u32,
            running: serving.jobs.running_len() as u32,
            batch_slices: serving.batch_slices as u32,
            batch_tokens: serving.batch_tokens as u64,
            cache_allocated: usage.allocated_tokens as u64,
            cache_held: usage.held_tokens as u64,
            cache_total: usage.total_tokens.map(|tokens| tokens as u64),
        };
        let changed = serving.load.is_none_or(|last| {
            last != LoadRecord {
                at: last.at,
                ..load
            }
        });
        if !changed {
            return Ok(());
        }
        serving.load = Some(load);
        let noted = self.observer.load(&load);
        noted.map_err(ExecutionError::Observer)
    }
}
