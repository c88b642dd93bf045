//! Where the gate's weights come from when no model computes them.

use super::synthetic::Synthetic;
use super::trace::TraceError;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
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
    /// [`GateTrace`](super::trace::GateTrace).
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

/// Gives the weights of tokens that nobody computes.
pub(super) trait GateSource: fmt::Debug {
    /// Begins a new sequence, the `number`th of the run.
    fn restart(&mut self, number: u64);

    /// The softmax over experts of the next `tokens` tokens of the sequence in `layer`, of
    /// which `position` came before: J × n.
    ///
    /// # Errors
    /// If they are not known.
    fn weights(
        &mut self,
        layer: usize,
        position: usize,
        tokens: usize,
    ) -> Result<Vec<f32>, TraceError>;

    /// What [`weights`](Self::weights) will say, without going on.
    ///
    /// # Errors
    /// If they are not known.
    fn foresee(&self, layer: usize, position: usize, tokens: usize)
    -> Result<Vec<f32>, TraceError>;
}
