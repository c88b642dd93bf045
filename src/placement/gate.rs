//! Where the weights of an experts placement's gate come from.

use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The source of the gate's weights.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Router {
    /// The model computes them; it needs a folder with weights.
    #[default]
    Model,
    /// They are drawn.
    Synthetic(Synthetic),
    /// They are read from a CSV file, relative to the scenario's: see
    /// [`GateTrace`](crate::execution::GateTrace).
    Trace(String),
}

impl Router {
    /// Every router's name with a one-line summary.
    pub const REGISTRY: &[(&str, &str)] = &[
        ("Model", "the model's own gate, computed"),
        (
            "Synthetic",
            "drawn logits with popular experts and tokens that resemble their predecessors",
        ),
        (
            "Trace",
            "recorded weights from a CSV file: block,token,w0,w1,…",
        ),
    ];

    /// Checks the fields; `computed` says whether the model has weights.
    ///
    /// # Errors
    /// If router and model do not fit each other, or a field is impossible.
    pub fn validate(&self, computed: bool, folder: &Path) -> Result<(), FieldFault> {
        match (self, computed) {
            (Self::Model, true) => Ok(()),
            (Self::Model, false) => Err(FieldFault::new(
                "Model",
                "a Shape computes no weights; use Synthetic() or Trace(\"gate.csv\")",
            )),
            (_, true) => Err(FieldFault::new(
                "",
                "a model with weights has a router of its own; use Model, or a Shape",
            )),
            (Self::Synthetic(synthetic), _) => synthetic
                .validate()
                .map_err(|fault| fault.under("Synthetic")),
            (Self::Trace(written), _) => {
                let path = folder.join(written);
                if path.is_file() {
                    return Ok(());
                }
                let message = format!(
                    "there is no file {}; paths are relative to the scenario's file",
                    path.display()
                );
                Err(FieldFault::new("Trace", message))
            }
        }
    }
}

/// Token j's logit for expert e is σ (z_je + β b_e), with b_e ~ N(0, 1) once per layer and
/// expert, and z_je = ρ z_(j−1)e + √(1 − ρ²) n_je, n ~ N(0, 1): every z_je is standard
/// normal. The weights are their softmax.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Synthetic {
    /// σ. Default 1.4.
    pub logit_std: f64,
    /// β, how much more popular some experts are, relative to σ. Default 0.28.
    pub expert_bias: f64,
    /// ρ between successive tokens, 0 to below 1. Default 0.
    pub correlation: f64,
}

impl Default for Synthetic {
    fn default() -> Self {
        Self {
            logit_std: 1.4,
            expert_bias: 0.28,
            correlation: 0.0,
        }
    }
}

impl Synthetic {
    /// Checks every field.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(&self) -> Result<(), FieldFault> {
        FieldFault::if_negative("logit_std", self.logit_std)?;
        FieldFault::if_negative("expert_bias", self.expert_bias)?;
        if (0.0..1.0).contains(&self.correlation) {
            return Ok(());
        }
        let message = format!("{}; use a number from 0 to below 1", self.correlation);
        Err(FieldFault::new("correlation", message))
    }
}
