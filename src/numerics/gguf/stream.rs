//! A GGUF file from front to back: what is read is hashed, and nothing is read beyond its end.

use std::fs::File;
use std::io::{BufReader, Read};

/// Bytes that the reader asks the system for at once.
const BUFFER: usize = 1 << 16;

/// Bytes read between two looks at whether to go on.
pub(super) const CHUNK: usize = 16 << 20;

/// The rest of a file.
#[derive(Debug)]
pub(super) struct Stream {
    file: BufReader<File>,
    position: u64,
    length: u64,
    hasher: blake3::Hasher,
}

impl Stream {
    pub(super) fn new(file: File, length: u64) -> Self {
        Self {
            file: BufReader::with_capacity(BUFFER, file),
            position: 0,
            length,
            hasher: blake3::Hasher::new(),
        }
    }

    /// Bytes read so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> u64 {
        self.length - self.position
    }

    /// Fills `bytes`.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) -> std::io::Result<()> {
        self.file.read_exact(bytes)?;
        self.hasher.update(bytes);
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// BLAKE3 of what was read, in hexadecimal.
    pub(super) fn hash(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }
}
