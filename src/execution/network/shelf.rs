//! The caches of a replica's sequences: with the batch that reads them, at rest, or free.

use crate::execution::error::ExecutionError;
use crate::numerics::{CachedLayers, KvCache, StepError};
use std::collections::BTreeMap;

/// One cache for every stage of the pipeline.
pub(super) type Caches = Vec<KvCache>;

/// Where caches are while no batch reads them.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Tokens that each has room for.
    capacity: usize,
    resting: BTreeMap<u32, Caches>,
    /// Of those who have left, for those who come.
    free: Vec<Caches>,
}

impl Shelf {
    /// Of caches with room for `capacity` tokens each.
    pub(super) fn of(capacity: usize) -> Self {
        Self {
            capacity,
            ..Self::default()
        }
    }

    /// The caches of `sequence`, cleared if it begins `afresh`; new ones are made by `make` for
    /// so many tokens.
    pub(super) fn take(
        &mut self,
        sequence: u32,
        afresh: bool,
        make: impl FnOnce(usize) -> Result<Caches, StepError>,
    ) -> Result<Caches, ExecutionError> {
        if let Some(mut caches) = self.resting.remove(&sequence) {
            if afresh {
                caches.iter_mut().for_each(KvCache::clear);
            }
            return Ok(caches);
        }
        match self.free.pop() {
            Some(mut caches) => {
                caches.iter_mut().for_each(KvCache::clear);
                Ok(caches)
            }
            None => Ok(make(self.capacity)?),
        }
    }

    /// Puts the caches of `sequence` back.
    pub(super) fn rest(&mut self, sequence: u32, caches: Caches) {
        self.resting.insert(sequence, caches);
    }

    /// What `sequence` has read, if no batch reads it now.
    pub(super) fn resting(&self, sequence: u32) -> Option<&Caches> {
        self.resting.get(&sequence)
    }

    /// Forgets all but the first `tokens` of what `sequence` has read.
    pub(super) fn rewind(&mut self, sequence: u32, tokens: usize) -> Result<(), ExecutionError> {
        let caches = self.resting.get_mut(&sequence).into_iter().flatten();
        for cache in caches {
            cache.truncate(tokens)?;
        }
        Ok(())
    }

    /// Takes out what `sequence` has read.
    pub(super) fn hand_over(
        &mut self,
        sequence: u32,
    ) -> Result<Option<CachedLayers>, ExecutionError> {
        let mut layers = CachedLayers::default();
        for cache in self.resting.remove(&sequence).unwrap_or_default() {
            layers.extend(cache.into_layers()?);
        }
        Ok(Some(layers))
    }

    /// Puts `layers` into caches of `sequence`, which `make` makes.
    pub(super) fn take_over(
        &mut self,
        sequence: u32,
        mut layers: CachedLayers,
        make: impl FnOnce(usize) -> Result<Caches, StepError>,
    ) -> Result<(), ExecutionError> {
        let mut caches = self.take(sequence, true, make)?;
        for cache in &mut caches {
            cache.adopt(&mut layers)?;
        }
        self.rest(sequence, caches);
        Ok(())
    }

    /// Forgets what `sequence` has read.
    pub(super) fn close(&mut self, sequence: u32) {
        self.free.extend(self.resting.remove(&sequence));
    }
}

/// Caches that begin with the first `tokens` of `caches`.
pub(super) fn fork(caches: &Caches, tokens: usize) -> Result<Caches, StepError> {
    caches.iter().map(|cache| cache.fork(tokens)).collect()
}

/// Does `work` with the caches of a stage in the order of their slices: without allocating where
/// there is only one.
pub(super) fn of_stage<T>(
    caches: &mut [Caches],
    stage: usize,
    work: impl FnOnce(&mut [&mut KvCache]) -> T,
) -> T {
    match caches {
        [only] => work(&mut [&mut only[stage]]),
        several => {
            let mut all: Vec<&mut KvCache> = several
                .iter_mut()
                .map(|caches| &mut caches[stage])
                .collect();
            work(&mut all)
        }
    }
}
