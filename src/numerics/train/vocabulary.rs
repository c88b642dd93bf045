//! A byte-level BPE vocabulary (Sennrich et al. 2016, on the bytes of UTF-8),
//! learnt from text and written as a Hugging Face `tokenizer.json`.
//!
//! Learning is deterministic: of the most frequent pairs the one whose two parts
//! come first in the alphabet is merged. All 256 bytes are in the vocabulary, so
//! any UTF-8 text encodes.

use std::collections::BTreeMap;

use serde_json::json;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

use super::TrainError;

/// The token that stands before every document.
pub const BEGIN: &str = "<|bos|>";
/// The token that ends every document.
pub const END: &str = "<|end|>";

/// Learns a vocabulary of at most `size` entries from `texts` and returns it as
/// the contents of a `tokenizer.json`.
///
/// # Errors
/// [`TrainError::Config`] when `size` leaves no room for the bytes and the two
/// special tokens; [`TrainError::Tokenizer`] when a text cannot be split.
pub(super) fn learn(
    texts: impl Iterator<Item = String>,
    size: usize,
) -> Result<String, TrainError> {
    let mut alphabet: Vec<char> = ByteLevel::alphabet().into_iter().collect();
    alphabet.sort_unstable();
    let mut tokens: Vec<String> = [BEGIN, END].map(str::to_owned).to_vec();
    tokens.extend(alphabet.iter().map(char::to_string));
    if size < tokens.len() {
        return Err(TrainError::Config {
            field: "vocabulary",
            fault: format!(
                "{size} entries cannot hold the 256 bytes and 2 special tokens; give {} or more",
                tokens.len()
            ),
        });
    }

    let mut words: Vec<(Vec<String>, u64)> = count_words(texts)?
        .into_iter()
        .map(|(word, count)| (word.chars().map(String::from).collect(), count))
        .collect();
    let mut merges = Vec::new();
    while tokens.len() < size {
        let Some((left, right)) = most_frequent_pair(&words) else {
            break;
        };
        for (parts, _) in &mut words {
            merge(parts, &left, &right);
        }
        tokens.push(format!("{left}{right}"));
        merges.push([left, right]);
    }
    Ok(tokenizer_json(&tokens, &merges))
}

/// How often each pre-token (a word with its leading space, a number, a mark)
/// occurs, in the byte-level alphabet.
fn count_words(texts: impl Iterator<Item = String>) -> Result<BTreeMap<String, u64>, TrainError> {
    let splitter = ByteLevel::new(false, true, true);
    let mut words = BTreeMap::new();
    for text in texts {
        let mut split = PreTokenizedString::from(text);
        splitter
            .pre_tokenize(&mut split)
            .map_err(|error| TrainError::Tokenizer(error.to_string()))?;
        for (word, _, _) in split.get_splits(OffsetReferential::Normalized, OffsetType::Byte) {
            *words.entry(word.to_owned()).or_default() += 1;
        }
    }
    Ok(words)
}

/// The pair of neighbours that occurs most often, at least twice.
fn most_frequent_pair(words: &[(Vec<String>, u64)]) -> Option<(String, String)> {
    let mut pairs: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (parts, count) in words {
        for pair in parts.windows(2) {
            *pairs.entry((&pair[0], &pair[1])).or_default() += count;
        }
    }
    let mut best: Option<((&str, &str), u64)> = None;
    for (pair, count) in pairs {
        if count >= 2 && best.is_none_or(|(_, most)| count > most) {
            best = Some((pair, count));
        }
    }
    best.map(|((left, right), _)| (left.to_owned(), right.to_owned()))
}

/// Joins every `left` directly before a `right`, from the left.
fn merge(parts: &mut Vec<String>, left: &str, right: &str) {
    let mut place = 0;
    while place + 1 < parts.len() {
        if parts[place] == left && parts[place + 1] == right {
            let tail = parts.remove(place + 1);
            parts[place].push_str(&tail);
        }
        place += 1;
    }
}

/// The file's contents.
fn tokenizer_json(tokens: &[String], merges: &[[String; 2]]) -> String {
    let special = |id: usize, content: &str| {
        json!({
            "id": id, "content": content, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true
        })
    };
    let vocabulary: serde_json::Map<String, serde_json::Value> = tokens
        .iter()
        .enumerate()
        .map(|(id, token)| (token.clone(), json!(id)))
        .collect();
    let byte_level = |add_prefix_space: bool| {
        json!({
            "type": "ByteLevel", "add_prefix_space": add_prefix_space,
            "trim_offsets": true, "use_regex": true
        })
    };
    let file = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [special(0, BEGIN), special(1, END)],
        "normalizer": null,
        "pre_tokenizer": byte_level(false),
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": BEGIN, "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}}
            ],
            "pair": [
                {"SpecialToken": {"id": BEGIN, "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": BEGIN, "type_id": 1}},
                {"Sequence": {"id": "B", "type_id": 1}}
            ],
            "special_tokens": { BEGIN: {"id": BEGIN, "ids": [0], "tokens": [BEGIN]} }
        },
        "decoder": byte_level(true),
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null,
            "continuing_subword_prefix": null, "end_of_word_suffix": null,
            "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocabulary,
            "merges": merges
        }
    });
    let mut text = serde_json::to_string_pretty(&file).expect("JSON of strings and numbers");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{Split, World};
    use tokenizers::Tokenizer;

    fn learnt(size: usize) -> Tokenizer {
        let world = World::new(1);
        let texts = (0..300).map(move |index| world.document(Split::Train, index).text);
        Tokenizer::from_bytes(learn(texts, size).unwrap()).unwrap()
    }

    #[test]
    fn merges_follow_frequency_and_then_the_alphabet() {
        // "ab" and "bc" both occur three times: "ab" is first in the alphabet,
        // and merging it leaves no "bc".
        let json = learn(["abc abc abc".to_owned()].into_iter(), 261).unwrap();
        let file: serde_json::Value = serde_json::from_str(&json).unwrap();
        let merges = &file["model"]["merges"];
        assert_eq!(merges, &json!([["a", "b"], ["ab", "c"], ["Ġ", "abc"]]));
    }

    #[test]
    fn any_text_survives_the_round_trip() {
        let tokenizer = learnt(600);
        for text in [
            "The town of Arden lies in Norland.",
            "Grüße aus 東京 🚂\n\ttabs, \"quotes\" and \u{0}",
            "  leading and trailing  ",
        ] {
            let tokens = tokenizer.encode(text, false).unwrap();
            assert_eq!(tokenizer.decode(tokens.get_ids(), false).unwrap(), text);
        }
    }

    #[test]
    fn encoding_with_special_tokens_begins_the_document() {
        let tokenizer = learnt(600);
        let with = tokenizer.encode("Start with 7.", true).unwrap();
        let without = tokenizer.encode("Start with 7.", false).unwrap();
        assert_eq!(with.get_ids()[0], tokenizer.token_to_id(BEGIN).unwrap());
        assert_eq!(&with.get_ids()[1..], without.get_ids());
    }

    #[test]
    fn a_vocabulary_smaller_than_the_bytes_is_refused() {
        let error = learn(std::iter::empty(), 100).unwrap_err().to_string();
        assert!(error.contains("vocabulary"), "{error}");
    }
}
