//! Whose turn it is on a link: an all-reduce, a multicast and a dispatch of tokens take all of
//! its band, so what comes later waits for their end; messages from node to node go on beside
//! each other where the band is shared.

use super::error::ExecutionError;
use crate::engine::{Graph, TaskId};

/// The last transfers of a link.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// That took all of the band.
    last: Vec<TaskId>,
    /// That share it since.
    beside: Vec<TaskId>,
}

/// `inputs` and those of `others` that are under way or to come.
fn with(
    inputs: &[TaskId],
    others: &mut dyn Iterator<Item = &TaskId>,
    graph: &Graph,
) -> Result<Vec<TaskId>, ExecutionError> {
    let mut all = inputs.to_vec();
    for other in others {
        if !graph.is_finished(*other)? && !all.contains(other) {
            all.push(*other);
        }
    }
    Ok(all)
}

impl Turns {
    /// What a transfer waits for that is ready after `inputs` and takes all of the band.
    pub(super) fn after(
        &self,
        inputs: &[TaskId],
        graph: &Graph,
    ) -> Result<Vec<TaskId>, ExecutionError> {
        with(inputs, &mut self.last.iter().chain(&self.beside), graph)
    }

    /// Gives all of the band to a transfer that has `ends`.
    pub(super) fn occupy(&mut self, ends: Vec<TaskId>) {
        self.last = ends;
        self.beside.clear();
    }

    /// What a message waits for that is ready after `inputs` and shares the band.
    pub(super) fn beside(
        &self,
        inputs: &[TaskId],
        graph: &Graph,
    ) -> Result<Vec<TaskId>, ExecutionError> {
        with(inputs, &mut self.last.iter(), graph)
    }

    /// Gives a message a part of the band.
    pub(super) fn join(&mut self, message: TaskId, graph: &Graph) -> Result<(), ExecutionError> {
        let mut open = Vec::with_capacity(self.beside.len() + 1);
        for other in &self.beside {
            if !graph.is_finished(*other)? {
                open.push(*other);
            }
        }
        open.push(message);
        self.beside = open;
        Ok(())
    }
}
