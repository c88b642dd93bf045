//! Why a trace cannot be used.

use crate::interrupt::Interrupted;

/// A place of a trace at which something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct RowFault {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
    /// The character in the line, counted from 1.
    pub column: usize,
    /// What is wrong, and the fix.
    pub message: String,
}

/// Why a trace cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RequestTraceError {
    /// A line is no request.
    #[error(transparent)]
    Row(#[from] RowFault),
    /// There is no request.
    #[error("{file} holds no request; write one a line")]
    Empty {
        /// The file.
        file: String,
    },
    /// There is no request to take.
    #[error("{file} has {requests} requests, and none is left to take; use a smaller `first`")]
    Nothing {
        /// The file.
        file: String,
        /// How many there are.
        requests: u64,
    },
    /// The file cannot be read.
    #[error("cannot read {file}: {source}; check the path and its permissions")]
    Unreadable {
        /// The file.
        file: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Ctrl-C.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
