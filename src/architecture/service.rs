//! Serves requests, one at a time, whatever the architecture: first come, first served, by
//! the time at which they arrive and not by their place in the workload. Which pass is next, what it yielded, and whom its time and energy are charged to.
//!
//! An architecture [serves](Serve): it begins the pass that is next, charges
//! [`accounts`](Service::accounts) while it emits tasks, and ends the pass when its last
//! task is done.

mod records;

use super::ArchitectureError;
use super::account::Accounts;
use super::measurement::{Measurements, PassRecord, TimeSplit};
use super::node::Node;
use super::observer::Observer;
use super::outcome::{self, Outcome, Reading, note_logits};
use super::passes::{Pass, Progress};
use super::workload::{Arrival, Request};
use crate::engine::{Cost, Graph, Kind, Task, TaskId, TaskKey};
use crate::numerics::{Rows, Tokenizer};
use crate::units::{Duration, Instant};
use std::collections::BTreeSet;

/// A model with what turns text into tokens.
#[derive(Debug)]
pub struct Loaded<M> {
    /// The model.
    pub model: M,
    /// Its words.
    pub words: Words,
}

/// What turns tokens into text, where there is text.
#[derive(Debug, Clone)]
pub struct Words {
    /// The model's tokenizer.
    pub tokenizer: Tokenizer,
    /// The tokens that end a generation.
    pub end_tokens: Vec<u32>,
}

/// An architecture that serves requests, pass by pass.
pub(super) trait Serve {
    /// The stage that is the delay until a request arrives.
    const ARRIVAL: u16;

    /// Whom it serves.
    fn service(&mut self) -> &mut Service;

    /// Begins `pass` at `now`, when the task `after` has ended.
    fn begin_pass(
        &mut self,
        pass: Pass,
        now: Instant,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError>;

    /// Lets the first request in.
    fn serve(&mut self, graph: &mut Graph) -> Result<(), ArchitectureError> {
        let next = self.service().start()?;
        self.proceed(next, Instant::ZERO, None, graph)
    }

    /// Goes on when `after`, the last task of a pass or the delay before a request, has
    /// ended at `now`.
    fn next_pass(
        &mut self,
        now: Instant,
        after: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let next = self.service().next(now)?;
        self.proceed(next, now, Some(after), graph)
    }

    /// Does what is next.
    fn proceed(
        &mut self,
        next: Next,
        now: Instant,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        match next {
            Next::Nothing => Ok(()),
            Next::Arrival(delay) => {
                let service = self.service();
                service.emit_arrival(delay, Self::ARRIVAL, after, graph)
            }
            Next::Pass(pass) => self.begin_pass(pass, now, after, graph),
        }
    }
}

/// What a run does next.
#[derive(Debug)]
pub(super) enum Next {
    /// This pass, now.
    Pass(Pass),
    /// Nothing, until a request arrives.
    Arrival(Duration),
    /// Nothing at all.
    Nothing,
}

/// The requests of a run and what has become of them.
#[derive(Debug)]
pub(super) struct Service {
    requests: Vec<Request>,
    /// Arrivals that are known and not yet let in, with the request's number: at one
    /// instant, the place in the workload decides.
    arrivals: BTreeSet<(Instant, usize)>,
    words: Option<Words>,
    pub(super) devices: Vec<Node>,
    pub(super) server: Node,
    pub(super) measured: Measurements,
    logits: blake3::Hasher,
    /// Time in which a request was being served; they are served one at a time.
    served: Duration,
    /// Of the requests already answered.
    total: Accounts,
    /// Of the passes of the request being served.
    request: Accounts,
    /// Of the pass being run.
    pub(super) accounts: Accounts,
    serving: Option<Serving>,
}

/// The request being served.
#[derive(Debug)]
struct Serving {
    number: usize,
    arrival: Instant,
    start: Instant,
    progress: Progress,
    step: u32,
    outcome: Outcome,
    pass: Option<Running>,
}

/// The pass being run.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) pass: Pass,
    pub(super) start: Instant,
    /// Tokens that its sequence had already.
    pub(super) context: usize,
}

