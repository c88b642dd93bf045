//! `load.csv`: how much each replica had to do over time, written and read back.
//!
//! However long a run is, time is divided into equal stretches, at most 512 of them: they begin
//! at a microsecond and double whenever the run outgrows them. What a replica had to do is the
//! average over a stretch, so that the sum of value × length is exact whatever happens within.

use super::{TableError, TableFile, not_negative, written};
use crate::measurement::{LoadRecord, Mode, PassRecord, RequestRecord};
use crate::results::folder::{FileDigest, FolderError, Staging};
use crate::units::Instant;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A row per replica and stretch of time.
pub const LOAD: &str = "load.csv";

/// Stretches of a run at most.
const MOST: usize = 512;

/// Picoseconds of a stretch at first.
const FIRST: u64 = 1 << 20;

/// What a replica had to do in a stretch of time: a row of `load.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// The replica.
    pub replica: u32,
    /// When the stretch began, in picoseconds.
    pub start_ps: u64,
    /// When it ended.
    pub end_ps: u64,
    /// Requests that waited, on average.
    #[serde(deserialize_with = "not_negative")]
    pub waiting: f64,
    /// Requests in service.
    #[serde(deserialize_with = "not_negative")]
    pub running: f64,
    /// Requests in batches in flight.
    #[serde(deserialize_with = "not_negative")]
    pub batch_requests: f64,
    /// Their tokens that went through the model.
    #[serde(deserialize_with = "not_negative")]
    pub batch_tokens: f64,
    /// Cache allocated, in tokens.
    #[serde(deserialize_with = "not_negative")]
    pub cache_allocated: f64,
    /// Tokens that it held.
    #[serde(deserialize_with = "not_negative")]
    pub cache_held: f64,
    /// All there is; `None` if nothing limits it.
    pub cache_total: Option<u64>,
    /// Requests that arrived.
    pub arrived: u64,
    /// Requests that were answered.
    pub completed: u64,
    /// Requests that were turned away.
    pub rejected: u64,
    /// Requests answered that met every goal; `None` without goals.
    pub goals_met: Option<u64>,
    /// Tokens generated.
    pub tokens: u64,
}

/// What happened in a stretch; of what lasts count × picoseconds.
#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    waiting: u128,
    running: u128,
    batch_requests: u128,
    batch_tokens: u128,
    allocated: u128,
    held: u128,
    arrived: u64,
    completed: u64,
    rejected: u64,
    met: u64,
    tokens: u64,
}

impl Bin {
    fn last(&mut self, load: &LoadRecord, picoseconds: u64) {
        let span = u128::from(picoseconds);
        self.waiting += u128::from(load.waiting) * span;
        self.running += u128::from(load.running) * span;
        self.batch_requests += u128::from(load.batch_slices) * span;
        self.batch_tokens += u128::from(load.batch_tokens) * span;
        self.allocated += u128::from(load.cache_allocated) * span;
        self.held += u128::from(load.cache_held) * span;
    }

    fn and(self, other: Self) -> Self {
        Self {
            waiting: self.waiting + other.waiting,
            running: self.running + other.running,
            batch_requests: self.batch_requests + other.batch_requests,
            batch_tokens: self.batch_tokens + other.batch_tokens,
            allocated: self.allocated + other.allocated,
            held: self.held + other.held,
            arrived: self.arrived + other.arrived,
            completed: self.completed + other.completed,
            rejected: self.rejected + other.rejected,
            met: self.met + other.met,
            tokens: self.tokens + other.tokens,
        }
    }
}

/// One replica over time.
#[derive(Debug, Clone, Default)]
struct Line {
    now: Option<LoadRecord>,
    bins: Vec<Bin>,
}

/// The loads of a run so far.
#[derive(Debug)]
pub(super) struct Series {
    /// Picoseconds of a stretch.
    width: u64,
    lines: Vec<Line>,
    has_goals: bool,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            width: FIRST,
            lines: Vec::new(),
            has_goals: false,
        }
    }
}

impl Series {
    /// Makes stretches so long that `at` lies in one of them.
    fn reach(&mut self, at: Instant) {
        while at.0 / self.width >= MOST as u64 {
            self.width *= 2;
            for line in &mut self.lines {
                let pairs = line.bins.chunks(2);
                let pairs = pairs.map(|pair| pair.iter().fold(Bin::default(), |a, b| a.and(*b)));
                line.bins = pairs.collect();
            }
        }
    }

    fn line(&mut self, replica: u32) -> &mut Line {
        let place = replica as usize;
        if self.lines.len() <= place {
            self.lines.resize(place + 1, Line::default());
        }
        &mut self.lines[place]
    }

    fn bin(&mut self, replica: u32, at: Instant) -> &mut Bin {
        self.reach(at);
        let place = (at.0 / self.width) as usize;
        let bins = &mut self.line(replica).bins;
        if bins.len() <= place {
            bins.resize(place + 1, Bin::default());
        }
        &mut bins[place]
    }

    /// Adds what lasted on `replica` up to `at`.
    fn advance(&mut self, replica: u32, at: Instant) {
        let Some(now) = self.line(replica).now else {
            return;
        };
        self.reach(at);
        let mut from = now.at;
        while from < at {
            let edge = (from.0 / self.width + 1).saturating_mul(self.width);
            let to = Instant(edge.min(at.0));
            self.bin(replica, from).last(&now, to.since(from).0);
            from = to;
        }
        self.line(replica).now = Some(LoadRecord { at, ..now });
    }

