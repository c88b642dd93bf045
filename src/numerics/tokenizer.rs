//! Text to tokens and back, by the folder's `tokenizer.json`.

use super::checkpoint::{FileDigest, read};
use super::error::{LoadError, StepError};
use std::path::Path;

/// The name of the file within a model folder.
pub const TOKENIZER_FILE: &str = "tokenizer.json";

/// A tokenizer, and where it came from.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    digest: FileDigest,
}

impl Tokenizer {
    /// Loads `tokenizer.json` from a model folder.
    ///
    /// # Errors
    /// If the file is missing or not a tokenizer.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let fix = "a model folder needs the tokenizer.json of a fast tokenizer";
        let (content, digest) = read(folder, TOKENIZER_FILE, fix)?;
        let inner =
            tokenizers::Tokenizer::from_bytes(&content).map_err(|error| LoadError::Tokenizer {
                path: folder.join(TOKENIZER_FILE),
                fault: error.to_string(),
            })?;
        Ok(Self { inner, digest })
    }

    /// The tokens of `text`, without special tokens.
    ///
    /// # Errors
    /// If the tokenizer cannot express it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, StepError> {
        self.tokens(text, false)
    }

    /// The tokens of `text` with those that the tokenizer puts around a document,
    /// such as the one that begins it.
    ///
    /// # Errors
    /// If the tokenizer cannot express it.
    pub fn encode_document(&self, text: &str) -> Result<Vec<u32>, StepError> {
        self.tokens(text, true)
    }

    fn tokens(&self, text: &str, special: bool) -> Result<Vec<u32>, StepError> {
        let encoding = self
            .inner
            .encode(text, special)
            .map_err(|error| StepError::Tokenizer(error.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of `tokens`, special tokens left out.
    ///
    /// # Errors
    /// If a token is unknown to the tokenizer.
    pub fn decode(&self, tokens: &[u32]) -> Result<String, StepError> {
        if let Some(position) = tokens
            .iter()
            .position(|&token| self.inner.id_to_token(token).is_none())
        {
            return Err(StepError::Token {
                token: tokens[position],
                position,
                vocabulary: self.vocabulary(),
            });
        }
        self.inner
            .decode(tokens, true)
            .map_err(|error| StepError::Tokenizer(error.to_string()))
    }

    /// The id of a token by its exact spelling, such as `"<s>"`.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Number of tokens, special ones included.
    pub fn vocabulary(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// What the file held.
    pub fn digest(&self) -> &FileDigest {
        &self.digest
    }
}