impl Running {
    /// Tokens that go through the model.
    pub(super) fn tokens(&self) -> usize {
        self.pass.tokens.len()
    }
}

impl Service {
    pub(super) fn new(
        requests: Vec<Request>,
        words: Option<Words>,
        devices: Vec<Node>,
        server: Node,
    ) -> Self {
        let accounts = Accounts::new(devices.len());
        let known = requests.iter().enumerate();
        let arrivals = known.filter_map(|(number, request)| match request.arrival {
            Arrival::At(instant) => Some((instant, number)),
            Arrival::AfterPrevious => (number == 0).then_some((Instant::ZERO, 0)),
        });
        Self {
            arrivals: arrivals.collect(),
            requests,
            words,
            devices,
            server,
            measured: Measurements::default(),
            logits: blake3::Hasher::new(),
            served: Duration::ZERO,
            total: accounts.clone(),
            request: accounts.clone(),
            accounts,
            serving: None,
        }
    }

    /// Lets the first request in.
    fn start(&mut self) -> Result<Next, ArchitectureError> {
        match self.admit(Instant::ZERO) {
            Some(next) => Ok(next),
            None => self.next(Instant::ZERO),
        }
    }

    /// The next pass of the request being served; when it has none left, it is answered and
    /// the next one let in.
    fn next(&mut self, now: Instant) -> Result<Next, ArchitectureError> {
        loop {
            let serving = self.serving.as_mut().expect("a request is being served");
            let number = serving.number;
            let words = self.words.as_ref();
            let ends = words.map_or(&[][..], |words| &words.end_tokens);
            let last = serving.outcome.last();
            if let Some(pass) = serving.progress.next(&self.requests[number], last, ends) {
                return Ok(Next::Pass(pass));
            }
            self.answer(now)?;
            let follower = self.requests.get(number + 1);
            if follower.is_some_and(|next| next.arrival == Arrival::AfterPrevious) {
                self.arrivals.insert((now, number + 1));
            }
            if let Some(next) = self.admit(now) {
                return Ok(next);
            }
        }
    }

    /// Lets the request in that arrived first, or arrives next; what comes before its
    /// first pass, if anything.
    fn admit(&mut self, now: Instant) -> Option<Next> {
        let Some((arrival, number)) = self.arrivals.pop_first() else {
            self.serving = None;
            return Some(Next::Nothing);
        };
        self.serving = Some(Serving {
            number,
            arrival,
            start: arrival.max(now),
            progress: Progress::default(),
            step: 0,
            outcome: Outcome::default(),
            pass: None,
        });
        (arrival > now).then(|| Next::Arrival(arrival.since(now)))
    }

    /// Notes that `pass` begins at `now`, after `context` tokens of its sequence.
    pub(super) fn begin(&mut self, pass: Pass, context: usize, now: Instant) {
        self.serving().pass = Some(Running {
            pass,
            start: now,
            context,
        });
    }

    fn serving(&mut self) -> &mut Serving {
        let serving = self.serving.as_mut();
        serving.expect("a task belongs to a request being served")
    }

    fn served(&self) -> &Serving {
        let serving = self.serving.as_ref();
        serving.expect("a task belongs to a request being served")
    }

    /// The pass being run.
    pub(super) fn running(&self) -> &Running {
        let pass = self.served().pass.as_ref();
        pass.expect("a task belongs to a pass being run")
    }

    /// The request being served and its pass.
    pub(super) fn place(&self) -> (u32, u32) {
        let serving = self.served();
        (serving.number as u32, serving.step)
    }

    /// The number of the server among the nodes.
    pub(super) fn server_number(&self) -> usize {
        self.devices.len()
    }

    /// The number of the pass being run, counted over all requests.
    fn batch(&self) -> u32 {
        self.measured.passes.len() as u32
    }

