//! A trained network as a Hugging Face model folder: `config.json`,
//! `model.safetensors` in bf16 and `tokenizer.json`.

use std::collections::BTreeMap;

use candle_core::{DType, Var};
use half::bf16;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

use super::TrainError;
use super::config::TrainConfig;
use crate::whole::Files;

/// The weights' file name.
pub(super) const WEIGHTS: &str = "model.safetensors";

/// Rounds every weight to bf16, nearest and ties to even, and keeps it as f32:
/// what is evaluated then is what is stored.
pub(super) fn round_to_bf16(variables: &BTreeMap<String, Var>) -> Result<(), TrainError> {
    for var in variables.values() {
        var.set(&var.to_dtype(DType::BF16)?.to_dtype(DType::F32)?)?;
    }
    Ok(())
}

/// Writes what the model's folder will hold to `files`, the weights last.
pub(super) fn stage(
    files: &mut Files,
    config: &TrainConfig,
    variables: &BTreeMap<String, Var>,
    tokenizer_json: &str,
    vocabulary: usize,
) -> Result<(), TrainError> {
    let out = &config.out;
    files.stage(&out.join("tokenizer.json"), tokenizer_json.as_bytes())?;
    let description = describe(config, vocabulary);
    files.stage(&out.join("config.json"), description.as_bytes())?;
    files.stage(&out.join(WEIGHTS), &weights(variables)?)?;
    Ok(())
}

/// The content of the weights file.
fn weights(variables: &BTreeMap<String, Var>) -> Result<Vec<u8>, TrainError> {
    let mut data = Vec::with_capacity(variables.len());
    for (name, var) in variables {
        let values = var.flatten_all()?.to_vec1::<f32>()?;
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|&value| bf16::from_f32(value).to_le_bytes())
            .collect();
        data.push((name, var.dims().to_vec(), bytes));
    }
    let views = data.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::BF16, shape.clone(), bytes)
            .expect("as many bytes as the shape says");
        (name.as_str(), view)
    });
    let metadata = [("format".to_owned(), "pt".to_owned())].into();
    Ok(safetensors::serialize(views, Some(metadata))
        .expect("tensors of checked sizes always serialise"))
}

/// `config.json` with the fields of Hugging Face's `LlamaConfig` or
/// `MixtralConfig`.
fn describe(config: &TrainConfig, vocabulary: usize) -> String {
    let network = &config.network;
    let mut fields = json!({
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": network.hidden,
        "intermediate_size": network.ffn,
        "num_hidden_layers": network.layers,
        "num_attention_heads": network.heads,
        "num_key_value_heads": network.heads,
        "head_dim": network.hidden / network.heads,
        "hidden_act": "silu",
        "max_position_embeddings": config.window,
        "rms_norm_eps": network.norm_epsilon,
        "rope_theta": network.rope_theta,
        "rope_scaling": null,
        "vocab_size": vocabulary,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": null,
        "tie_word_embeddings": true,
        "attention_bias": false,
        "attention_dropout": 0.0,
        "mlp_bias": false,
        "pretraining_tp": 1,
        "initializer_range": 0.02,
        "use_cache": true,
        "torch_dtype": "bfloat16"
    });
    if let Some(experts) = &network.experts {
        let mixtral = json!({
            "architectures": ["MixtralForCausalLM"],
            "model_type": "mixtral",
            "num_local_experts": experts.count,
            "num_experts_per_tok": experts.active,
            "output_router_logits": false,
            "router_aux_loss_coef": experts.balance,
            "router_jitter_noise": 0.0,
            "sliding_window": null
        });
        let (Some(all), Some(own)) = (fields.as_object_mut(), mixtral.as_object()) else {
            unreachable!("both are objects")
        };
        all.extend(own.clone());
        for llama_only in [
            "attention_bias",
            "mlp_bias",
            "pretraining_tp",
            "rope_scaling",
        ] {
            all.shift_remove(llama_only);
        }
    }
    let mut text = serde_json::to_string_pretty(&fields).expect("JSON of strings and numbers");
    text.push('\n');
    text
}
