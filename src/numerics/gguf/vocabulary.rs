//! The tokenizer of a GGUF file, put as a `tokenizer.json` would.
//!
//! llama.cpp cuts a text in two ways: `gpt2` splits it by expressions
//! that `tokenizer.ggml.pre` names and merges bytes by rank; `llama` merges letters by the scores
//! of what they make, and writes what it has no token for as bytes. Which expressions belong to
//! which name was read from its source; a name that is not here is refused.

use super::files;
use super::keys::Keys;
use crate::numerics::error::LoadError;
use serde_json::{Value as Json, json};
use std::path::Path;

/// GPT-2's expression.
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)";

/// Llama 3's: digits in threes.
const LLAMA3: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Qwen 2's: digits alone.
const QWEN2: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Mistral's later ones: capitals and small letters apart.
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// What a name of `tokenizer.ggml.pre` stands for.
struct Splitting {
    names: &'static [&'static str],
    /// Each splits what the one before has left.
    expressions: &'static [&'static str],
    /// Whether a piece that is a token is not merged, and a document has a beginning unless a key
    /// says otherwise.
    whole_tokens: bool,
}

const SPLITTINGS: [Splitting; 7] = [
    Splitting {
        names: &[
            "gpt-2", "mpt", "olmo", "jais", "phi-2", "mellum", "gigachat",
        ],
        expressions: &[GPT2],
        whole_tokens: false,
    },
    Splitting {
        names: &["llama3", "llama-v3", "llama-bpe", "falcon3"],
        expressions: &[LLAMA3],
        whole_tokens: true,
    },
    Splitting {
        names: &["dbrx", "smaug-bpe"],
        expressions: &[LLAMA3],
        whole_tokens: false,
    },
    Splitting {
        names: &["qwen2", "deepseek-r1-qwen", "stablelm2"],
        expressions: &[QWEN2],
        whole_tokens: false,
    },
    Splitting {
        names: &["smollm", "starcoder", "refact", "command-r", "codeshell"],
        expressions: &[r"\p{N}", GPT2],
        whole_tokens: false,
    },
    Splitting {
        names: &["tekken"],
        expressions: &[TEKKEN],
        whole_tokens: true,
    },
    Splitting {
        names: &["deepseek-coder"],
        expressions: &[
            r"[\r\n]",
            r"\s?\p{L}+",
            r"\s?\p{P}+",
            "[一-龥ࠀ-一가-\u{d7ff}]+",
            r"\p{N}",
        ],
        whole_tokens: false,
    },
];

/// Types of tokens (`llama_token_type`).
const UNKNOWN: i64 = 2;
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;

/// The space of tokens by scores.
const SPACE: &str = "\u{2581}";

/// A tokenizer as a file has it.
#[derive(Debug)]
pub(in crate::numerics) struct Vocabulary {
    /// As a `tokenizer.json`, with a model of the type `Scores` where tokens have such.
    pub(in crate::numerics) tokenizer: Json,
    /// What stands before a document.
    pub(in crate::numerics) begin: Vec<u32>,
    /// What stands after it.
    pub(in crate::numerics) end: Vec<u32>,
}

impl Vocabulary {
    /// That of the GGUF file at `path`.
    ///
    /// # Errors
    /// If the file cannot be read, or has no tokenizer that is known.
    pub(in crate::numerics) fn read(path: &Path) -> Result<Self, LoadError> {
        let parts = files::open(path)?;
        let first = &parts[0];
        let keys = Keys::new(&first.header.values);
        Self::of(&keys).map_err(|fault| first.fault(fault))
    }

    fn of(keys: &Keys<'_>) -> Result<Self, String> {
        let missing = |key: &str| format!("the key {key} is missing, so there is no tokenizer");
        let model = keys.text("tokenizer.ggml.model")?;
        let model = model.ok_or_else(|| missing("tokenizer.ggml.model"))?;
        let tokens = keys.texts("tokenizer.ggml.tokens")?;
        let tokens = tokens.ok_or_else(|| missing("tokenizer.ggml.tokens"))?;
        if tokens.is_empty() || tokens.len() > 1 << 24 {
            return Err(format!(
                "tokenizer.ggml.tokens lists {} tokens; one to 2^24 are possible",
                tokens.len()
            ));
        }
        let types = keys.integers("tokenizer.ggml.token_type")?;
        if let Some(types) = types.filter(|types| types.len() != tokens.len()) {
            return Err(format!(
                "tokenizer.ggml.token_type has {} types for {} tokens",
                types.len(),
                tokens.len()
            ));
        }
        let types = types.unwrap_or_default();
        let (mut tokenizer, begins) = match model {
            "gpt2" => merged(keys, tokens)?,
            "llama" => scored(keys, tokens)?,
            other => {
                return Err(format!(
                    "tokenizer.ggml.model is `{other}`, which is not implemented; gpt2 and llama \
                     are: use a model with one of these"
                ));
            }
        };
        let name = keys
            .text("general.name")?
            .unwrap_or_default()
            .to_lowercase();
        let strips = name.contains("phi-3") || name.contains("phi3");
        tokenizer["version"] = json!("1.0");
        tokenizer["added_tokens"] = apart(tokens, types, strips);
        let around = |which: &str, usual: bool| {
            let asked = keys.flag(&format!("tokenizer.ggml.add_{which}_token"))?;
            let id = keys.size(&format!("tokenizer.ggml.{which}_token_id"))?;
            let id = id.filter(|_| asked.unwrap_or(usual));
            match id.filter(|id| *id >= tokens.len()) {
                Some(id) => Err(format!(
                    "tokenizer.ggml.{which}_token_id is {id}, and there are {} tokens",
                    tokens.len()
                )),
                None => Ok(id.map(|id| id as u32).into_iter().collect()),
            }
        };
        Ok(Self {
            tokenizer,
            begin: around("bos", begins)?,
            end: around("eos", false)?,
        })
    }
}

