//! `config.json` files as they are found, and what is refused in them.

use super::*;
use crate::model::{Window, WindowLayers};
use crate::numerics::RopeScaling;

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
    let window = mixtral(r#", "sliding_window": 64"#)
        .expect("valid")
        .shape
        .design
        .window;
    assert_eq!(window.and_then(|window| window.of(1)), Some(64));
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
    assert!(refusal(r#", "hidden_act": "gelu""#).contains("gelu"));
    assert!(refusal(r#", "quantization_config": {"bits": 4}"#).contains("quantised"));
    let ntk = refusal(r#", "rope_scaling": {"rope_type": "ntk", "factor": 2.0}"#);
    assert!(ntk.contains("ntk") && ntk.contains("llama3"), "{ntk}");
    // What some other family has, and a LLaMA has not.
    for (field, value) in [
        ("clip_qkv", "8.0"),
        ("residual_multiplier", "0.22"),
        ("logit_scale", "0.0625"),
        ("attn_logit_softcapping", "50.0"),
        ("partial_rotary_factor", "0.5"),
        ("alibi", "true"),
        ("n_routed_experts", "64"),
        ("vision_config", r#"{"hidden_size": 8}"#),
        ("no_rope_layers", "[1, 0]"),
    ] {
        let text = refusal(&format!(r#", "{field}": {value}"#));
        assert!(text.contains(field) && text.contains("LLaMA"), "{text}");
    }
    let nested = r#", "rope_parameters": {"full_attention": {"rope_type": "default"}}"#;
    assert!(refusal(nested).contains("full_attention"));
    let part = r#", "rope_scaling": {"type": "linear", "factor": 2, "partial_rotary_factor": 0.5}"#;
    assert!(refusal(part).contains("partial_rotary_factor"));
}

#[test]
fn what_changes_nothing_is_read_over() {
    for harmless in [
        r#", "clip_qkv": null, "residual_multiplier": 1.0, "alibi": false, "no_rope_layers": []"#,
        r#", "attention_bias": false, "partial_rotary_factor": 1, "n_routed_experts": null"#,
        r#", "attention_dropout": 0.1, "initializer_range": 0.02, "use_cache": true"#,
        r#", "pretraining_tp": 2, "torch_dtype": "bfloat16", "x_unknown": [0, {}]"#,
    ] {
        assert!(parse(harmless).is_ok(), "{harmless}");
    }
}

#[test]
fn biases_that_are_declared_are_part_of_the_design() {
    let config = parse(r#", "attention_bias": true, "mlp_bias": true"#).expect("valid");
    let biases = config.shape.design.biases;
    assert!(biases.queries_keys_values && biases.attention_output && biases.feed_forward);
    let plain = parse("").expect("valid").shape;
    // q, k and v 64 each, o 64; gate and up 160 each, down 64: by layer.
    let more = 2 * (4 * 64 + 2 * 160 + 64);
    assert_eq!(config.shape.parameters(), plain.parameters() + more);
}

#[test]
fn each_family_is_known_by_class_and_by_type() {
    for (class, kind, name) in [
        ("MistralForCausalLM", "mistral", "Mistral"),
        ("Qwen2ForCausalLM", "qwen2", "Qwen2"),
        ("Qwen3ForCausalLM", "qwen3", "Qwen3"),
        ("Gemma2ForCausalLM", "gemma2", "Gemma 2"),
        ("Phi3ForCausalLM", "phi3", "Phi-3"),
    ] {
        let base = format!("{BASE}, \"num_key_value_heads\": null}}");
        let by_class = base.replace("LlamaForCausalLM", class);
        let config = llama(by_class.as_bytes()).expect("valid");
        assert_eq!(config.family, name);
        let by_type = base.replace(
            r#""architectures": ["LlamaForCausalLM"]"#,
            &format!(r#""model_type": "{kind}""#),
        );
        assert_eq!(llama(by_type.as_bytes()).expect("valid"), config);
    }
}

#[test]
fn windows_are_where_each_family_has_them() {
    let read = |class: &str, extra: &str| {
        let text = BASE.replace("LlamaForCausalLM", class);
        let text = format!("{text}, \"num_key_value_heads\": 8{extra}}}");
        llama(text.as_bytes()).map(|config| config.shape.design.window)
    };
    let all = |size| {
        Some(Window {
            size,
            layers: WindowLayers::All,
        })
    };
    let mistral = |extra: &str| read("MistralForCausalLM", extra).expect("valid");
    assert_eq!(mistral(""), all(4096));
    assert_eq!(mistral(r#", "sliding_window": null"#), None);
    assert_eq!(mistral(r#", "sliding_window": 7"#), all(7));
    let qwen = |extra: &str| read("Qwen2ForCausalLM", extra);
    assert_eq!(qwen(r#", "sliding_window": 7"#).expect("valid"), None);
    let later = r#", "sliding_window": 7, "use_sliding_window": true, "max_window_layers": 1"#;
    let window = qwen(later).expect("valid").expect("used");
    assert_eq!((window.of(0), window.of(1)), (None, Some(7)));
    let listed = r#", "sliding_window": 7, "use_sliding_window": true, "layer_types":
        ["sliding_attention", "full_attention"]"#;
    let window = qwen(listed).expect("valid").expect("used");
    assert_eq!((window.of(0), window.of(1)), (Some(7), None));
    for fault in ["chunked_attention", "linear_attention"] {
        let text = listed.replace("full_attention", fault);
        let error = qwen(&text).expect_err("not implemented").to_string();
        assert!(
            error.contains(fault) && error.contains("layer_types"),
            "{error}"
        );
    }
    let gemma = read("Gemma2ForCausalLM", "")
        .expect("valid")
        .expect("by default");
    assert_eq!((gemma.of(0), gemma.of(1)), (Some(4096), None));
    // The reference ignores it in a LLaMA.
    assert_eq!(
        parse(r#", "sliding_window": 7"#)
            .expect("valid")
            .shape
            .design
            .window,
        None
    );
}

#[test]
fn caps_are_as_given_and_null_is_none() {
    let gemma = |extra: &str| {
        let text = format!(
            "{}{extra}}}",
            BASE.replace("LlamaForCausalLM", "Gemma2ForCausalLM")
        );
        let design = llama(text.as_bytes()).expect("valid").shape.design;
        (design.score_cap, design.logit_cap)
    };
    assert_eq!(gemma(""), (Some(50.0), Some(30.0)));
    assert_eq!(
        gemma(r#", "attn_logit_softcapping": null"#),
        (None, Some(30.0))
    );
    assert_eq!(
        gemma(r#", "final_logit_softcapping": 8"#),
        (Some(50.0), Some(8.0))
    );
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
    let newer = r#", "rope_scaling": {"type": "ntk", "rope_type": "default"}"#;
    assert_eq!(parse(newer).expect("valid").rope.scaling, RopeScaling::None);
}
