//! The bundled tiny-llama as a GGUF file, through the program.

use super::bundled;
use super::writer::{BF16, F32, Gguf, Q8_0, Value};
use airloom::model::ShardPlan;
use airloom::numerics::{Llama, Rows, ShardedLlama, Tokenizer, score};
use half::{bf16, f16};
use safetensors::SafeTensors;
use serde_json::Value as Json;
use std::fs;
use std::path::Path;

fn names(published: &str) -> String {
    let pairs = [
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("model.layers", "blk"),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ];
    let named = |name: String, (from, to): &(&str, &str)| name.replace(from, to);
    pairs.iter().fold(published.to_owned(), named)
}

/// Rows i and i + d/2 of every head next to each other.
fn paired(rows: Vec<&[f32]>, dim: usize) -> Vec<f32> {
    let heads = rows.chunks(dim);
    let pairs = heads
        .flat_map(|head| (0..dim / 2).flat_map(move |pair| [head[pair], head[pair + dim / 2]]));
    pairs.flatten().copied().collect()
}

/// Blocks of 32 with the largest magnitude at 127.
fn q8_0(values: &[f32]) -> Vec<u8> {
    let blocks = values.chunks_exact(32).flat_map(|block| {
        let largest = block.iter().fold(0f32, |most, value| most.max(value.abs()));
        let scale = f16::from_f32(largest / 127.0);
        let whole = block.iter().map(move |value| {
            let entry = (value * 127.0 / largest.max(f32::MIN_POSITIVE)).round();
            (entry as i8).cast_unsigned()
        });
        scale.to_le_bytes().into_iter().chain(whole)
    });
    blocks.collect()
}

pub fn tiny(format: u32) -> Gguf {
    let folder = bundled("tiny-llama");
    let read = |name: &str| fs::read(folder.join(name)).expect("the bundled model");
    let config: Json = serde_json::from_slice(&read("config.json")).expect("JSON");
    let tokenizer: Json = serde_json::from_slice(&read("tokenizer.json")).expect("JSON");
    let size = |field: &str| Value::U32(config[field].as_u64().expect("a size") as u32);
    let mut gguf = Gguf::default();
    let mut set = |key: &str, value| gguf.set(key, value);
    set("general.architecture", Value::Text("llama".into()));
    set("llama.context_length", size("max_position_embeddings"));
    set("llama.embedding_length", size("hidden_size"));
    set("llama.block_count", size("num_hidden_layers"));
    set("llama.feed_forward_length", size("intermediate_size"));
    set("llama.attention.head_count", size("num_attention_heads"));
    set("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5));
    set("tokenizer.ggml.model", Value::Text("gpt2".into()));
    set("tokenizer.ggml.pre", Value::Text("gpt-2".into()));
    let mut tokens: Vec<(String, u64)> = tokenizer["model"]["vocab"]
        .as_object()
        .expect("a vocabulary")
        .iter()
        .map(|(token, id)| (token.clone(), id.as_u64().expect("an id")))
        .collect();
    tokens.sort_by_key(|(_, id)| *id);
    // 3 is a control token, 1 a normal one.
    let kinds = tokens.iter().map(|(_, id)| if *id < 2 { 3 } else { 1 });
    set("tokenizer.ggml.token_type", Value::I32s(kinds.collect()));
    let tokens = tokens.into_iter().map(|(token, _)| token).collect();
    set("tokenizer.ggml.tokens", Value::Texts(tokens));
    let merges = tokenizer["model"]["merges"].as_array().expect("merges");
    let merges = merges.iter().map(|pair| {
        let piece = |place: usize| pair[place].as_str().expect("a piece");
        format!("{} {}", piece(0), piece(1))
    });
    set("tokenizer.ggml.merges", Value::Texts(merges.collect()));
    set("tokenizer.ggml.bos_token_id", Value::U32(0));
    set("tokenizer.ggml.eos_token_id", Value::U32(1));
    set("tokenizer.ggml.add_bos_token", Value::Bool(true));
    let weights = read("model.safetensors");
    let weights = SafeTensors::deserialize(&weights).expect("intact");
    let dim = config["head_dim"].as_u64().expect("a size") as usize;
    for (name, view) in weights.tensors() {
        let values: Vec<f32> = view
            .data()
            .chunks_exact(2)
            .map(|bytes| bf16::from_le_bytes([bytes[0], bytes[1]]).to_f32())
            .collect();
        let columns = *view.shape().last().expect("a tensor");
        let values = match name.contains("q_proj") || name.contains("k_proj") {
            true => paired(values.chunks(columns).collect(), dim),
            false => values,
        };
        let sizes: Vec<u64> = view.shape().iter().map(|size| *size as u64).collect();
        let format = if sizes.len() == 1 { F32 } else { format };
        let bytes = match format {
            F32 => values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            BF16 => {
                let halves = values.iter().map(|value| bf16::from_f32(*value));
                halves.flat_map(bf16::to_le_bytes).collect()
            }
            _ => q8_0(&values),
        };
        gguf.tensors.push((names(&name), sizes, format, bytes));
    }
    gguf
}

fn whole(path: &Path) -> ShardedLlama {
    let model = Llama::load(path).unwrap_or_else(|error| panic!("{error}"));
    let plan = ShardPlan::whole(model.shape()).expect("a model's shape");
    model.shard(&plan).expect("its own plan")
}

/// Mean negative log-likelihood, and the bits of all logits.
pub fn likelihood(model: &ShardedLlama, tokens: &[u32]) -> (f64, Vec<u32>) {
    let mut cache = model.cache(tokens.len()).expect("short");
    let mut workspace = model.workspace();
    model
        .forward_ideal(tokens, &mut cache, &mut workspace, Rows::All)
        .expect("a valid step");
    let logits = workspace.logits().expect("just computed");
    let vocabulary = model.shape().vocabulary;
    let rows = &logits[..(tokens.len() - 1) * vocabulary];
    let nll = score(rows, vocabulary, &tokens[1..]).expect("finite");
    let mean = nll.iter().sum::<f64>() / nll.len() as f64;
    (mean, logits.iter().map(|logit| logit.to_bits()).collect())
}

pub const TEXT: &str = "Once Clara was in the barn. Nils is older than Clara. ";

#[test]
fn a_model_is_the_same_from_either_layout_and_near_in_eight_bits() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    tiny(BF16).write(&path("tiny.gguf"));
    tiny(Q8_0).write(&path("tiny-q8.gguf"));
    let published = whole(&bundled("tiny-llama"));
    let tokenizer = Tokenizer::load(&path("tiny-q8.gguf")).expect("a vocabulary");
    let tokens = tokenizer.encode_document(&TEXT.repeat(6)).expect("cut");
    let (own, bits) = likelihood(&published, &tokens[..60]);
    assert_eq!(
        likelihood(&whole(&path("tiny.gguf")), &tokens[..60]).1,
        bits
    );
    let eight = whole(&path("tiny-q8.gguf"));
    assert!((8.5..8.6).contains(&eight.shape().weight_bits));
    let (near, others) = likelihood(&eight, &tokens[..60]);
    assert!((own - near).abs() < 0.02 * own, "{own} {near}");
    assert_ne!(others, bits);
}

