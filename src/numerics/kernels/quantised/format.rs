//! What a block of quantised weights is: how many bits a weight has, what its scale is, and how
//! many weights share one.
//!
//! The layouts of files are those of ggml (`ggml-common.h`, `ggml-quants.c`), which GGUF names by
//! the same names.

use std::fmt;
use std::ops::RangeInclusive;

use crate::numerics::kernels::KernelError;

/// Weights that one block holds: activations are rounded, and matrices cut, in as many.
pub const BLOCK: usize = 32;

/// How weights are rounded. With q a weight's code:
///
/// | format | bits | weight | shared by |
/// |---|---|---|---|
/// | `Q8_0` | 8.5 | d q | 32 |
/// | `Q4_0` | 4.5 | d (q − 8) | 32 |
/// | `Q4K` | 4.5 | d s q − d′ m | s, m: 32; d, d′: 256 |
/// | `Q5K` | 5.5 | d s q − d′ m | s, m: 32; d, d′: 256 |
/// | `Q6K` | 6.5625 | d s (q − 32) | s: 16; d: 256 |
/// | `Groups` | bits + 16 / size | d (q − 2^(bits − 1)) | size |
///
/// d and d′ are f16; s and m are integers of 6 bits (`Q6K`: 8, signed).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockFormat {
    /// ggml's Q8_0.
    Q8_0,
    /// ggml's Q4_0.
    Q4_0,
    /// ggml's Q4_K.
    Q4K,
    /// ggml's Q5_K.
    Q5K,
    /// ggml's Q6_K.
    Q6K,
    /// Rounded to nearest in groups with one scale each and no zero point.
    Groups {
        /// Bits of a code, 2 to 8.
        bits: u8,
        /// Weights of a group along the inputs: a multiple of 32 from 32 to 128.
        size: u16,
    },
}

impl BlockFormat {
    /// Bits that [`BlockFormat::Groups`] may have.
    pub const BITS: RangeInclusive<u8> = 2..=8;
    /// Sizes that [`BlockFormat::Groups`] may have, if multiples of 32.
    pub const SIZES: RangeInclusive<u16> = 32..=128;

    /// Bits of a code.
    pub fn bits(self) -> u32 {
        match self {
            Self::Q8_0 => 8,
            Self::Q4_0 | Self::Q4K => 4,
            Self::Q5K => 5,
            Self::Q6K => 6,
            Self::Groups { bits, .. } => u32::from(bits),
        }
    }

    /// Weights along the inputs that share a d: the length of a block in a file.
    pub fn span(self) -> usize {
        match self {
            Self::Q8_0 | Self::Q4_0 => BLOCK,
            Self::Q4K | Self::Q5K | Self::Q6K => 256,
            Self::Groups { size, .. } => usize::from(size),
        }
    }

    /// Bytes of [`BlockFormat::span`] weights.
    pub fn span_bytes(self) -> usize {
        match self {
            Self::Q8_0 => 34,
            Self::Q4_0 => 18,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
            Self::Groups { bits, size } => 2 + usize::from(size) * usize::from(bits) / 8,
        }
    }

    /// Bits per weight, scales included.
    pub fn bits_per_weight(self) -> f64 {
        8.0 * self.span_bytes() as f64 / self.span() as f64
    }

    /// Bytes of `rows` rows of `columns` weights in a file of ggml's; nothing if the columns are no
    /// whole blocks, or there are more than memory has addresses for.
    pub fn bytes(self, rows: usize, columns: usize) -> Option<usize> {
        let blocks = columns
            .is_multiple_of(self.span())
            .then_some(columns / self.span())?;
        rows.checked_mul(blocks)?.checked_mul(self.span_bytes())
    }

    /// Refuses bits and sizes that groups cannot have.
    pub(super) fn check(self) -> Result<(), KernelError> {
        match self {
            Self::Groups { bits, size }
                if !Self::BITS.contains(&bits)
                    || !Self::SIZES.contains(&size)
                    || usize::from(size) % BLOCK != 0 =>
            {
                Err(KernelError::BlockGroups { bits, size })
            }
            _ => Ok(()),
        }
    }

    /// What is taken from a code: it becomes zero there. Codes of 8 bits are signed instead.
    pub(super) fn offset(self) -> i32 {
        match self {
            Self::Q4K | Self::Q5K => 0,
            _ if self.bits() == 8 => 0,
            _ => 1 << (self.bits() - 1),
        }
    }

    /// Whether a multiple of d′ is taken from every weight.
    pub(super) fn has_minimum(self) -> bool {
        matches!(self, Self::Q4K | Self::Q5K)
    }

    /// Blocks of 32 that share a d.
    pub(super) fn span_blocks(self) -> usize {
        self.span() / BLOCK
    }
}

impl fmt::Display for BlockFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Q8_0 => f.write_str("Q8_0"),
            Self::Q4_0 => f.write_str("Q4_0"),
            Self::Q4K => f.write_str("Q4_K"),
            Self::Q5K => f.write_str("Q5_K"),
            Self::Q6K => f.write_str("Q6_K"),
            Self::Groups { bits, size } => write!(f, "groups of {size} with {bits} bits"),
        }
    }
}
