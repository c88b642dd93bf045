//! The lines of a file, none of them longer than a limit.

use super::fault::{RequestTraceError, RowFault};
use std::io::{BufRead, Read};

/// No line has more bytes.
const MOST_LINE: u64 = 1 << 20;

/// A file on its way through its lines. Empty ones are passed over.
pub(super) struct Lines<'a, R> {
    reader: R,
    file: &'a str,
    /// The line without its end.
    text: String,
    number: u64,
    bytes: u64,
    hasher: blake3::Hasher,
}

impl<'a, R: BufRead> Lines<'a, R> {
    pub(super) fn new(reader: R, file: &'a str) -> Self {
        Self {
            reader,
            file,
            text: String::new(),
            number: 0,
            bytes: 0,
            hasher: blake3::Hasher::new(),
        }
    }

    pub(super) fn file(&self) -> &str {
        self.file
    }

    /// The line.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Its number, counted from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Goes to the next line that is not empty; whether there is one.
    pub(super) fn advance(&mut self) -> Result<bool, RequestTraceError> {
        loop {
            let mut line = std::mem::take(&mut self.text).into_bytes();
            line.clear();
            let mut limited = self.reader.by_ref().take(MOST_LINE + 1);
            let read = limited.read_until(b'\n', &mut line);
            read.map_err(|source| RequestTraceError::Unreadable {
                file: self.file.to_owned(),
                source,
            })?;
            if line.is_empty() {
                return Ok(false);
            }
            self.number += 1;
            self.bytes += line.len() as u64;
            self.hasher.update(&line);
            if line.len() as u64 > MOST_LINE {
                let message = format!("the line has more than {MOST_LINE} bytes; break it");
                return Err(self.fault(0, message).into());
            }
            self.text = match String::from_utf8(line) {
                Ok(text) => text,
                Err(error) => {
                    let valid = error.utf8_error().valid_up_to();
                    let column = String::from_utf8_lossy(&error.as_bytes()[..valid]);
                    let mut fault = self.fault(0, "it is not UTF-8; convert the file");
                    fault.column = column.chars().count() + 1;
                    return Err(fault.into());
                }
            };
            self.text.truncate(self.text.trim_end().len());
            if self.number == 1 && self.text.starts_with('\u{feff}') {
                self.text.remove(0);
            }
            if !self.text.trim_start().is_empty() {
                return Ok(true);
            }
        }
    }

    /// What is wrong with the line from its byte `at` on.
    pub(super) fn fault(&self, at: usize, message: impl Into<String>) -> RowFault {
        let before = self.text.get(..at).unwrap_or(&self.text);
        RowFault {
            file: self.file.to_owned(),
            line: self.number,
            column: before.chars().count() + 1,
            message: message.into(),
        }
    }

    /// How many bytes were read, and their BLAKE3.
    pub(super) fn digest(self) -> (u64, String) {
        (self.bytes, self.hasher.finalize().to_hex().to_string())
    }
}
