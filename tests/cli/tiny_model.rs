//! A random LLaMA of some tens of kilobytes with a tokenizer of 300 tokens, on a desk.

use crate::desk::{Desk, TINY};
use airloom::model::{Architecture, ModelShape};
use airloom::numerics::Llama;
use airloom::rng::Streams;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Tensors by name: shape and entries.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn shape() -> ModelShape {
    ModelShape {
        name: "tiny".to_owned(),
        architecture: Architecture::Llama,
        design: Default::default(),
        layers: 1,
        hidden: 16,
        heads: 2,
        kv_heads: 2,
        head_dim: 8,
        ffn: 16,
        vocabulary: 300,
        tied_embeddings: false,
        experts: None,
        weight_bits: 32.0,
        cache_bits: 32.0,
        activation_bits: 32.0,
    }
}

/// The names of its tensors.
fn names() -> Vec<String> {
    let parts = [
        "input_layernorm",
        "self_attn.q_proj",
        "self_attn.k_proj",
        "self_attn.v_proj",
        "self_attn.o_proj",
        "post_attention_layernorm",
        "mlp.gate_proj",
        "mlp.up_proj",
        "mlp.down_proj",
    ];
    let layer = parts
        .iter()
        .map(|part| format!("model.layers.0.{part}.weight"));
    let outside = [
        "model.embed_tokens.weight",
        "model.norm.weight",
        "lm_head.weight",
    ];
    layer.chain(outside.map(str::to_owned)).collect()
}

/// Writes the model to the folder `model` of `desk` after `change`, and the small scenario for
/// it on one device to `model.ron`.
pub fn write(desk: &Desk, change: impl FnOnce(&mut Tensors)) {
    let folder = desk.path("model");
    fs::create_dir_all(&folder).unwrap();
    let mut stream = Streams { seed: 5, run: 0 }.open("tiny model", 0, 0);
    let llama = Llama::random(&shape(), &mut stream).unwrap();
    let mut tensors: Tensors = names()
        .into_iter()
        .map(|name| {
            let tensor = llama.tensor(&name).unwrap();
            let entries = tensor.flatten_all().unwrap().to_vec1().unwrap();
            (name, (tensor.dims().to_vec(), entries))
        })
        .collect();
    change(&mut tensors);
    save(&folder.join("model.safetensors"), &tensors);
    let config = json!({
        "architectures": ["LlamaForCausalLM"], "hidden_size": 16, "intermediate_size": 16,
        "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 300,
        "max_position_embeddings": 512, "bos_token_id": 0, "eos_token_id": 1
    });
    desk.write("model/config.json", &config.to_string());
    let tokenizer = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/byte_level_300/tokenizer.json"
    );
    fs::copy(tokenizer, folder.join("tokenizer.json")).unwrap();
    let alone = TINY
        .replace("MODEL", "model")
        .replace("count: 2", "count: 1")
        .replace("[0.5, 0.5]", "[1]");
    desk.write("model.ron", &alone);
}

fn save(path: &Path, tensors: &Tensors) {
    let bytes: Vec<Vec<u8>> = tensors
        .values()
        .map(|(_, entries)| {
            entries
                .iter()
                .flat_map(|entry| entry.to_le_bytes())
                .collect()
        })
        .collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, (shape, _)), bytes)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
            (name.as_str(), view)
        });
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}
