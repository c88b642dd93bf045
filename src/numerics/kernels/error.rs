//! What can go wrong before a kernel starts.
//!
//! Kernels themselves cannot fail: a slice of the wrong length is a bug in the
//! caller and panics, everything that comes from outside is refused here.

use super::path::{Path, VARIABLE};
use super::quantised::BlockFormat;

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
    /// Groups of quantised weights of a width or a size that there is none of.
    #[error(
        "weights in groups of {size} with {bits} bits: bits go from 2 to 8, sizes are 32, 64, 96 or 128"
    )]
    BlockGroups {
        /// Bits asked for.
        bits: u8,
        /// Size asked for.
        size: u16,
    },
    /// A format that files do not have.
    #[error("{format} are no layout of a file: only ggml's formats are read")]
    BlockLayout {
        /// The format.
        format: BlockFormat,
    },
    /// A format that is read and not rounded to.
    #[error(
        "weights are not rounded to {format} here: load a GGUF file that has them, or round to Q8_0, Q4_0 or groups"
    )]
    BlockRounding {
        /// The format.
        format: BlockFormat,
    },
    /// Rows that are no whole number of a file's blocks.
    #[error("a matrix of {columns} columns is no matrix in {format}, whose blocks hold {span}")]
    BlockColumns {
        /// The format.
        format: BlockFormat,
        /// Columns of the matrix.
        columns: usize,
        /// Weights per block.
        span: usize,
    },
    /// More or fewer bytes than a quantised matrix has.
    #[error(
        "a matrix of {rows} rows and {columns} columns in {format} has {}, not {found}",
        expected(*format, *rows, *columns)
    )]
    BlockBytes {
        /// The format.
        format: BlockFormat,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
        /// Bytes given.
        found: usize,
    },
    /// Columns of quantised weights that begin or end within a block.
    #[error("columns {start}..{end} cut a block of 32 quantised weights: cut at multiples of 32")]
    BlockCut {
        /// First column asked for.
        start: usize,
        /// One past the last column asked for.
        end: usize,
    },
    /// Quantised matrices that cannot stand one below the other.
    #[error("quantised matrices joined together need one format and the same columns")]
    UnequalBlocks,
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

/// How many bytes a quantised matrix has, in words.
fn expected(format: BlockFormat, rows: usize, columns: usize) -> String {
    match format.bytes(rows, columns) {
        Some(bytes) => format!("{bytes} bytes"),
        None => "more bytes than there is memory".to_owned(),
    }
}

fn available() -> String {
    let names: Vec<_> = Path::available().map(Path::name).collect();
    names.join(", ")
}
