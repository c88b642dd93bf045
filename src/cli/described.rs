//! What `airloom check` says of a model: a folder, a GGUF file, or a `config.json` alone.

use crate::model::{Architecture, Experts, Norm, Positions};
use crate::numerics::{self, LoadError, ModelConfig};
use std::fmt::{self, Display};
use std::path::Path;

/// What is known of a model without reading its weights.
pub(super) struct Described {
    config: ModelConfig,
    /// Whether headers of weights were held against the settings.
    weights: bool,
}

/// Whether `path` is that of a model, not of a scenario.
pub(super) fn is_model(path: &Path) -> bool {
    path.is_dir() || path.file_name().is_some_and(|name| name == "config.json") || is_gguf(path)
}

fn is_gguf(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "gguf")
}

impl Described {
    /// Reads the settings of the model at `path`, and of a folder the headers of its weights and
    /// its tokenizer.
    ///
    /// # Errors
    /// What loading it would say, save for faults within the weights.
    pub(super) fn read(path: &Path) -> Result<Self, LoadError> {
        if !path.is_dir() && !is_gguf(path) {
            let (config, _) = numerics::describe(path)?;
            return Ok(Self {
                config,
                weights: false,
            });
        }
        let architecture = numerics::architecture(path).unwrap_or(Architecture::Llama);
        let config = numerics::inspect(path, architecture)?;
        if is_gguf(path) || path.join("tokenizer.json").exists() {
            numerics::Tokenizer::load(path)?;
        }
        Ok(Self {
            config,
            weights: true,
        })
    }
}

impl Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ModelConfig { shape, family, .. } = &self.config;
        let design = &shape.design;
        let mut row = |name: &str, value: String| writeln!(f, "  {name:<12}{value}");
        row("family", (*family).to_owned())?;
        row("parameters", grouped(shape.parameters()))?;
        if let Some(experts) = shape.experts {
            let shared = match design.shared_expert {
                Some(columns) => format!(", and one of {columns} columns for every token"),
                None => String::new(),
            };
            let Experts { count, active } = experts;
            row(
                "experts",
                format!("{count} per layer, {active} per token{shared}"),
            )?;
        }
        let heads = format!(
            "{} of width {}: {} heads of {} entries, {} of keys and values, {} columns",
            shape.layers, shape.hidden, shape.heads, shape.head_dim, shape.kv_heads, shape.ffn
        );
        row("layers", heads)?;
        let positions = match design.positions {
            Positions::Rotary => "rotary",
            Positions::Learned { .. } => "learned",
        };
        row(
            "positions",
            format!("{}, {positions}", grouped(self.config.max_positions as u64)),
        )?;
        if let Some(window) = design.window {
            let layers = window.count(shape.layers);
            row(
                "window",
                format!("{} positions in {layers} layers", window.size),
            )?;
        }
        let norm = match design.norm {
            Norm::Rms => "RMSNorm",
            Norm::Layer => "LayerNorm",
        };
        let gate = if design.gated { " that gates" } else { "" };
        row("made of", format!("{norm}, {:?}{gate}", design.activation))?;
        let tied = if shape.tied_embeddings {
            ", tied to the LM head"
        } else {
            ""
        };
        row(
            "vocabulary",
            format!("{}{tied}", grouped(shape.vocabulary as u64)),
        )?;
        let bits = shape.weight_bits;
        let weights = shape.parameters() as f64 * bits / 8.0;
        let entries = 2 * shape.layers * shape.kv_heads * shape.head_dim;
        let cache = entries as f64 * shape.cache_bits / 8.0;
        if !self.config.formats.is_empty() {
            let formats = self.config.formats.iter();
            let formats: Vec<String> = formats
                .map(|(name, share)| format!("{name} {:.1} %", 100.0 * share))
                .collect();
            row("weights", formats.join(", "))?;
        }
        let bits = (1000.0 * bits).round() / 1000.0;
        let stored = match self.weights {
            true => format!("{bits} bits per weight as stored"),
            false => format!("{bits} bits per weight, for there are none"),
        };
        let memory = format!(
            "{} for weights ({stored}), {} of cache per token",
            bytes(weights),
            bytes(cache)
        );
        row("memory", memory)
    }
}

/// 1234567 as 1 234 567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn bytes(count: f64) -> String {
    for (unit, size) in [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] {
        if count >= size {
            return format!("{:.2} {unit}", count / size);
        }
    }
    format!("{count:.0} B")
}
