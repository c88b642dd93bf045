//! Settings as they are written elsewhere: by Python, by editors, by older programs.

use crate::{configure, copy, fixture, refusal};
use airloom::model::Architecture;
use airloom::numerics::{Llama, Mixtral, inspect};
use serde_json::json;
use std::fs;
use std::path::Path;

/// The end tokens that the folder's model stops at.
fn end_tokens(folder: &Path) -> Vec<u32> {
    let llama = Llama::load(folder).expect("intact");
    assert_eq!(
        inspect(folder, Architecture::Llama).expect("intact"),
        *llama.config()
    );
    llama.config().eos.clone()
}

#[test]
fn the_end_tokens_of_the_generation_file_take_the_place_of_the_models() {
    let folder = copy("llama_multi_head");
    assert_eq!(end_tokens(folder.path()), [2]);
    let path = folder.path().join("generation_config.json");
    for (text, expected) in [
        (json!({"eos_token_id": [7, 2]}), vec![2, 7]),
        (json!({"eos_token_id": [7, 9]}), vec![7, 9]),
        (json!({"eos_token_id": 9}), vec![9]),
        (json!({"eos_token_id": null}), vec![2]),
        (json!({"do_sample": true}), vec![2]),
    ] {
        fs::write(&path, text.to_string()).expect("written");
        assert_eq!(end_tokens(folder.path()), expected, "{text}");
    }
    let llama = Llama::load(folder.path()).expect("intact");
    let names: Vec<&str> = llama
        .digests()
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    let expected = ["config.json", "generation_config.json", "model.safetensors"];
    assert_eq!(names, expected);
    fs::write(&path, "{").expect("written");
    refusal(
        folder.path(),
        &["generation_config.json", "not JSON", "line 1 column 1"],
    );
}

#[test]
fn what_python_and_editors_write_is_read() {
    let folder = copy("llama_rope_scaled");
    let whole = Llama::load(folder.path()).expect("intact");
    let path = folder.path().join("config.json");
    let text = fs::read_to_string(&path).expect("readable");
    let unread = r#""time_step_limit": [0.0, Infinity], "x": -Infinity, "hidden_size": 1,"#;
    let written = format!("\u{feff}{}", text.replacen('{', &format!("{{{unread}"), 1));
    fs::write(&path, written).expect("written");
    let again = Llama::load(folder.path()).expect("of a field given twice the last counts");
    assert_eq!(again.config(), whole.config());
    let written = text.replacen(
        "\"rms_norm_eps\": 1e-0",
        "\"rms_norm_eps\": NaN, \"y\": 1e-0",
        1,
    );
    assert_ne!(written, text);
    fs::write(&path, written).expect("written");
    refusal(folder.path(), &["config.json", "expected f64"]);
}

#[test]
fn one_function_has_two_names() {
    let folder = copy("llama_multi_head");
    configure(folder.path(), "hidden_act", "swish".into());
    Llama::load(folder.path()).expect("swish is silu");
}

#[test]
fn each_family_is_sent_to_its_placement() {
    let error = Llama::load(&fixture("mixtral_eight"))
        .expect_err("a Mixtral")
        .to_string();
    assert!(
        error.contains("MixtralForCausalLM") && error.contains("Experts"),
        "{error}"
    );
    let error = Mixtral::load(&fixture("llama_multi_head"))
        .expect_err("a LLaMA")
        .to_string();
    assert!(error.contains("TensorParallel"), "{error}");
}
