//! Text to tokens and back, by the folder's `tokenizer.json` or a GGUF file's own tokens.
//!
//! The tokenizers crate does the work, fenced: whatever a file makes it do, the outcome is
//! tokens, a text or an error that names the file. Settings for training and batches are
//! [cleared](settings::clear).

mod around;
mod bounded;
mod fence;
mod growth;
mod scores;
mod settings;
mod stream;

use super::error::{LoadError, StepError};
use super::formats;
use super::gguf::{self, Vocabulary};
use super::json;
use super::model_file::{FileDigest, read};
use around::Around;
use bounded::{BoundedDecoder, BoundedNormalizer};
use fence::fenced;
use scores::Cutter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokenizers::{PostProcessorWrapper, PreTokenizerWrapper, TokenizerImpl};

/// The name of the file within a model folder.
pub const TOKENIZER_FILE: &str = "tokenizer.json";

/// The longest file that is read; those published so far have up to 35 MB.
const MOST_BYTES: u64 = 256 << 20;

type Inner = TokenizerImpl<
    Cutter,
    BoundedNormalizer,
    PreTokenizerWrapper,
    PostProcessorWrapper,
    BoundedDecoder,
>;

/// A tokenizer, and where it came from.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: Arc<Inner>,
    around: Around,
    path: PathBuf,
    digests: Vec<FileDigest>,
}

impl Tokenizer {
    /// Loads `tokenizer.json` from a model folder, and of `tokenizer_config.json` what it
    /// says of the tokens around a document; or the tokens of the GGUF file at this path, cut as
    /// llama.cpp cuts them.
    ///
    /// # Errors
    /// If the file is missing, not a tokenizer, or has no vocabulary.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        if gguf::is_file(folder) {
            return Self::load_gguf(folder);
        }
        let path = folder.join(TOKENIZER_FILE);
        let fix = formats::instead_of_tokenizer(folder);
        let (content, digest) = read(folder, TOKENIZER_FILE, MOST_BYTES, &fix)?;
        let fault = |fault: String| LoadError::Tokenizer {
            path: path.clone(),
            fault,
        };
        let mut file = json::parse(&content).map_err(fault)?;
        settings::clear(&mut file);
        settings::refuse_unbounded(&file).map_err(fault)?;
        let inner: Inner =
            fenced(|| serde_json::from_value(file).map_err(Into::into)).map_err(fault)?;
        if inner.get_vocab_size(true) == 0 {
            return Err(fault("its vocabulary is empty".to_owned()));
        }
        let (around, stated) = Around::read(folder, &inner)?;
        Ok(Self {
            inner: Arc::new(inner),
            around,
            path,
            digests: [Some(digest), stated].into_iter().flatten().collect(),
        })
    }

    fn load_gguf(path: &Path) -> Result<Self, LoadError> {
        let vocabulary = Vocabulary::read(path)?;
        let inner: Result<Inner, String> =
            fenced(|| serde_json::from_value(vocabulary.tokenizer).map_err(Into::into));
        let inner = inner.map_err(|fault| LoadError::Config {
            path: path.to_owned(),
            fault: format!("its tokenizer (tokenizer.ggml) cannot be used: {fault}"),
        })?;
        Ok(Self {
            inner: Arc::new(inner),
            around: Around {
                begin: vocabulary.begin,
                end: vocabulary.end,
            },
            path: path.to_owned(),
            // The file is among the model's own.
            digests: Vec::new(),
        })
    }

    /// The tokens that stand before a document's own.
    pub fn begin(&self) -> &[u32] {
        &self.around.begin
    }

    /// The tokens that stand after a document's own.
    pub fn end(&self) -> &[u32] {
        &self.around.end
    }

    /// The tokens of `text`, without special tokens but those that it spells out.
    ///
    /// # Errors
    /// If the tokenizer cannot express it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, StepError> {
        // The fast variant knows no offsets; tokens are the same.
        let encoding = fenced(|| self.inner.encode_fast(text, false));
        Ok(encoding.map_err(self.fault())?.get_ids().to_vec())
    }

    /// The tokens of `text` with those that stand around a document. A text that spells
    /// out its beginning has one all the same.
    ///
    /// # Errors
    /// If the tokenizer cannot express it.
    pub fn encode_document(&self, text: &str) -> Result<Vec<u32>, StepError> {
        let tokens = self.encode(text)?;
        let own = tokens.strip_prefix(self.begin()).unwrap_or(&tokens);
        Ok([self.begin(), own, self.end()].concat())
    }

    /// The text of `tokens`, special tokens left out, and tokens too that the tokenizer does
    /// not know: a model's vocabulary is often longer, to divide well.
    ///
    /// # Errors
    /// If the tokenizer's decoder fails.
    pub fn decode(&self, tokens: &[u32]) -> Result<String, StepError> {
        fenced(|| self.inner.decode(tokens, true)).map_err(self.fault())
    }

    /// What an error of a text is made of.
    fn fault(&self) -> impl Fn(String) -> StepError {
        |fault| StepError::Tokenizer {
            path: self.path.clone(),
            fault,
        }
    }

    /// The id of a token by its exact spelling, such as `"<s>"`.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Number of tokens, special ones included.
    pub fn vocabulary(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// What the files held.
    pub fn digests(&self) -> &[FileDigest] {
        &self.digests
    }
}
