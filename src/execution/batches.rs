//! Batches: what a scheduler put together begins, and what it read is entered when it ends.

use super::arrivals::await_instant;
use super::batch::{Batch, Slice};
use super::choice::Choice;
use super::drafts::Spent;
use super::error::ExecutionError;
use super::experts::Dispatch;
use super::network::{Begins, Fed};
use super::outcome::{Reading, note_logits};
use super::stage::{Stage, Sublayer};
use super::{Duty, Execution, Serving, Words};
use crate::engine::{Graph, TaskId, TaskKey};
use crate::measurement::PassRecord;
use crate::serving::{Job, Piece, Plan};
use crate::units::Instant;

impl Execution<'_> {
    /// Begins as many batches of `replica` as may be in flight and its scheduler asks for.
    pub(super) fn serve(
        &mut self,
        replica: usize,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let now = graph.now();
        while self.replicas[replica].in_flight < self.replicas[replica].most_in_flight {
            let more = self.more_may_come_to(replica);
            let serving = &mut self.replicas[replica];
            let (jobs, pool) = (&mut serving.jobs, &mut serving.pool);
            let plan = serving.scheduler.next(jobs, pool, now, more);
            let moves = self.rearrange(replica, &plan, graph)?;
            self.replicas[replica].moves.extend(moves);
            if plan.slices.is_empty() {
                // What moved has its number all the same.
                self.next_batch += u32::from(!plan.preempted.is_empty());
                if let Some(wake) = plan.wake {
                    self.ask_again(replica, wake, after, graph)?;
                }
                break;
            }
            let mut before = Vec::new();
            for id in std::mem::take(&mut self.replicas[replica].moves) {
                if !graph.is_finished(id)? {
                    before.push(id);
                }
            }
            self.begin_batch(replica, &plan.slices, &before, after, graph)?;
        }
        Ok(())
    }

    /// Asks the scheduler of `replica` again at `instant`.
    fn ask_again(
        &mut self,
        replica: usize,
        instant: Instant,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let serving = &mut self.replicas[replica];
        serving.wakes = serving.wakes.split_off(&graph.now());
        if !serving.wakes.insert(instant) {
            return Ok(());
        }
        let key = TaskKey {
            sequence: self.windows,
            node: serving.stages[0].root().0,
            ..Stage::Window.outside()
        };
        self.windows += 1;
        await_instant(key, instant, after, graph)
    }

    /// Whether a request may come to `replica` though nobody it serves is answered before.
    fn more_may_come_to(&self, replica: usize) -> bool {
        let others = self.replicas.iter().enumerate();
        let mut others = others.filter(|(other, _)| *other != replica);
        // Who holds a cache for this replica only waits for it.
        let goes_on =
            |serving: &Serving| serving.in_flight > 0 || serving.jobs.running().any(Job::is_ready);
        self.queue.is_expecting()
            || self.in_transit > 0
            || !self.letters.is_empty()
            || others.any(|(_, serving)| goes_on(serving))
    }

    /// Does what `plan` says beside its batch: who leaves the cache, who returns to it, whose
    /// prompt begins with another's, who can never be served. Returns the messages that the batch
    /// has to wait for.
    fn rearrange(
        &mut self,
        replica: usize,
        plan: &Plan,
        graph: &mut Graph,
    ) -> Result<Vec<TaskId>, ExecutionError> {
        let now = graph.now();
        let mut before = Vec::new();
        for preempted in &plan.preempted {
            let sequence = self.sequences.get_mut(&preempted.request);
            let sequence = sequence.expect("who is preempted was admitted");
            match preempted.swap {
                true => {
                    sequence.preemptions += 1;
                    before.extend(self.swap(
                        replica,
                        preempted.request,
                        preempted.tokens,
                        true,
                        graph,
                    )?);
                }
                false => sequence.forget(preempted.tokens),
            }
        }
        for request in &plan.admitted {
            self.take_over(*request)?;
        }
        for (request, tokens) in &plan.resumed {
            before.extend(self.swap(replica, *request, *tokens, false, graph)?);
        }
        for reuse in &plan.reused {
            let sequence = self.sequences.get_mut(&reuse.request);
            let sequence = sequence.expect("who is admitted has arrived");
            sequence.reuse(reuse.tokens);
            let network = &mut self.replicas[replica].network;
            network.reuse(reuse.request, reuse.from, reuse.tokens)?;
        }
        let serving = &mut self.replicas[replica];
        for request in serving.pool.take_evicted() {
            serving.network.close(request);
        }
        for (request, reason) in &plan.rejected {
            self.reject(*request, now, reason.to_string())?;
        }
        Ok(before)
    }

    fn begin_batch(
        &mut self,
        replica: usize,
        pieces: &[Piece],
        before: &[TaskId],
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let now = graph.now();
        let id = self.next_batch;
        self.next_batch += 1;
        let serving = &mut self.replicas[replica];
        serving.in_flight += 1;
        let mut slices = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let job = serving.jobs.get(piece.request);
            let context = job.expect("who is in a batch is running").context;
            let sequence = self.sequences.get_mut(&piece.request);
            let sequence = sequence.expect("who is in a batch has arrived");
            if serving.duty == Duty::Drafts {
                sequence.helped += 1;
                let drafting = &self.drafts[&piece.request];
                slices.push(drafting.slice(piece, sequence.identity));
                continue;
            }
            sequence.start.get_or_insert(now);
            slices.push(sequence.slice(piece.request, piece.tokens, context));
        }
        let (sequences, drafts) = (&self.sequences, &self.drafts);
        let helps = serving.duty == Duty::Drafts;
        let fed: Vec<Fed<'_>> = slices
            .iter()
            .map(|slice| {
                let sequence = &sequences[&slice.request];
                Fed {
                    sequence: slice.request,
                    identity: slice.identity,
                    begins: match (slice.context, sequence.forgotten) {
                        (0, true) if !helps => Begins::Again,
                        (0, _) => Begins::Anew,
                        _ => Begins::Not,
                    },
                    context: slice.context,
                    tokens: match helps {
                        true => drafts[&slice.request].tokens(slice),
                        false => sequence.tokens(slice),
                    },
                    count: slice.tokens(),
                }
            })
            .collect();
        serving.network.begin(id, &fed)?;
        let left = vec![None; slices.len()];
        let batch = Batch {
            id,
            replica,
            tokens: slices.iter().map(Slice::tokens).sum(),
            slices,
            start: now,
            stage: 0,
            layer: 0,
            sublayer: Sublayer::Attention,
            planned: None,
            dispatch: Dispatch::default(),
            awaited: None,
            left,
            segment: 0..0,
            done: 0,
            resumes: Vec::new(),
            owed: 0,
        };
        serving.batch_slices += batch.slices.len();
        serving.batch_tokens += batch.tokens;
        self.batches.insert(id, batch);
        self.meter.open(id, now);
        let occasion = [after.as_slice(), before].concat();
        if !occasion.is_empty() && self.return_tokens(id, &occasion, graph)? {
            return Ok(());
        }
        self.embed(id, &occasion, graph)
    }

    /// Ends `batch`, whose last task was `sample`: reads its logits, unless it was only timed, and
    /// goes on with its requests or with others.
    pub(super) fn end_batch(
        &mut self,
        batch: u32,
        sample: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let now = graph.now();
        let (split, spent) = self.close_batch(batch, now);
        let state = self.batches.remove(&batch);
        let state = state.expect("a batch ends once");
        let replica = &mut self.replicas[state.replica];
        replica.in_flight -= 1;
        replica.batch_slices -= state.slices.len();
        replica.batch_tokens -= state.tokens;
        let per_token = spent.joules / state.tokens as f64;
        if replica.duty == Duty::Drafts {
            return self.end_draft(&state, (split, spent), sample, graph);
        }
        let readings = self.read(&state)?;
        let nats: Vec<_> = readings
            .iter()
            .map(|reading| reading.as_ref().map(Reading::nats))
            .collect();
        self.note_exits(&state, &nats)?;
        let each = spent.over(state.tokens);
        self.replicas[state.replica].network.end(batch);
        for ((slice, left), reading) in state.slices.iter().zip(&state.left).zip(readings) {
            let chosen_at = self.left_at(state.replica, *left);
            let sequence = self.sequences.get_mut(&slice.request);
            let sequence = sequence.expect("who is in a batch is not answered");
            sequence.joules += per_token * slice.tokens() as f64;
            sequence.chosen_at = chosen_at;
            let record = PassRecord {
                batch,
                replica: state.replica as u32,
                request: slice.request,
                step: slice.step,
                mode: self.requests[slice.request as usize].task.mode(),
                tokens: slice.tokens() as u64,
                context: slice.context as u64,
                start: state.start,
                end: now,
                slices: state.slices.len() as u32,
                batch_tokens: state.tokens as u64,
                decodes: slice.continues && slice.completes && slice.tokens() == 1 + slice.drafted,
                last: slice.completes,
                split,
                chosen: self.word(reading.as_ref())?,
                negative_log_likelihood: reading.as_ref().map(Reading::nats),
            };
            self.enter_slice((slice, each), reading, &record, sample, graph)?;
        }
        self.end_dispatch(&state);
        self.admit(Some(sample), graph)
    }

    /// What the logits of `batch` say, slice by slice: nothing where none are wanted or computed.
    fn read(&mut self, batch: &Batch) -> Result<Vec<Option<Reading>>, ExecutionError> {
        let nothing = || Ok(vec![None; batch.slices.len()]);
        if !batch.wants_logits() {
            return nothing();
        }
        let replica = &mut self.replicas[batch.replica];
        let (vocabulary, sampling) = (replica.vocabulary, replica.sampling);
        let ends = self.words.as_ref();
        let ends = ends.map_or(&[][..], |words: &Words| &words.end_tokens);
        let rows: Vec<_> = batch.slices.iter().map(Slice::wanted).collect();
        let left = replica.network.left(batch.id).to_vec();
        let computed = match batch.logit_rows() {
            0 => None,
            _ => replica.network.logits(batch.id, &rows)?,
        };
        if computed.is_none() && left.is_empty() {
            return nothing();
        }
        let logits = computed.as_deref().unwrap_or_default();
        let mut first = 0;
        let mut readings = Vec::with_capacity(batch.slices.len());
        for (place, slice) in batch.slices.iter().enumerate() {
            let own = match left.iter().find(|left| left.slice == place) {
                Some(left) => &left.logits[..],
                None => {
                    first += slice.rows;
                    &logits[(first - slice.rows) * vocabulary..first * vocabulary]
                }
            };
            if slice.rows == 0 {
                readings.push(None);
                continue;
            }
            let sequence = self.sequences.get_mut(&slice.request);
            let sequence = sequence.expect("who is in a batch is not answered");
            let row = slice.first_row(sequence.pass());
            let place = (slice.request, slice.step, row);
            note_logits(own, vocabulary, place, self.observer, &mut self.logits)?;
            let targets = sequence.targets(slice);
            if !targets.is_empty() {
                readings.push(Some(Reading::of(own, vocabulary, targets)?));
                continue;
            }
            let asked = self.requests[slice.request as usize].sampling;
            let choice = Choice {
                sampling: asked.or(sampling),
                streams: self.streams,
                identity: slice.identity,
            };
            readings.push(Some(sequence.judge(
                slice,
                (own, vocabulary),
                &choice,
                ends,
            )?));
        }
        Ok(readings)
    }

    /// The last token that a reading chose, with the text of all that it chose.
    fn word(&self, reading: Option<&Reading>) -> Result<Option<(u32, String)>, ExecutionError> {
        let chosen = reading.map_or(&[][..], |reading| &reading.chosen);
        match chosen.last().zip(self.words.as_ref()) {
            Some((token, words)) => Ok(Some((*token, words.tokenizer.decode(chosen)?))),
            None => Ok(None),
        }
    }

    /// Enters that a slice was read, of which each token took so much: where its pass is complete,
    /// its request goes on to the next one, or has all that it asked for.
    fn enter_slice(
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
            self.tell_draft(number, sample, graph)?;
        }
        if moves {
            self.join_successor_if_moved(number, now);
        }
        self.answer_if_done(number, now)
    }

    /// Request `number` has all that it wants of `replica`.
    pub(super) fn leave_replica(&mut self, replica: usize, number: u32) {
        let serving = &mut self.replicas[replica];
        let (jobs, pool) = (&mut serving.jobs, &mut serving.pool);
        for left in serving.scheduler.finish(number, jobs, pool) {
            if !serving.pool.keeps(left) {
                serving.network.close(left);
            }
        }
    }
}
