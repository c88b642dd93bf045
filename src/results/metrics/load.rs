//! How much replicas had to do: queues, batches and caches as averages over time.

use super::serving::{STREAM, define, window};
use super::{Collector, Definition};
use crate::measurement::{LoadRecord, PassRecord, RequestRecord};
use crate::units::Instant;

const LIMITED: &str =
    "the workload has two requests or more, and the cache of every replica has a size";

pub(super) const DEFINITIONS: &[Definition] = define! {
    TIME "queue_length" "" "1" "requests that wait at replicas, all together: time average over window_s" STREAM;
    TIME "requests_running" "" "1" "requests in service, all together: time average over window_s" STREAM;
    TIME "batch_size" "" "1" "requests in a batch: time average over the batches in flight, each as long as it lasts" STREAM;
    TIME "batch_tokens" "" "1" "tokens that a batch puts through the model: likewise" STREAM;
    TIME "cache_use" "" "1" "cache allocated over all there is: time average over window_s" LIMITED;
    TIME "cache_use_peak" "" "1" "cache allocated over all there is: the most of any replica at any time" LIMITED;
    TIME "cache_fragmentation" "" "1" "1 − tokens held over tokens allocated, both as time averages: what blocks and reservations leave empty" "cache_use is, and something was allocated";
};

/// Time integrals of one replica.
#[derive(Debug, Clone)]
struct Replica {
    now: LoadRecord,
    /// Σ count × picoseconds.
    waiting: u128,
    running: u128,
    allocated: u128,
    held: u128,
    /// The most that was allocated.
    most: u64,
}

impl Replica {
    fn advance(&mut self, at: Instant) {
        let span = u128::from(at.since(self.now.at).0);
        self.waiting += u128::from(self.now.waiting) * span;
        self.running += u128::from(self.now.running) * span;
        self.allocated += u128::from(self.now.cache_allocated) * span;
        self.held += u128::from(self.now.cache_held) * span;
        self.now.at = at;
    }
}

/// Loads so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Loads {
    replicas: Vec<Option<Replica>>,
    /// Of every slice of every batch: how long it took, and that over the batch's slices.
    slices_s: f64,
    batches_s: f64,
    /// Σ tokens of a slice × how long it took.
    tokens_s: f64,
}

impl Loads {
    pub(super) fn enter_pass(&mut self, pass: &PassRecord) {
        let seconds = pass.end.since(pass.start).as_seconds();
        self.slices_s += seconds;
        self.batches_s += seconds / f64::from(pass.slices.max(1));
        self.tokens_s += pass.tokens as f64 * seconds;
    }

    pub(super) fn enter(&mut self, load: &LoadRecord) {
        let place = load.replica as usize;
        if self.replicas.len() <= place {
            self.replicas.resize(place + 1, None);
        }
        let replica = self.replicas[place].get_or_insert(Replica {
            now: *load,
            waiting: 0,
            running: 0,
            allocated: 0,
            held: 0,
            most: 0,
        });
        replica.advance(load.at);
        replica.now = *load;
        replica.most = replica.most.max(load.cache_allocated);
    }

    pub(super) fn collect(mut self, requests: &[RequestRecord], metrics: &mut Collector) {
        let Some(window) = window(requests) else {
            return;
        };
        let ends = requests.iter().map(|request| request.end);
        let end = ends.max().unwrap_or_default();
        let replicas = self.replicas.iter_mut().flatten();
        replicas.for_each(|replica| replica.advance(end.max(replica.now.at)));
        let replicas = || self.replicas.iter().flatten();
        let sum = |part: fn(&Replica) -> u128| replicas().map(part).sum::<u128>() as f64;
        let span = window.0 as f64;
        if replicas().next().is_some() {
            metrics.put("queue_length", sum(|replica| replica.waiting) / span);
            metrics.put("requests_running", sum(|replica| replica.running) / span);
        }
        metrics.put("batch_size", self.slices_s / self.batches_s);
        metrics.put("batch_tokens", self.tokens_s / self.batches_s);
        let sizes = replicas().map(|replica| replica.now.cache_total);
        let Some(total) = sizes.sum::<Option<u64>>().filter(|total| *total > 0) else {
            return;
        };
        let allocated = sum(|replica| replica.allocated);
        metrics.put("cache_use", allocated / (span * total as f64));
        let peaks = replicas().filter_map(|replica| {
            let size = replica.now.cache_total.filter(|size| *size > 0)?;
            Some(replica.most as f64 / size as f64)
        });
        metrics.put("cache_use_peak", peaks.reduce(f64::max));
        let held = sum(|replica| replica.held);
        metrics.put("cache_fragmentation", 1.0 - held / allocated);
    }
}
