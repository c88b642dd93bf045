//! What can go wrong before a kernel starts.
//!
//! Kernels themselves cannot fail: a slice of the wrong length is a bug in the
//! caller and panics, everything that comes from outside is refused here.

use super::path::{Path, VARIABLE};

/// Why kernels or their inputs could not be prepared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// The name of a path that does not exist.
    #[error(
        "{VARIABLE}: there is no kernel path {name:?}; choose one of {}, or unset it",
        available()
    )]
    UnknownPath {
        /// The name as given.
        name: String,
    },
    /// A path that this CPU lacks instructions for.
    #[error(
        "{VARIABLE}: this CPU cannot run the kernel path {path}; choose one of {}, or unset it",
        available()
    )]
    UnavailablePath {
        /// The path asked for.
        path: Path,
    },
    /// A weight matrix whose number of values is not outputs × inputs.
    #[error("weight matrix has {found} values, but {outputs} outputs × {inputs} inputs need {}", outputs.saturating_mul(*inputs))]
    WeightShape {
        /// Rows expected.
        outputs: usize,
        /// Columns expected.
        inputs: usize,
        /// Values given.
        found: usize,
    },
    /// A range of rows or columns that reaches beyond the matrix.
    #[error("{what} {start}..{end} reach beyond the weight matrix, which has {len}")]
    WeightRange {
        /// `"outputs"` or `"inputs"`.
        what: &'static str,
        /// First index asked for.
        start: usize,
        /// One past the last index asked for.
        end: usize,
        /// Number there is.
        len: usize,
    },
    /// Parts of one matrix that take different numbers of inputs.
    #[error(
        "parts packed together need equally many inputs: the first has {first}, another {found}"
    )]
    UnequalInputs {
        /// Inputs of the first part.
        first: usize,
        /// Inputs of the part that differs.
        found: usize,
    },
    /// A token that the vocabulary lacks.
    #[error(
        "token {token} at position {position} is outside the vocabulary of {vocabulary}: tokenizer and model do not belong together"
    )]
    UnknownToken {
        /// The token.
        token: u32,
        /// Its place in the sequence.
        position: usize,
        /// Number of tokens known.
        vocabulary: usize,
    },
}

fn available() -> String {
    let names: Vec<_> = Path::available().map(Path::name).collect();
    names.join(", ")
}
