//! Families of models: one small description each, and a line here.
//!
//! A [`Family`] says what its files call things, what `config.json` may leave out, and which
//! settings of its own it has; what its layers are made of is a
//! [`Design`](crate::model::Design). Nothing is computed here: every family steps through the
//! same two networks.

mod gemma2;
mod llama;
mod mistral;
mod mixtral;
mod names;
mod opt;
mod phi3;
mod qwen2;
mod qwen2_moe;
mod qwen3;
mod qwen3_moe;

pub(super) use names::{Expert, Names};

use super::config::ModelConfig;
use super::settings::Settings;
use crate::model::{Architecture, Design, Experts};

/// What a family calls itself, and the reference implementation's defaults for
/// fields that its file may omit.
#[derive(Debug)]
pub(super) struct Family {
    /// What people call it.
    pub(super) name: &'static str,
    /// How it steps.
    pub(super) architecture: Architecture,
    /// What `architectures` calls it.
    pub(super) class: &'static str,
    /// What `model_type` calls it.
    pub(super) model_type: &'static str,
    /// What its tensors are called.
    pub(super) names: &'static Names,
    /// What its layers are made of, where its file says nothing else.
    pub(super) design: fn() -> Design,
    /// ε of its norms.
    pub(super) epsilon: f64,
    pub(super) positions: usize,
    /// The base of its rotary embedding.
    pub(super) theta: f64,
    /// Key–value heads; otherwise as many as its heads.
    pub(super) kv_heads: Option<usize>,
    /// Entries per head; otherwise the hidden size divided by the heads.
    pub(super) head_dim: Option<usize>,
    /// Whether the LM head is the embedding table.
    pub(super) tied: bool,
    /// The field that names the activation.
    pub(super) activation: &'static str,
    /// The field with the columns of the feed-forward network, or of an expert, and how many they
    /// are if it is not there; otherwise it must be.
    pub(super) columns: (&'static str, Option<usize>),
    pub(super) experts: Option<Experts>,
    /// Fields that change what a model computes and that this family has, of those that some do
    /// not (`settings`).
    pub(super) reads: &'static [&'static str],
    /// Takes its own settings from the file.
    pub(super) settle: fn(&Settings, &mut ModelConfig) -> Result<(), String>,
}

/// All of them; the first of either architecture is what a model made here is.
const FAMILIES: [&Family; 10] = [
    &llama::LLAMA,
    &mistral::MISTRAL,
    &qwen2::QWEN2,
    &qwen3::QWEN3,
    &gemma2::GEMMA2,
    &phi3::PHI3,
    &opt::OPT,
    &mixtral::MIXTRAL,
    &qwen2_moe::QWEN2_MOE,
    &qwen3_moe::QWEN3_MOE,
];

impl Family {
    /// The one whose `architectures` or `model_type` is `found`.
    pub(super) fn find(found: &str) -> Option<&'static Self> {
        let mut all = FAMILIES.into_iter();
        all.find(|family| found == family.class || found == family.model_type)
    }

    /// The one that people call so.
    pub(super) fn called(name: &str) -> Option<&'static Self> {
        FAMILIES.into_iter().find(|family| family.name == name)
    }

    /// The best-known one that steps so.
    pub(super) fn plain(architecture: Architecture) -> &'static Self {
        match architecture {
            Architecture::Llama => &llama::LLAMA,
            Architecture::Mixtral => &mixtral::MIXTRAL,
        }
    }

    /// What `architectures` may be of a model that steps so.
    pub(super) fn classes(architecture: Architecture) -> String {
        let those = FAMILIES
            .iter()
            .filter(|family| family.architecture == architecture);
        those
            .map(|family| family.class)
            .collect::<Vec<_>>()
            .join(", ")
    }
}
