//! Files of a model's folder.

use crate::campaign::Target;
use airloom::model::Architecture;
use airloom::numerics::{Llama, ModelConfig, Tokenizer};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn bundled(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("models")
        .join(name)
}

/// A copy of a fixture's folder.
fn copy(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixture(name)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

#[test]
fn configs() {
    let folders = [
        bundled("tiny-llama"),
        bundled("tiny-mixtral"),
        fixture("llama_rope_scaled"),
        fixture("llama_multi_head"),
    ];
    let seeds = folders.map(|folder| fs::read(folder.join("config.json")).unwrap());
    Target {
        name: "configs",
        words: &[
            "null",
            "true",
            "[]",
            "{}",
            "[1, 2]",
            "\"llama3\"",
            "\"yarn\"",
            "\"linear\"",
            "\"silu\"",
            "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0},",
            "Infinity",
            "-Infinity",
            "\"LlamaForCausalLM\"",
            "\"MixtralForCausalLM\"",
            "\"head_dim\": 0,",
        ],
        seeds: seeds.to_vec(),
        inputs: 20_000,
        read: &|input| {
            for architecture in [Architecture::Llama, Architecture::Mixtral] {
                let path = Path::new("config.json");
                if let Err(error) = ModelConfig::parse(input, path, "damaged", architecture) {
                    assert!(error.to_string().contains("config.json"), "{error}");
                }
            }
        },
    }
    .run();
}

#[test]
fn safetensors() {
    let folder = copy("llama_multi_head");
    let file = folder.path().join("model.safetensors");
    let good = fs::read(&file).unwrap();
    let header = 8 + u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    // The header is what makes claims, so only it is damaged, and its length.
    let (head, data) = good.split_at(header);
    Target {
        name: "safetensors",
        words: &[
            "\"F32\"",
            "\"F16\"",
            "\"BF16\"",
            "\"I64\"",
            "\"F8_E4M3\"",
            "data_offsets",
            "shape",
            "dtype",
            "[0,0]",
            "__metadata__",
        ],
        seeds: vec![head.to_vec()],
        inputs: 400,
        read: &|input| {
            let mut content = input.to_vec();
            // Half of them with a length that fits, or hardly anything past it is read.
            if content.len() >= 8 && content.len() % 2 == 0 {
                let length = (content.len() - 8) as u64;
                content[..8].copy_from_slice(&length.to_le_bytes());
            }
            content.extend_from_slice(data);
            fs::write(&file, content).unwrap();
            if let Err(error) = Llama::load(folder.path()) {
                assert!(error.to_string().contains("model.safetensors"), "{error}");
            }
        },
    }
    .run();
}

#[test]
fn indices() {
    let folder = copy("llama_rope_scaled");
    let file = folder.path().join("model.safetensors.index.json");
    let good = fs::read(&file).unwrap();
    Target {
        name: "indices",
        words: &[
            "{}",
            "null",
            "\"\"",
            "\"..\"",
            "\"/dev/zero\"",
            "\"config.json\"",
            "weight_map",
        ],
        seeds: vec![good],
        inputs: 300,
        read: &|input| {
            fs::write(&file, input).unwrap();
            if let Err(error) = Llama::load(folder.path()) {
                assert!(
                    error.to_string().contains(folder.path().to_str().unwrap()),
                    "{error}"
                );
            }
        },
    }
    .run();
}

#[test]
fn tokenizers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokenizer.json");
    let seed = fs::read(bundled("tiny-llama").join("tokenizer.json")).unwrap();
    Target {
        name: "tokenizers",
        words: &[
            "null",
            "{}",
            "[]",
            "\"\"",
            "\"BPE\"",
            "\"WordPiece\"",
            "\"Unigram\"",
            "\"WordLevel\"",
            "\"Metaspace\"",
            "\"ByteLevel\"",
            "\"Replace\"",
            "\"Sequence\"",
            "\"Precompiled\"",
            "\"TemplateProcessing\"",
            "\"truncation\": {\"max_length\": 0, \"stride\": 9},",
            "\"dropout\": 0.5,",
            "\"byte_fallback\": true,",
            "\"vocab\": {},",
            "\"merges\": [],",
        ],
        seeds: vec![seed],
        inputs: 400,
        read: &|input| {
            fs::write(&file, input).unwrap();
            let tokenizer = match Tokenizer::load(folder.path()) {
                Ok(tokenizer) => tokenizer,
                Err(error) => {
                    return assert!(error.to_string().contains("tokenizer.json"), "{error}");
                }
            };
            for text in [
                "",
                "Once Clara was in the barn.",
                "\0\u{1b} 東京\n\n  e\u{301}",
            ] {
                for encoded in [tokenizer.encode(text), tokenizer.encode_document(text)] {
                    let decoded = encoded.and_then(|tokens| tokenizer.decode(&tokens));
                    if let Err(error) = decoded {
                        assert!(!error.to_string().is_empty());
                    }
                }
            }
            let _ = tokenizer.decode(&[0, 1, 299, 300, u32::MAX]);
        },
    }
    .run();
}

#[test]
fn gguf_files() {
    let good = fs::read(fixture("gguf/llama_biased.gguf")).unwrap();
    // The header is what makes claims: it ends behind the last name, with sizes and an offset.
    let names = good.windows(7).take(8192);
    let last = names.enumerate().filter(|(_, name)| *name == b".weight");
    let header = last.map(|(place, _)| place).max().unwrap() + 7 + 24;
    let (head, data) = good.split_at(header.next_multiple_of(32));
    let vocabulary = fs::read(fixture("gguf/scores.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("damaged.gguf");
    Target {
        name: "gguf files",
        words: &[
            "GGUF",
            "\u{9}\0\0\0",
            "\u{8}\0\0\0",
            "\0\0\0\u{1}",
            "general.alignment",
            "split.count",
            "tokenizer.ggml.model",
            "gpt2",
            "llama.block_count",
            "blk.0.attn_q.weight",
        ],
        seeds: vec![head.to_vec(), vocabulary],
        inputs: 600,
        read: &|input| {
            fs::write(&file, [input, data].concat()).unwrap();
            if let Err(error) = Llama::load(&file) {
                assert!(error.to_string().contains("damaged.gguf"), "{error}");
            }
            match Tokenizer::load(&file) {
                Ok(tokenizer) => {
                    for text in ["", "  a text\n", "\0 東京"] {
                        let tokens = tokenizer
                            .encode(text)
                            .and_then(|all| tokenizer.decode(&all));
                        if let Err(error) = tokens {
                            assert!(!error.to_string().is_empty());
                        }
                    }
                }
                Err(error) => assert!(error.to_string().contains("damaged.gguf"), "{error}"),
            }
        },
    }
    .run();
}
