//! A model as one GGUF file has it, or several parts of one: settings, tokenizer and weights.
//!
//! ```text
//! stream ─▶ header: keys and places of tensors, every length held against the file's own
//!             ├─▶ settings    keys as a config.json would say them, read as one
//!             ├─▶ vocabulary  tokens, scores, merges as a tokenizer.json would say them
//!             └─▶ checkpoint  every tensor wanted is there; then read from front to back
//! ```
//!
//! Formats of numbers, keys and names of tensors are those of ggml's docs/gguf.md and of llama.cpp.
//! What could change what a model computes and is not understood is refused by its name.

mod checkpoint;
mod files;
mod format;
mod header;
mod keys;
mod names;
mod settings;
mod stream;
mod value;
mod vocabulary;

pub(super) use checkpoint::GgufCheckpoint;
pub(super) use vocabulary::Vocabulary;

use super::config::ModelConfig;
use super::error::LoadError;
use files::Part;
use settings::Divisors;
use std::collections::BTreeMap;
use std::path::Path;

/// What a GGUF file's name ends with.
const ENDING: &str = "gguf";

/// Whether `path` names a GGUF file rather than a folder.
pub(super) fn is_file(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == ENDING)
}

/// What the files at `path` are called: without their ending, and without which part they are.
fn called(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match files::stem(&name) {
        Some((stem, ..)) => stem.to_owned(),
        None => path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    }
}

/// Opens the model at `path`: its settings, and its weights to be read.
///
/// # Errors
/// If a file cannot be read, is damaged, or describes a model that is not supported.
pub(super) fn open(path: &Path) -> Result<(ModelConfig, GgufCheckpoint), LoadError> {
    let parts = files::open(path)?;
    let first = &parts[0];
    let divisors = divisors(&parts)?;
    let mut tensors = BTreeMap::new();
    for part in &parts {
        for (name, entry) in &part.header.tensors {
            if tensors.insert(name.as_str(), entry).is_some() {
                let fault = format!("the tensor `{name}` is in another part too; fetch them again");
                return Err(part.fault(fault));
            }
        }
    }
    let read = settings::read(&first.header.values, &tensors, &called(path), &divisors)
        .map_err(|fault| first.fault(fault))?;
    let checkpoint = GgufCheckpoint::new(parts, &read);
    Ok((read.config, checkpoint))
}

/// The divisors of frequencies that the files have as tensors.
fn divisors(parts: &[Part]) -> Result<Divisors, LoadError> {
    let find = |name: &str| {
        let mut found = parts.iter().map(|part| part.small(name));
        found.find_map(Result::transpose).transpose()
    };
    let short = find("rope_factors_short.weight")?;
    let long = find("rope_factors_long.weight")?;
    Ok(Divisors {
        all: find("rope_freqs.weight")?,
        short_long: short.zip(long).map(|(short, long)| [short, long]),
    })
}
