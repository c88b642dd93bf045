//! Folders that are not what they should be: every fault names the file, the
//! tensor, what was expected and what to do.
//!
//! Each test damages a copy of a reference fixture in one way.

mod files;
mod settings;
mod tokenizer;
mod tokenizer_faults;
mod weights;

use airloom::model::Architecture;
use airloom::numerics::{Llama, LoadError, inspect};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn copy(name: &str) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for entry in fs::read_dir(fixture(name)).expect("the fixture") {
        let entry = entry.expect("readable");
        fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("copied");
    }
    folder
}

/// Why the folder is not loaded. Whatever is not inside the weights is also found by their
/// headers alone.
#[track_caller]
fn refusal(folder: &Path, words: &[&str]) -> LoadError {
    let error = Llama::load(folder).expect_err("must be refused");
    says(&error.to_string(), words);
    let inspected = inspect(folder, Architecture::Llama);
    if !matches!(error, LoadError::NotFinite { .. }) {
        let inspected = inspected.expect_err("must be refused");
        assert_eq!(inspected.to_string(), error.to_string());
    } else {
        inspected.expect("its headers fit");
    }
    error
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{text}` lacks `{word}`");
    }
}

/// Tensors of a file: format, shape and content by name.
type Stored = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

/// Writes the single weights file again after `change`.
fn rewrite_all(folder: &Path, change: impl FnOnce(&mut Stored)) {
    let path = folder.join("model.safetensors");
    let content = fs::read(&path).expect("readable");
    let tensors = SafeTensors::deserialize(&content).expect("intact");
    let stored = tensors.iter().map(|(name, view)| {
        let content = (view.dtype(), view.shape().to_vec(), view.data().to_vec());
        (name.to_owned(), content)
    });
    let mut stored: Stored = stored.collect();
    change(&mut stored);
    let views = stored.iter().map(|(name, (dtype, shape, data))| {
        let view = TensorView::new(*dtype, shape.clone(), data).expect("consistent");
        (name, view)
    });
    let content = safetensors::serialize(views, None).expect("serialised");
    fs::write(path, content).expect("written");
}

/// Rewrites the single weights file: `change` may drop, reshape or retype tensors.
fn rewrite(
    folder: &Path,
    change: impl Fn(&str, Dtype, Vec<usize>, &[u8]) -> Option<(Dtype, Vec<usize>, Vec<u8>)>,
) {
    rewrite_all(folder, |stored| {
        *stored = std::mem::take(stored)
            .into_iter()
            .filter_map(|(name, (dtype, shape, data))| {
                let changed = change(&name, dtype, shape, &data)?;
                Some((name, changed))
            })
            .collect();
    });
}

/// Adds f32 tensors of one entry.
fn add(folder: &Path, names: &[&str]) {
    rewrite_all(folder, |stored| {
        for name in names {
            stored.insert((*name).to_owned(), (Dtype::F32, vec![1], vec![0; 4]));
        }
    });
}

/// Changes `config.json`.
fn configure(folder: &Path, field: &str, value: serde_json::Value) {
    let path = folder.join("config.json");
    let text = fs::read(&path).expect("readable");
    let mut config: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    config[field] = value;
    fs::write(path, config.to_string()).expect("written");
}
