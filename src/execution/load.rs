//! How much replicas have to do, told whenever it changes.

use super::{Execution, ExecutionError};
use crate::measurement::LoadRecord;
use crate::units::Instant;

impl Execution<'_> {
    /// Tells of every replica that has something else to do at `now` than was told last.
    pub(super) fn note_loads(&mut self, now: Instant) -> Result<(), ExecutionError> {
        for (number, serving) in self.replicas.iter_mut().enumerate() {
            let usage = serving.pool.usage();
            let load = LoadRecord {
                at: now,
                replica: number as u32,
                waiting: serving.jobs.waiting_len() as u32,
                running: serving.jobs.running_len() as u32,
                batch_slices: serving.batch_slices as u32,
                batch_tokens: serving.batch_tokens as u64,
                cache_allocated: usage.allocated_tokens as u64,
                cache_held: usage.held_tokens as u64,
                cache_total: usage.total_tokens.map(|tokens| tokens as u64),
            };
            let told = serving.load;
            if told.is_some_and(|told| LoadRecord { at: now, ..told } == load) {
                continue;
            }
            serving.load = Some(load);
            let noted = self.observer.load(&load);
            noted.map_err(ExecutionError::Observer)?;
        }
        Ok(())
    }
}