#[test]
fn the_program_runs_and_checks_a_gguf_file() {
    let folder = tempfile::tempdir().expect("a folder");
    tiny(Q8_0).write(&folder.path().join("tiny.gguf"));
    let scenario = r#"Scenario(
        model: Gguf("tiny.gguf"),
        nodes: {"phone": (profile: Preset("jetson-orin-nano"))},
        links: {},
        replicas: [(placement: Single(at: "phone"))],
        workload: [Generate(prompt: "The river ", max_tokens: 5)],
    )"#;
    fs::write(folder.path().join("run.ron"), scenario).expect("a file");
    let airloom = || {
        let mut command = assert_cmd::Command::cargo_bin("airloom").expect("the program");
        command.current_dir(folder.path());
        command
    };
    airloom()
        .args(["run", "run.ron", "--out", "out"])
        .assert()
        .success();
    let manifest = fs::read_to_string(folder.path().join("out/manifest.json")).expect("a run");
    assert!(manifest.contains("tiny.gguf"), "{manifest}");
    let checked = airloom().args(["check", "tiny.gguf"]).assert().success();
    let said = String::from_utf8_lossy(&checked.get_output().stdout).into_owned();
    for word in ["LLaMA", "Q8_0 99", "8.", "1 024, tied", "128, rotary"] {
        assert!(said.contains(word), "`{said}` lacks `{word}`");
    }
    // A folder with such a file says what to write.
    fs::write(
        folder.path().join("run.ron"),
        scenario.replace("Gguf(\"tiny.gguf\")", "Folder(\".\")"),
    )
    .expect("a file");
    let refused = airloom().args(["run", "run.ron"]).assert().code(2);
    let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(said.contains("tiny.gguf; write model: Gguf"), "{said}");
}
