//! The tables of passes and blocks, which grow with the length of a run: written as things
//! happen, none of it kept.

use super::{BATCHES, LateRowFile, RowFile, TOKENS, WAITS, batches};
use crate::measurement::{BlockRecord, ExpertRecord, PassRecord, VisitRecord};
use crate::results::folder::{FileDigest, FolderError, Staging};
use serde::Serialize;

#[derive(Serialize)]
struct TokenRow<'a> {
    request: u32,
    step: u32,
    mode: &'static str,
    tokens: u64,
    context: u64,
    start_ps: u64,
    end_ps: u64,
    duration_s: f64,
    compute_s: f64,
    uplink_s: f64,
    downlink_s: f64,
    wait_s: f64,
    nats: Option<f64>,
    token_id: Option<u32>,
    token: Option<&'a str>,
}

#[derive(Serialize)]
struct BlockRow<'a> {
    request: u32,
    step: u32,
    layer: u32,
    sublayer: &'static str,
    start_ps: u64,
    gathered_ps: u64,
    reduced_ps: u64,
    slowest_node: Option<&'a str>,
    waiting_s: f64,
    mse: Option<f64>,
    noise_mse: Option<f64>,
    analytic_mse: Option<f64>,
    quantiser_mse: Option<f64>,
    nmse: Option<f64>,
    budget_ratio: Option<f64>,
    budget_node: Option<&'a str>,
}

#[derive(Serialize)]
struct VisitRow<'a> {
    request: u32,
    step: u32,
    layer: u32,
    node: &'a str,
    tokens: u64,
    bandwidth_hz: f64,
    downlink_s: f64,
    compute_s: f64,
    uplink_s: f64,
    start_ps: u64,
    end_ps: u64,
    wait_s: f64,
    holds_barrier: bool,
    bottleneck: &'static str,
}

#[derive(Serialize)]
struct ExpertRow<'a> {
    request: u32,
    step: u32,
    layer: u32,
    expert: u32,
    node: &'a str,
    wanted: u64,
    visits: u64,
    lost: u64,
}

/// `tokens.csv`, `batches.csv` and `blocks.csv`, and where experts are spread `waits.csv` and
/// `experts.csv`.
#[derive(Debug)]
pub(super) struct Details<'a> {
    staging: &'a Staging,
    nodes: &'a [String],
    tokens: RowFile,
    batches: RowFile,
    blocks: RowFile,
    visits: LateRowFile,
    experts: LateRowFile,
}

impl<'a> Details<'a> {
    pub(super) fn create(staging: &'a Staging, nodes: &'a [String]) -> Result<Self, FolderError> {
        Ok(Self {
            staging,
            nodes,
            tokens: RowFile::create(staging, TOKENS)?,
            batches: RowFile::create(staging, BATCHES)?,
            blocks: RowFile::create(staging, "blocks.csv")?,
            visits: LateRowFile::new(WAITS),
            experts: LateRowFile::new("experts.csv"),
        })
    }

    fn name(&self, node: u32) -> &'a str {
        self.nodes[node as usize].as_str()
    }

    pub(super) fn pass(&mut self, pass: &PassRecord) -> Result<(), FolderError> {
        self.tokens.write(TokenRow {
            request: pass.request,
            step: pass.step,
            mode: pass.mode.name(),
            tokens: pass.tokens,
            context: pass.context,
            start_ps: pass.start.0,
            end_ps: pass.end.0,
            duration_s: pass.end.since(pass.start).as_seconds(),
            compute_s: pass.split.compute_s,
            uplink_s: pass.split.uplink_s,
            downlink_s: pass.split.downlink_s,
            wait_s: pass.split.wait_s,
            nats: pass.negative_log_likelihood,
            token_id: pass.chosen.as_ref().map(|(id, _)| *id),
            token: pass.chosen.as_ref().map(|(_, text)| text.as_str()),
        })?;
        self.batches.write(batches::row(pass))
    }

    pub(super) fn block(&mut self, block: &BlockRecord) -> Result<(), FolderError> {
        let row = BlockRow {
            request: block.request,
            step: block.step,
            layer: block.layer,
            sublayer: block.sublayer,
            start_ps: block.start.0,
            gathered_ps: block.gathered.0,
            reduced_ps: block.reduced.0,
            slowest_node: block.slowest_node.map(|node| self.name(node)),
            waiting_s: block.waiting.as_seconds(),
            mse: block.felt().map(|felt| felt.mse),
            noise_mse: block.felt().map(|felt| felt.noise_mse),
            analytic_mse: block.distortion.and_then(|d| d.analytic_mse),
            quantiser_mse: block.distortion.and_then(|d| d.quantiser_mse),
            nmse: block.felt().map(|felt| felt.nmse),
            budget_ratio: block.budget.map(|budget| budget.ratio),
            budget_node: block.budget.map(|budget| self.name(budget.node)),
        };
        self.blocks.write(row)
    }

    pub(super) fn visit(&mut self, visit: &VisitRecord) -> Result<(), FolderError> {
        let row = VisitRow {
            request: visit.request,
            step: visit.step,
            layer: visit.layer,
            node: self.name(visit.node),
            tokens: visit.tokens,
            bandwidth_hz: visit.bandwidth_hz,
            downlink_s: visit.downlink.as_seconds(),
            compute_s: visit.compute.as_seconds(),
            uplink_s: visit.uplink.as_seconds(),
            start_ps: visit.start.0,
            end_ps: visit.end.0,
            wait_s: visit.wait.as_seconds(),
            holds_barrier: visit.holds_barrier,
            bottleneck: visit.bottleneck,
        };
        self.visits.write(self.staging, row)
    }

    pub(super) fn expert(&mut self, expert: &ExpertRecord) -> Result<(), FolderError> {
        let row = ExpertRow {
            request: expert.request,
            step: expert.step,
            layer: expert.layer,
            expert: expert.expert,
            node: self.name(expert.node),
            wanted: expert.wanted,
            visits: expert.visits,
            lost: expert.lost,
        };
        self.experts.write(self.staging, row)
    }

    /// Closes the tables.
    pub(super) fn finish(self) -> Result<Vec<FileDigest>, FolderError> {
        let mut visits = self.visits;
        if self.experts.has_begun() {
            // Nobody else may have had tokens: the table says so.
            visits.begin(self.staging)?;
        }
        let always = [self.tokens, self.batches, self.blocks].map(|file| file.finish().map(Some));
        let late = [visits, self.experts].map(LateRowFile::finish);
        let files = always.into_iter().chain(late);
        files.filter_map(Result::transpose).collect()
    }
}
