//! The best contiguous partitions, by dynamic programming.
//!
//! With c_s(a, b) the time of layers a to b − 1 on stage s, and x_s(a) that of the way to stage
//! s before layer a, the least time for layers a and on by stages s and on is
//!
//! R_s(a) = min_b x_s(a) + c_s(a, b) + R_{s+1}(b),  R_S(L) = 0,
//!
//! over those b whose layers fit the stage: O(S L²). A limit M on every stage and crossed cut
//! leaves out what exceeds it. Both aims are the least M that keeps R_0(0) good enough, found
//! by bisection over the times that there are: any that is possible for throughput, the
//! unlimited one for latency. So of all partitions with the least time of a pass, latency takes
//! one with the shortest period, and the other way round. Of those that are equal in both it is
//! the one with the most layers on the first stages.

use super::problem::Costs;
use super::{PartitionError, PartitionProblem, Partitioner};
use std::collections::BTreeSet;
use std::ops::Range;

/// The least time of one pass; of several such partitions, one with the shortest period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency;

/// The shortest period of a full pipeline, whose stages and cuts work side by side; of several
/// such partitions, one with the least time of a pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Throughput;

impl Partitioner for Latency {
    fn divide(&self, problem: &PartitionProblem<'_>) -> Result<Vec<Range<usize>>, PartitionError> {
        let costs = Costs::new(problem)?;
        let (least, _) = within(&costs, u128::MAX).ok_or_else(|| shortfall(&costs))?;
        Ok(lowest_limit(&costs, |sum| sum == least))
    }
}

impl Partitioner for Throughput {
    fn divide(&self, problem: &PartitionProblem<'_>) -> Result<Vec<Range<usize>>, PartitionError> {
        let costs = Costs::new(problem)?;
        if within(&costs, u128::MAX).is_none() {
            return Err(shortfall(&costs));
        }
        Ok(lowest_limit(&costs, |_| true))
    }
}

/// The ranges that may follow layer `first` on `stage`, from the longest on.
fn choices(costs: &Costs, stage: usize, first: usize) -> impl Iterator<Item = Range<usize>> {
    let layers = costs.layers();
    let later = costs.fewest * (costs.stages() - stage - 1);
    let last = stage + 1 == costs.stages();
    let shortest = if last { layers } else { first + costs.fewest };
    let longest = layers.saturating_sub(later);
    (shortest..=longest)
        .rev()
        .map(move |end| first..end)
        .filter(move |range| range.len() >= costs.fewest && costs.fits(stage, range))
}

/// The least time of a pass, and its partition, of those in which no stage and no crossed cut
/// takes longer than `limit`.
fn within(costs: &Costs, limit: u128) -> Option<(u128, Vec<Range<usize>>)> {
    let (stages, layers) = (costs.stages(), costs.layers());
    // R_s and the end of stage s, by the layer with which it begins.
    let mut rest: Vec<Option<u128>> = vec![None; layers + 1];
    rest[layers] = Some(0);
    let mut ends = vec![vec![0; layers + 1]; stages];
    for stage in (0..stages).rev() {
        let mut here = vec![None; layers + 1];
        for first in 0..=layers {
            let arrival = costs.arrival(stage, first);
            if arrival > limit {
                continue;
            }
            for range in choices(costs, stage, first) {
                let own = costs.stage(stage, &range);
                let Some(later) = rest[range.end].filter(|_| own <= limit) else {
                    continue;
                };
                let sum = arrival + own + later;
                if here[first].is_none_or(|best| sum < best) {
                    here[first] = Some(sum);
                    ends[stage][first] = range.end;
                }
            }
        }
        rest = here;
    }
    let sum = rest[0]?;
    let mut first = 0;
    let range = |ends: &Vec<usize>| {
        let range = first..ends[first];
        first = range.end;
        range
    };
    Some((sum, ends.iter().map(range).collect()))
}

