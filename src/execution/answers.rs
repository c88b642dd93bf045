//! Requests on their way out: tokens that reach who asked for them, answers, and refusals.

use super::Execution;
use super::error::ExecutionError;
use super::letters::Letter;
use crate::engine::{Graph, TaskId};
use crate::measurement::{RequestRecord, TokenRecord};
use crate::units::Instant;

impl Execution<'_> {
    /// Sends so many tokens of request `number`, from number `index` on, which `batch` chose, to
    /// who asked for them.
    pub(super) fn deliver(
        &mut self,
        number: u32,
        (index, tokens): (u32, u32),
        (batch, text): (u32, Option<&str>),
        sample: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let bits = self.token_bits(number, tokens, text);
        let request = &self.requests[number as usize];
        let sequence = self.sequences.get_mut(&number);
        let sequence = sequence.expect("who is in a batch is not answered");
        let stages = &self.replicas[sequence.replica].stages;
        let root = stages[stages.len() - 1].root();
        let root = sequence.chosen_at.unwrap_or(root);
        match request.from.filter(|from| *from != root) {
            None => self.note_tokens(number, (index, tokens), graph.now()),
            Some(from) => {
                sequence.under_way += 1;
                let letter = Letter::tokens(number, batch, (index, tokens), bits);
                self.send_letter(letter, [root, from], &[sample], graph)?;
                Ok(())
            }
        }
    }

    /// So many tokens of request `number`, from number `index` on, have reached who asked for them.
    pub(super) fn tokens_arrive(
        &mut self,
        number: u32,
        (index, tokens): (u32, u32),
        now: Instant,
    ) -> Result<(), ExecutionError> {
        let sequence = self.sequences.get_mut(&number);
        let sequence = sequence.expect("who has tokens under way is not answered");
        sequence.under_way -= 1;
        let told = sequence.tells && sequence.outcome.generated() == u64::from(index + tokens);
        if told {
            sequence.tells = false;
        }
        self.note_tokens(number, (index, tokens), now)?;
        if told {
            self.draft_goes_on(number)?;
        }
        self.answer_if_done(number, now)
    }

    fn note_tokens(
        &mut self,
        request: u32,
        (first, tokens): (u32, u32),
        at: Instant,
    ) -> Result<(), ExecutionError> {
        for index in first..first + tokens {
            let sequence = self.sequences.get_mut(&request);
            let sequence = sequence.expect("who has tokens under way is not answered");
            sequence.first_token.get_or_insert(at);
            sequence.joules_to_first.get_or_insert(sequence.joules);
            if let Some(last) = sequence.last_token.replace(at) {
                sequence.longest_gap = sequence.longest_gap.max(Some(at.since(last)));
            }
            let token = TokenRecord { request, index, at };
            let noted = self.observer.token(&token);
            noted.map_err(ExecutionError::Observer)?;
        }
        Ok(())
    }

    /// Ends request `number` if it was read to its end and all tokens have arrived.
    pub(super) fn answer_if_done(
        &mut self,
        number: u32,
        now: Instant,
    ) -> Result<(), ExecutionError> {
        let sequence = self.sequence(number);
        if !sequence.is_read() || sequence.under_way > 0 {
            return Ok(());
        }
        if sequence.done.is_none() {
            sequence.done = Some(now);
            self.in_service.end(now);
            self.queue.done(number, now);
        }
        self.write_if_quiet(number, now)
    }

    /// Writes down request `number`, which is done, if nothing is under way for it any more: a
    /// cache or a draft that nobody will need belongs to the request.
    pub(super) fn write_if_quiet(
        &mut self,
        number: u32,
        now: Instant,
    ) -> Result<(), ExecutionError> {
        let sequence = &self.sequences[&number];
        if sequence.done.is_none() || sequence.moving > 0 || sequence.helped > 0 {
            return Ok(());
        }
        self.write_down(number, now)
    }

    /// Turns request `number` away.
    pub(super) fn reject(
        &mut self,
        number: u32,
        now: Instant,
        reason: String,
    ) -> Result<(), ExecutionError> {
        self.in_service.end(now);
        self.queue.done(number, now);
        let sequence = self.sequence(number);
        (sequence.done, sequence.turned_away) = (Some(now), Some(reason));
        self.write_if_quiet(number, now)
    }

    /// Writes down request `number`, which is answered, or rejected, by `now`.
    fn write_down(&mut self, number: u32, now: Instant) -> Result<(), ExecutionError> {
        self.close_draft(number);
        let sequence = self.sequences.remove(&number);
        let sequence = sequence.expect("a request is answered once");
        let elsewhere = sequence.successor.filter(|to| *to != sequence.replica);
        if let Some(promised) = elsewhere {
            self.replicas[promised].coming -= 1;
        }
        let known = self.knows_all_joules();
        let request = &self.requests[number as usize];
        let words = self.words.as_ref().map(|words| &words.tokenizer);
        let yielded = sequence.outcome.record(number, &request.task, words)?;
        let rejected = sequence.turned_away;
        let answered = rejected.is_none();
        let record = RequestRecord {
            from: request.from.map(|node| u32::from(node.0)),
            replica: Some(sequence.replica as u32),
            priority: request.priority,
            arrival: sequence.arrival,
            admitted: sequence.start,
            first_token: sequence.first_token,
            longest_gap: sequence.longest_gap,
            end: sequence.done.unwrap_or(now),
            preemptions: sequence.preemptions,
            recomputed_tokens: sequence.recomputed,
            reused_tokens: sequence.reused,
            rejected,
            energy_j: known.then_some(sequence.joules),
            energy_first_token_j: sequence.joules_to_first.filter(|_| known && answered),
            ..yielded
        };
        let noted = self.observer.request(&record);
        noted.map_err(ExecutionError::Observer)
    }
}