    /// The key of a task of the pass being run.
    pub(super) fn key(&self, layer: Option<usize>, stage: u16, node: Option<usize>) -> TaskKey {
        TaskKey {
            batch: self.batch(),
            layer: layer.map_or(TaskKey::NO_LAYER, |layer| layer as u16),
            stage,
            node: node.map_or(TaskKey::NO_NODE, |node| node as u16),
            peer: TaskKey::NO_PEER,
            sequence: 0,
        }
    }

    /// The same for a transmission between a device and the server.
    pub(super) fn key_to_server(&self, layer: Option<usize>, stage: u16, device: usize) -> TaskKey {
        TaskKey {
            peer: self.server_number() as u16,
            ..self.key(layer, stage, Some(device))
        }
    }

    /// A delay until the request arrives, of whose end the program is told as `stage`.
    fn emit_arrival(
        &self,
        delay: Duration,
        stage: u16,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let task = Task {
            key: TaskKey {
                batch: TaskKey::NO_BATCH,
                sequence: self.place().0,
                ..self.key(None, stage, None)
            },
            kind: Kind::Overhead,
            resource: None,
            duration: delay,
            cost: Cost::default(),
        };
        let id = graph.add(task, after.as_slice())?;
        Ok(graph.notify(id)?)
    }

    /// The kind of text that is being read.
    pub(super) fn texts(&self) -> &'static str {
        self.requests[self.served().number].task.texts()
    }

    /// The rows of logits that the pass being run is asked for.
    pub(super) fn rows(&self) -> Rows {
        let mode = self.requests[self.served().number].task.mode();
        outcome::rows(mode, &self.running().pass)
    }

    /// Ends the pass being run at `now`: reads its `logits`, rows of `vocabulary`, unless it
    /// was only timed.
    pub(super) fn end_pass(
        &mut self,
        logits: Option<&[f32]>,
        vocabulary: usize,
        split: TimeSplit,
        now: Instant,
        observer: &mut dyn Observer,
    ) -> Result<(), ArchitectureError> {
        let serving = self.serving.as_mut().expect("a request is being served");
        let running = serving.pass.take().expect("a pass was being run");
        let batch = self.measured.passes.len() as u32;
        let (request, step) = (serving.number as u32, serving.step);
        let task = &self.requests[serving.number].task;
        let mode = task.mode();
        let reading = match logits {
            None => None,
            Some(logits) => {
                let hasher = &mut self.logits;
                note_logits(logits, vocabulary, (request, step), observer, hasher)?;
                Some(Reading::of(logits, vocabulary, mode, &running.pass)?)
            }
        };
        let token = reading.and_then(|reading| reading.chosen);
        let chosen = match token.zip(self.words.as_ref()) {
            Some((token, words)) => Some((token, words.tokenizer.decode(&[token])?)),
            None => None,
        };
        self.request.absorb(&mut self.accounts);
        let outcome = &mut serving.outcome;
        let answer = outcome.enter(request, task, &running.pass, reading, now);
        serving.step += 1;
        let record = PassRecord {
            batch,
            replica: 0,
            request,
            step,
            mode,
            tokens: running.tokens() as u64,
            context: running.context as u64,
            start: running.start,
            end: now,
            split,
            chosen,
            negative_log_likelihood: reading.map(|reading| reading.nats),
        };
        observer.pass(&record);
        self.measured.answers.extend(answer);
        self.measured.passes.push(record);
        Ok(())
    }

    /// Most tokens that any request's sequence comes to.
    pub(super) fn longest_context(&self) -> usize {
        longest_context(&self.requests)
    }

    /// What was measured, and the BLAKE3 of all logits in the order in which they came.
    pub(super) fn finish(mut self) -> (Measurements, String) {
        self.measured.requests.sort_by_key(|record| record.request);
        (self.measured, self.logits.finalize().to_hex().to_string())
    }
}

/// Most tokens that the sequence of any of `requests` comes to.
pub(super) fn longest_context(requests: &[Request]) -> usize {
    let contexts = requests.iter().map(|r| r.task.longest_context());
    contexts.max().unwrap_or(0) as usize
}
