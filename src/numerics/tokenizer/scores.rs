//! Tokens by scores, as llama.cpp cuts texts for vocabularies of SentencePiece (its
//! `llm_tokenizer_spm`).
//!
//! Letters are merged two by two, always those next to each other whose union is the token of the
//! highest score, of equals the first; a letter that is no token is written as the tokens of its
//! bytes. Merges by rank, as a `tokenizer.json` has them, come to the same but where two pairs
//! make one token.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::{Path, PathBuf};
use tokenizers::models::TrainerWrapper;
use tokenizers::{Model, ModelWrapper, Token};

/// How a text becomes tokens.
#[derive(Debug)]
pub(super) enum Cutter {
    /// As the tokenizers crate has it.
    Wrapped(Box<ModelWrapper>),
    /// By scores.
    Scores(Scores),
}

/// Tokens with their scores.
#[derive(Debug)]
pub(super) struct Scores {
    tokens: Vec<String>,
    scores: Vec<f32>,
    ids: BTreeMap<String, u32>,
    unknown: Option<u32>,
}

#[derive(Deserialize)]
struct Raw {
    tokens: Vec<String>,
    /// Bits of each.
    scores: Vec<u32>,
    unknown: Option<u32>,
}

impl<'de> Deserialize<'de> for Cutter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.get("type").and_then(Value::as_str) != Some("Scores") {
            let wrapped = serde_json::from_value(value).map_err(serde::de::Error::custom)?;
            return Ok(Self::Wrapped(Box::new(wrapped)));
        }
        let raw: Raw = serde_json::from_value(value).map_err(serde::de::Error::custom)?;
        let ids = raw.tokens.iter().zip(0..);
        Ok(Self::Scores(Scores {
            ids: ids.map(|(token, id)| (token.clone(), id)).collect(),
            scores: raw.scores.into_iter().map(f32::from_bits).collect(),
            tokens: raw.tokens,
            unknown: raw.unknown,
        }))
    }
}

/// A piece of a text, in a list of those that are left.
struct Piece {
    start: usize,
    /// 0 once it has become part of another.
    length: usize,
    before: Option<usize>,
    after: Option<usize>,
}

/// Two pieces that could become one token.
struct Pair {
    score: f32,
    left: usize,
    right: usize,
    length: usize,
}

impl Ord for Pair {
    /// The greatest is merged first.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = self.score.total_cmp(&other.score);
        by_score.then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Pair {}

impl Scores {
    /// What `left` and `right` would be together, if that is a token.
    fn pair(&self, text: &str, pieces: &[Piece], left: usize, right: usize) -> Option<Pair> {
        let length = pieces[left].length + pieces[right].length;
        let start = pieces[left].start;
        let id = *self.ids.get(&text[start..start + length])?;
        Some(Pair {
            score: self.scores[id as usize],
            left,
            right,
            length,
        })
    }

    fn cut(&self, text: &str) -> Vec<Token> {
        let mut pieces: Vec<Piece> = text
            .char_indices()
            .enumerate()
            .map(|(number, (start, letter))| Piece {
                start,
                length: letter.len_utf8(),
                before: number.checked_sub(1),
                after: Some(number + 1),
            })
            .collect();
        if let Some(last) = pieces.last_mut() {
            last.after = None;
        }
        let mut pairs: BinaryHeap<Pair> = (1..pieces.len())
            .filter_map(|right| self.pair(text, &pieces, right - 1, right))
            .collect();
        while let Some(pair) = pairs.pop() {
            let [left, right] = [&pieces[pair.left], &pieces[pair.right]];
            let gone = left.length == 0 || right.length == 0;
            // Either may have grown since.
            if gone || left.length + right.length != pair.length {
                continue;
            }
            let (before, after) = (left.before, right.after);
            pieces[pair.right].length = 0;
            pieces[pair.left].length = pair.length;
            pieces[pair.left].after = after;
            if let Some(after) = after {
                pieces[after].before = Some(pair.left);
            }
            let both = [before.zip(Some(pair.left)), Some(pair.left).zip(after)];
            for (left, right) in both.into_iter().flatten() {
                pairs.extend(self.pair(text, &pieces, left, right));
            }
        }
        let mut tokens = Vec::new();
        for piece in pieces.iter().filter(|piece| piece.length > 0) {
            let offsets = (piece.start, piece.start + piece.length);
            let spelling = &text[offsets.0..offsets.1];
            match self.ids.get(spelling) {
                Some(id) => tokens.push(Token::new(*id, spelling.to_owned(), offsets)),
                None => tokens.extend(self.bytes(spelling, offsets)),
            }
        }
        tokens
    }

