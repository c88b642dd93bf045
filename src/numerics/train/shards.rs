//! A fixed number of workers, each a pool of one thread.
//!
//! candle's matrix products use the pool they are called in, so within a shard
//! they run alone on its thread. Results come back in the order of the items,
//! whichever is ready first.

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::TrainError;

/// The workers.
pub(super) struct Shards {
    pools: Vec<ThreadPool>,
}

impl Shards {
    /// `count` workers.
    pub(super) fn new(count: usize) -> Result<Self, TrainError> {
        let pools = (0..count)
            .map(|_| ThreadPoolBuilder::new().num_threads(1).build())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| TrainError::Threads(error.to_string()))?;
        Ok(Self { pools })
    }

    /// The number of workers.
    pub(super) fn count(&self) -> usize {
        self.pools.len()
    }

    /// `f` of each item, item i on worker i; at most as many items as workers.
    pub(super) fn map<I: Sync, O: Send>(&self, items: &[I], f: impl Fn(&I) -> O + Sync) -> Vec<O> {
        let mut results: Vec<Option<O>> = items.iter().map(|_| None).collect();
        std::thread::scope(|scope| {
            for ((pool, item), slot) in self.pools.iter().zip(items).zip(&mut results) {
                let f = &f;
                scope.spawn(move || *slot = Some(pool.install(|| f(item))));
            }
        });
        results
            .into_iter()
            .map(|result| result.expect("the scope has waited for every worker"))
            .collect()
    }
}
