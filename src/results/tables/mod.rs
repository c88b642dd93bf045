//! The CSV files of a run folder: one row type per file, the unit in each
//! column's name. Times are integer picoseconds where they are instants, seconds
//! where they are lengths. An empty cell is a value that was not measured.

mod batches;
mod decoding;
mod details;
mod load;
mod nodes;
mod read;
mod recorder;
mod requests;
mod rows;

pub use batches::{BATCHES, Batches, Phase, Slice, for_each_slice, read_batches};
pub use load::{LOAD, Load, read_load};
pub use nodes::{NODES, read_nodes};
pub use read::{TableError, TableFile, not_negative, not_negative_if_any, read_rows};
pub use recorder::{Recorded, Recorder};
pub use requests::{Latencies, read_latencies, read_texts};
use rows::LateRowFile;
pub(super) use rows::RowFile;

use super::folder::{FileDigest, FolderError, Staging};
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
    rows: impl Iterator<Item = R>,
) -> Result<(), FolderError> {
    let digest = written(staging, name, rows)?;
    staging.record(digest);
    Ok(())
}

/// Writes a table at once.
fn written<R: Serialize>(
    staging: &Staging,
    name: &str,
    mut rows: impl Iterator<Item = R>,
) -> Result<FileDigest, FolderError> {
    let mut file = RowFile::create(staging, name)?;
    rows.try_for_each(|row| file.write(row))?;
    file.finish()
}
