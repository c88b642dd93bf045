//! Algorithm 2, of the testbed: relieve the one device that past latencies expect to be
//! far behind the others.

use super::{ExpertPolicy, Gate, Selection};
use crate::policy::PolicyError;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Algorithm 2 with its constants.
///
/// t̂_k = J_k t̄_k, (30) and (31), with J_k tokens now and t̄_k seconds per token so far.
/// If the largest, t̂_k̂, exceeds `outlier` × Q₃, the third quartile over the devices with a
/// past that hold an expert of this block within reach, idle ones included, then
/// at most ⌊(t̂_k̂ − Q₃)/t̄_k̂⌋ tokens, (32), are taken from k̂: those whose lightest expert
/// is on k̂ and weighs less than `light` × the mean weight of k̂'s tokens, the lightest
/// first. Until every device with tokens has a past, nothing is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LatencyHistory {
    /// How far ahead of the third quartile the slowest device is, as a factor, before it
    /// is relieved. Default 1.5.
    pub outlier: f64,
    /// The factor on the mean weight below which a token may be taken away; unreadable in
    /// our copy of the paper. Default 1.
    pub light: f64,
}

impl Default for LatencyHistory {
    fn default() -> Self {
        Self {
            outlier: 1.5,
            light: 1.0,
        }
    }
}

impl ExpertPolicy for LatencyHistory {
    fn validate(&self) -> Result<(), FieldFault> {
        FieldFault::unless_positive("outlier", self.outlier)?;
        FieldFault::unless_positive("light", self.light)
    }

    fn select(&self, gate: &Gate<'_>) -> Result<Selection, PolicyError> {
        let mut selection = Selection::heaviest(gate)?;
        let loads = selection.loads(gate.device, gate.history.len());
        let mut holds = vec![false; loads.len()];
        for expert in (0..gate.experts()).filter(|expert| gate.reaches(*expert)) {
            if let Some(device) = gate.device[expert] {
                holds[device] = true;
            }
        }
        let mut predicted = Vec::with_capacity(loads.len());
        let mut slowest: Option<(usize, f64, f64)> = None;
        for device in (0..loads.len()).filter(|device| holds[*device]) {
            match gate.history[device] {
                Some(seconds) => {
                    let expected = loads[device] * seconds;
                    predicted.push(expected);
                    // Of equal ones the first.
                    if slowest.is_none_or(|(_, most, _)| expected > most) {
                        slowest = Some((device, expected, seconds));
                    }
                }
                None if loads[device] == 0.0 => {}
                None => return Ok(selection),
            }
        }
        let Some((slowest, expected, seconds)) = slowest else {
            return Ok(selection);
        };
        let usual = third_quartile(&predicted);
        if expected <= self.outlier * usual || seconds <= 0.0 {
            return Ok(selection);
        }
        let most = libm::floor((expected - usual) / seconds) as usize;
        let here = |expert: usize| gate.device[expert] == Some(slowest);
        let weight = |token: usize, expert: usize| f64::from(gate.row(token)[expert]);
        let mut sum = 0.0;
        for token in 0..selection.tokens() {
            let visited = selection.of(token).filter(|expert| here(*expert));
            sum += visited.map(|expert| weight(token, expert)).sum::<f64>();
        }
        let bound = self.light * sum / loads[slowest];
        let mut light: Vec<(f64, usize, usize)> = (0..selection.tokens())
            .filter_map(|token| {
                let expert = selection.lightest(gate, token)?;
                let weight = weight(token, expert);
                (here(expert) && weight < bound).then_some((weight, token, expert))
            })
            .collect();
        light.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (_, token, expert) in light.into_iter().take(most) {
            selection.drop(token, expert);
        }
        Ok(selection)
    }
}

/// The value three quarters up the sorted list, interpolated linearly between ranks.
fn third_quartile(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = 0.75 * (sorted.len() - 1) as f64;
    let below = libm::floor(rank) as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (rank - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::third_quartile;

    #[test]
    fn quartiles_interpolate_between_ranks() {
        // As numpy.percentile(…, 75).
        assert_eq!(third_quartile(&[4.0, 1.0, 3.0, 2.0]), 3.25);
        assert_eq!(third_quartile(&[5.0]), 5.0);
        assert_eq!(third_quartile(&[0.0, 10.0]), 7.5);
    }
}
