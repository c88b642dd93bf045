//! Blocks as ggml lays them out in files (`ggml-common.h`), read into a [`BlockMatrix`].

use half::f16;

use super::format::{BLOCK, BlockFormat};
use super::matrix::{Block, BlockMatrix};
use crate::numerics::kernels::KernelError;

impl BlockMatrix {
    /// The matrix whose rows, one output after the other, are `bytes` in ggml's layout of `format`.
    ///
    /// # Errors
    /// `columns` are no whole blocks, there are more or fewer bytes than the shape needs, or the
    /// format has no such layout ([`BlockFormat::Groups`]).
    pub fn from_bytes(
        format: BlockFormat,
        rows: usize,
        columns: usize,
        bytes: &[u8],
    ) -> Result<Self, KernelError> {
        if matches!(format, BlockFormat::Groups { .. }) {
            return Err(KernelError::BlockLayout { format });
        }
        if !columns.is_multiple_of(format.span()) {
            return Err(KernelError::BlockColumns {
                format,
                columns,
                span: format.span(),
            });
        }
        if format.bytes(rows, columns) != Some(bytes.len()) {
            return Err(KernelError::BlockBytes {
                format,
                rows,
                columns,
                found: bytes.len(),
            });
        }
        let mut matrix = Self::zeros(format, rows, columns, 0);
        let spans = columns / format.span();
        for (index, span) in bytes.chunks_exact(format.span_bytes()).enumerate() {
            matrix.read_span(index / spans, index % spans, span);
        }
        Ok(matrix)
    }

    /// Writes one span of one output.
    fn read_span(&mut self, row: usize, span: usize, bytes: &[u8]) {
        let format = self.format();
        let half = |at: usize| f16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let shared = match format {
            BlockFormat::Q4K | BlockFormat::Q5K => [half(0), half(2)],
            BlockFormat::Q6K => [half(208), f16::ZERO],
            _ => [half(0), f16::ZERO],
        };
        self.set_shared(row, span, shared);
        let blocks = format.span_blocks();
        for part in 0..blocks {
            let block = match format {
                BlockFormat::Q8_0 => Block {
                    codes: codes(|k| bytes[2 + k]),
                    own: [0; 2],
                },
                BlockFormat::Q4K => Block {
                    codes: codes(|k| nibble(&bytes[16..], part, k)),
                    own: six_bits(&bytes[4..16], part),
                },
                BlockFormat::Q5K => Block {
                    codes: codes(|k| {
                        nibble(&bytes[48..], part, k) | (bytes[16 + k] >> part & 1) << 4
                    }),
                    own: six_bits(&bytes[4..16], part),
                },
                BlockFormat::Q6K => six_bit_block(bytes, part),
                BlockFormat::Q4_0 | BlockFormat::Groups { .. } => Block {
                    codes: codes(|k| bytes[2 + k % 16] >> (k / 16 * 4) & 15),
                    own: [0; 2],
                },
            };
            self.set_block(row, span * blocks + part, &block);
        }
    }
}

fn codes(code: impl Fn(usize) -> u8) -> [u8; BLOCK] {
    std::array::from_fn(code)
}

/// Q4_K and Q5_K: 32 bytes hold two blocks, one in the lower halves, one in the upper.
fn nibble(bytes: &[u8], part: usize, k: usize) -> u8 {
    bytes[part / 2 * 32 + k] >> (part % 2 * 4) & 15
}

/// s and m of block `part` out of twelve bytes: of the first four blocks in the lower six bits of
/// bytes 0 to 3 and 4 to 7, of the others in the halves of bytes 8 to 11 and the bits left over.
fn six_bits(bytes: &[u8], part: usize) -> [u8; 2] {
    match part {
        0..4 => [bytes[part] & 63, bytes[part + 4] & 63],
        _ => [
            bytes[part + 4] & 15 | bytes[part - 4] >> 6 << 4,
            bytes[part + 4] >> 4 | bytes[part] >> 6 << 4,
        ],
    }
}

/// Q6_K: four lower bits of 256 codes, two upper bits of each, 16 scales; every half of the span
/// holds four blocks.
fn six_bit_block(bytes: &[u8], part: usize) -> Block {
    let (half, quarter) = (part / 4, part % 4);
    let lower = &bytes[half * 64 + quarter % 2 * 32..];
    let upper = &bytes[128 + half * 32..];
    Block {
        codes: codes(|k| lower[k] >> (quarter / 2 * 4) & 15 | (upper[k] >> (quarter * 2) & 3) << 4),
        own: [bytes[192 + 2 * part], bytes[193 + 2 * part]],
    }
}
