//! The special tokens around a document, such as the one that begins it.
//!
//! They are those of the tokenizer's own post-processor, as in the reference implementation:
//! what `config.json` calls `bos_token_id` decides nothing. Where `tokenizer_config.json` says
//! `add_bos_token` or `add_eos_token`, these two take the place of the post-processor.

use super::settings::MOST_AROUND;
use super::{Inner, fence::fenced};
use crate::numerics::error::LoadError;
use crate::numerics::model_file::{FileDigest, read_settings};
use serde_json::Value;
use std::path::Path;
use tokenizers::{Encoding, PostProcessor, Token};

const TOKENIZER_CONFIG_FILE: &str = "tokenizer_config.json";

/// The spelling of a beginning that a file which asks for one does not name.
const USUAL_BEGIN: &str = "<s>";
/// The same of an end.
const USUAL_END: &str = "</s>";

/// The tokens before and after a document's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Around {
    pub(super) begin: Vec<u32>,
    pub(super) end: Vec<u32>,
}

impl Around {
    /// What the folder's files say; the digest is that of `tokenizer_config.json` if it is
    /// there.
    pub(super) fn read(
        folder: &Path,
        inner: &Inner,
    ) -> Result<(Self, Option<FileDigest>), LoadError> {
        let (stated, digest) = read_settings(folder, TOKENIZER_CONFIG_FILE)?.unzip();
        let around = match stated.and_then(|settings| Self::stated(&settings, inner)) {
            Some(stated) => stated,
            None => fenced(|| Self::processed(inner)).map_err(|fault| LoadError::Tokenizer {
                path: folder.join(super::TOKENIZER_FILE),
                fault,
            })?,
        };
        Ok((around, digest))
    }

    /// What `settings` states; `None` if it states neither.
    fn stated(settings: &Value, inner: &Inner) -> Option<Self> {
        let flags = [settings.get("add_bos_token"), settings.get("add_eos_token")];
        flags.iter().any(Option::is_some).then(|| {
            let [begin, end] = [
                ("bos_token", USUAL_BEGIN, flags[0]),
                ("eos_token", USUAL_END, flags[1]),
            ]
            .map(|(field, usual, flag)| {
                let is_set = flag.and_then(Value::as_bool) == Some(true);
                let spelling = match settings.get(field) {
                    None => Some(usual),
                    Some(Value::String(spelling)) => Some(spelling.as_str()),
                    Some(token) => token.get("content").and_then(Value::as_str),
                };
                let token = spelling.and_then(|spelling| inner.token_to_id(spelling));
                token.filter(|_| is_set).into_iter().collect()
            });
            Self { begin, end }
        })
    }

    /// What the post-processor puts around a token of which it cannot know anything.
    fn processed(inner: &Inner) -> tokenizers::Result<Self> {
        const TEXT: u32 = u32::MAX;
        let added = inner
            .get_post_processor()
            .map_or(0, |processor| processor.added_tokens(false));
        if added > MOST_AROUND {
            let fault = "its post_processor puts more than 1024 tokens around a text";
            return Err(fault.into());
        }
        let text = Encoding::from_tokens(vec![Token::new(TEXT, "a".into(), (0, 1))], 0);
        let processed = inner.post_process(text, None, true)?;
        let mut parts = processed.get_ids().split(|id| *id == TEXT);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(begin), Some(end), None) => Ok(Self {
                begin: begin.to_vec(),
                end: end.to_vec(),
            }),
            _ => Err("its post_processor leaves the text out or repeats it".into()),
        }
    }
}
