//! Partitions that follow from a rule, whatever cuts cost.

use super::problem::Costs;
use super::{PartitionError, PartitionProblem, Partitioner, ranges};
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// L/S layers on every stage; the L mod S left over go to the first ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Even;

impl Partitioner for Even {
    fn divide(&self, problem: &PartitionProblem<'_>) -> Result<Vec<Range<usize>>, PartitionError> {
        let costs = Costs::new(problem)?;
        let (layers, stages) = (costs.layers(), costs.stages());
        let count = |stage| layers / stages + usize::from(stage < layers % stages);
        let counts: Vec<usize> = (0..stages).map(count).collect();
        costs.checked(ranges(&counts))
    }
}

/// Layers in proportion to speed, by highest averages (D'Hondt): one after another goes to
/// the stage that would have its layers done soonest, so that the slowest takes as short as
/// possible if all layers are alike. A stage's speed is that with which it would run them all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proportional;

impl Partitioner for Proportional {
    fn divide(&self, problem: &PartitionProblem<'_>) -> Result<Vec<Range<usize>>, PartitionError> {
        let costs = Costs::new(problem)?;
        let mut counts = vec![costs.fewest; costs.stages()];
        for _ in costs.fewest * costs.stages()..costs.layers() {
            let done = |stage: &usize| {
                let more = counts[*stage] + 1;
                (more as u128 * costs.whole(*stage), more)
            };
            let next = (0..costs.stages()).min_by_key(done);
            counts[next.expect("a pipeline has stages")] += 1;
        }
        costs.checked(ranges(&counts))
    }
}

/// As many layers as listed, in the order of stages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Fixed(pub Vec<usize>);

impl Partitioner for Fixed {
    fn validate(&self, stages: usize) -> Result<(), FieldFault> {
        if self.0.len() == stages {
            return Ok(());
        }
        let message = format!(
            "{} numbers of layers for {stages} stages; give one each",
            self.0.len()
        );
        Err(FieldFault::new("Fixed", message))
    }

    fn divide(&self, problem: &PartitionProblem<'_>) -> Result<Vec<Range<usize>>, PartitionError> {
        let costs = Costs::new(problem)?;
        self.validate(costs.stages())?;
        let listed: usize = self.0.iter().sum();
        if listed != costs.layers() {
            let message = format!(
                "{listed} layers in all, but the model has {}; let the numbers add up to that",
                costs.layers()
            );
            return Err(FieldFault::new("Fixed", message).into());
        }
        if let Some(stage) = self.0.iter().position(|count| *count < costs.fewest) {
            let message = format!("stage {stage} has no layer; give it one, or leave it out");
            return Err(FieldFault::new("Fixed", message).into());
        }
        costs.checked(ranges(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Partition, Throughput};
    use super::*;
    use proptest::prelude::*;

    fn divide(
        planner: &dyn Partitioner,
        speeds: &[f64],
        layers: usize,
        capacity: u64,
    ) -> Result<Vec<Range<usize>>, PartitionError> {
        let seconds: Vec<Vec<f64>> = speeds.iter().map(|v| vec![1.0 / v; layers]).collect();
        planner.divide(&PartitionProblem {
            seconds: &seconds,
            bytes: &vec![10; layers],
            capacity: &vec![capacity; speeds.len()],
            cuts: &vec![0.0; speeds.len() - 1],
            may_be_empty: false,
        })
    }

    #[test]
    fn what_is_left_over_goes_to_the_first_stages() {
        let found = divide(&Even, &[1.0; 3], 8, 100).unwrap();
        assert_eq!(found, [0..3, 3..6, 6..8]);
    }

    #[test]
    fn twice_the_speed_is_twice_the_layers() {
        let found = divide(&Proportional, &[1.0, 2.0, 4.0], 14, 1000).unwrap();
        assert_eq!(found, [0..2, 2..6, 6..14]);
        let slow = divide(&Proportional, &[1e-6, 1.0], 5, 1000).unwrap();
        assert_eq!(slow, [0..1, 1..5]);
    }

    #[test]
    fn a_list_is_taken_as_it_is_or_refused() {
        let listed = |counts: &[usize]| divide(&Fixed(counts.to_vec()), &[1.0; 2], 5, 35);
        assert_eq!(listed(&[2, 3]).unwrap(), [0..2, 2..5]);
        for (counts, fault) in [
            (vec![5], "Fixed: 1 numbers of layers for 2 stages"),
            (vec![2, 2], "Fixed: 4 layers in all, but the model has 5"),
            (vec![5, 0], "Fixed: stage 1 has no layer"),
            (
                vec![4, 1],
                "stage 0 cannot hold layers 0 to 3: they need 40 B, it has 35 B, and 5 B",
            ),
        ] {
            let message = listed(&counts).unwrap_err().to_string();
            assert!(message.starts_with(fault), "{message}");
        }
        assert_eq!(
            divide(&Even, &[1.0; 4], 3, 100).unwrap_err(),
            PartitionError::TooFewLayers {
                layers: 3,
                stages: 4
            }
        );
    }

    #[test]
    fn planners_have_names() {
        let names: Vec<&str> = Partition::REGISTRY.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            ["Even", "Proportional", "Latency", "Throughput", "Fixed"]
        );
        assert_eq!(Partition::default(), Partition::Even);
        let fixed: Partition = ron::from_str("Fixed([3, 1])").unwrap();
        assert_eq!(fixed, Partition::Fixed(Fixed(vec![3, 1])));
        assert!(fixed.planner().validate(3).is_err());
    }

    proptest! {
        /// Of alike layers and free cuts there is nothing better.
        #[test]
        fn in_proportion_is_the_best_for_alike_layers(
            speeds in prop::collection::vec(0.1f64..10.0, 1..5), more in 0usize..10,
        ) {
            let layers = speeds.len() + more;
            let seconds: Vec<Vec<f64>> = speeds.iter().map(|v| vec![1.0 / v; layers]).collect();
            let problem = PartitionProblem {
                seconds: &seconds,
                bytes: &vec![0; layers],
                capacity: &vec![0; speeds.len()],
                cuts: &vec![0.0; speeds.len() - 1],
                may_be_empty: false,
            };
            let rule = Proportional.divide(&problem).unwrap();
            let best = Throughput.divide(&problem).unwrap();
            prop_assert_eq!(problem.period(&rule).unwrap(), problem.period(&best).unwrap());
        }
    }
}
