//! Batches: what a scheduler put together begins, and what it read is entered when it ends.

use super::arrivals::await_instant;
use super::batch::{Batch, Slice};
use super::error::ExecutionError;
use super::experts::Dispatch;
use super::network::{Begins, Fed};
use super::outcome::Reading;
use super::stage::{Stage, Sublayer};
use super::{Duty, Execution, Serving};
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
        let mut begun = Vec::new();
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
            let begins = sequence.start.is_none();
            sequence.start.get_or_insert(now);
            slices.push(sequence.slice(piece.request, piece.tokens, context));
            if begins {
                begun.push(piece.request);
            }
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
        for request in begun {
            self.draft_joins(request, now);
        }
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
