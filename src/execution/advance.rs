//! A slice was read: its request goes on to its next pass, to another replica, or to its end.

use super::batch::Slice;
use super::drafting::Spent;
use super::error::ExecutionError;
use super::outcome::Reading;
use super::{Execution, Words};
use crate::engine::{Graph, TaskId};
use crate::measurement::PassRecord;

impl Execution<'_> {
    /// Enters that a slice was read, of which each token took so much: where its pass is complete,
    /// its request goes on to the next one, or has all that it asked for.
    pub(super) fn enter_slice(
        &mut self,
        (slice, each): (&Slice, Spent),
        reading: Option<Reading>,
        record: &PassRecord,
        sample: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let now = graph.now();
        let number = slice.request;
        let sequence = self.sequences.get_mut(&number);
        let sequence = sequence.expect("who is in a batch is not answered");
        let replica = sequence.replica;
        let serving = &mut self.replicas[replica];
        serving.jobs.advance(number, slice.tokens());
        let said = sequence.enter(slice, reading);
        let noted = self.observer.pass(record);
        noted.map_err(ExecutionError::Observer)?;
        if !slice.completes {
            return Ok(());
        }
        self.settle_draft((slice, each), said.as_ref(), record)?;
        let request = &self.requests[number as usize];
        let sequence = self.sequences.get_mut(&number);
        let sequence = sequence.expect("who is in a batch is not answered");
        let known = sequence.outcome.generated();
        let answered = sequence.complete(number, &request.task, said);
        let tokens = (sequence.outcome.generated() - known) as u32;
        let decodes = tokens > 0;
        let nats = record.negative_log_likelihood.filter(|_| decodes);
        let certainty = answered.as_ref().map(|answered| answered.probability);
        if self.is_unsure(number, certainty.or(nats.map(|nats| libm::exp(-nats)))) {
            return self.escalate(number, sample, graph);
        }
        if let Some(answered) = answered {
            let noted = self.observer.answer(&answered.answer);
            noted.map_err(ExecutionError::Observer)?;
        }
        let ends = self.words.as_ref();
        let ends = ends.map_or(&[][..], |words: &Words| &words.end_tokens);
        let request = &self.requests[number as usize];
        let sequence = self.sequences.get_mut(&number);
        let sequence = sequence.expect("who is in a batch is not answered");
        let serving = &mut self.replicas[replica];
        for _ in 0..tokens {
            serving.jobs.generate(number);
        }
        let moves = sequence.successor.is_some_and(|to| to != replica);
        let next = sequence.go_on(request, ends);
        let next = next.map(|pass| (pass.count, pass.fresh));
        let mut awaits = false;
        match next {
            Some((count, fresh)) => {
                awaits = decodes && self.speculate(number);
                // Drafts found in the text are part of the pass, those of a model will be.
                let count = match (decodes, awaits) {
                    (true, true) => 0,
                    (true, false) => self.sequences[&number].pass().count,
                    (false, _) => count,
                };
                let serving = &mut self.replicas[replica];
                serving
                    .jobs
                    .next_pass(number, count, decodes && !fresh, fresh);
                // Who goes on elsewhere is in no batch here any more.
                if moves {
                    serving.jobs.hold(number);
                }
            }
            None => self.leave_replica(replica, number),
        }
        let first = self.sequences[&number].escalates.is_some();
        if first && next.is_none() {
            self.stands((record.batch, number), sample, graph)?;
        }
        // Tokens of a first answer wait until it stands.
        if decodes && !first {
            let text = record.chosen.as_ref().map(|(_, text)| text.as_str());
            let place = (known as u32, tokens);
            self.deliver(number, place, (record.batch, text), sample, graph)?;
        }
        if awaits {
            self.tell_draft((record.batch, number), sample, graph)?;
        }
        if moves {
            self.join_successor_if_moved(number, now);
        }
        self.answer_if_done(number, now)
    }
}
