//! Weights rounded to blocks.

use half::f16;

use super::format::{BLOCK, BlockFormat};
use super::matrix::{Block, BlockMatrix};
use crate::numerics::kernels::KernelError;

impl BlockMatrix {
    /// Rounds a row-major `rows` × `columns` matrix.
    ///
    /// For each group of weights w that share a scale, m being the one of greatest magnitude (the
    /// first of several) and b the bits of a code:
    /// - `Q8_0`: d = |m| / 127, q = w / d to the nearest, halves away from zero;
    /// - `Q4_0`: d = m / −8, q = ⌊w / d + 8.5⌋, at most 15;
    /// - `Groups`: d = m / −2^(b − 1) as f16, q = w / d + 2^(b − 1) to the nearest, halves to even,
    ///   clamped to 0 ‥ 2^b − 1: m itself is met, so that all codes are used.
    ///
    /// The first two are ggml's reference, where d becomes f16 only after codes are chosen with
    /// 1 / d, rounded. A scale is NaN, and with it every weight of its group, where a weight is
    /// not finite or the scale lies beyond f16. `columns` may be any number: a last group is
    /// shorter than others.
    ///
    /// # Errors
    /// Groups of bits or sizes that there are not, a format that is only read (`Q4K`, `Q5K`,
    /// `Q6K`), or not rows · columns weights.
    pub fn round(
        format: BlockFormat,
        rows: usize,
        columns: usize,
        weights: &[f32],
    ) -> Result<Self, KernelError> {
        format.check()?;
        if matches!(
            format,
            BlockFormat::Q4K | BlockFormat::Q5K | BlockFormat::Q6K
        ) {
            return Err(KernelError::BlockRounding { format });
        }
        if rows.checked_mul(columns) != Some(weights.len()) {
            return Err(KernelError::WeightShape {
                outputs: rows,
                inputs: columns,
                found: weights.len(),
            });
        }
        let mut matrix = Self::zeros(format, rows, columns, 0);
        if columns == 0 {
            return Ok(matrix);
        }
        for (row, weights) in weights.chunks_exact(columns).enumerate() {
            for (span, group) in weights.chunks(format.span()).enumerate() {
                let rounding = Rounding::of(format, group);
                matrix.set_shared(row, span, [rounding.scale(), f16::ZERO]);
                for (part, weights) in group.chunks(BLOCK).enumerate() {
                    let mut codes = [format.offset() as u8; BLOCK];
                    for (code, &weight) in codes.iter_mut().zip(weights) {
                        *code = rounding.code(weight);
                    }
                    let block = Block { codes, own: [0; 2] };
                    matrix.set_block(row, span * format.span_blocks() + part, &block);
                }
            }
        }
        Ok(matrix)
    }
}

/// How the weights of one group become codes.
struct Rounding {
    format: BlockFormat,
    /// d before it becomes f16.
    scale: f32,
    /// What weights are multiplied by; for `Groups` divided.
    factor: f32,
}

impl Rounding {
    fn of(format: BlockFormat, group: &[f32]) -> Self {
        let mut greatest = 0.0f32;
        for &weight in group {
            if !weight.is_finite() {
                greatest = f32::NAN;
                break;
            }
            if weight.abs() > greatest.abs() {
                greatest = weight;
            }
        }
        let scale = match format {
            BlockFormat::Q8_0 => greatest.abs() / 127.0,
            _ => greatest / -((1u32 << (format.bits() - 1)) as f32),
        };
        let factor = match format {
            BlockFormat::Groups { .. } => f16::from_f32(scale).to_f32(),
            _ if scale == 0.0 => 0.0,
            _ => 1.0 / scale,
        };
        Self {
            format,
            scale,
            factor,
        }
    }

    fn scale(&self) -> f16 {
        match f16::from_f32(self.scale) {
            scale if scale.is_finite() => scale,
            _ => f16::NAN,
        }
    }

    fn code(&self, weight: f32) -> u8 {
        // Casts saturate, and make 0 of NaN.
        match self.format {
            BlockFormat::Q8_0 => ((weight * self.factor).round() as i8).cast_unsigned(),
            BlockFormat::Q4_0 => ((weight * self.factor + 8.5) as u8).min(15),
            _ => {
                let half = (1i32 << (self.format.bits() - 1)) as f32;
                let nearest = match self.factor == 0.0 {
                    true => 0.0,
                    false => (weight / self.factor).round_ties_even(),
                };
                let nearest = nearest.clamp(-half, half - 1.0);
                match self.format.bits() {
                    8 => (nearest as i8).cast_unsigned(),
                    _ => (nearest + half) as u8,
                }
            }
        }
    }
}
