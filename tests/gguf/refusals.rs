//! What cannot be computed is refused by name, and what a damaged file claims is not believed.

use super::writer::{F32, Gguf, Value, small};
use airloom::numerics::Llama;
use std::fs;

fn refused(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("a file");
    let error = Llama::load(&path).expect_err("must be refused").to_string();
    assert!(error.contains(name), "{error}");
    error
}

#[track_caller]
fn says(change: impl FnOnce(&mut Gguf), words: &[&str]) {
    let mut gguf = small();
    change(&mut gguf);
    let error = refused("small.gguf", &gguf.bytes());
    for word in words {
        assert!(error.contains(word), "`{error}` lacks `{word}`");
    }
}

#[test]
fn the_small_model_loads() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("small.gguf");
    small().write(&path);
    let model = Llama::load(&path).expect("nothing is wrong with it");
    assert_eq!(model.shape().name, "small");
    assert_eq!(model.digests()[0].name, "small.gguf");
    let hash = blake3::hash(&fs::read(&path).expect("there")).to_hex();
    assert_eq!(model.digests()[0].blake3, hash.as_str());
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    let set = |key: &'static str, value: Value| move |gguf: &mut Gguf| gguf.set(key, value);
    says(
        set("general.architecture", Value::Text("mamba".into())),
        &["`mamba`", "general.architecture", "qwen2"],
    );
    says(
        set("llama.attention.temperature_scale", Value::F32(0.5)),
        &[
            "llama.attention.temperature_scale is 0.5",
            "not implemented",
        ],
    );
    says(
        set("llama.rope.scaling.type", Value::Text("spiral".into())),
        &["llama.rope.scaling.type is `spiral`"],
    );
    says(
        set("llama.rope.dimension_count", Value::U32(4)),
        &["llama.rope.dimension_count is 4", "8 entries"],
    );
    says(
        set("llama.block_count", Value::Text("two".into())),
        &["llama.block_count is \"two\"", "whole number"],
    );
    says(
        |gguf| gguf.keys.retain(|(key, _)| key != "llama.block_count"),
        &["llama.block_count is missing"],
    );
    says(
        set("llama.block_count", Value::U32(2)),
        &["`blk.1.attn_norm.weight` is missing"],
    );
    says(
        |gguf| gguf.tensors[2].2 = 19,
        &["`blk.0.attn_q.weight` is stored as IQ1_S", "Q4_K"],
    );
    says(|gguf| gguf.tensors[2].2 = 77, &["format of number 77"]);
    says(
        |gguf| {
            let more = ("blk.0.attn_sinks.weight".into(), vec![4], F32, vec![0; 16]);
            gguf.tensors.push(more);
        },
        &["`blk.0.attn_sinks.weight`", "of no use"],
    );
    says(
        |gguf| gguf.tensors[0].3[..4].copy_from_slice(&f32::NAN.to_le_bytes()),
        &["token_embd.weight", "NaN at entry 0"],
    );
    says(set("split.count", Value::U32(3)), &["split.no is missing"]);
}

#[test]
fn claims_are_held_against_the_length_of_the_file() {
    let good = small().bytes();
    // Counts of tensors and of keys, and the length of the first key.
    for (place, word) in [(8, "tensor"), (16, "key"), (24, "key 0 of 7")] {
        for claim in [u64::MAX, 1 << 40, 1 << 20] {
            let mut bytes = good.clone();
            bytes[place..place + 8].copy_from_slice(&claim.to_le_bytes());
            let error = refused("claims.gguf", &bytes);
            assert!(error.contains(word), "{error}");
        }
    }
    for length in [0, 3, 7, 23, 30, 300, good.len() / 2, good.len() - 1] {
        refused("short.gguf", &good[..length]);
    }
    says(
        |gguf| gguf.tensors[2].1 = vec![1 << 40, 1 << 40],
        &["`blk.0.attn_q.weight`", "sizes"],
    );
    says(
        |gguf| gguf.tensors[2].1 = vec![1 << 20, 32],
        &["`blk.0.attn_q.weight` lies at"],
    );
    let error = refused("text.gguf", b"{\"architectures\": []}");
    assert!(error.contains("does not begin with GGUF"), "{error}");
    let mut swapped = good.clone();
    swapped[4..8].copy_from_slice(&3u32.to_be_bytes());
    assert!(refused("big.gguf", &swapped).contains("big-endian"));
}

#[test]
fn parts_belong_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = |part: usize| folder.path().join(format!("m-{part:05}-of-00002.gguf"));
    let whole = small();
    let part = |number: u32, tensors: &[super::writer::Tensor]| {
        let mut part = Gguf {
            keys: match number {
                0 => whole.keys.clone(),
                _ => Vec::new(),
            },
            tensors: tensors.to_vec(),
        };
        part.set("split.no", Value::U32(number));
        part.set("split.count", Value::U32(2));
        part
    };
    part(0, &whole.tensors[..3]).write(&name(1));
    let error = Llama::load(&name(1))
        .expect_err("one is missing")
        .to_string();
    assert!(
        error.contains("m-00002-of-00002.gguf") && error.contains("fetch"),
        "{error}"
    );
    part(1, &whole.tensors[3..]).write(&name(2));
    let model = Llama::load(&name(1)).expect("both are there");
    assert_eq!(
        (model.shape().name.as_str(), model.digests().len()),
        ("m", 2)
    );
    let error = Llama::load(&name(2))
        .expect_err("not the first")
        .to_string();
    assert!(
        error.contains("give the first, m-00001-of-00002.gguf"),
        "{error}"
    );
    part(1, &whole.tensors[2..]).write(&name(2));
    let error = Llama::load(&name(1))
        .expect_err("one is in both")
        .to_string();
    assert!(error.contains("in another part too"), "{error}");
}
