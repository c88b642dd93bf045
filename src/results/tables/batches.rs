//! `batches.csv`: which parts of which requests each forward pass held, written and read
//! back.

use super::{TableError, TableFile};
use crate::measurement::PassRecord;
use crate::units::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// A row per request in a forward pass.
pub const BATCHES: &str = "batches.csv";

/// What a request does in a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Its prompt is read.
    Prefill,
    /// Its next token is generated.
    Decode,
    /// A window of its text is scored.
    Score,
    /// An answer to its question is read.
    Choose,
    /// A smaller model reads it to draft for it.
    Draft,
}

#[derive(Serialize)]
struct Written {
    batch: u32,
    replica: u32,
    request: u32,
    step: u32,
    phase: &'static str,
    context: u64,
    tokens: u64,
    start_ps: u64,
    end_ps: u64,
}

#[derive(Deserialize)]
struct Row {
    batch: u32,
    replica: u32,
    request: u32,
    step: u32,
    phase: Phase,
    context: u64,
    tokens: u64,
    start_ps: u64,
    end_ps: u64,
}

/// One request's tokens in a forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// The copy of the model that ran the pass.
    pub replica: u32,
    /// The request.
    pub request: u32,
    /// Number of the pass within the request.
    pub step: u32,
    /// What the request did in it.
    pub phase: Phase,
    /// Its tokens that were in the cache already.
    pub context: u64,
    /// Its tokens that went through the model.
    pub tokens: u64,
    /// When the pass began.
    pub start: Instant,
    /// When its logits were known.
    pub end: Instant,
}

/// What each batch of a run held, by its number.
pub type Batches = BTreeMap<u32, Vec<Slice>>;

/// A row of `batches.csv`.
pub(super) fn row(pass: &PassRecord) -> impl Serialize {
    Written {
        batch: pass.batch,
        replica: pass.replica,
        request: pass.request,
        step: pass.step,
        phase: pass.phase(),
        context: pass.context,
        tokens: pass.tokens,
        start_ps: pass.start.0,
        end_ps: pass.end.0,
    }
}

/// What `batches.csv` in `folder` says.
///
/// # Errors
/// If it is missing or damaged.
pub fn read_batches(folder: &Path) -> Result<Batches, TableError> {
    let mut batches = Batches::new();
    for_each_slice(folder, |batch, slice| {
        batches.entry(batch).or_default().push(slice);
    })?;
    Ok(batches)
}

/// Tells `take` of every slice in `batches.csv` in `folder` with the number of its batch, and
/// keeps none.
///
/// # Errors
/// If the table is missing or damaged.
pub fn for_each_slice(folder: &Path, mut take: impl FnMut(u32, Slice)) -> Result<(), TableError> {
    let path = folder.join(BATCHES);
    for row in TableFile::open(&path)?.rows::<Row>() {
        let (line, row) = row?;
        if row.end_ps < row.start_ps {
            return Err(TableError {
                path,
                line: Some(line),
                fault: "the pass ends before it starts".to_owned(),
            });
        }
        let slice = Slice {
            replica: row.replica,
            request: row.request,
            step: row.step,
            phase: row.phase,
            context: row.context,
            tokens: row.tokens,
            start: Instant(row.start_ps),
            end: Instant(row.end_ps),
        };
        take(row.batch, slice);
    }
    Ok(())
}
