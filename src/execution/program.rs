//! The run as the engine drives it.

use super::Execution;
use super::error::ExecutionError;
use super::stage::Stage;
use crate::engine::{Graph, Occupancy, Program, Record, TaskId, TaskKey};

impl Program for Execution<'_> {
    type Error = ExecutionError;

    fn start(&mut self, graph: &mut Graph) -> Result<(), ExecutionError> {
        self.admit(None, graph)
    }

    fn completed(
        &mut self,
        id: TaskId,
        record: &Record<'_>,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let batch = record.key.batch;
        match Stage::of(record.key.stage) {
            Stage::Arrival | Stage::Window => self.admit(Some(id), graph),
            stage if stage.is_delay() || stage.is_receive_cost() => {
                self.arrives(id, record.key, graph)
            }
            stage if stage.is_message() => self.message_ends(id, record.key, graph),
            Stage::AttentionGather | Stage::MlpGather => self.gathered(batch, id, graph),
            Stage::MlpReduced => self.leave(batch, id, graph),
            Stage::Mlp => self.computed(batch, id, graph),
            Stage::ExitHead => self.exit_asked(batch, id, graph),
            Stage::Gate => self.dispatch(batch, id, graph),
            Stage::ExpertGather => self.mix(batch, id, graph),
            Stage::Sample => self.end_batch(batch, id, graph),
            stage => unreachable!("nobody asked to be told of {stage:?}"),
        }
    }

    fn service(
        &mut self,
        id: TaskId,
        key: TaskKey,
        graph: &mut Graph,
    ) -> Result<Option<Occupancy>, ExecutionError> {
        let now = graph.now();
        if let Some(occupancy) = self.on_hot_node(id, key, now)? {
            return Ok(Some(occupancy));
        }
        let occupancy = match Stage::of(key.stage) {
            Stage::TokenDownlink | Stage::TokenUplink => self.token_on_air(key, now),
            stage if stage.is_message() => self.message_starts(id, key, graph),
            _ => self.on_band(key, now),
        };
        occupancy.map(Some)
    }

    fn measured(&mut self, record: &Record<'_>) -> Result<(), ExecutionError> {
        self.meter.enter(record);
        match Stage::of(record.key.stage) {
            stage if stage.is_letter() => {
                self.charge_letter(record);
                Ok(())
            }
            Stage::AttentionGather | Stage::MlpGather => self.note_gather(record),
            Stage::AttentionReduced | Stage::MlpReduced => self.note_sublayer(record),
            Stage::ExpertGather => self.note_experts(record),
            _ => Ok(()),
        }
    }
}
