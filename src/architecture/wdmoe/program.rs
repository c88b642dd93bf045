//! The run as the engine drives it: which pass and layer is next.

use super::Run;
use super::decide::{Decision, History};
use super::network::{Journey, Mix};
use super::stage::Stage;
use crate::architecture::ArchitectureError;
use crate::architecture::account::Accounts;
use crate::architecture::measurement::{Measurements, PassRecord};
use crate::architecture::observer::Travelling;
use crate::architecture::outcome::{self, Outcome, Reading, note_logits};
use crate::architecture::passes::{Pass, Progress};
use crate::architecture::workload::Arrival;
use crate::engine::{Graph, Program, TaskId, TaskKey};
use crate::units::{Duration, Instant};

/// Where a run is.
#[derive(Debug)]
pub(super) struct State {
    pub(super) measured: Measurements,
    pub(super) logits: blake3::Hasher,
    /// Totals of the requests already answered, of the one being served, of the pass
    /// being run.
    pub(super) total: Accounts,
    pub(super) request: Accounts,
    pub(super) pass_accounts: Accounts,
    /// Time in which each device received, computed or sent: in the pass, in the run.
    pub(super) occupied: Vec<Duration>,
    pub(super) occupied_in_run: Vec<Duration>,
    pub(super) history: History,
    /// Blocks begun since the start of the run.
    pub(super) blocks: u64,
    /// q of the last pass, layer by layer.
    pub(super) last_loads: Vec<f64>,
    pub(super) pass_bandwidth: Option<Vec<f64>>,
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
    pub(super) layer: usize,
    pub(super) loads: Vec<f64>,
    decision: Option<Decision>,
}

impl State {
    pub(super) fn new(devices: usize) -> Self {
        Self {
            measured: Measurements::default(),
            logits: blake3::Hasher::new(),
            total: Accounts::new(devices),
            request: Accounts::new(devices),
            pass_accounts: Accounts::new(devices),
            occupied: vec![Duration::ZERO; devices],
            occupied_in_run: vec![Duration::ZERO; devices],
            history: History::new(devices),
            blocks: 0,
            last_loads: Vec::new(),
            pass_bandwidth: None,
            serving: None,
        }
    }

    pub(super) fn serving(&mut self) -> &mut Serving {
        self.serving
            .as_mut()
            .expect("a task belongs to a request being served")
    }

    pub(super) fn running(&mut self) -> &mut Running {
        let pass = self.serving().pass.as_mut();
        pass.expect("a task belongs to a pass being run")
    }
}

impl Program for Run<'_> {
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
            Stage::Attend => self.send_out(id, now, graph),
            Stage::Gather => self.gathered(id, graph),
            Stage::Sample => self.end_pass(id, now, graph),
            stage => unreachable!("nobody asked to be told of {stage:?}"),
        }
    }
}

impl Run<'_> {
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
        let ends = self.words.as_ref();
        let ends = ends.map_or(&[][..], |words| &words.end_tokens);
        let last = serving.outcome.last();
        let Some(pass) = serving.progress.next(request, last, ends) else {
            self.record_request(now)?;
            let next = self.state.serving().number + 1;
            return self.admit(next, now, after, graph);
        };
        let context = self.network.begin(&pass)?;
        serving.pass = Some(Running {
            pass,
            start: now,
            context,
            layer: 0,
            loads: Vec::new(),
            decision: None,
        });
        self.state.pass_bandwidth = self.divide_for_pass(now)?;
        self.emit_attention(after, graph)
    }

    /// The gate has spoken: decides the block and sends its tokens to their experts.
    fn send_out(
        &mut self,
        attended: TaskId,
        now: Instant,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let layer = self.state.running().layer;
        let weights = self.network.gate(layer)?;
        let links = self.cell.links(self.state.blocks, now)?;
        self.state.blocks += 1;
        let decision = self.decide(layer, &weights, &links)?;
        self.emit_block(&decision, attended, now, graph)?;
        let running = self.state.running();
        for delivery in &decision.deliveries {
            let tokens = delivery.map_or(0, |delivery| delivery.tokens);
            running.loads.push(tokens as f64);
        }
        running.decision = Some(decision);
        Ok(())
    }

    /// All tokens are back: adds them up and goes on to the next layer.
    fn gathered(&mut self, gather: TaskId, graph: &mut Graph) -> Result<(), ArchitectureError> {
        let running = self.state.running();
        let layer = running.layer;
        running.layer += 1;
        let decision = running.decision.take().expect("a block was sent out");
        let journeys = self.network.mix(&Mix {
            layer,
            selection: &decision.selection,
            weights: &decision.weights,
            device: &self.placement[layer],
        })?;
        self.note_journeys(layer, &journeys)?;
        if layer + 1 < self.shape.layers {
            self.emit_attention(Some(gather), graph)
        } else {
            self.emit_head(gather, graph)
        }
    }

    /// Tells the observer what arrived at experts and from them.
    fn note_journeys(
        &mut self,
        layer: usize,
        journeys: &[Journey],
    ) -> Result<(), ArchitectureError> {
        let serving = self.state.serving();
        let (request, step) = (serving.number as u32, serving.step);
        for journey in journeys {
            for (stage, values) in [
                ("token_downlink", &journey.sent),
                ("token_uplink", &journey.returned),
            ] {
                let tensor = Travelling {
                    request,
                    step,
                    layer: Some(layer as u32),
                    stage,
                    device: journey.device.map(|device| device as u32),
                    row: Some(journey.expert as u32),
                    columns: self.shape.hidden,
                    values,
                };
                let noted = self.observer.tensor(&tensor);
                noted.map_err(ArchitectureError::Observer)?;
            }
        }
        Ok(())
    }

    /// Reads the pass's logits, if there are any, and goes on.
    fn end_pass(
        &mut self,
        sample: TaskId,
        now: Instant,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let serving = self.state.serving();
        let (number, step) = (serving.number, serving.step);
        let running = serving.pass.take().expect("a pass was being run");
        let task = &self.requests[number].task;
        let mode = task.mode();
        let vocabulary = self.shape.vocabulary;
        let mut reading = None;
        if let Some(logits) = self.network.logits(outcome::rows(mode, &running.pass))? {
            note_logits(
                logits,
                vocabulary,
                (number as u32, step),
                self.observer,
                &mut self.state.logits,
            )?;
            reading = Some(Reading::of(logits, vocabulary, mode, &running.pass)?);
        }
        let token = reading.and_then(|reading| reading.chosen);
        let chosen = match token.zip(self.words.as_ref()) {
            Some((token, words)) => Some((token, words.tokenizer.decode(&[token])?)),
            None => None,
        };
        let split = self.close_pass(now.since(running.start));
        let task = &self.requests[number].task;
        let serving = self
            .state
            .serving
            .as_mut()
            .expect("a request is being served");
        let outcome = &mut serving.outcome;
        let answer = outcome.enter(number as u32, task, &running.pass, reading, now);
        serving.step += 1;
        let record = PassRecord {
            request: number as u32,
            step,
            mode,
            tokens: running.pass.tokens.len() as u64,
            context: running.context as u64,
            start: running.start,
            end: now,
            split,
            chosen,
            negative_log_likelihood: reading.map(|reading| reading.nats),
        };
        self.observer.pass(&record);
        self.state.measured.answers.extend(answer);
        self.state.measured.passes.push(record);
        self.state.last_loads = running.loads;
        self.next_pass(now, Some(sample), graph)
    }
}
