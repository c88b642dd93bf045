//! Requests as the run serves them: who arrives, who is admitted to a replica, which pass of a
//! request is next, and what it yielded.

use super::batch::Batch;
use super::error::ExecutionError;
use super::experts::Dispatch;
use super::meter::Account;
use super::outcome::{self, Outcome, Reading, note_logits};
use super::stage::{Stage, Sublayer};
use super::{Execution, Words};
use crate::engine::{Cost, Graph, Kind, Task, TaskId, TaskKey};
use crate::measurement::{AnswerRecord, Mode, PassRecord, RequestRecord, TokenRecord};
use crate::serving::Waiting;
use crate::serving::passes::{Pass, Progress};
use crate::serving::workload::Arrival;
use crate::units::Instant;
use std::io;

/// A request that a replica serves.
#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) replica: usize,
    pub(super) arrival: Instant,
    pub(super) start: Instant,
    pub(super) progress: Progress,
    pub(super) step: u32,
    pub(super) outcome: Outcome,
    /// By node, of the passes so far.
    pub(super) accounts: Vec<Account>,
}

impl Batch {
    /// Rows of logits that it asks of the LM head.
    pub(super) fn logit_rows(&self) -> usize {
        self.pass.targets.len().max(1)
    }
}

impl Execution<'_> {
    /// Lets everybody in who has arrived, begins with whom schedulers choose, and waits for the
    /// next arrival. `after` is the task whose end is the occasion.
    pub(super) fn admit(
        &mut self,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let now = graph.now();
        loop {
            while let Some(waiting) = self.queue.arrived(now) {
                let replica = self.routing.next(self.replicas.len());
                self.queue.join(replica, waiting);
            }
            let Some((replica, waiting)) = self.choose() else {
                break;
            };
            self.queue.take(replica, waiting);
            self.begin(replica, waiting, now);
            self.proceed(waiting.1, after, graph)?;
        }
        let next = self.queue.next_arrival();
        if let Some((instant, request)) = next.filter(|next| self.awaited != Some(*next)) {
            self.awaited = next;
            let task = Task {
                key: TaskKey {
                    batch: TaskKey::NO_BATCH,
                    layer: TaskKey::NO_LAYER,
                    stage: Stage::Arrival.code(),
                    node: TaskKey::NO_NODE,
                    peer: TaskKey::NO_PEER,
                    sequence: request,
                },
                kind: Kind::Overhead,
                resource: None,
                duration: instant.since(now),
                cost: Cost::default(),
            };
            let id = graph.add(task, after.as_slice())?;
            graph.notify(id)?;
        }
        self.note_loads(now)
    }

    /// The first request that a replica takes.
    fn choose(&self) -> Option<(usize, Waiting)> {
        let replicas = self.replicas.iter().enumerate();
        let mut chosen = replicas.filter_map(|(number, replica)| {
            let waiting = self.queue.at(number);
            Some((number, replica.scheduler.next(waiting, replica.running)?))
        });
        chosen.next()
    }

    fn begin(&mut self, replica: usize, (arrival, request): Waiting, now: Instant) {
        self.replicas[replica].running += 1;
        self.in_service.begin(now);
        let sequence = Sequence {
            replica,
            arrival,
            start: now,
            progress: Progress::default(),
            step: 0,
            outcome: Outcome::default(),
            accounts: vec![Account::default(); self.topology.nodes.len()],
        };
        self.sequences.insert(request, sequence);
    }

    /// Begins the next pass of `request`, or answers it.
    fn proceed(
        &mut self,
        request: u32,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let sequence = self.sequences.get_mut(&request);
        let sequence = sequence.expect("a request in service has a sequence");
        let ends = self
            .words
            .as_ref()
            .map_or(&[][..], |words: &Words| &words.end_tokens);
        let last = sequence.outcome.last();
        let asked = &self.requests[request as usize];
        match sequence.progress.next(asked, last, ends) {
            Some(pass) => self.begin_batch(request, pass, after, graph),
            None => self.answer(request, graph.now()),
        }
    }

    fn begin_batch(
        &mut self,
        request: u32,
        pass: Pass,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let now = graph.now();
        let sequence = &self.sequences[&request];
        let (replica, step) = (sequence.replica, sequence.step);
        let identity = self.identities[request as usize];
        let id = self.next_batch;
        self.next_batch += 1;
        let network = &mut self.replicas[replica].network;
        let context = network.begin(id, request, identity, &pass)?;
        let continues = context > 0 && pass.targets.is_empty();
        self.batches.insert(
            id,
            Batch {
                id,
                replica,
                request,
                step,
                identity,
                pass,
                context,
                start: now,
                stage: 0,
                layer: 0,
                sublayer: Sublayer::Attention,
                planned: None,
                dispatch: Dispatch::default(),
                awaited: None,
            },
        );
        self.meter.open(id, now);
        if continues
            && let Some(after) = after
            && self.return_token(id, after, graph)?
        {
            return Ok(());
        }
        self.embed(id, after.as_slice(), graph)
    }

    /// Ends `batch`, whose last task was `sample`: reads its logits, unless it was only timed, and
    /// goes on with its request or with others.
    pub(super) fn end_batch(
        &mut self,
        batch: u32,
        sample: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let now = graph.now();
        let split = self.close_batch(batch, now);
        let state = self.batches.remove(&batch);
        let state = state.expect("a batch ends once");
        let replica = &mut self.replicas[state.replica];
        let (request, step) = (state.request, state.step);
        let task = &self.requests[request as usize].task;
        let mode = task.mode();
        let rows = outcome::rows(mode, &state.pass);
        let vocabulary = replica.vocabulary;
        let reading = match replica.network.logits(batch, rows)? {
            None => None,
            Some(logits) => {
                let hasher = &mut self.logits;
                note_logits(&logits, vocabulary, (request, step), self.observer, hasher)?;
                Some(Reading::of(&logits, vocabulary, mode, &state.pass)?)
            }
        };
        replica.network.end(batch);
        let token = reading.and_then(|reading| reading.chosen);
        let chosen = match token.zip(self.words.as_ref()) {
            Some((token, words)) => Some((token, words.tokenizer.decode(&[token])?)),
            None => None,
        };
        let sequence = self.sequences.get_mut(&request);
        let sequence = sequence.expect("a request in service has a sequence");
        let spent = sequence.accounts.iter();
        let spent: f64 = spent.map(|spent| spent.compute_j + spent.radio_j).sum();
        let outcome = &mut sequence.outcome;
        let known = outcome.generated();
        let answer = outcome.enter(request, task, &state.pass, reading, now);
        let delivered = outcome.delivered(now, known, spent);
        sequence.step += 1;
        let record = PassRecord {
            batch,
            replica: state.replica as u32,
            request,
            step,
            mode,
            tokens: state.tokens() as u64,
            context: state.context as u64,
            start: state.start,
            end: now,
            slices: 1,
            batch_tokens: state.tokens() as u64,
            decodes: state.context > 0 && matches!(mode, Mode::Generate | Mode::Tokens),
            last: true,
            split,
            chosen,
            negative_log_likelihood: reading.map(|reading| reading.nats),
        };
        let token = delivered.map(|count| TokenRecord {
            request,
            index: (count - 1) as u32,
            at: now,
        });
        self.tell(&record, answer.as_ref(), token.as_ref())
            .map_err(ExecutionError::Observer)?;
        self.end_dispatch(&state);
        self.proceed(request, Some(sample), graph)?;
        self.admit(Some(sample), graph)
    }

    /// Tells of a pass that is over, and of what it yielded.
    fn tell(
        &mut self,
        pass: &PassRecord,
        answer: Option<&AnswerRecord>,
        token: Option<&TokenRecord>,
    ) -> io::Result<()> {
        if let Some(answer) = answer {
            self.observer.answer(answer)?;
        }
        self.observer.pass(pass)?;
        match token {
            Some(token) => self.observer.token(token),
            None => Ok(()),
        }
    }

    /// Writes down `request`, which is answered at `now`.
    fn answer(&mut self, request: u32, now: Instant) -> Result<(), ExecutionError> {
        let sequence = self.sequences.remove(&request);
        let sequence = sequence.expect("a request is answered once");
        let replica = &mut self.replicas[sequence.replica];
        replica.running -= 1;
        replica.network.close(request);
        self.in_service.end(now);
        let known = self.knows_all_joules();
        let spent = sequence.accounts.iter();
        let spent: f64 = spent.map(|spent| spent.compute_j + spent.radio_j).sum();
        let record = sequence.outcome.record(
            request,
            &self.requests[request as usize].task,
            [sequence.arrival, sequence.start, now],
            known.then_some(spent),
            self.words.as_ref().map(|words| &words.tokenizer),
        )?;
        let record = RequestRecord {
            replica: Some(sequence.replica as u32),
            ..record
        };
        self.observer
            .request(&record)
            .map_err(ExecutionError::Observer)?;
        let follower = self.requests.get(request as usize + 1);
        if follower.is_some_and(|next| next.arrival == Arrival::AfterPrevious) {
            self.queue.follow(request + 1, now);
        }
        Ok(())
    }
}