    /// The tokens of the bytes of a letter; the unknown one for a byte that has none.
    fn bytes(&self, spelling: &str, offsets: (usize, usize)) -> Vec<Token> {
        let ids = spelling.bytes().filter_map(|byte| {
            let id = self.ids.get(&format!("<0x{byte:02X}>")).copied();
            id.or(self.unknown)
        });
        ids.map(|id| Token::new(id, self.tokens[id as usize].clone(), offsets))
            .collect()
    }
}

impl Model for Cutter {
    type Trainer = TrainerWrapper;

    fn tokenize(&self, sequence: &str) -> tokenizers::Result<Vec<Token>> {
        match self {
            Self::Wrapped(model) => model.tokenize(sequence),
            Self::Scores(scores) => Ok(scores.cut(sequence)),
        }
    }

    fn token_to_id(&self, token: &str) -> Option<u32> {
        match self {
            Self::Wrapped(model) => model.token_to_id(token),
            Self::Scores(scores) => scores.ids.get(token).copied(),
        }
    }

    fn id_to_token(&self, id: u32) -> Option<String> {
        match self {
            Self::Wrapped(model) => model.id_to_token(id),
            Self::Scores(scores) => scores.tokens.get(id as usize).cloned(),
        }
    }

    #[expect(clippy::disallowed_types, reason = "the crate's own signature")]
    fn get_vocab(&self) -> std::collections::HashMap<String, u32> {
        match self {
            Self::Wrapped(model) => model.get_vocab(),
            Self::Scores(scores) => scores.ids.clone().into_iter().collect(),
        }
    }

    fn get_vocab_size(&self) -> usize {
        match self {
            Self::Wrapped(model) => model.get_vocab_size(),
            Self::Scores(scores) => scores.tokens.len(),
        }
    }

    fn save(&self, folder: &Path, prefix: Option<&str>) -> tokenizers::Result<Vec<PathBuf>> {
        match self {
            Self::Wrapped(model) => model.save(folder, prefix),
            Self::Scores(_) => Err("tokens with scores are only read".into()),
        }
    }

    fn get_trainer(&self) -> TrainerWrapper {
        match self {
            Self::Wrapped(model) => model.get_trainer(),
            Self::Scores(_) => tokenizers::models::bpe::BpeTrainer::default().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scores(tokens: &[(&str, f32)]) -> Cutter {
        let (tokens, scores): (Vec<_>, Vec<_>) = tokens.iter().copied().unzip();
        let bits: Vec<u32> = scores.into_iter().map(f32::to_bits).collect();
        serde_json::from_value(
            json!({"type": "Scores", "tokens": tokens, "scores": bits, "unknown": 0}),
        )
        .expect("as a file has them")
    }

    fn cut(cutter: &Cutter, text: &str) -> Vec<u32> {
        let tokens = cutter.tokenize(text).expect("by scores");
        tokens.into_iter().map(|token| token.id).collect()
    }

    #[test]
    fn the_highest_score_is_merged_first_and_of_equals_the_leftmost() {
        let cutter = scores(&[
            ("?", 0.0),
            ("a", 0.0),
            ("b", 0.0),
            ("ab", -2.0),
            ("ba", -1.0),
            ("aa", -3.0),
        ]);
        // b a before a b.
        assert_eq!(cut(&cutter, "aba"), [1, 4]);
        assert_eq!(cut(&cutter, "aaa"), [5, 1]);
        assert_eq!(cut(&cutter, ""), [0; 0]);
    }

    #[test]
    fn what_has_no_token_is_written_in_bytes() {
        let cutter = scores(&[("?", 0.0), ("a", 0.0), ("<0xC3>", 0.0), ("<0xA4>", 0.0)]);
        assert_eq!(cut(&cutter, "aä"), [1, 2, 3]);
        // A byte without a token is the unknown one.
        assert_eq!(cut(&cutter, "ö"), [2, 0]);
    }
}
