//! `tensors.digest`: a line for every tensor that travelled, so that a replay can
//! name the first one that differs.
//!
//! ```text
//! request,step,layer,stage,node,row,shape,digest,v0,v1,v2,v3
//! 0,0,3,mlp_reduced,,,57x192,6437b3ac38465133,0.12,-1.5,0.03,2
//! ```
//!
//! Partial outputs carry their node, logits their row. The digest is XXH3 with 64 bits
//! of the little-endian f32 entries: every tensor passes through it, so it must cost little
//! beside the pass that made it, and it guards against error, not malice. The first four
//! entries follow, as the shortest decimals that read back to the same bits.

use super::folder::{FileDigest, FolderError, HashedFile};
use crate::background::{Background, Worker};
use crate::digest::{Rolling, RollingDigest, little_endian};
use crate::observer::{Observer, Travelling};
use rayon::prelude::*;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;
use twox_hash::XxHash3_64;

/// The file's name.
pub const FILE_NAME: &str = "tensors.digest";

/// Its first line.
const HEADER: &str = "request,step,layer,stage,node,row,shape,digest,v0,v1,v2,v3\n";

/// Entries shown of each tensor.
const SHOWN: usize = 4;

/// Entries from which on tensors that travel together are hashed by several threads.
const LARGE: usize = 1 << 15;

/// Tensors that are handed over together: few where others of the pool are awake anyhow, many
/// where somebody must be woken for them.
const AT_LEAST: [usize; 2] = [4, 1024];

/// Writes the file, or only its rolling digest; lines are made beside the simulation.
#[derive(Debug)]
pub struct TensorLog {
    batch: Vec<Row>,
    background: Background<Lines>,
    at_least: usize,
}

/// A line to be.
#[derive(Debug)]
struct Row {
    request: u32,
    step: u32,
    layer: Option<u32>,
    stage: &'static str,
    node: Option<u32>,
    row: Option<u32>,
    rows: usize,
    columns: usize,
    hash: u64,
    /// How many of these there are.
    shown: usize,
    values: [f32; SHOWN],
}

#[derive(Debug)]
struct Lines {
    file: Option<HashedFile>,
    nodes: Vec<String>,
    digest: Rolling,
    /// Those that are neither hashed nor written yet.
    text: String,
}

impl TensorLog {
    /// Starts a log into `file`, or into nothing but a digest; `nodes[number]` is the name
    /// of a node.
    ///
    /// # Errors
    /// If the header cannot be written.
    pub fn new(mut file: Option<HashedFile>, nodes: Vec<String>) -> io::Result<Self> {
        if let Some(file) = &mut file {
            file.write_all(HEADER.as_bytes())?;
        }
        let mut digest = Rolling::default();
        digest.update(HEADER.as_bytes());
        let lines = Lines {
            file,
            nodes,
            digest,
            text: String::new(),
        };
        let [few, many] = AT_LEAST;
        Ok(Self {
            batch: Vec::new(),
            background: Background::new(lines),
            at_least: if rayon::current_num_threads() > 1 {
                few
            } else {
                many
            },
        })
    }

    /// Notes tensors that travel together, in their order.
    ///
    /// # Errors
    /// If lines cannot be written, these or some before.
    pub fn record(&mut self, tensors: &[Travelling<'_>]) -> io::Result<()> {
        let entries: usize = tensors.iter().map(|tensor| tensor.values.len()).sum();
        if entries < LARGE {
            self.batch.extend(tensors.iter().map(Row::new));
        } else {
            self.batch.par_extend(tensors.par_iter().map(Row::new));
        }
        if self.batch.len() >= self.at_least {
            let batch = std::mem::take(&mut self.batch);
            self.batch = self.background.hand_over(batch)?;
        }
        Ok(())
    }

    /// Closes the log.
    ///
    /// # Errors
    /// If the last lines cannot be written.
    pub fn finish(self) -> Result<(Option<FileDigest>, RollingDigest), FolderError> {
        let shown = PathBuf::from(FILE_NAME);
        let failed = |source| FolderError::from_io(source, &shown);
        self.background.hand_over(self.batch).map_err(failed)?;
        let lines = self.background.finish().map_err(failed)?;
        let file = lines.file.map(HashedFile::finish).transpose()?;
        Ok((file, lines.digest.finish()))
    }
}

impl Row {
    fn new(tensor: &Travelling<'_>) -> Self {
        let mut values = [0.0; SHOWN];
        let shown = tensor.values.len().min(SHOWN);
        values[..shown].copy_from_slice(&tensor.values[..shown]);
        Self {
            request: tensor.request,
            step: tensor.step,
            layer: tensor.layer,
            stage: tensor.stage,
            node: tensor.node,
            row: tensor.row,
            rows: tensor.values.len() / tensor.columns.max(1),
            columns: tensor.columns,
            hash: XxHash3_64::oneshot(&little_endian(tensor.values)),
            shown,
            values,
        }
    }
}

impl Worker for Lines {
    type Batch = Vec<Row>;

    fn take(&mut self, batch: &mut Vec<Row>) -> io::Result<()> {
        for row in batch.drain(..) {
            self.write(&row);
            if self.digest.count() {
                self.digest.update(self.text.as_bytes());
                self.digest.note();
                self.flush()?;
            }
        }
        self.digest.update(self.text.as_bytes());
        self.flush()
    }
}

impl Lines {
    fn write(&mut self, row: &Row) {
        let text = &mut self.text;
        let mut digits = itoa::Buffer::new();
        let mut optional = |text: &mut String, number: Option<u32>| {
            if let Some(number) = number {
                text.push_str(digits.format(number));
            }
            text.push(',');
        };
        optional(text, Some(row.request));
        optional(text, Some(row.step));
        optional(text, row.layer);
        text.push_str(row.stage);
        text.push(',');
        if let Some(node) = row.node {
            text.push_str(&self.nodes[node as usize]);
        }
        text.push(',');
        optional(text, row.row);
        // Writing to a String cannot fail.
        let _ = write!(text, "{}x{},{:016x}", row.rows, row.columns, row.hash);
        for (place, value) in row.values.iter().enumerate() {
            text.push(',');
            if place < row.shown {
                let _ = write!(text, "{value}");
            }
        }
        text.push('\n');
    }

    /// Writes what has been hashed.
    fn flush(&mut self) -> io::Result<()> {
        let written = self.file.as_mut().map_or(Ok(()), |file| {
            let written = file.write_all(self.text.as_bytes());
            written.map_err(|source| file.error(source).into_io())
        });
        self.text.clear();
        written
    }
}

impl Observer for TensorLog {
    fn tensors(&mut self, tensors: &[Travelling<'_>]) -> io::Result<()> {
        self.record(tensors)
    }
}