/// The partition at the lowest limit at which the least time of a pass is `good`. Without a
/// limit it is.
fn lowest_limit(costs: &Costs, good: impl Fn(u128) -> bool) -> Vec<Range<usize>> {
    let mut limits = BTreeSet::new();
    for stage in 0..costs.stages() {
        for first in 0..=costs.layers() {
            limits.insert(costs.arrival(stage, first));
            limits.extend(choices(costs, stage, first).map(|range| costs.stage(stage, &range)));
        }
    }
    let limits: Vec<u128> = limits.into_iter().collect();
    let found = |limit: &u128| within(costs, *limit).filter(|(sum, _)| good(*sum));
    let lowest = limits.partition_point(|limit| found(limit).is_none());
    let limit = limits.get(lowest).copied().unwrap_or(u128::MAX);
    found(&limit).expect("it is good without a limit").1
}

/// Which stage lacks how much, where nothing fits.
///
/// Stages are filled from the first on, in all possible ways. The first that can hold nothing
/// of what may come next lacks memory for its least layer; if there is none, the last lacks
/// memory for what is left when those before it hold all they can.
fn shortfall(costs: &Costs) -> PartitionError {
    let mut starts = BTreeSet::from([0]);
    let last = costs.stages() - 1;
    for stage in 0..last {
        let next: BTreeSet<usize> = starts
            .iter()
            .flat_map(|first| choices(costs, stage, *first).map(|range| range.end))
            .collect();
        if next.is_empty() {
            let single = starts.iter().map(|first| *first..first + 1);
            let least = single.min_by_key(|layer| costs.needs(layer));
            return costs.does_not_fit(stage, least.expect("stages before it hold something"));
        }
        starts = next;
    }
    let first = *starts.last().expect("stages before it hold something");
    costs.does_not_fit(last, first..costs.layers())
}

#[cfg(test)]
mod tests {
    use super::super::ranges;
    use super::*;
    use crate::units::Duration;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    struct Case {
        seconds: Vec<Vec<f64>>,
        bytes: Vec<u64>,
        capacity: Vec<u64>,
        cuts: Vec<f64>,
        may_be_empty: bool,
    }

    impl Case {
        fn problem(&self) -> PartitionProblem<'_> {
            PartitionProblem {
                seconds: &self.seconds,
                bytes: &self.bytes,
                capacity: &self.capacity,
                cuts: &self.cuts,
                may_be_empty: self.may_be_empty,
            }
        }

