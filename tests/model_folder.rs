//! Folders that are not what they should be: every fault names the file, the
//! tensor, what was expected and what to do.
//!
//! Each test damages a copy of a reference fixture in one way.

use airloom::numerics::{Llama, LoadError, StepError, Tokenizer};
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

fn refusal(folder: &Path, words: &[&str]) -> LoadError {
    let error = Llama::load(folder).expect_err("must be refused");
    says(&error.to_string(), words);
    error
}

fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{text}` lacks `{word}`");
    }
}

/// Rewrites the single weights file: `change` may drop, reshape or retype tensors.
fn rewrite(
    folder: &Path,
    change: impl Fn(&str, Dtype, Vec<usize>, &[u8]) -> Option<(Dtype, Vec<usize>, Vec<u8>)>,
) {
    let path = folder.join("model.safetensors");
    let content = fs::read(&path).expect("readable");
    let tensors = SafeTensors::deserialize(&content).expect("intact");
    let kept: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .filter_map(|(name, view)| {
            let shape = view.shape().to_vec();
            Some((
                name.to_owned(),
                change(name, view.dtype(), shape, view.data())?,
            ))
        })
        .collect();
    let views = kept.iter().map(|(name, (dtype, shape, data))| {
        let view = TensorView::new(*dtype, shape.clone(), data).expect("consistent");
        (name, view)
    });
    let content = safetensors::serialize(views, None).expect("serialised");
    fs::write(path, content).expect("written");
}

#[test]
fn a_folder_that_does_not_exist_is_named() {
    let error = refusal(
        Path::new("no/such/folder"),
        &["no/such/folder/config.json", "folder"],
    );
    assert!(matches!(error, LoadError::Read { .. }));
}

#[test]
fn missing_weights_are_named() {
    let folder = copy("llama_multi_head");
    fs::remove_file(folder.path().join("model.safetensors")).expect("removed");
    refusal(
        folder.path(),
        &["model.safetensors", "model.safetensors.index.json"],
    );
}

#[test]
fn a_missing_shard_of_an_index_is_named() {
    let folder = copy("llama_rope_scaled");
    fs::remove_file(folder.path().join("model-00002-of-00002.safetensors")).expect("removed");
    refusal(
        folder.path(),
        &["model-00002-of-00002.safetensors", "index", "fetch it too"],
    );
}

#[test]
fn truncated_weights_are_called_truncated_at_every_length() {
    let folder = copy("llama_multi_head");
    let path = folder.path().join("model.safetensors");
    let content = fs::read(&path).expect("readable");
    for length in [0, 5, 8, 100, content.len() / 2, content.len() - 1] {
        fs::write(&path, &content[..length]).expect("written");
        let bytes = format!("({length} bytes)");
        let words = [
            "model.safetensors",
            "truncated or damaged",
            bytes.as_str(),
            "again",
        ];
        let error = refusal(folder.path(), &words);
        assert!(matches!(error, LoadError::Damaged { .. }));
    }
}

#[test]
fn a_missing_tensor_is_named_with_its_shape() {
    let folder = copy("llama_multi_head");
    let gone = "model.layers.1.mlp.up_proj.weight";
    rewrite(folder.path(), |name, dtype, shape, data| {
        (name != gone).then(|| (dtype, shape, data.to_vec()))
    });
    refusal(
        folder.path(),
        &["model.safetensors", gone, "missing", "[40, 24]"],
    );
}

#[test]
fn a_missing_lm_head_suggests_tied_embeddings() {
    let folder = copy("llama_multi_head");
    rewrite(folder.path(), |name, dtype, shape, data| {
        (name != "lm_head.weight").then(|| (dtype, shape, data.to_vec()))
    });
    refusal(
        folder.path(),
        &["lm_head.weight", "[50, 24]", "tie_word_embeddings"],
    );
}

#[test]
fn a_tensor_that_the_index_does_not_list_is_missing_from_the_index() {
    let folder = copy("llama_rope_scaled");
    let path = folder.path().join("model.safetensors.index.json");
    let text = fs::read_to_string(&path).expect("readable");
    let listed = "\"model.norm.weight\"";
    assert!(text.contains(listed));
    fs::write(&path, text.replace(listed, "\"something.else\"")).expect("written");
    refusal(
        folder.path(),
        &["index.json", "model.norm.weight", "missing", "[24]"],
    );
}

#[test]
fn a_wrong_shape_is_named_beside_the_right_one() {
    let folder = copy("llama_multi_head");
    rewrite(folder.path(), |name, dtype, shape, data| {
        let shape = match name {
            "model.layers.0.mlp.down_proj.weight" => vec![40, 24],
            _ => shape,
        };
        Some((dtype, shape, data.to_vec()))
    });
    refusal(
        folder.path(),
        &[
            "model.layers.0.mlp.down_proj.weight",
            "[40, 24]",
            "expected [24, 40]",
            "config.json",
        ],
    );
}

#[test]
fn a_number_format_that_is_not_supported_is_named() {
    let folder = copy("llama_multi_head");
    rewrite(folder.path(), |name, dtype, shape, data| {
        let dtype = match name {
            "model.norm.weight" => Dtype::I32,
            _ => dtype,
        };
        Some((dtype, shape, data.to_vec()))
    });
    refusal(
        folder.path(),
        &["model.norm.weight", "I32", "F32, F16 or BF16"],
    );
}

#[test]
fn an_index_cannot_lead_out_of_the_folder() {
    let folder = copy("llama_rope_scaled");
    let path = folder.path().join("model.safetensors.index.json");
    for name in ["../other.safetensors", "/etc/passwd", "..", ""] {
        let text = serde_json::json!({"weight_map": {"model.norm.weight": name}}).to_string();
        fs::write(&path, text).expect("written");
        refusal(
            folder.path(),
            &["index.json", "not the name of a file in this folder"],
        );
    }
    fs::write(&path, "[]").expect("written");
    refusal(folder.path(), &["index.json", "not an index"]);
}

#[test]
fn an_unknown_architecture_is_refused_before_weights_are_read() {
    let folder = copy("llama_multi_head");
    let text = r#"{"architectures": ["BertModel"], "model_type": "bert"}"#;
    fs::write(folder.path().join("config.json"), text).expect("written");
    fs::remove_file(folder.path().join("model.safetensors")).expect("removed");
    refusal(
        folder.path(),
        &["config.json", "BertModel", "LlamaForCausalLM"],
    );
}

#[test]
fn digests_name_every_file_that_was_read() {
    let llama = Llama::load(&fixture("llama_rope_scaled")).expect("intact");
    let names: Vec<&str> = llama
        .digests()
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "config.json",
            "model.safetensors.index.json",
            "model-00002-of-00002.safetensors",
            "model-00001-of-00002.safetensors",
        ]
    );
    for file in llama.digests() {
        let content = fs::read(fixture("llama_rope_scaled").join(&file.name)).expect("there");
        assert_eq!(file.blake3, blake3::hash(&content).to_string());
        assert_eq!(file.bytes, content.len() as u64);
    }
}

#[test]
fn the_shape_has_the_precision_of_the_stored_weights() {
    for (name, bits) in [("llama_multi_head", 32.0), ("llama_grouped_tied", 16.0)] {
        let llama = Llama::load(&fixture(name)).expect("intact");
        assert_eq!(llama.shape().weight_bits, bits, "{name}");
        assert_eq!(llama.shape().name, name);
    }
}

const TOKENIZER: &str = r#"{"version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [{"id": 0, "content": "<s>", "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": false, "special": true}],
    "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
    "post_processor": {"type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                   {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}},
    "decoder": null,
    "model": {"type": "WordLevel", "unk_token": "?",
        "vocab": {"<s>": 0, "?": 1, "a": 2, "cat": 3, "sat": 4}}}"#;

fn tokenizer_folder(content: &str) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    fs::write(folder.path().join("tokenizer.json"), content).expect("written");
    folder
}

#[test]
fn text_becomes_tokens_and_text_again() {
    let tokenizer = Tokenizer::load(tokenizer_folder(TOKENIZER).path()).expect("intact");
    assert_eq!(tokenizer.vocabulary(), 5);
    assert_eq!(
        tokenizer.encode("a cat sat").expect("known words"),
        [2, 3, 4]
    );
    assert_eq!(
        tokenizer.encode_document("a dog").expect("one unknown"),
        [0, 2, 1]
    );
    assert_eq!(
        tokenizer.decode(&[0, 2, 3, 4]).expect("known tokens"),
        "a cat sat"
    );
    assert_eq!((tokenizer.id("<s>"), tokenizer.id("dog")), (Some(0), None));
    assert_eq!(tokenizer.digest().bytes, TOKENIZER.len() as u64);
}

#[test]
fn tokens_that_the_tokenizer_does_not_know_are_named() {
    let tokenizer = Tokenizer::load(tokenizer_folder(TOKENIZER).path()).expect("intact");
    let error = tokenizer.decode(&[2, 9]).expect_err("9 is unknown");
    assert!(matches!(
        error,
        StepError::Token {
            token: 9,
            position: 1,
            vocabulary: 5
        }
    ));
}

#[test]
fn a_missing_or_broken_tokenizer_is_named() {
    let folder = TempDir::new().expect("a temporary folder");
    let error = Tokenizer::load(folder.path()).expect_err("nothing there");
    says(&error.to_string(), &["tokenizer.json", "fast tokenizer"]);
    for broken in ["", "{}", "not json", &TOKENIZER[..200]] {
        let error = Tokenizer::load(tokenizer_folder(broken).path()).expect_err("broken");
        assert!(matches!(error, LoadError::Tokenizer { .. }));
        says(
            &error.to_string(),
            &["tokenizer.json", "expected the `tokenizer.json`"],
        );
    }
}
