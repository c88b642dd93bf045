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
use crate::digest::{Rolling, RollingDigest, little_endian};
use crate::observer::{Observer, Travelling};
use std::fmt::Write as _;
use std::io::{self, Write};
use twox_hash::XxHash3_64;

/// The file's name.
pub const FILE_NAME: &str = "tensors.digest";

/// Its first line.
const HEADER: &str = "request,step,layer,stage,node,row,shape,digest,v0,v1,v2,v3\n";

/// Entries shown of each tensor.
const SHOWN: usize = 4;

/// Writes the file, or only its rolling digest.
#[derive(Debug)]
pub struct TensorLog {
    file: Option<HashedFile>,
    nodes: Vec<String>,
    digest: Rolling,
    line: String,
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
        Ok(Self {
            file,
            nodes,
            digest,
            line: String::new(),
        })
    }

    /// Notes one tensor.
    ///
    /// # Errors
    /// If the line cannot be written.
    pub fn record(&mut self, tensor: &Travelling<'_>) -> io::Result<()> {
        let hash = XxHash3_64::oneshot(&little_endian(tensor.values));
        let optional = |number: Option<u32>| number.map_or(String::new(), |n| n.to_string());
        self.line.clear();
        // Writing to a String cannot fail.
        let _ = write!(
            self.line,
            "{},{},{},{},{},{},{}x{},{hash:016x}",
            tensor.request,
            tensor.step,
            optional(tensor.layer),
            tensor.stage,
            tensor
                .node
                .map_or("", |node| self.nodes[node as usize].as_str()),
            optional(tensor.row),
            tensor.values.len() / tensor.columns.max(1),
            tensor.columns,
        );
        for place in 0..SHOWN {
            match tensor.values.get(place) {
                Some(value) => {
                    let _ = write!(self.line, ",{value}");
                }
                None => self.line.push(','),
            }
        }
        self.line.push('\n');
        self.digest.update(self.line.as_bytes());
        if self.digest.count() {
            self.digest.note();
        }
        match &mut self.file {
            Some(file) => {
                let written = file.write_all(self.line.as_bytes());
                written.map_err(|source| file.error(source).into_io())
            }
            None => Ok(()),
        }
    }

    /// Closes the log.
    ///
    /// # Errors
    /// If the last lines cannot be written.
    pub fn finish(self) -> Result<(Option<FileDigest>, RollingDigest), FolderError> {
        let file = self.file.map(HashedFile::finish).transpose()?;
        Ok((file, self.digest.finish()))
    }
}

impl Observer for TensorLog {
    fn tensor(&mut self, tensor: &Travelling<'_>) -> io::Result<()> {
        self.record(tensor)
    }
}
