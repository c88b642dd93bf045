//! `config.json` files as they are found, and what is refused in them.

use super::*;

const BASE: &str = r#"{"architectures": ["LlamaForCausalLM"], "hidden_size": 64,
    "intermediate_size": 160, "num_hidden_layers": 2, "num_attention_heads": 8,
    "vocab_size": 100"#;

fn parse(extra: &str) -> Result<ModelConfig, LoadError> {
    let text = format!("{BASE}{extra}}}");
    ModelConfig::parse(
        text.as_bytes(),
        Path::new("folder/config.json"),
        "tiny",
        Architecture::Llama,
    )
}

fn llama(text: &[u8]) -> Result<ModelConfig, LoadError> {
    ModelConfig::parse(text, Path::new("config.json"), "x", Architecture::Llama)
}

fn mixtral(extra: &str) -> Result<ModelConfig, LoadError> {
    let text = format!("{}{extra}}}", BASE.replace("Llama", "Mixtral"));
    let path = Path::new("folder/config.json");
    ModelConfig::parse(text.as_bytes(), path, "tiny", Architecture::Mixtral)
}

fn refusal(extra: &str) -> String {
    let text = parse(extra).expect_err("must be refused").to_string();
    assert!(text.contains("folder/config.json"), "{text}");
    text
}

#[test]
fn omitted_fields_take_the_reference_implementations_defaults() {
    let config = parse("").expect("valid");
    assert_eq!(config.shape.kv_heads, 8);
    assert_eq!(config.shape.head_dim, 8);
    assert!(!config.shape.tied_embeddings);
    assert_eq!(config.rope, Rope::default());
    assert_eq!(config.norm_epsilon, 1e-6);
    assert_eq!(config.max_positions, 2048);
    assert_eq!((config.bos, config.eos), (None, vec![]));
}

#[test]
fn a_mixtral_has_experts_and_defaults_of_its_own() {
    let config = mixtral("").expect("valid");
    let experts = config.shape.experts.expect("a Mixtral has experts");
    assert_eq!((experts.count, experts.active), (8, 2));
    assert_eq!(config.rope.theta, 1e6);
    assert_eq!(config.norm_epsilon, 1e-5);
    let few = mixtral(r#", "num_local_experts": 4, "num_experts_per_tok": 1"#);
    let experts = few.expect("valid").shape.experts.expect("experts");
    assert_eq!((experts.count, experts.active), (4, 1));
    let error = mixtral(r#", "num_experts_per_tok": 9"#).expect_err("9 of 8");
    assert!(error.to_string().contains("9 of 8 experts"), "{error}");
    let error = mixtral(r#", "sliding_window": 64"#).expect_err("not implemented");
    assert!(error.to_string().contains("sliding_window"), "{error}");
    assert!(mixtral(r#", "sliding_window": null"#).is_ok());
}

#[test]
fn one_family_is_not_taken_for_the_other() {
    let error = mixtral(r#", "model_type": "mixtral""#)
        .and_then(|_| llama(br#"{"architectures": ["MixtralForCausalLM"]}"#));
    let error = error.expect_err("a Mixtral is no LLaMA").to_string();
    assert!(error.contains("LlamaForCausalLM"), "{error}");
}

#[test]
fn both_spellings_of_rotary_settings_are_read() {
    let scaling = r#""rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 8192"#;
    let old = parse(&format!(
        r#", "rope_theta": 5e5, "rope_scaling": {{{scaling}}}"#
    ));
    let new = parse(&format!(
        r#", "rope_parameters": {{"rope_theta": 5e5, {scaling}}}"#
    ));
    let (old, new) = (old.expect("valid").rope, new.expect("valid").rope);
    assert_eq!(old, new);
    assert_eq!(old.theta, 5e5);
    assert!(matches!(old.scaling, RopeScaling::Llama3 { high: 4.0, .. }));
    let linear = parse(r#", "rope_scaling": {"type": "linear", "factor": 2.0}"#);
    let scaling = linear.expect("valid").rope.scaling;
    assert_eq!(scaling, RopeScaling::Linear { factor: 2.0 });
}

#[test]
fn end_tokens_may_be_one_or_many() {
    let config = parse(r#", "bos_token_id": 1, "eos_token_id": [2, 3]"#).expect("valid");
    assert_eq!((config.bos, config.eos), (Some(1), vec![2, 3]));
    let config = parse(r#", "bos_token_id": null, "eos_token_id": 2"#).expect("valid");
    assert_eq!((config.bos, config.eos), (None, vec![2]));
}

#[test]
fn an_unknown_architecture_is_named() {
    let text = br#"{"architectures": ["GPT2LMHeadModel"], "n_embd": 8}"#;
    let error = llama(text).expect_err("refused");
    let text = error.to_string();
    assert!(
        text.contains("GPT2LMHeadModel") && text.contains("LlamaForCausalLM"),
        "{text}"
    );
    let error = llama(b"{}").expect_err("refused");
    assert!(error.to_string().contains("none named"), "{error}");
}

#[test]
fn what_is_not_implemented_is_refused_not_ignored() {
    assert!(refusal(r#", "attention_bias": true"#).contains("attention_bias"));
    assert!(refusal(r#", "mlp_bias": true"#).contains("mlp_bias"));
    assert!(refusal(r#", "hidden_act": "gelu""#).contains("gelu"));
    assert!(refusal(r#", "quantization_config": {"bits": 4}"#).contains("quantised"));
    let yarn = refusal(r#", "rope_scaling": {"rope_type": "yarn", "factor": 2.0}"#);
    assert!(yarn.contains("yarn") && yarn.contains("llama3"), "{yarn}");
}

#[test]
fn faults_name_the_field_and_the_fix() {
    assert!(refusal(r#", "num_key_value_heads": 3"#).contains("kv_heads"));
    assert!(refusal(r#", "head_dim": 5"#).contains("even"));
    assert!(refusal(r#", "rms_norm_eps": -1.0"#).contains("rms_norm_eps"));
    assert!(refusal(r#", "rope_theta": 0"#).contains("rope_theta"));
    let missing = refusal(r#", "rope_scaling": {"rope_type": "llama3", "factor": 2.0}"#);
    assert!(missing.contains("low_freq_factor is missing"), "{missing}");
    let error = llama(br#"{"model_type": "llama", "hidden_size": 8}"#).expect_err("refused");
    assert!(error.to_string().contains("intermediate_size"), "{error}");
    let error = llama(b"{,").expect_err("refused");
    assert!(error.to_string().contains("not JSON"), "{error}");
}

#[test]
fn a_rope_type_may_be_written_under_its_former_name_too() {
    let both = r#", "rope_scaling": {"type": "linear", "rope_type": "linear", "factor": 2.0}"#;
    let scaling = parse(both).expect("valid").rope.scaling;
    assert_eq!(scaling, RopeScaling::Linear { factor: 2.0 });
    let newer = r#", "rope_scaling": {"type": "dynamic", "rope_type": "default"}"#;
    assert_eq!(parse(newer).expect("valid").rope.scaling, RopeScaling::None);
}
