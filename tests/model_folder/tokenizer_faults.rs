//! Files that make the tokenizers library panic, or fill any memory: each is an error that
//! names the file, when it is loaded or when it first meets a text.

use crate::tokenizer::{TOKENIZER, tokenizer_folder};
use airloom::numerics::Tokenizer;
use serde_json::{Value, json};

/// What is said of the file, by loading it or by the texts that it is to read and write.
#[track_caller]
fn fault(file: &Value) -> String {
    let folder = tokenizer_folder(&file.to_string());
    let tokenizer = match Tokenizer::load(folder.path()) {
        Ok(tokenizer) => tokenizer,
        Err(error) => return error.to_string(),
    };
    let text = "a cat sat over there: a\u{e4}\u{fdfa} \u{1f682}";
    let encoded = tokenizer.encode(text);
    let error = encoded.and_then(|tokens| tokenizer.decode(&[tokens, vec![2; 20]].concat()));
    match error {
        Ok(text) => panic!("{file} is taken for a tokenizer: {text}"),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn refused(change: impl Fn(&mut Value)) -> String {
    let mut file: Value = serde_json::from_str(TOKENIZER).expect("JSON");
    change(&mut file);
    let fault = fault(&file);
    assert!(fault.contains("tokenizer.json: "), "{fault}");
    fault
}

#[test]
fn a_file_cut_anywhere_is_told_with_the_place_of_the_cut() {
    let bundled = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/models/tiny-llama/tokenizer.json"
    );
    let bundled = std::fs::read_to_string(bundled).expect("readable");
    let bundled = bundled.trim_end();
    let few = (0..bundled.len())
        .step_by(1009)
        .chain(bundled.len() - 40..bundled.len());
    let cuts = (0..TOKENIZER.len()).map(|cut| (TOKENIZER, cut));
    for (text, cut) in cuts.chain(few.map(|cut| (bundled, cut))) {
        let folder = tokenizer_folder("");
        let part = text.get(..cut).unwrap_or_default();
        std::fs::write(folder.path().join("tokenizer.json"), part).expect("written");
        let error = Tokenizer::load(folder.path()).expect_err("cut").to_string();
        let line = part.lines().count().max(1);
        let place = error.contains(&format!("line {line} column")) || part.ends_with('\n');
        assert!(place || part.is_empty(), "{cut}: {error}");
        assert!(error.contains("tokenizer.json: not JSON"), "{error}");
    }
}

#[test]
fn steps_that_multiply_a_text_are_given_up() {
    let double = json!({"type": "Replace", "pattern": {"String": "a"}, "content": "aa"});
    let regex = json!({"type": "Replace", "pattern": {"Regex": "[a-z]"}, "content": "aa"});
    let long = json!({"type": "Replace", "pattern": {"String": "a"}, "content": "a".repeat(9999)});
    let prepend = json!({"type": "Prepend", "prepend": "a".repeat(9999)});
    for step in [
        &double,
        &regex,
        &long,
        &prepend,
        &json!({"type": "ByteLevel"}),
    ] {
        let steps = vec![step.clone(); 40];
        let fault = refused(|file| {
            file["normalizer"] = json!({"type": "Sequence", "normalizers": steps});
        });
        assert!(fault.contains("normalizer makes"), "{fault}");
    }
    // An added token is normalised when the file is loaded.
    refused(|file| {
        let steps = json!({"type": "Sequence", "normalizers": vec![double.clone(); 40]});
        file["normalizer"] = json!({"type": "Sequence", "normalizers": [steps]});
        file["added_tokens"][0]["normalized"] = true.into();
        file["added_tokens"][0]["content"] = "a".into();
    });
    for step in [&double, &regex, &long] {
        let fault = refused(|file| {
            file["decoder"] = json!({"type": "Sequence", "decoders": vec![step.clone(); 40]});
        });
        assert!(fault.contains("decoder makes"), "{fault}");
    }
    refused(|file| {
        let steps = vec![json!({"type": "ByteLevel", "add_prefix_space": true}); 40];
        file["pre_tokenizer"] = json!({"type": "Sequence", "pretokenizers": steps});
    });
}

#[test]
fn what_published_files_have_is_no_multiplication() {
    for normalizer in [
        json!({"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "\u{2581}"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "\u{2581}"}]}),
        json!({"type": "Sequence", "normalizers": [
            {"type": "NFKC"}, {"type": "Lowercase"}, {"type": "StripAccents"}]}),
        json!({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true}),
        json!({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}),
    ] {
        let mut file: Value = serde_json::from_str(TOKENIZER).expect("JSON");
        file["normalizer"] = normalizer;
        let tokenizer = Tokenizer::load(tokenizer_folder(&file.to_string()).path());
        let tokenizer = tokenizer.expect("a tokenizer");
        for text in ["", "a", "\u{fdfa}", "a cat sat \u{fdfa}\u{4e2d}\u{1f682}  "] {
            tokenizer.encode(text).expect("encoded");
        }
    }
}

#[test]
fn parts_over_which_the_library_panics_are_errors() {
    let charsmap = |map: &str| json!({"type": "Precompiled", "precompiled_charsmap": map});
    let empty = json!({"type": "Replace", "pattern": {"Regex": ""}, "content": "x"});
    for normalizer in [
        charsmap(""),
        charsmap("AAAAAA=="),
        charsmap("not base64"),
        empty,
        json!({"type": "Replace", "content": "x"}),
        json!({"type": "None"}),
        json!(3),
    ] {
        refused(|file| file["normalizer"] = normalizer.clone());
    }
    refused(|file| file["pre_tokenizer"] = json!({"type": "FixedLength", "length": 0}));
    refused(|file| file["decoder"] = json!({"type": "Replace"}));
    refused(|file| file["decoder"] = json!([]));
    refused(|file| file["model"] = json!({"type": "Unigram", "vocab": [], "unk_id": 3}));
    refused(|file| file["model"] = json!({"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}));
}

#[test]
fn a_template_has_the_text_once() {
    let text = json!({"Sequence": {"id": "A", "type_id": 0}});
    let begin = json!({"SpecialToken": {"id": "<s>", "type_id": 0}});
    let single = "/post_processor/single";
    let with = |pieces: Vec<Value>| {
        refused(|file| *file.pointer_mut(single).expect("there") = json!(pieces))
    };
    assert!(with(vec![begin.clone()]).contains("once"));
    assert!(with(vec![text.clone(), text.clone()]).contains("once"));
    with([vec![text.clone()], vec![begin.clone(); 5000]].concat());
    // A token that the template does not define.
    with(vec![
        json!({"SpecialToken": {"id": "<x>", "type_id": 0}}),
        text,
    ]);
    refused(|file| {
        file["post_processor"]["special_tokens"]["<s>"]["ids"] = json!(vec![0; 5000]);
    });
}

#[test]
fn a_vocabulary_of_nothing_is_refused() {
    let fault = refused(|file| {
        file["added_tokens"] = json!([]);
        file["post_processor"] = Value::Null;
        file["model"] = json!({"type": "BPE", "vocab": {}, "merges": []});
    });
    assert!(fault.contains("vocabulary is empty"), "{fault}");
}
