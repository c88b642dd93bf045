//! `generation_config.json`: which tokens end a generation.
//!
//! Where the file is there and names any, they take the place of those in `config.json`, as
//! in the reference implementation: a model tuned for conversation ends its turns by tokens
//! that its base model did not have.

use super::error::LoadError;
use super::model_file::{FileDigest, read_settings};
use super::settings::Ids;
use serde::Deserialize;
use std::path::Path;

const GENERATION_FILE: &str = "generation_config.json";

/// What the file says that is read here.
#[derive(Debug)]
pub(super) struct Generation {
    /// The end tokens, if it names any.
    pub(super) end_tokens: Option<Vec<u32>>,
    /// What it held.
    pub(super) digest: FileDigest,
}

#[derive(Deserialize)]
struct Raw {
    eos_token_id: Option<Ids>,
}

impl Generation {
    /// That of `folder`, if it has one.
    ///
    /// # Errors
    /// If the file is there but cannot be read or understood.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, LoadError> {
        let Some((value, digest)) = read_settings(folder, GENERATION_FILE)? else {
            return Ok(None);
        };
        let raw: Raw = serde_json::from_value(value).map_err(|error| LoadError::Config {
            path: folder.join(GENERATION_FILE),
            fault: format!("eos_token_id: {error}; give one token id or a list of them"),
        })?;
        Ok(Some(Self {
            end_tokens: raw.eos_token_id.map(Ids::into_list),
            digest,
        }))
    }
}

/// The tokens that end a generation, given those of both files: the one that ends a text,
/// which `config.json` names first, stays first if it is still among them.
pub(super) fn merged(config: Vec<u32>, generation: Option<Vec<u32>>) -> Vec<u32> {
    let Some(mut tokens) = generation else {
        return config;
    };
    let place = tokens
        .iter()
        .position(|token| config.first() == Some(token));
    if let Some(place) = place {
        tokens[..=place].rotate_right(1);
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generation_files_tokens_count_and_the_texts_end_is_first() {
        assert_eq!(merged(vec![2], None), [2]);
        assert_eq!(merged(vec![2], Some(vec![7, 5, 2])), [2, 7, 5]);
        assert_eq!(merged(vec![2], Some(vec![7, 5])), [7, 5]);
        assert_eq!(merged(vec![], Some(vec![7])), [7]);
    }

    #[test]
    fn one_id_a_list_null_and_no_file_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = || Generation::read(folder.path()).map(|read| read.map(|it| it.end_tokens));
        assert_eq!(tokens().unwrap(), None);
        for (text, expected) in [
            (r#"{"eos_token_id": 3}"#, Some(vec![3])),
            (r#"{"eos_token_id": [3, 1]}"#, Some(vec![3, 1])),
            (r#"{"eos_token_id": null}"#, None),
            (r#"{"temperature": NaN}"#, None),
        ] {
            std::fs::write(folder.path().join(GENERATION_FILE), text).unwrap();
            assert_eq!(tokens().unwrap(), Some(expected), "{text}");
        }
        std::fs::write(
            folder.path().join(GENERATION_FILE),
            r#"{"eos_token_id": -1}"#,
        )
        .unwrap();
        let error = tokens().unwrap_err().to_string();
        assert!(
            error.contains("generation_config.json: eos_token_id"),
            "{error}"
        );
    }
}
