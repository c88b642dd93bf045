//! The run as the engine drives it: which pass and layer is next.

use super::Run;
use super::decide::{Decision, History};
use super::network::{Journey, Mix};
use super::pairs::Pairs;
use super::stage::Stage;
use crate::architecture::ArchitectureError;
use crate::architecture::observer::Travelling;
use crate::architecture::passes::Pass;
use crate::architecture::service::{Serve, Service};
use crate::engine::{Graph, Program, Record, TaskId};
use crate::units::{Duration, Instant};

/// Where a run is.
#[derive(Debug)]
pub(super) struct State {
    /// Time in which each device received, computed or sent: in the pass, in the run.
    pub(super) occupied: Vec<Duration>,
    pub(super) occupied_in_run: Vec<Duration>,
    pub(super) history: History,
    pub(super) pairs: Pairs,
    /// Blocks begun since the start of the run.
    pub(super) blocks: u64,
    /// q of the last pass, layer by layer.
    pub(super) last_loads: Vec<f64>,
    pub(super) pass_bandwidth: Option<Vec<f64>>,
    pub(super) pass: Progress,
}

/// Where the pass being run is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) layer: usize,
    pub(super) loads: Vec<f64>,
    decision: Option<Decision>,
}

impl State {
    pub(super) fn new(devices: usize) -> Self {
        Self {
            occupied: vec![Duration::ZERO; devices],
            occupied_in_run: vec![Duration::ZERO; devices],
            history: History::new(devices),
            pairs: Pairs::default(),
            blocks: 0,
            last_loads: Vec::new(),
            pass_bandwidth: None,
            pass: Progress::default(),
        }
    }
}

impl Program for Run<'_> {
    type Error = ArchitectureError;

    fn start(&mut self, graph: &mut Graph) -> Result<(), ArchitectureError> {
        self.serve(graph)
    }

    fn completed(
        &mut self,
        id: TaskId,
        record: &Record<'_>,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let now = record.end;
        match Stage::of(record.key.stage).expect("only stages of this architecture are emitted") {
            Stage::Arrival => self.next_pass(now, id, graph),
            Stage::Attend => self.send_out(id, now, graph),
            Stage::Gather => self.gathered(id, graph),
            Stage::Sample => self.end_pass(id, now, graph),
            stage => unreachable!("nobody asked to be told of {stage:?}"),
        }
    }
}

impl Serve for Run<'_> {
    const ARRIVAL: u16 = Stage::Arrival as u16;

    fn service(&mut self) -> &mut Service {
        &mut self.service
    }

    fn begin_pass(
        &mut self,
        pass: Pass,
        now: Instant,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let context = self.network.begin(&pass)?;
        self.service.begin(pass, context, now);
        self.state.pass = Progress::default();
        self.state.pass_bandwidth = self.divide_for_pass(now)?;
        self.emit_attention(after, graph)
    }
}

impl Run<'_> {
    /// The gate has spoken: decides the block and sends its tokens to their experts.
    fn send_out(
        &mut self,
        attended: TaskId,
        now: Instant,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let layer = self.state.pass.layer;
        let weights = self.network.gate(layer)?;
        let links = self.cell.links(self.state.blocks, now)?;
        self.state.blocks += 1;
        let decision = self.decide(layer, &weights, &links)?;
        self.emit_block(&decision, attended, now, graph)?;
        let running = &mut self.state.pass;
        for delivery in &decision.deliveries {
            let tokens = delivery.map_or(0, |delivery| delivery.tokens);
            running.loads.push(tokens as f64);
        }
        running.decision = Some(decision);
        Ok(())
    }

    /// All tokens are back: adds them up and goes on to the next layer.
    fn gathered(&mut self, gather: TaskId, graph: &mut Graph) -> Result<(), ArchitectureError> {
        let running = &mut self.state.pass;
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
        let (request, step) = self.service.place();
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
                    node: journey.device.map(|device| device as u32),
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

    fn end_pass(
        &mut self,
        sample: TaskId,
        now: Instant,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let rows = self.service.rows();
        let split = self.close_pass(now);
        let vocabulary = self.shape.vocabulary;
        let logits = self.network.logits(rows)?;
        self.service
            .end_pass(logits.as_deref(), vocabulary, split, now, self.observer)?;
        drop(logits);
        self.state.last_loads = std::mem::take(&mut self.state.pass.loads);
        self.next_pass(now, sample, graph)
    }
}
