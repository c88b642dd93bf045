//! Weights files: damaged, incomplete, of another model, with tensors too many, or with
//! numbers that are none.

use crate::{add, configure, copy, fixture, refusal, rewrite, rewrite_all};
use airloom::numerics::{Llama, LoadError};
use safetensors::tensor::Dtype;
use std::fs;
use std::path::Path;

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

#[test]
fn tensors_that_nobody_reads_are_named() {
    let folder = copy("llama_multi_head");
    let bias = "model.layers.0.self_attn.q_proj.bias";
    add(folder.path(), &[bias]);
    refusal(
        folder.path(),
        &["model.safetensors", "a tensor that", bias, "biases"],
    );
    let more: Vec<String> = (0..6).map(|n| format!("score.{n}.weight")).collect();
    add(
        folder.path(),
        &more.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let words = [
        "7 tensors that",
        bias,
        "`score.0.weight`",
        "`score.2.weight`, …",
    ];
    refusal(folder.path(), &words);
}

#[test]
fn layers_beyond_those_of_the_configuration_are_named() {
    let folder = copy("llama_multi_head");
    configure(folder.path(), "num_hidden_layers", 1.into());
    let words = [
        "9 tensors that",
        "`model.layers.1.input_layernorm.weight`",
        "num_hidden_layers: 1",
        "up to layer 1, counted from 0",
    ];
    refusal(folder.path(), &words);
}

#[test]
fn tensors_of_a_shard_that_its_index_does_not_list_are_unread_too() {
    let folder = copy("llama_rope_scaled");
    let shard = folder.path().join("model-00002-of-00002.safetensors");
    fs::rename(&shard, folder.path().join("model.safetensors")).expect("moved");
    add(folder.path(), &["model.layers.0.mlp.gate_proj.scales"]);
    fs::rename(folder.path().join("model.safetensors"), &shard).expect("moved");
    let words = ["model-00002-of-00002.safetensors", "gate_proj.scales"];
    refusal(folder.path(), &words);
}

#[test]
fn buffers_that_follow_from_the_configuration_are_no_fault() {
    let folder = copy("llama_grouped_tied");
    let before = Llama::load(folder.path()).expect("intact");
    let buffers = [
        "model.layers.0.self_attn.rotary_emb.inv_freq",
        "model.rotary_emb.inv_freq",
        "lm_head.weight",
    ];
    add(folder.path(), &buffers);
    let after = Llama::load(folder.path()).expect("intact");
    assert_eq!(after.config(), before.config());
    let untied = copy("llama_multi_head");
    configure(untied.path(), "tie_word_embeddings", true.into());
    Llama::load(untied.path()).expect("a tied model may store its head all the same");
}

/// With `entry` of the tensor `name` set to `value`.
fn with(fixture: &str, name: &str, entry: usize, value: f32) -> LoadError {
    let folder = copy(fixture);
    rewrite_all(folder.path(), |stored| {
        let (format, _, data) = stored.get_mut(name).expect("a tensor");
        let bytes = match format {
            Dtype::BF16 => half::bf16::from_f32(value).to_le_bytes().to_vec(),
            _ => value.to_le_bytes().to_vec(),
        };
        let from = entry * bytes.len();
        data[from..from + bytes.len()].copy_from_slice(&bytes);
    });
    refusal(
        folder.path(),
        &[
            "model.safetensors",
            name,
            &format!("holds {value} at entry {entry}"),
        ],
    )
}

#[test]
fn a_weight_that_is_no_number_is_named_by_its_tensor_and_place() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        with("llama_multi_head", "model.norm.weight", 23, value);
        with(
            "llama_multi_head",
            "model.layers.1.mlp.up_proj.weight",
            0,
            value,
        );
        with("llama_grouped_tied", "model.embed_tokens.weight", 7, value);
    }
}

#[test]
fn an_index_of_nothing_has_no_weights() {
    let folder = copy("llama_rope_scaled");
    let path = folder.path().join("model.safetensors.index.json");
    fs::write(path, r#"{"metadata": {}, "weight_map": {}}"#).expect("written");
    refusal(folder.path(), &["index.json", "weight_map lists no tensor"]);
}

#[test]
fn a_header_that_claims_more_than_there_is_takes_no_memory() {
    let folder = copy("llama_multi_head");
    let path = folder.path().join("model.safetensors");
    let whole = fs::read(&path).expect("readable");
    for claimed in [u64::MAX, 1 << 40, 99_999_999, whole.len() as u64] {
        let mut content = whole.clone();
        content[..8].copy_from_slice(&claimed.to_le_bytes());
        fs::write(&path, content).expect("written");
        refusal(folder.path(), &["model.safetensors", "damaged"]);
    }
    let header = r#"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}}"#;
    let content = [
        &(header.len() as u64).to_le_bytes()[..],
        header.as_bytes(),
        &[0; 4],
    ]
    .concat();
    fs::write(&path, content).expect("written");
    refusal(folder.path(), &["model.safetensors", "damaged"]);
    fs::File::options()
        .write(true)
        .open(&path)
        .and_then(|file| file.set_len(1 << 40))
        .expect("a sparse file");
    refusal(
        folder.path(),
        &["model.safetensors", "damaged", "(1099511627776 bytes)"],
    );
}

#[test]
fn weights_in_another_format_are_named_with_what_converts_them() {
    for name in ["pytorch_model.bin", "model.gguf", "consolidated.00.pth"] {
        let folder = copy("llama_multi_head");
        fs::remove_file(folder.path().join("model.safetensors")).expect("removed");
        fs::write(folder.path().join(name), b"PK").expect("written");
        refusal(
            folder.path(),
            &["model.safetensors", name, "save_pretrained"],
        );
    }
    let folder = copy("llama_multi_head");
    let path = folder.path().join("model.safetensors");
    fs::rename(path, folder.path().join("model-00001-of-00001.safetensors")).expect("moved");
    refusal(
        folder.path(),
        &["`model-00001-of-00001.safetensors` is neither"],
    );
}
