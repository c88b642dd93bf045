//! Text to tokens and back: as the reference implementation does it, whatever a file says for
//! training and for batches.

use crate::{fixture, says};
use airloom::numerics::{LoadError, Tokenizer};
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

pub const TOKENIZER: &str = r#"{"version": "1.0", "truncation": null, "padding": null,
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

pub fn tokenizer_folder(content: &str) -> TempDir {
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
    assert_eq!(tokenizer.digests()[0].bytes, TOKENIZER.len() as u64);
}

/// The byte-level tokenizer of 300 tokens, as it is.
fn published() -> Value {
    let path = fixture("byte_level_300").join("tokenizer.json");
    serde_json::from_slice(&fs::read(path).expect("readable")).expect("JSON")
}

fn load(file: &Value) -> Tokenizer {
    Tokenizer::load(tokenizer_folder(&file.to_string()).path()).expect("a tokenizer")
}

/// The tokenizer with `settings` in a `tokenizer_config.json`.
fn configured(file: &Value, settings: &Value) -> Tokenizer {
    let folder = tokenizer_folder(&file.to_string());
    fs::write(
        folder.path().join("tokenizer_config.json"),
        settings.to_string(),
    )
    .expect("written");
    Tokenizer::load(folder.path()).expect("a tokenizer")
}

#[test]
fn tokens_without_a_text_decode_to_nothing() {
    // transformers 5.24.0 says so of the same tokens.
    let tokenizer = load(&published());
    let text = tokenizer
        .decode(&[280, 280, 280, 347, 186, 347])
        .expect("a text");
    assert_eq!(text, "kedkedked\u{fffd}");
    assert_eq!(tokenizer.decode(&[347]).expect("a text"), "");
}

#[test]
fn settings_for_training_and_batches_are_not_obeyed() {
    let text = fs::read_to_string(fixture("byte_level_300").join("text.txt")).expect("readable");
    let plain = load(&published()).encode_document(&text).expect("encoded");
    // transformers 5.24.0 counts as many with and without truncation in the file.
    assert_eq!(plain.len(), 1 + 996);
    let truncation = |length: u64, stride: u64| json!({"direction": "Right", "max_length": length, "strategy": "LongestFirst", "stride": stride});
    let padding = |length: u64| {
        json!({"strategy": {"Fixed": length}, "direction": "Left", "pad_to_multiple_of": 8,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "<s>"})
    };
    for (path, setting) in [
        ("/truncation", truncation(96, 0)),
        ("/truncation", truncation(8, 8)),
        ("/truncation", truncation(0, 3)),
        ("/padding", padding(2000)),
        ("/padding", padding(u64::MAX)),
        ("/model/dropout", json!(0.2)),
        ("/model/dropout", json!(7)),
    ] {
        let mut file = published();
        *file.pointer_mut(path).expect("there") = setting;
        for _ in 0..2 {
            let tokens = load(&file).encode_document(&text).expect("encoded");
            assert!(tokens == plain, "{path} is obeyed: {} tokens", tokens.len());
        }
    }
}

#[test]
fn a_document_begins_as_the_post_processor_says() {
    // transformers 5.24.0 makes these tokens, whatever config.json says of a beginning.
    let expected = [0, 53, 73, 70, 222, 83, 70, 281, 90];
    let mut file = published();
    let tokens = load(&file).encode_document("The relay").expect("encoded");
    assert_eq!(tokens, expected);
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": true,
        "trim_offsets": false, "use_regex": true});
    for none in [Value::Null, byte_level.clone()] {
        file["post_processor"] = none;
        let tokenizer = load(&file);
        assert_eq!(
            tokenizer.encode_document("The relay").expect("encoded"),
            expected[1..]
        );
        assert!(tokenizer.begin().is_empty() && tokenizer.end().is_empty());
    }
}

#[test]
fn what_the_tokenizers_settings_state_takes_the_place_of_the_post_processor() {
    let file = published();
    for (settings, begin, end) in [
        (json!({}), vec![0], vec![]),
        (json!({"bos_token": "</s>"}), vec![0], vec![]),
        (json!({"add_bos_token": true}), vec![0], vec![]),
        (
            json!({"add_bos_token": true, "bos_token": "</s>"}),
            vec![1],
            vec![],
        ),
        (
            json!({"add_bos_token": true, "bos_token": {"content": "</s>"}}),
            vec![1],
            vec![],
        ),
        (
            json!({"add_bos_token": true, "bos_token": null}),
            vec![],
            vec![],
        ),
        (json!({"add_bos_token": false}), vec![], vec![]),
        (
            json!({"add_bos_token": false, "add_eos_token": true}),
            vec![],
            vec![1],
        ),
        (json!({"add_eos_token": false}), vec![], vec![]),
        (json!({"add_bos_token": null}), vec![], vec![]),
    ] {
        let tokenizer = configured(&file, &settings);
        assert_eq!(
            (tokenizer.begin(), tokenizer.end()),
            (&begin[..], &end[..]),
            "{settings}"
        );
        let names: Vec<&str> = tokenizer
            .digests()
            .iter()
            .map(|file| file.name.as_str())
            .collect();
        assert_eq!(names, ["tokenizer.json", "tokenizer_config.json"]);
    }
}

#[test]
fn a_text_that_spells_its_beginning_out_has_one() {
    let tokenizer = load(&published());
    let plain = tokenizer.encode_document("The relay").expect("encoded");
    let spelled = tokenizer.encode_document("<s>The relay").expect("encoded");
    assert_eq!(spelled, plain);
    let twice = tokenizer
        .encode_document("<s><s>The relay")
        .expect("encoded");
    assert_eq!(twice.len(), plain.len() + 1);
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
