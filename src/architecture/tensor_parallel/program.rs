//! The run as the engine drives it: which pass, layer and half is next, and what
//! the tensors did.

use super::TensorParallel;
use super::emit::Reduced;
use super::stage::{Half, HalfStages, Stage};
use crate::architecture::ArchitectureError;
use crate::architecture::account::Accounts;
use crate::architecture::measurement::{BlockRecord, Distortion, Measurements, PassRecord};
use crate::architecture::observer::Travelling;
use crate::architecture::outcome::{self, Outcome, Reading, note_logits};
use crate::architecture::passes::{Pass, Progress};
use crate::architecture::workload::Arrival;
use crate::device::Footprint;
use crate::engine::{Graph, Program, TaskId, TaskKey};
use crate::numerics::{Hidden, KvCache, ShardedLlama, Workspace};
use crate::units::{Duration, Instant};

/// Where a run is.
#[derive(Debug)]
pub(super) struct State {
    pub(super) measured: Measurements,
    pub(super) logits: blake3::Hasher,
    pub(super) footprints: Vec<Footprint>,
    /// Totals of the requests already answered.
    pub(super) total: Accounts,
    /// Those of the request being served.
    pub(super) request: Accounts,
    /// Those of the pass being run.
    pub(super) pass_accounts: Accounts,
    pub(super) workspace: Workspace,
    pub(super) cache: Option<KvCache>,
    sum: Vec<f32>,
    /// All-reduces begun since the start of the run.
    pub(super) rounds: u64,
    pub(super) serving: Option<Serving>,
}

/// The request being served.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) number: usize,
    pub(super) arrival: Instant,
    pub(super) start: Instant,
    progress: Progress,
    pub(super) step: u32,
    pub(super) pass: Option<Running>,
    pub(super) outcome: Outcome,
}

/// The pass being run.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) pass: Pass,
    pub(super) start: Instant,
    pub(super) context: usize,
    pub(super) hidden: Hidden,
    pub(super) layer: usize,
    /// When the half's compute could begin, and how long each device takes.
    pub(super) half_start: Instant,
    pub(super) compute: Vec<Duration>,
}

impl State {
    pub(super) fn new(model: &ShardedLlama, footprints: Vec<Footprint>) -> Self {
        let accounts = || Accounts::new(model.devices());
        Self {
            measured: Measurements::default(),
            logits: blake3::Hasher::new(),
            footprints,
            total: accounts(),
            request: accounts(),
            pass_accounts: accounts(),
            workspace: model.workspace(),
            cache: None,
            sum: Vec::new(),
            rounds: 0,
            serving: None,
        }
    }

    pub(super) fn serving(&mut self) -> &mut Serving {
        self.serving
            .as_mut()
            .expect("a task belongs to a request being served")
    }

    pub(super) fn running(&mut self) -> &mut Running {
        let serving = self.serving();
        serving
            .pass
            .as_mut()
            .expect("a task belongs to a pass being run")
    }
}

impl Program for TensorParallel<'_> {
    type Error = ArchitectureError;

    fn start(&mut self, graph: &mut Graph) -> Result<(), ArchitectureError> {
        self.admit(0, Instant::ZERO, None, graph)
    }

    fn completed(
        &mut self,
        id: TaskId,
        key: TaskKey,
        now: Instant,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        match Stage::of(key.stage).expect("only stages of this architecture are emitted") {
            Stage::Arrival => self.next_pass(now, Some(id), graph),
            Stage::AttentionGather => self.all_reduce(Half::Attention, id, now, graph),
            Stage::MlpGather => self.all_reduce(Half::Mlp, id, now, graph),
            Stage::Sample => self.end_pass(id, now, graph),
            stage => unreachable!("nobody asked to be told of {stage:?}"),
        }
    }
}

