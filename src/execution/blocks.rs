//! Sublayers and passes written down, as the engine measured them.

use super::drafting::Spent;
use super::meter::Account;
use super::stage::Stage;
use super::{Execution, ExecutionError};
use crate::engine::Record;
use crate::measurement::{BlockRecord, BudgetUse, TimeSplit};
use crate::topology::NodeId;
use crate::units::{Duration, Instant};

impl Execution<'_> {
    /// The members of a sublayer have met: without the air, that is its end.
    pub(super) fn note_gather(&mut self, record: &Record<'_>) -> Result<(), ExecutionError> {
        let batch = record.key.batch;
        let group = self.tensor(batch);
        if !group.sums_apart() {
            return self.note_sublayer(record);
        }
        Ok(())
    }

    /// A sublayer's sum is known at the hub.
    pub(super) fn note_sublayer(&mut self, record: &Record<'_>) -> Result<(), ExecutionError> {
        let batch = record.key.batch;
        let meeting = self.meter.met(batch);
        let state = self.batch(batch);
        let sublayer = match Stage::of(record.key.stage) {
            Stage::AttentionGather | Stage::AttentionReduced => "attention",
            _ => "mlp",
        };
        let group = self.tensor(batch);
        let budgets = group.budgets.as_deref();
        let planned = state.planned.as_ref();
        let budget = budgets
            .filter(|_| self.knows_joules(&group.members))
            .and_then(|budgets| {
                planned?;
                let tokens = state.active_tokens() as f64;
                let used = meeting.parts.iter().zip(budgets);
                let used = used.map(|(part, budget)| BudgetUse {
                    node: u32::from(part.node.0),
                    ratio: part.joules / tokens / budget,
                });
                used.reduce(|most, other| {
                    if other.ratio > most.ratio {
                        other
                    } else {
                        most
                    }
                })
            });
        let waiting = meeting.parts.iter();
        let block = BlockRecord {
            batch,
            request: state.lead().request,
            step: state.lead().step,
            layer: u32::from(record.key.layer),
            sublayer,
            start: meeting.start.unwrap_or(meeting.gathered),
            gathered: meeting.gathered,
            reduced: record.end,
            slowest_node: meeting.last().map(|node| u32::from(node.0)),
            waiting: waiting.map(|part| meeting.gathered.since(part.end)).sum(),
            distortion: planned.and_then(|planned| planned.distortion),
            rounding_s: planned.and_then(|planned| planned.rounding_s),
            budget,
        };
        self.observer
            .block(&block)
            .map_err(ExecutionError::Observer)
    }

    /// Ends the measurement of `batch` at `now`; where its time went, and the joules that it
    /// took of all nodes together, with its FLOPs.
    pub(super) fn close_batch(&mut self, batch: u32, now: Instant) -> (TimeSplit, Spent) {
        let meter = self.meter.close(batch);
        let state = &self.batches[&batch];
        let length = now.since(state.start);
        let workers = &self.replicas[state.replica].workers;
        let count = workers.len() as f64;
        let mean = |part: fn(&Account) -> Duration| {
            let of = |node: &NodeId| part(&meter.accounts[node.index()]);
            workers.iter().map(of).sum::<Duration>().as_seconds() / count
        };
        let waited = workers.iter().map(|node| length - meter.occupied(*node));
        let split = TimeSplit {
            compute_s: mean(|account| account.compute),
            uplink_s: mean(|account| account.uplink),
            downlink_s: mean(|account| account.downlink),
            wait_s: waited.sum::<Duration>().as_seconds() / count,
        };
        let accounts = || meter.accounts.iter();
        let spent = Spent {
            flops: accounts().map(|spent| spent.flops).sum::<u64>() as f64,
            joules: accounts()
                .map(|spent| spent.compute_j + spent.radio_j)
                .sum(),
        };
        (split, spent)
    }

    /// Whether the joules of all that `nodes` did are known.
    fn knows_joules(&self, nodes: &[NodeId]) -> bool {
        let unknown =
            |node: &NodeId| self.unknown_compute[node.index()] || self.unknown_radio[node.index()];
        !nodes.iter().any(unknown)
    }

    /// Whether the joules of all that anybody did are known.
    pub(super) fn knows_all_joules(&self) -> bool {
        let mut unknown = self.unknown_compute.iter().chain(&self.unknown_radio);
        unknown.all(|unknown| !unknown)
    }
}