/// The tokens that a text may spell out whole.
fn apart(tokens: &[String], types: &[i64], strips: bool) -> Json {
    // Which of Phi-3's do not swallow the space after them.
    const PLAIN: [&str; 3] = ["<unk>", "<s>", "<|endoftext|>"];
    let typed = tokens.iter().zip(types).enumerate();
    let apart = typed.filter(|(_, (token, kind))| {
        !token.is_empty() && matches!(**kind, UNKNOWN | CONTROL | USER_DEFINED)
    });
    let apart = apart.map(|(id, (token, kind))| {
        json!({
            "id": id, "content": token, "single_word": false, "lstrip": false,
            "rstrip": strips && !PLAIN.contains(&token.as_str()),
            "normalized": false, "special": *kind != USER_DEFINED,
        })
    });
    Json::Array(apart.collect())
}

/// Bytes, merged by rank; and whether a document has a beginning.
fn merged(keys: &Keys<'_>, tokens: &[String]) -> Result<(Json, bool), String> {
    let name = keys.text("tokenizer.ggml.pre")?.unwrap_or("(none named)");
    let splitting = SPLITTINGS.iter().find(|all| all.names.contains(&name));
    let Some(splitting) = splitting else {
        let known: Vec<_> = SPLITTINGS
            .iter()
            .flat_map(|all| all.names)
            .copied()
            .collect();
        return Err(format!(
            "tokenizer.ggml.pre is `{name}`, and how texts are split by it is not known; known \
             are {}",
            known.join(", ")
        ));
    };
    let merges = keys.texts("tokenizer.ggml.merges")?;
    let merges =
        merges.ok_or("the key tokenizer.ggml.merges is missing; convert the model again")?;
    let mut pairs = Vec::with_capacity(merges.len());
    for merge in merges {
        // The first letter may be a space itself.
        let second = merge.char_indices().nth(1).map_or(0, |(place, _)| place);
        let Some(space) = merge[second..].find(' ') else {
            return Err(format!(
                "tokenizer.ggml.merges has {merge:?}; two pieces with a space between are expected"
            ));
        };
        let (left, right) = merge.split_at(second + space);
        pairs.push(json!([left, &right[1..]]));
    }
    let mut vocabulary = serde_json::Map::new();
    for (id, token) in tokens.iter().enumerate() {
        vocabulary.insert(token.clone(), json!(id));
    }
    let splits = splitting.expressions.iter().map(|expression| {
        json!({
            "type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated",
            "invert": false,
        })
    });
    let mut steps: Vec<Json> = splits.collect();
    steps.push(json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false,
    }));
    let tokenizer = json!({
        "normalizer": null,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
        "post_processor": null,
        "decoder": {
            "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true,
        },
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            "ignore_merges": splitting.whole_tokens, "vocab": vocabulary, "merges": pairs,
        },
    });
    Ok((tokenizer, splitting.whole_tokens))
}

/// Letters, merged by scores.
fn scored(keys: &Keys<'_>, tokens: &[String]) -> Result<(Json, bool), String> {
    let scores = keys.numbers("tokenizer.ggml.scores")?;
    let scores =
        scores.ok_or("the key tokenizer.ggml.scores is missing; convert the model again")?;
    if scores.len() != tokens.len() || scores.iter().any(|score| score.is_nan()) {
        return Err(format!(
            "tokenizer.ggml.scores has {} scores for {} tokens, and each must be a number",
            scores.len(),
            tokens.len()
        ));
    }
    let unknown = keys.size("tokenizer.ggml.unknown_token_id")?;
    let prefixed = keys
        .flag("tokenizer.ggml.add_space_prefix")?
        .unwrap_or(true);
    let space = json!({"type": "Replace", "pattern": {"String": " "}, "content": SPACE});
    let prefix = json!({"type": "Prepend", "prepend": SPACE});
    let mut decoders = vec![
        json!({"type": "Replace", "pattern": {"String": SPACE}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    let mut normalizers = vec![space];
    if prefixed {
        normalizers.insert(0, prefix);
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    let bits: Vec<u32> = scores.iter().map(|score| score.to_bits()).collect();
    let tokenizer = json!({
        "normalizer": {"type": "Sequence", "normalizers": normalizers},
        "pre_tokenizer": null,
        "post_processor": null,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": {"type": "Scores", "tokens": tokens, "scores": bits, "unknown": unknown},
    });
    Ok((tokenizer, true))
}