impl TensorParallel<'_> {
    /// Lets request `number` in, at its arrival or when the one before is answered.
    fn admit(
        &mut self,
        number: usize,
        now: Instant,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let Some(request) = self.requests.get(number) else {
            self.state.serving = None;
            return Ok(());
        };
        let arrival = match request.arrival {
            Arrival::AfterPrevious => now,
            Arrival::At(instant) => instant,
        };
        self.state.serving = Some(Serving {
            number,
            arrival,
            start: arrival.max(now),
            progress: Progress::default(),
            step: 0,
            pass: None,
            outcome: Outcome::default(),
        });
        // Any request may be the longest; one cache serves them all.
        if self.state.cache.is_none() {
            let longest = self
                .requests
                .iter()
                .map(|request| request.task.longest_context());
            let capacity = longest.max().unwrap_or(0) as usize;
            self.state.cache = Some(self.model.cache(capacity)?);
        }
        if arrival > now {
            return self.emit_arrival(arrival.since(now), after, graph);
        }
        self.next_pass(now, after, graph)
    }

    /// Begins the next pass of the request being served, or answers it.
    fn next_pass(
        &mut self,
        now: Instant,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let serving = self
            .state
            .serving
            .as_mut()
            .expect("a request is being served");
        let request = &self.requests[serving.number];
        let last = serving.outcome.last();
        let Some(pass) = serving.progress.next(request, last, &self.end_tokens) else {
            self.record_request(now)?;
            let next = self.state.serving().number + 1;
            return self.admit(next, now, after, graph);
        };
        let cache = self
            .state
            .cache
            .as_mut()
            .expect("made with the first request");
        if pass.fresh {
            cache.clear();
        }
        let context = cache.tokens();
        let hidden = self.model.embed(&pass.tokens, context)?;
        self.state.sum.resize(hidden.tokens() * hidden.width(), 0.0);
        self.state.serving().pass = Some(Running {
            pass,
            start: now,
            context,
            hidden,
            layer: 0,
            half_start: now,
            compute: Vec::new(),
        });
        let inputs = self.emit_embedding(after, now, graph)?;
        self.emit_half(Half::Attention, &inputs, graph)
    }

    /// Sums a half's partial outputs through the air and goes on to the next half.
    fn all_reduce(
        &mut self,
        half: Half,
        gather: TaskId,
        now: Instant,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let distortion = self.reduce_tensors(half, now)?;
        let reduced = self.emit_round(half, gather, now, graph)?;
        self.record_block(half, now, &reduced, distortion);
        let running = self.state.running();
        running.half_start = reduced.delivered_at;
        let next = match half {
            Half::Attention => Some(Half::Mlp),
            Half::Mlp => {
                running.layer += 1;
                (running.layer < self.model.shape().layers).then_some(Half::Attention)
            }
        };
        match next {
            Some(half) => self.emit_half(half, &reduced.inputs, graph),
            None => self.emit_head(&reduced.inputs, graph),
        }
    }

    fn reduce_tensors(
        &mut self,
        half: Half,
        now: Instant,
    ) -> Result<Option<Distortion>, ArchitectureError> {
        let State {
            workspace,
            cache,
            sum,
            rounds,
            serving,
            ..
        } = &mut self.state;
        let serving = serving.as_mut().expect("a half belongs to a request");
        let (request, step) = (serving.number as u32, serving.step);
        let running = serving.pass.as_mut().expect("a half belongs to a pass");
        let Running { hidden, layer, .. } = running;
        let cache = cache.as_mut().expect("made with the first request");
        match half {
            Half::Attention => self
                .model
                .attention_on_all(*layer, hidden, cache, workspace)?,
            Half::Mlp => self.model.mlp_on_all(*layer, hidden, workspace)?,
        }
        let parts = workspace.partials()?;
        let round = self.air.round(*rounds, now)?;
        let outcome = round.reduce(&parts, sum)?;
        hidden.add(sum)?;
        let HalfStages {
            compute, reduced, ..
        } = half.stages();
        let mut tensor = Travelling {
            request,
            step,
            layer: Some(*layer as u32),
            stage: compute.name(),
            device: None,
            row: None,
            columns: hidden.width(),
            values: sum,
        };
        for (device, part) in parts.iter().enumerate() {
            tensor.device = Some(device as u32);
            tensor.values = part;
            self.observer
                .tensor(&tensor)
                .map_err(ArchitectureError::Observer)?;
        }
        tensor = Travelling {
            stage: reduced.name(),
            device: None,
            values: sum,
            ..tensor
        };
        self.observer
            .tensor(&tensor)
            .map_err(ArchitectureError::Observer)?;
        Ok(self.air.is_used().then_some(Distortion {
            mse: outcome.error,
            noise_mse: outcome.noise,
            analytic_mse: outcome.analytic,
            nmse: outcome.nmse,
            entries: outcome.symbols,
        }))
    }

    fn record_block(
        &mut self,
        half: Half,
        gathered: Instant,
        reduced: &Reduced,
        distortion: Option<Distortion>,
    ) {
        let serving = self.state.serving();
        let (request, step) = (serving.number as u32, serving.step);
        let running = self.state.running();
        let longest = running.compute.iter().copied().max().unwrap_or_default();
        let slowest = running
            .compute
            .iter()
            .position(|duration| *duration == longest);
        let record = BlockRecord {
            request,
            step,
            layer: running.layer as u32,
            half: half.name(),
            start: running.half_start,
            gathered,
            reduced: reduced.at,
            slowest_device: Some(slowest.unwrap_or(0) as u32),
            waiting: running
                .compute
                .iter()
                .map(|duration| longest - *duration)
                .sum(),
            distortion,
            rounding_s: reduced.rounding_s,
        };
        self.state.measured.blocks.push(record);
    }

    /// Turns the pass's logits into a score or a token, and goes on.
    fn end_pass(
        &mut self,
        sample: TaskId,
        now: Instant,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let serving = self.state.serving();
        let (number, step) = (serving.number, serving.step);
        let running = serving.pass.take().expect("a pass was being run");
        let mode = self.requests[number].task.mode();
        self.model.logits(
            &running.hidden,
            outcome::rows(mode, &running.pass),
            &mut self.state.workspace,
        )?;
        let logits = self.state.workspace.logits()?;
        let vocabulary = self.model.shape().vocabulary;
        note_logits(
            logits,
            vocabulary,
            (number as u32, step),
            self.observer,
            &mut self.state.logits,
        )?;
        let reading = Reading::of(logits, vocabulary, mode, &running.pass)?;
        let text = match reading.chosen {
            Some(token) => Some((token, self.tokenizer.decode(&[token])?)),
            None => None,
        };
        let split = self.close_pass(now.since(running.start));
        let serving = self
            .state
            .serving
            .as_mut()
            .expect("a request is being served");
        let task = &self.requests[number].task;
        let entered = serving
            .outcome
            .enter(number as u32, task, &running.pass, Some(reading), now);
        self.state.measured.answers.extend(entered);
        let record = PassRecord {
            request: number as u32,
            step: serving.step,
            mode,
            tokens: running.pass.tokens.len() as u64,
            context: running.context as u64,
            start: running.start,
            end: now,
            split,
            chosen: text,
            negative_log_likelihood: Some(reading.nats),
        };
        serving.step += 1;
        self.observer.pass(&record);
        self.state.measured.passes.push(record);
        self.next_pass(now, Some(sample), graph)
    }
}
