//! How much replicas have to do, told whenever it changes.

use super::{Execution, ExecutionError};
use crate::measurement::LoadRecord;
use crate::units::Instant;

impl Execution<'_> {
    /// Tells of every replica that has something else to do at `now` than was told last.
    pub(super) fn note_loads(&mut self, now: Instant) -> Result<(), ExecutionError> {
        for number in 0..self.replicas.len() {
            let batches = self.batches.values();
            let batches = batches.filter(|batch| batch.replica == number);
            let (slices, tokens) = batches.fold((0, 0), |(slices, tokens), batch| {
                (slices + 1, tokens + batch.tokens() as u64)
            });
            let record = LoadRecord {
                at: now,
                replica: number as u32,
                waiting: self.queue.at(number).len() as u32,
                running: self.replicas[number].running as u32,
                batch_slices: slices,
                batch_tokens: tokens,
                cache_allocated: 0,
                cache_held: 0,
                cache_total: None,
            };
            let told = self.loads.get(number);
            if told.is_some_and(|told| LoadRecord { at: now, ..*told } == record) {
                continue;
            }
            match self.loads.get_mut(number) {
                Some(told) => *told = record,
                None => self.loads.push(record),
            }
            self.observer
                .load(&record)
                .map_err(ExecutionError::Observer)?;
        }
        Ok(())
    }
}
