//! Early exit, as a scenario says it.

use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The fields of [`Decoding::EarlyExit`](super::Decoding::EarlyExit). A token that is generated,
/// after a request's first, leaves the model after the first layers at whose exit its most probable
/// token is ahead of the next by more than a threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlyExit {
    /// What the difference of the two greatest probabilities has to exceed, from 0 to 1, where
    /// nobody leaves.
    pub threshold: f64,
    /// After how many layers exits are asked, of those that the model has. Default: all of them.
    #[serde(default)]
    pub after: Option<Vec<usize>>,
}

impl EarlyExit {
    /// Checks its fields.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(&self) -> Result<(), FieldFault> {
        if !(0.0..=1.0).contains(&self.threshold) {
            return Err(FieldFault::new(
                "threshold",
                format!(
                    "{} is no difference of probabilities; use 0 to 1",
                    self.threshold
                ),
            ));
        }
        if self.after.as_ref().is_some_and(Vec::is_empty) {
            let message = "names no exit; name some, or use Greedy";
            return Err(FieldFault::new("after", message.to_owned()));
        }
        Ok(())
    }

    /// Checks it against a model of `layers` layers that has exits after `known` of them.
    ///
    /// # Errors
    /// If the model has no exits, or not those that are named.
    pub fn check_exits(&self, layers: usize, known: &[usize]) -> Result<(), FieldFault> {
        if known.is_empty() {
            let message = "the model has no exits; train some into its folder with airloom train \
                           --exits, or use Greedy";
            return Err(FieldFault::new("EarlyExit", message.to_owned()));
        }
        let named = self.after.iter().flatten().enumerate();
        for (place, after) in named {
            if known.contains(after) {
                continue;
            }
            let known: Vec<String> = known.iter().map(usize::to_string).collect();
            let fault = match *after {
                0 => "an exit comes after one layer at least".to_owned(),
                after if after >= layers => {
                    format!("there is no exit after layer {after} of a model of {layers}")
                }
                after => format!("the model has no exit after {after} layers"),
            };
            return Err(FieldFault::new(
                format!("EarlyExit.after[{place}]"),
                format!("{fault}; it has some after {}", known.join(", ")),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(threshold: f64, after: Option<Vec<usize>>) -> EarlyExit {
        EarlyExit { threshold, after }
    }

    #[test]
    fn thresholds_are_differences_of_probabilities() {
        for threshold in [0.0, 0.9, 1.0] {
            assert_eq!(exit(threshold, None).validate(), Ok(()));
        }
        for threshold in [-0.1, 1.01, f64::NAN] {
            let fault = exit(threshold, None).validate().unwrap_err().to_string();
            assert!(fault.starts_with("threshold: "), "{fault}");
        }
        let none = exit(0.5, Some(Vec::new())).validate().unwrap_err();
        assert!(none.to_string().starts_with("after: "), "{none}");
    }

    #[test]
    fn exits_that_are_not_there_are_told_at_their_place() {
        let check = |after: &[usize], known: &[usize]| {
            let fault = exit(0.5, Some(after.to_vec())).check_exits(6, known);
            fault.unwrap_err().to_string()
        };
        assert_eq!(exit(0.5, Some(vec![4, 2])).check_exits(6, &[2, 4]), Ok(()));
        let fault = check(&[2, 6], &[2, 4]);
        assert!(
            fault.starts_with("EarlyExit.after[1]: there is no exit after layer 6 of a model of 6"),
            "{fault}"
        );
        assert!(check(&[3], &[2, 4]).contains("after 2, 4"));
        assert!(check(&[2], &[]).contains("the model has no exits"));
    }
}
