//! The run as the engine drives it: which layer and half is next, and what the tensors did.

use super::TensorParallel;
use super::emit::Reduced;
use super::network::Summed;
use super::stage::{Half, HalfStages, Stage};
use crate::architecture::ArchitectureError;
use crate::architecture::measurement::{BlockRecord, Distortion, Felt};
use crate::architecture::observer::{Observer, Travelling};
use crate::architecture::passes::Pass;
use crate::architecture::service::{Serve, Service};
use crate::device::Computation;
use crate::engine::{Graph, Program, Record, TaskId};
use crate::units::Instant;

/// Where the pass being run is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) layer: usize,
    /// When the half's compute could begin, and what each device's takes.
    pub(super) half_start: Instant,
    pub(super) compute: Vec<Computation>,
}

impl Program for TensorParallel<'_> {
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
            Stage::AttentionGather => self.all_reduce(Half::Attention, id, now, graph),
            Stage::MlpGather => self.all_reduce(Half::Mlp, id, now, graph),
            Stage::Sample => self.end_pass(id, now, graph),
            stage => unreachable!("nobody asked to be told of {stage:?}"),
        }
    }
}

impl Serve for TensorParallel<'_> {
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
        self.progress.layer = 0;
        let inputs = self.emit_embedding(after, now, graph)?;
        self.emit_half(Half::Attention, &inputs, graph)
    }
}

impl TensorParallel<'_> {
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
        self.progress.half_start = reduced.delivered_at;
        let next = match half {
            Half::Attention => Some(Half::Mlp),
            Half::Mlp => {
                self.progress.layer += 1;
                (self.progress.layer < self.plan.shape().layers).then_some(Half::Attention)
            }
        };
        match next {
            Some(half) => self.emit_half(half, &reduced.inputs, graph),
            None => self.emit_head(&reduced.inputs, graph),
        }
    }

    /// Computes and sums a half's tensors, if any are computed; what that did to them.
    fn reduce_tensors(
        &mut self,
        half: Half,
        now: Instant,
    ) -> Result<Option<Distortion>, ArchitectureError> {
        let place = self.service.place();
        let layer = self.progress.layer;
        let is_used = self.air.is_used();
        let round = self.air.round(self.rounds, now)?;
        let Some(summed) = self.network.half(half, layer, &round)? else {
            return Ok(None);
        };
        note_tensors(&summed, half, place, layer, self.observer)?;
        let outcome = summed.distortion;
        Ok(is_used.then_some(Distortion {
            felt: Some(Felt {
                mse: outcome.error,
                noise_mse: outcome.noise,
                nmse: outcome.nmse,
            }),
            analytic_mse: (!outcome.quantised).then_some(outcome.analytic),
            quantiser_mse: outcome.quantised.then_some(outcome.analytic),
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
        let (request, step) = self.service.place();
        let compute = || self.progress.compute.iter().map(|part| part.duration);
        let longest = compute().max().unwrap_or_default();
        let slowest = compute().position(|duration| duration == longest);
        self.service.measured.blocks.push(BlockRecord {
            request,
            step,
            layer: self.progress.layer as u32,
            half: half.name(),
            start: self.progress.half_start,
            gathered,
            reduced: reduced.at,
            slowest_node: Some(slowest.unwrap_or(0) as u32),
            waiting: compute().map(|duration| longest - duration).sum(),
            distortion: distortion.or(reduced.expected),
            rounding_s: reduced.rounding_s,
            budget: reduced.budget,
        });
    }

    fn end_pass(
        &mut self,
        sample: TaskId,
        now: Instant,
        graph: &mut Graph,
    ) -> Result<(), ArchitectureError> {
        let rows = self.service.rows();
        let split = self.split(now);
        let vocabulary = self.plan.shape().vocabulary;
        let logits = self.network.logits(rows)?;
        self.service
            .end_pass(logits.as_deref(), vocabulary, split, now, self.observer)?;
        drop(logits);
        self.next_pass(now, sample, graph)
    }
}

/// Tells the observer what the devices sent and what came of it.
fn note_tensors(
    summed: &Summed<'_>,
    half: Half,
    (request, step): (u32, u32),
    layer: usize,
    observer: &mut dyn Observer,
) -> Result<(), ArchitectureError> {
    let HalfStages {
        compute, reduced, ..
    } = half.stages();
    let whole = Travelling {
        request,
        step,
        layer: Some(layer as u32),
        stage: reduced.name(),
        node: None,
        row: None,
        columns: summed.columns,
        values: summed.sum,
    };
    let parts = summed.parts.iter().enumerate();
    let parts = parts.map(|(device, values)| Travelling {
        stage: compute.name(),
        node: Some(device as u32),
        values,
        ..whole
    });
    for tensor in parts.chain([whole]) {
        let noted = observer.tensor(&tensor);
        noted.map_err(ArchitectureError::Observer)?;
    }
    Ok(())
}