        /// Latency and period of every partition that fits, from the definitions.
        fn all(&self) -> Vec<(Duration, Duration)> {
            let (stages, layers) = (self.seconds.len(), self.bytes.len());
            let mut counts = vec![vec![]];
            for _ in 0..stages {
                let longer = |counts: &Vec<usize>| {
                    let counts = counts.clone();
                    (0..=layers).map(move |more| [counts.clone(), vec![more]].concat())
                };
                counts = counts.iter().flat_map(longer).collect();
            }
            let picoseconds = |seconds: f64| (seconds * 1e12).ceil() as u64;
            let mut costs = Vec::new();
            for counts in counts {
                let whole = counts.iter().sum::<usize>() == layers;
                if !whole || !self.may_be_empty && counts.contains(&0) {
                    continue;
                }
                let parts = ranges(&counts);
                let full = |(part, capacity): (&Range<usize>, &u64)| {
                    self.bytes[part.clone()].iter().sum::<u64>() > *capacity
                };
                if parts.iter().zip(&self.capacity).any(full) {
                    continue;
                }
                let mut times: Vec<u64> = parts
                    .iter()
                    .zip(&self.seconds)
                    .map(|(part, row)| row[part.clone()].iter().map(|s| picoseconds(*s)).sum())
                    .collect();
                for (cut, seconds) in self.cuts.iter().enumerate() {
                    let before: usize = counts[..=cut].iter().sum();
                    if before > 0 && before < layers {
                        times.push(picoseconds(*seconds));
                    }
                }
                let period = *times.iter().max().unwrap();
                costs.push((Duration(times.iter().sum()), Duration(period)));
            }
            costs
        }
    }

    fn case() -> impl Strategy<Value = Case> {
        (1usize..5, 1usize..7).prop_flat_map(|(stages, layers)| {
            // Few values, so that there are ties.
            let seconds = prop::collection::vec((0u8..5).prop_map(f64::from), layers);
            (
                prop::collection::vec(seconds, stages),
                prop::collection::vec(0u64..6, layers),
                prop::collection::vec(0u64..20, stages),
                prop::collection::vec((0u8..4).prop_map(f64::from), stages - 1),
                any::<bool>(),
            )
                .prop_map(|(seconds, bytes, capacity, cuts, may_be_empty)| Case {
                    seconds,
                    bytes,
                    capacity,
                    cuts,
                    may_be_empty,
                })
        })
    }

    proptest! {
        #[test]
        fn both_aims_equal_brute_force(case in case()) {
            let problem = case.problem();
            let all = case.all();
            let swapped = |(a, b): &(Duration, Duration)| (*b, *a);
            let cost = |found: &[Range<usize>]| {
                (problem.latency(found).unwrap(), problem.period(found).unwrap())
            };
            match (Latency.divide(&problem), all.iter().min()) {
                (Ok(found), Some(best)) => prop_assert_eq!(cost(&found), *best),
                (Err(_), None) => {}
                other => prop_assert!(false, "{other:?}"),
            }
            match (Throughput.divide(&problem), all.iter().map(swapped).min()) {
                (Ok(found), Some(best)) => prop_assert_eq!(swapped(&cost(&found)), best),
                (Err(_), None) => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }

        /// A pipeline that lacks memory at the stage named has room once that is given to it,
        /// or fails further on.
        #[test]
        fn what_is_missing_would_help(mut case in case()) {
            let mut reached = 0;
            while case.bytes.len() >= case.seconds.len() || case.may_be_empty {
                let Err(error) = Latency.divide(&case.problem()) else { break };
                let PartitionError::DoesNotFit { stage, needs, has, .. } = error else {
                    panic!("{error}");
                };
                prop_assert!(needs > has && stage >= reached);
                reached = stage;
                case.capacity[stage] += (needs - has) as u64;
            }
        }
    }

    /// Two equal stages and a cut dearer than any layer: latency avoids the cut if it may,
    /// throughput divides as soon as the whole takes longer than the cut.
    #[test]
    fn latency_and_throughput_want_different_things() {
        let case = Case {
            seconds: vec![vec![1.0; 6]; 2],
            bytes: vec![1; 6],
            capacity: vec![6; 2],
            cuts: vec![4.0],
            may_be_empty: true,
        };
        assert_eq!(Latency.divide(&case.problem()).unwrap(), [0..6, 6..6]);
        assert_eq!(Throughput.divide(&case.problem()).unwrap(), [0..4, 4..6]);
    }

    #[test]
    fn the_stage_that_lacks_memory_is_named() {
        let mut case = Case {
            seconds: vec![vec![1.0; 4]; 3],
            bytes: vec![8, 4, 4, 4],
            capacity: vec![8, 4, 5],
            cuts: vec![0.0; 2],
            may_be_empty: false,
        };
        let message = |case: &Case| Latency.divide(&case.problem()).unwrap_err().to_string();
        let start = "stage 2 cannot hold layers 2 to 3: they need 8 B, it has 5 B, and 3 B";
        assert!(message(&case).starts_with(start), "{}", message(&case));
        case.capacity = vec![7, 20, 20];
        let start = "stage 0 cannot hold layers 0 to 0: they need 8 B, it has 7 B, and 1 B";
        assert!(message(&case).starts_with(start), "{}", message(&case));
        case.cuts = vec![f64::NAN, 0.0];
        assert!(message(&case).starts_with("the cut of stage 0 takes NaN s"));
        case.cuts = vec![0.0];
        assert!(message(&case).starts_with("the cuts has 1 entries"));
    }
}
