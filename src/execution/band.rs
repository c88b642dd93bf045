//! Who has a link's band: an all-reduce, a multicast and a dispatch of tokens take all of it, so
//! what comes later waits for their end.

use super::error::ExecutionError;
use crate::engine::{Graph, TaskId};

/// The last transfers of a link.
#[derive(Debug, Default)]
pub(super) struct Band(Vec<TaskId>);

impl Band {
    /// What a transfer that is ready after `inputs` waits for: these, and whoever has the band.
    pub(super) fn after(
        &self,
        inputs: &[TaskId],
        graph: &Graph,
    ) -> Result<Vec<TaskId>, ExecutionError> {
        let mut all = inputs.to_vec();
        for last in &self.0 {
            if !graph.is_finished(*last)? && !all.contains(last) {
                all.push(*last);
            }
        }
        Ok(all)
    }

    /// Gives the band to a transfer that has `ends`.
    pub(super) fn occupy(&mut self, ends: Vec<TaskId>) {
        self.0 = ends;
    }
}
