//! Where the model comes from.

use serde::{Deserialize, Serialize};

/// The model that a scenario serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Model {
    /// A folder in Hugging Face layout: `config.json`, safetensors, `tokenizer.json`. The
    /// path is relative to the scenario's file.
    Folder(String),
    /// A published shape by name, such as `mixtral-8x7b`, without weights: passes are
    /// timed, not computed.
    Shape(String),
}
