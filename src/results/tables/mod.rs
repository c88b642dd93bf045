//! The CSV files of a run folder: one row type per file, the unit in each
//! column's name. Times are integer picoseconds where they are instants, seconds
//! where they are lengths. An empty cell is a value that was not measured.

mod batches;
mod details;
mod nodes;
mod read;
mod requests;

pub use batches::{BATCHES, Batches, Phase, Slice, read_batches};
pub use details::write_details;
pub use nodes::{NODES, read_nodes};
pub use read::{TableError, TableFile, not_negative, not_negative_if_any, read_rows};
pub use requests::read_texts;

use super::folder::{FolderError, Staging};
use crate::measurement::Measurements;
use serde::Serialize;

/// A row per request.
pub const REQUESTS: &str = "requests.csv";

/// A row per forward pass.
pub const TOKENS: &str = "tokens.csv";

/// Who kept which block waiting: a row per block and node with tokens.
pub const WAITS: &str = "waits.csv";

/// Writes a CSV file of `rows`, whose fields are its columns.
///
/// # Errors
/// If the file system refuses.
pub(super) fn write_rows<R: Serialize>(
    staging: &mut Staging,
    name: &str,
    mut rows: impl Iterator<Item = R>,
) -> Result<(), FolderError> {
    let file = staging.create(name)?;
    let mut writer = csv::Writer::from_writer(file);
    let written = rows
        .try_for_each(|row| writer.serialize(row))
        .and_then(|()| writer.flush().map_err(csv::Error::from));
    match (written, writer.into_inner()) {
        (Ok(()), Ok(file)) => {
            let digest = file.finish()?;
            staging.record(digest);
            Ok(())
        }
        (Err(error), Ok(file)) => Err(file.error(error.into())),
        (_, Err(error)) => {
            let source = std::io::Error::new(error.error().kind(), error.error().to_string());
            Err(FolderError::Io {
                path: staging.shown(name),
                source,
            })
        }
    }
}

/// Writes `requests.csv` and `nodes.csv`, and `answers.csv` if questions were put.
///
/// # Errors
/// If the file system refuses.
pub fn write_totals(staging: &mut Staging, run: &Measurements) -> Result<(), FolderError> {
    requests::write(staging, run)?;
    nodes::write(staging, run)
}
