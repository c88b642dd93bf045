//! Rounds: a drafted token more, and what stands of a draft that was verified.

use super::Execution;
use super::batch::{Batch, Slice};
use super::choice::distribution_bits;
use super::cut::TOKEN_BITS;
use super::drafting::Spent;
use super::error::ExecutionError;
use super::letters::Letter;
use super::outcome::Reading;
use crate::engine::{Graph, TaskId};
use crate::measurement::{Mode, PassRecord, RoundRecord, TimeSplit};
use crate::numerics::Rows;

impl Execution<'_> {
    /// Ends a batch of a replica that drafts for others: the requests in it have one drafted token
    /// more, or those who were read to no end the beginning of their prompts.
    pub(super) fn end_draft(
        &mut self,
        state: &Batch,
        (split, spent): (TimeSplit, Spent),
        sample: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let now = graph.now();
        let replica = &mut self.replicas[state.replica];
        let vocabulary = replica.vocabulary;
        let mut logits = Vec::new();
        if state.logit_rows() > 0 {
            let rows: Vec<Rows> = state.slices.iter().map(Slice::wanted).collect();
            if let Some(values) = replica.network.logits(state.id, &rows)? {
                logits = values.to_vec();
            }
        }
        replica.network.end(state.id);
        let each = spent.over(state.tokens);
        let mut rows = logits.chunks_exact(vocabulary);
        for slice in &state.slices {
            let own = each.times(slice.tokens());
            let sequence = self.sequence(slice.request);
            sequence.joules += own.joules;
            sequence.helped -= 1;
            let record = PassRecord {
                batch: state.id,
                replica: state.replica as u32,
                request: slice.request,
                step: slice.step,
                mode: Mode::Draft,
                tokens: slice.tokens() as u64,
                context: slice.context as u64,
                start: state.start,
                end: now,
                slices: state.slices.len() as u32,
                batch_tokens: state.tokens as u64,
                decodes: slice.rows > 0,
                last: true,
                split,
                chosen: None,
                negative_log_likelihood: None,
            };
            let noted = self.observer.pass(&record);
            noted.map_err(ExecutionError::Observer)?;
            let row = (slice.rows > 0).then(|| rows.next()).flatten();
            self.enter_draft((state.id, slice, own), row, sample, graph)?;
            self.write_if_quiet(slice.request, now)?;
        }
        self.admit(Some(sample), graph)
    }

    /// Enters that who drafts has read `slice`, and made `logits` if any were wanted.
    fn enter_draft(
        &mut self,
        (batch, slice, own): (u32, &Slice, Spent),
        logits: Option<&[f32]>,
        sample: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let number = slice.request;
        let choice = self.choice(number);
        let sequence = &self.sequences[&number];
        let generated = sequence.outcome.generated();
        let target = &self.replicas[sequence.replica];
        let to = target.stages[0].root();
        let speculation = target.speculation.as_ref();
        let speculation = speculation.expect("who is drafted for is served by who speculates");
        let how = (speculation.sends, speculation.draws);
        let ends = self.words.as_ref();
        let ends = ends.map_or(&[][..], |words| &words.end_tokens);
        let drafting = self.drafts.get_mut(&number);
        let drafting = drafting.expect("who is in a draft's batch is drafted for");
        let serving = &mut self.replicas[drafting.replica];
        serving.jobs.advance(number, slice.tokens());
        drafting.cached += slice.tokens();
        drafting.step += 1;
        let Some(logits) = logits else {
            return Ok(());
        };
        let index = generated + drafting.drafted.len() as u64;
        let drafted = choice.draft(logits, index, how)?;
        let ended = ends.contains(&drafted.token);
        drafting.text.push(drafted.token);
        drafting.drafted.push(drafted);
        drafting.spent.push(own);
        if drafting.drafted.len() < drafting.wanted && !ended {
            serving.jobs.extend(number, 1);
            return Ok(());
        }
        drafting.wanted = 0;
        let each = match choice.sampling {
            None => TOKEN_BITS,
            Some(_) => TOKEN_BITS + distribution_bits(how.0, serving.vocabulary, TOKEN_BITS),
        };
        drafting.bits = each * drafting.drafted.len() as u64;
        let (at, bits) = (serving.stages[0].root(), drafting.bits);
        if at == to {
            self.draft_arrives(number);
            return Ok(());
        }
        let letter = Letter::draft(number, batch, generated, bits);
        self.send_helping(letter, [at, to], &[sample], graph)
    }

    /// Enters what stands of the draft in the pass that `slice` completes, of which each token took
    /// so much; the rest leaves the cache.
    pub(super) fn settle_draft(
        &mut self,
        (slice, each): (&Slice, Spent),
        said: Option<&Reading>,
        record: &PassRecord,
    ) -> Result<(), ExecutionError> {
        let Some(said) = said.filter(|_| slice.drafted > 0) else {
            return Ok(());
        };
        let number = slice.request;
        let known = self.knows_all_joules();
        let sequence = self.sequence(number);
        let (drafted, chosen) = (slice.drafted, said.chosen.len());
        let (accepted, rejected) = (sequence.accepted(&said.chosen), drafted + 1 - chosen);
        sequence.rewind(rejected);
        let (replica, length) = (sequence.replica, sequence.length);
        let serving = &mut self.replicas[replica];
        if rejected > 0 {
            serving.jobs.rewind(number, rejected);
            serving.pool.rewind(number, rejected);
            let stands = slice.context + slice.tokens() - rejected;
            serving.network.rewind(number, stands)?;
        }
        if let Some(speculation) = &serving.speculation {
            let next = speculation.length.next(length, drafted, accepted);
            self.sequence(number).length = next;
        }
        let drafting = self.drafts.get(&number);
        let drafts = drafting.map_or(&[][..], |drafting| &drafting.spent);
        let unused = drafts.iter().skip(accepted);
        let wasted = unused.fold(each.times(rejected), Spent::and);
        let round = RoundRecord {
            request: number,
            replica: record.replica,
            step: record.step,
            drafted: drafted as u32,
            accepted: accepted as u32,
            tokens: chosen as u32,
            at: record.end,
            wasted_flops: wasted.flops,
            wasted_j: known.then_some(wasted.joules),
        };
        let noted = self.observer.round(&round);
        noted.map_err(ExecutionError::Observer)
    }
}
