//! `expert_pairs.csv`: the two experts that each layer's tokens visit
//! together most often, and how many of the tokens do.

use super::folder::{FolderError, Staging};
use super::tables::{TableError, not_negative, read_rows, write_rows};
use crate::measurement::PairRecord;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The table's file name: a row per kind of text and layer.
pub const TABLE: &str = "expert_pairs.csv";

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What kind of text was read.
    pub texts: String,
    /// The layer.
    pub layer: u32,
    tokens: u64,
    first: u32,
    second: u32,
    together: u64,
    /// Which part of the tokens visits the most frequent pair of experts.
    #[serde(deserialize_with = "not_negative")]
    pub share: f64,
    /// What it would be if all pairs were equally frequent.
    #[serde(deserialize_with = "not_negative")]
    pub share_if_even: f64,
}

impl From<&PairRecord> for Row {
    fn from(record: &PairRecord) -> Self {
        Self {
            texts: record.texts.to_owned(),
            layer: record.layer,
            tokens: record.tokens,
            first: record.first,
            second: record.second,
            together: record.together,
            share: record.share(),
            share_if_even: record.share_if_even(),
        }
    }
}

/// Writes the table.
///
/// # Errors
/// If the file system refuses.
pub fn write(staging: &mut Staging, records: &[PairRecord]) -> Result<(), FolderError> {
    write_rows(staging, TABLE, records.iter().map(Row::from))
}

/// Reads the table of the run in `folder`.
///
/// # Errors
/// If it is missing or damaged.
pub fn read(folder: &Path) -> Result<Vec<Row>, TableError> {
    read_rows(folder, TABLE)?.collect()
}
