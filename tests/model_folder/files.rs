//! What is no regular file, or longer than such a file ever is, is not read.

use crate::{copy, refusal};
use airloom::numerics::{LoadError, Tokenizer};
use std::fs::{self, File};
use std::path::Path;

const SETTINGS: [&str; 3] = [
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
];

/// The folder with a tokenizer and without its file `name`.
fn without(name: &str) -> tempfile::TempDir {
    let folder = copy("llama_multi_head");
    let tokenizer = crate::fixture("byte_level_300").join("tokenizer.json");
    fs::copy(tokenizer, folder.path().join("tokenizer.json")).expect("copied");
    let _ = fs::remove_file(folder.path().join(name));
    folder
}

/// Why the folder's model or tokenizer, whichever reads the file `name`, is not loaded.
fn why(folder: &Path, name: &str) -> String {
    if name.starts_with("tokenizer") {
        let error = Tokenizer::load(folder).expect_err("must be refused");
        assert!(matches!(error, LoadError::Read { .. }), "{error}");
        error.to_string()
    } else {
        refusal(folder, &[name]).to_string()
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_any_file_is_refused_at_once() {
    let others = ["tokenizer.json", "model.safetensors"];
    for name in SETTINGS.into_iter().chain(others) {
        let folder = without(name);
        let path = folder.path().join(name);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo").success());
        let error = why(folder.path(), name);
        assert!(
            error.contains(name) && error.contains("not a regular file"),
            "{error}"
        );
    }
}

#[test]
fn a_folder_in_place_of_any_file_is_refused() {
    for name in SETTINGS
        .into_iter()
        .chain(["tokenizer.json", "model.safetensors"])
    {
        let folder = without(name);
        fs::create_dir(folder.path().join(name)).expect("made");
        let error = why(folder.path(), name);
        assert!(
            error.contains(name) && error.contains("is a directory"),
            "{error}"
        );
    }
}

#[test]
fn an_endless_file_takes_no_memory() {
    for name in SETTINGS.into_iter().chain(["tokenizer.json"]) {
        let folder = without(name);
        let file = File::create(folder.path().join(name)).expect("made");
        file.set_len(1 << 40).expect("sparse");
        let error = why(folder.path(), name);
        assert!(error.contains("at most") && error.contains(name), "{error}");
    }
}