    pub(super) fn enter(&mut self, load: &LoadRecord) {
        self.advance(load.replica, load.at);
        self.line(load.replica).now = Some(*load);
    }

    pub(super) fn pass(&mut self, pass: &PassRecord) {
        if pass.last && pass.mode == Mode::Generate {
            self.bin(pass.replica, pass.end).tokens += 1;
        }
    }

    pub(super) fn end(&mut self, request: &RequestRecord, met: Option<bool>) {
        let replica = request.replica.unwrap_or(0);
        self.has_goals |= met.is_some();
        self.bin(replica, request.arrival).arrived += 1;
        let bin = self.bin(replica, request.end);
        match request.is_answered() {
            true => bin.completed += 1,
            false => bin.rejected += 1,
        }
        bin.met += u64::from(met == Some(true));
    }

    /// The rows of a run that ended at `makespan`.
    fn rows(mut self, makespan: Instant) -> Vec<Load> {
        for replica in 0..self.lines.len() as u32 {
            self.advance(replica, makespan);
        }
        let mut rows = Vec::new();
        for (line, replica) in self.lines.iter().zip(0..) {
            let stretches = makespan.0.div_ceil(self.width).max(1) as usize;
            for place in 0..stretches {
                let (start, end) = (place as u64 * self.width, (place as u64 + 1) * self.width);
                let end = end.min(makespan.0);
                // What happens as the run ends may begin a stretch of no length.
                let bins = line.bins.get(place..).unwrap_or_default();
                let bins = match place + 1 == stretches {
                    true => bins,
                    false => &bins[..bins.len().min(1)],
                };
                let bin = bins.iter().fold(Bin::default(), |a, b| a.and(*b));
                let span = (end - start).max(1) as f64;
                let mean = |sum: u128| sum as f64 / span;
                rows.push(Load {
                    replica,
                    start_ps: start,
                    end_ps: end,
                    waiting: mean(bin.waiting),
                    running: mean(bin.running),
                    batch_requests: mean(bin.batch_requests),
                    batch_tokens: mean(bin.batch_tokens),
                    cache_allocated: mean(bin.allocated),
                    cache_held: mean(bin.held),
                    cache_total: line.now.and_then(|load| load.cache_total),
                    arrived: bin.arrived,
                    completed: bin.completed,
                    rejected: bin.rejected,
                    goals_met: self.has_goals.then_some(bin.met),
                    tokens: bin.tokens,
                });
            }
        }
        rows
    }

    /// Writes `load.csv` of a run that ended at `makespan`.
    pub(super) fn write(
        self,
        staging: &Staging,
        makespan: Instant,
    ) -> Result<FileDigest, FolderError> {
        written(staging, LOAD, self.rows(makespan).into_iter())
    }
}

/// Rows of so many replicas that nobody has more.
const MOST_ROWS: usize = MOST * 4096;

/// What `load.csv` in `folder` says.
///
/// # Errors
/// If it is missing or damaged.
pub fn read_load(folder: &Path) -> Result<Vec<Load>, TableError> {
    let path = folder.join(LOAD);
    let mut rows = Vec::new();
    for row in TableFile::open(&path)?.rows::<Load>() {
        let (line, row) = row?;
        let fault = match row.end_ps < row.start_ps {
            true => Some("the stretch ends before it starts"),
            false if rows.len() == MOST_ROWS => Some("no run writes as many rows"),
            false => None,
        };
        if let Some(fault) = fault {
            return Err(TableError {
                path,
                line: Some(line),
                fault: fault.to_owned(),
            });
        }
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn load(at: u64, waiting: u32) -> LoadRecord {
        LoadRecord {
            at: Instant(at),
            replica: 0,
            waiting,
            running: 1,
            batch_slices: 0,
            batch_tokens: 0,
            cache_allocated: 0,
            cache_held: 0,
            cache_total: None,
        }
    }

    proptest! {
        #[test]
        fn averages_times_lengths_are_the_integral_however_long_the_run(
            steps in proptest::collection::vec((0..40u32, 0..9u32), 1..60),
        ) {
            let mut series = Series::default();
            let (mut at, mut integral, mut last) = (0u64, 0u128, 0u32);
            for (shift, waiting) in steps {
                // From one picosecond to a second.
                let gap = 1u64 << shift;
                integral += u128::from(last) * u128::from(gap);
                at += gap;
                series.enter(&load(at, waiting));
                last = waiting;
            }
            let rows = series.rows(Instant(at));
            prop_assert!(rows.len() <= MOST);
            prop_assert!(rows.windows(2).all(|pair| pair[0].end_ps == pair[1].start_ps));
            prop_assert_eq!((rows[0].start_ps, rows.last().unwrap().end_ps), (0, at));
            let sum: f64 = rows.iter().map(|row| row.waiting * (row.end_ps - row.start_ps) as f64).sum();
            prop_assert!((sum - integral as f64).abs() <= 1e-9 * integral as f64 + 1e-6, "{} {}", sum, integral);
        }
    }
}
