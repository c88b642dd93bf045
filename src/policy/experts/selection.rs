//! Who visits whom: the matrix Q of one block.

use super::Gate;
use crate::policy::PolicyError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Q ∈ {0, 1}^{J×n}: the experts that each token visits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    experts: usize,
    chosen: Vec<bool>,
}

/// What happens to the weight of an expert that was dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum DroppedWeight {
    /// The experts that stay share it: their weights are scaled to sum 1, as the model
    /// itself scales its k heaviest ones.
    #[default]
    Shared,
    /// It is lost: the k heaviest weights are scaled to sum 1, and a dropped one becomes
    /// zero ("dropping is implemented by assigning a weight of zero").
    Lost,
}

impl Selection {
    /// The `top_k` heaviest of the experts that can be reached, for every token; fewer if
    /// fewer can be reached. Equal weights go to the lower number.
    ///
    /// # Errors
    /// If none can be reached, or slices do not fit together.
    pub fn heaviest(gate: &Gate<'_>) -> Result<Self, PolicyError> {
        gate.check()?;
        let experts = gate.experts();
        let reachable: Vec<usize> = (0..experts).filter(|e| gate.reaches(*e)).collect();
        if reachable.is_empty() {
            return Err(PolicyError::NoExpert);
        }
        let keep = gate.top_k.clamp(1, reachable.len());
        let mut chosen = vec![false; gate.weights.len()];
        for (token, row) in chosen.chunks_exact_mut(experts).enumerate() {
            let weights = gate.row(token);
            // Few of few: looking through all for each is faster than sorting.
            for _ in 0..keep {
                let left = reachable.iter().filter(|expert| !row[**expert]);
                let heaviest = left.reduce(|best, expert| {
                    let heavier = weights[*expert].total_cmp(&weights[*best]).is_gt();
                    if heavier { expert } else { best }
                });
                row[*heaviest.expect("no more are kept than can be reached")] = true;
            }
        }
        Ok(Self { experts, chosen })
    }

    /// J.
    pub fn tokens(&self) -> usize {
        self.chosen.len() / self.experts
    }

    /// n.
    pub fn experts(&self) -> usize {
        self.experts
    }

    /// q: whether `token` visits `expert`.
    pub fn visits(&self, token: usize, expert: usize) -> bool {
        self.chosen[token * self.experts + expert]
    }

    /// The experts that `token` visits, by number.
    pub fn of(&self, token: usize) -> impl Iterator<Item = usize> + '_ {
        let row = &self.chosen[token * self.experts..(token + 1) * self.experts];
        (0..self.experts).filter(|expert| row[*expert])
    }

    /// The tokens that visit `expert`, in order.
    pub fn visitors(&self, expert: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.tokens()).filter(move |token| self.visits(*token, expert))
    }

    /// Tokens per expert.
    pub fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.experts];
        for row in self.chosen.chunks_exact(self.experts) {
            for (count, chosen) in counts.iter_mut().zip(row) {
                *count += u64::from(*chosen);
            }
        }
        counts
    }

    /// q_k: visits per device, where `device` says who holds each expert. A token that
    /// visits two experts of one device counts twice: it is sent for each.
    pub fn loads(&self, device: &[Option<usize>], devices: usize) -> Vec<f64> {
        let mut loads = vec![0.0; devices];
        for (count, device) in self.counts().into_iter().zip(device) {
            if let Some(device) = device {
                loads[*device] += count as f64;
            }
        }
        loads
    }

    /// The lightest expert of `token` if it visits two or more: the one that may be
    /// dropped. Of equal weights the higher number is the lighter.
    pub fn lightest(&self, gate: &Gate<'_>, token: usize) -> Option<usize> {
        let weights = gate.row(token);
        let mut visited = self.of(token);
        let first = visited.next()?;
        let mut lightest = None;
        for expert in visited {
            let least = lightest.unwrap_or(first);
            let lighter = weights[expert] <= weights[least];
            lightest = Some(if lighter { expert } else { least });
        }
        lightest
    }

    /// Takes `expert` from `token`'s list.
    pub(super) fn drop(&mut self, token: usize, expert: usize) {
        self.chosen[token * self.experts + expert] = false;
    }

    /// The weights with which a token's outputs are added up in a family whose weights need not
    /// sum to one, J × n, zero where it does not visit: what the router gives, and where some of
    /// a token's experts are dropped and their weight is shared, as much more of it as makes the
    /// sum that of all.
    ///
    /// # Errors
    /// Those of [`heaviest`](Self::heaviest).
    pub fn router_weights(
        &self,
        gate: &Gate<'_>,
        dropped: DroppedWeight,
    ) -> Result<Vec<f32>, PolicyError> {
        let heaviest = Self::heaviest(gate)?;
        let mut weights = vec![0.0; self.chosen.len()];
        for (token, row) in weights.chunks_exact_mut(self.experts).enumerate() {
            let given = gate.row(token);
            for expert in self.of(token) {
                row[expert] = given[expert];
            }
            let left: f32 = row.iter().sum();
            let dropped_some = self.of(token).count() < heaviest.of(token).count();
            if dropped == DroppedWeight::Shared && dropped_some && left > 0.0 {
                let all: f32 = heaviest.of(token).map(|expert| given[expert]).sum();
                row.iter_mut().for_each(|weight| *weight *= all / left);
            }
        }
        Ok(weights)
    }

    /// The weights with which a token's outputs are added up, J × n, zero where it does
    /// not visit.
    ///
    /// # Errors
    /// Those of [`heaviest`](Self::heaviest), which [`DroppedWeight::Lost`] asks again.
    pub fn weights(
        &self,
        gate: &Gate<'_>,
        dropped: DroppedWeight,
    ) -> Result<Vec<f32>, PolicyError> {
        let counted = match dropped {
            DroppedWeight::Shared => self.clone(),
            DroppedWeight::Lost => Self::heaviest(gate)?,
        };
        let mut weights = vec![0.0; self.chosen.len()];
        for (token, row) in weights.chunks_exact_mut(self.experts).enumerate() {
            let given = gate.row(token);
            // In f32 and from the heaviest down, as the model's own renormalisation.
            let mut counted: Vec<f32> = counted.of(token).map(|e| given[e]).collect();
            counted.sort_by(|a, b| b.total_cmp(a));
            let sum: f32 = counted.iter().sum();
            let visits = self.of(token).count() as f32;
            for expert in self.of(token) {
                row[expert] = if sum > 0.0 {
                    given[expert] / sum
                } else {
                    1.0 / visits
                };
            }
        }
        Ok(weights)
    }
}
