//! What a planner knows, and what a partition of it costs.

use super::PartitionError;
use crate::units::Duration;
use std::ops::Range;

/// A pipeline of S stages for L layers.
#[derive(Debug, Clone, Copy)]
pub struct PartitionProblem<'a> {
    /// Seconds that each layer takes on each stage, stage by stage: S rows of L.
    pub seconds: &'a [Vec<f64>],
    /// Bytes of each layer: L.
    pub bytes: &'a [u64],
    /// Bytes that each stage can hold: S.
    pub capacity: &'a [u64],
    /// Seconds from each stage to the next: S − 1.
    pub cuts: &'a [f64],
    /// Whether a stage may be left without layers.
    pub may_be_empty: bool,
}

impl PartitionProblem<'_> {
    /// S.
    pub fn stages(&self) -> usize {
        self.seconds.len()
    }

    /// L.
    pub fn layers(&self) -> usize {
        self.bytes.len()
    }

    /// The time of one pass: all layers where they lie and all cuts that are crossed.
    ///
    /// # Errors
    /// If the problem's slices do not fit together.
    pub fn latency(&self, partition: &[Range<usize>]) -> Result<Duration, PartitionError> {
        let costs = Costs::new(self)?;
        let sum: u128 = costs.account(partition).sum();
        Ok(shown(sum))
    }

    /// The time between two passes of a full pipeline, in which stages and cuts work side by
    /// side: that of the slowest stage or crossed cut.
    ///
    /// # Errors
    /// If the problem's slices do not fit together.
    pub fn period(&self, partition: &[Range<usize>]) -> Result<Duration, PartitionError> {
        let costs = Costs::new(self)?;
        Ok(shown(costs.account(partition).max().unwrap_or(0)))
    }
}

/// What the clock can show of it.
fn shown(picoseconds: u128) -> Duration {
    Duration(u64::try_from(picoseconds).unwrap_or(u64::MAX))
}

/// The problem in whole picoseconds and sums from the first layer on.
#[derive(Debug)]
pub(super) struct Costs {
    /// Of the layers before each, on each stage: S rows of L + 1.
    time: Vec<Vec<u128>>,
    /// Of the layers before each: L + 1.
    bytes: Vec<u128>,
    capacity: Vec<u128>,
    cuts: Vec<u128>,
    /// The fewest layers of a stage.
    pub(super) fewest: usize,
}

fn sums(terms: impl Iterator<Item = u128>) -> Vec<u128> {
    let mut sums = vec![0];
    for term in terms {
        sums.push(sums[sums.len() - 1] + term);
    }
    sums
}

impl Costs {
    pub(super) fn new(problem: &PartitionProblem<'_>) -> Result<Self, PartitionError> {
        let (stages, layers) = (problem.stages(), problem.layers());
        for (what, entries, expected) in [
            ("the stages' capacity", problem.capacity.len(), stages),
            ("the cuts", problem.cuts.len(), stages.saturating_sub(1)),
            ("the stages' seconds", stages, stages.max(1)),
        ] {
            if entries != expected {
                return Err(PartitionError::Shape {
                    what,
                    entries,
                    expected,
                });
            }
        }
        let whole = |what, stage, seconds: f64| {
            Duration::from_seconds(seconds)
                .map(|duration| u128::from(duration.0))
                .map_err(|_| PartitionError::Seconds {
                    what,
                    stage,
                    seconds,
                })
        };
        let mut time = Vec::with_capacity(stages);
        for (stage, row) in problem.seconds.iter().enumerate() {
            if row.len() != layers {
                return Err(PartitionError::Shape {
                    what: "a stage's seconds",
                    entries: row.len(),
                    expected: layers,
                });
            }
            let row = row.iter().map(|seconds| whole("a layer", stage, *seconds));
            let row: Vec<u128> = row.collect::<Result<_, _>>()?;
            time.push(sums(row.into_iter()));
        }
        if !problem.may_be_empty && layers < stages {
            return Err(PartitionError::TooFewLayers { layers, stages });
        }
        let cuts = problem.cuts.iter().enumerate();
        let cuts = cuts.map(|(stage, seconds)| whole("the cut", stage, *seconds));
        Ok(Self {
            time,
            bytes: sums(problem.bytes.iter().map(|bytes| u128::from(*bytes))),
            capacity: problem.capacity.iter().copied().map(u128::from).collect(),
            cuts: cuts.collect::<Result<_, _>>()?,
            fewest: usize::from(!problem.may_be_empty),
        })
    }

    pub(super) fn stages(&self) -> usize {
        self.time.len()
    }

    pub(super) fn layers(&self) -> usize {
        self.bytes.len() - 1
    }

    /// Of all layers on `stage`.
    pub(super) fn whole(&self, stage: usize) -> u128 {
        self.time[stage][self.layers()]
    }

    /// Of `layers` on `stage`.
    pub(super) fn stage(&self, stage: usize, layers: &Range<usize>) -> u128 {
        self.time[stage][layers.end] - self.time[stage][layers.start]
    }

    /// Of the way to `stage` if its first layer is `first`: zero where nothing is crossed.
    pub(super) fn arrival(&self, stage: usize, first: usize) -> u128 {
        let crossed = stage > 0 && first > 0 && first < self.layers();
        if crossed { self.cuts[stage - 1] } else { 0 }
    }

    pub(super) fn needs(&self, layers: &Range<usize>) -> u128 {
        self.bytes[layers.end] - self.bytes[layers.start]
    }

    pub(super) fn fits(&self, stage: usize, layers: &Range<usize>) -> bool {
        self.needs(layers) <= self.capacity[stage]
    }

    pub(super) fn does_not_fit(&self, stage: usize, layers: Range<usize>) -> PartitionError {
        PartitionError::DoesNotFit {
            stage,
            needs: self.needs(&layers),
            has: self.capacity[stage],
            layers,
        }
    }

    /// `partition` if every stage can hold its part.
    pub(super) fn checked(
        &self,
        partition: Vec<Range<usize>>,
    ) -> Result<Vec<Range<usize>>, PartitionError> {
        let full = |(stage, layers): &(usize, &Range<usize>)| !self.fits(*stage, layers);
        match partition.iter().enumerate().find(full) {
            None => Ok(partition),
            Some((stage, layers)) => Err(self.does_not_fit(stage, layers.clone())),
        }
    }

    /// What each stage and each cut takes.
    fn account<'a>(&'a self, partition: &'a [Range<usize>]) -> impl Iterator<Item = u128> + 'a {
        partition.iter().enumerate().flat_map(|(stage, layers)| {
            [self.arrival(stage, layers.start), self.stage(stage, layers)]
        })
    }
}
