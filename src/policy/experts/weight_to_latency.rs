//! Algorithm 1: drop a token's lightest expert where weights and latencies point in
//! different directions.
//!
//! S(w_j, t) = w_j·t/(‖w_j‖ ‖t‖), (18), is the cosine between a token's weights and the
//! devices' latencies. Tokens with S ≤ θ lose their lightest expert; θ starts at 0.5 and
//! rises by 0.1 for as long as the sum over devices of
//!
//! WLR_k = Σ_j q_jk w_jk/t_k, t_k the time of all of device k's tokens, (12)
//!
//! has not gained 1 %. An expert on the server, which the paper does not have, costs no
//! air and is never dropped. Two places of the listing can be read in more than one way: over
//! which experts S goes, and at which θ the last drop happens.

use super::{ExpertPolicy, Gate, Selection};
use crate::policy::PolicyError;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Algorithm 1 with its constants.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WeightToLatency {
    /// θ at first. Default 0.5.
    pub threshold: f64,
    /// By how much θ rises. Default 0.1.
    pub step: f64,
    /// θ at most. Default 1.
    pub limit: f64,
    /// The ratio Σ WLR/Σ WLR₀ above which θ rises no more. Default 1.01.
    pub gain: f64,
    /// Which experts S goes over. Default: all of them.
    pub similarity: Similarity,
    /// Where the last drop happens. Default: at the last θ tested.
    pub final_drop: FinalDrop,
}

/// Over which experts the cosine goes. Weights of the selected experts against the
/// latencies of all would be a third reading; it drops 65 to 100 % at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Similarity {
    /// All experts that can be reached, with the full softmax.
    #[default]
    AllExperts,
    /// The experts that the token visits.
    SelectedExperts,
}

/// At which θ experts are dropped once the loop has ended (lines 11 and 12).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum FinalDrop {
    /// The last θ that the loop tested.
    #[default]
    LastTested,
    /// One step further, as the listing's order of lines has it; drops 2 to 3 times as
    /// much.
    NextStep,
}

impl Default for WeightToLatency {
    fn default() -> Self {
        Self {
            threshold: 0.5,
            step: 0.1,
            limit: 1.0,
            gain: 1.01,
            similarity: Similarity::default(),
            final_drop: FinalDrop::default(),
        }
    }
}

/// No loop over θ needs more steps than this.
const MOST_STEPS: f64 = 10_000.0;

impl ExpertPolicy for WeightToLatency {
    fn validate(&self) -> Result<(), FieldFault> {
        for (path, value) in [("threshold", self.threshold), ("limit", self.limit)] {
            if !(-1.0..=1.0).contains(&value) {
                let message = format!("{value} is no cosine; use a number from -1 to 1");
                return Err(FieldFault::new(path, message));
            }
        }
        FieldFault::unless_positive("step", self.step)?;
        if (self.limit - self.threshold) / self.step > MOST_STEPS {
            let message = format!("{} is too small; use 0.001 or more", self.step);
            return Err(FieldFault::new("step", message));
        }
        FieldFault::unless_positive("gain", self.gain)
    }

    fn select(&self, gate: &Gate<'_>) -> Result<Selection, PolicyError> {
        let mut selection = Selection::heaviest(gate)?;
        let at_first = weight_to_latency(gate, &selection);
        let mut ratio = at_first;
        let mut steps = 0.0;
        let theta = |steps: f64| self.threshold + steps * self.step;
        // Nobody is sent anything, or every weight is zero: there is nothing to gain.
        if at_first <= 0.0 {
            return Ok(selection);
        }
        while ratio <= self.gain * at_first && theta(steps) <= self.limit {
            self.drop_below(theta(steps), gate, &mut selection);
            ratio = weight_to_latency(gate, &selection);
            steps += 1.0;
        }
        if steps > 0.0 {
            let last = match self.final_drop {
                FinalDrop::LastTested => steps - 1.0,
                FinalDrop::NextStep => steps,
            };
            self.drop_below(theta(last), gate, &mut selection);
        }
        Ok(selection)
    }
}

impl WeightToLatency {
    /// Takes the lightest expert from every token with S ≤ `theta` that visits two or more,
    /// unless it is on the server: nothing is sent there.
    fn drop_below(&self, theta: f64, gate: &Gate<'_>, selection: &mut Selection) {
        for token in 0..selection.tokens() {
            let Some(lightest) = selection.lightest(gate, token) else {
                continue;
            };
            if gate.device[lightest].is_none() {
                continue;
            }
            let similarity = match self.similarity {
                Similarity::AllExperts => {
                    let reached = (0..gate.experts()).filter(|expert| gate.reaches(*expert));
                    cosine(gate, token, reached)
                }
                Similarity::SelectedExperts => cosine(gate, token, selection.of(token)),
            };
            if similarity <= theta {
                selection.drop(token, lightest);
            }
        }
    }
}

/// (18) over `experts`; 0 where a vector vanishes.
fn cosine(gate: &Gate<'_>, token: usize, experts: impl Iterator<Item = usize>) -> f64 {
    let weights = gate.row(token);
    let (mut dot, mut w2, mut t2) = (0.0, 0.0, 0.0);
    for expert in experts {
        let (w, t) = (f64::from(weights[expert]), gate.latency[expert]);
        dot += w * t;
        w2 += w * w;
        t2 += t * t;
    }
    let norm = (w2 * t2).sqrt();
    if norm > 0.0 { dot / norm } else { 0.0 }
}

/// Σ_k WLR_k, (12), in 1/s, over the devices; experts on the server hold no device.
pub(super) fn weight_to_latency(gate: &Gate<'_>, selection: &Selection) -> f64 {
    let devices = gate.history.len();
    let (mut weight, mut seconds) = (vec![0.0; devices], vec![0.0; devices]);
    for token in 0..selection.tokens() {
        for expert in selection.of(token) {
            if let Some(device) = gate.device[expert] {
                weight[device] += f64::from(gate.row(token)[expert]);
                seconds[device] += gate.latency[expert];
            }
        }
    }
    let ratios = weight.iter().zip(&seconds).filter(|(_, s)| **s > 0.0);
    ratios.map(|(weight, seconds)| weight / seconds).sum()
}
