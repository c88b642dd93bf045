//! Models as GGUF files have them: the same numbers and the same tokens as the same models in
//! Hugging Face layout, and refusals of what cannot be computed.
//!
//! The files in `tests/fixtures/gguf` were written by ggml's own package (`gguf_reference.py`), the
//! others by [`writer`].

mod bits;
mod families;
mod refusals;
mod tokens;
mod whole;
mod writer;

use std::path::PathBuf;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/gguf")
        .join(name)
}

fn bundled(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("models")
        .join(name)
}
