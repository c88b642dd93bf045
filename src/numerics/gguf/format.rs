//! The number formats of GGUF's tensors (`ggml_type` in ggml.h), and which of them are computed with.

use crate::numerics::kernels::{BlockFormat, BlockMatrix};
use crate::numerics::stored::Stored;
use crate::numerics::weights_file::first_not_finite;
use candle_core::{DType, Device, Tensor};
use half::f16;
use safetensors::Dtype;
use std::sync::Arc;

/// How the entries of a tensor are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    F32,
    F16,
    Bf16,
    Q4_0,
    Q8_0,
    Q4K,
    Q5K,
    Q6K,
}

/// Number, name, entries per block, bytes per block.
const FORMATS: [(u32, Format, &str, u64, u64); 8] = [
    (0, Format::F32, "F32", 1, 4),
    (1, Format::F16, "F16", 1, 2),
    (2, Format::Q4_0, "Q4_0", 32, 18),
    (8, Format::Q8_0, "Q8_0", 32, 34),
    (12, Format::Q4K, "Q4_K", 256, 144),
    (13, Format::Q5K, "Q5_K", 256, 176),
    (14, Format::Q6K, "Q6_K", 256, 210),
    (30, Format::Bf16, "BF16", 1, 2),
];

/// Formats that are not computed with, by their number: for errors.
const OTHERS: [(u32, &str); 28] = [
    (3, "Q4_1"),
    (6, "Q5_0"),
    (7, "Q5_1"),
    (9, "Q8_1"),
    (10, "Q2_K"),
    (11, "Q3_K"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (31, "Q4_0_4_4"),
    (32, "Q4_0_4_8"),
    (33, "Q4_0_8_8"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (39, "MXFP4"),
    (40, "NVFP4"),
];

impl Format {
    /// The one with this number.
    ///
    /// # Errors
    /// What it is, if that is known, and what to do.
    pub(super) fn of(number: u32) -> Result<Self, String> {
        if let Some((_, format, ..)) = FORMATS.iter().find(|row| row.0 == number) {
            return Ok(*format);
        }
        let names: Vec<&str> = FORMATS.iter().map(|row| row.2).collect();
        let other = OTHERS.iter().find(|row| row.0 == number);
        let found = match other {
            Some((_, name)) => format!("as {name}"),
            None => format!("in a format of number {number}, which is not known"),
        };
        Err(format!(
            "is stored {found}; {} are computed with: take a file of one of these, or make one \
             with llama-quantize",
            names.join(", ")
        ))
    }

    fn row(self) -> &'static (u32, Self, &'static str, u64, u64) {
        let row = FORMATS.iter().find(|row| row.1 == self);
        row.expect("every format is listed")
    }

    pub(super) fn name(self) -> &'static str {
        self.row().2
    }

    /// Entries of a row that share a block.
    pub(super) fn block(self) -> u64 {
        self.row().3
    }

    /// Bytes of so many entries in whole blocks.
    pub(super) fn bytes(self, entries: u64) -> Option<u64> {
        let (_, _, _, block, bytes) = self.row();
        entries
            .is_multiple_of(*block)
            .then(|| (entries / block).checked_mul(*bytes))?
    }

    /// Bits per entry, with what its block shares.
    pub(super) fn bits(self) -> f64 {
        let (_, _, _, block, bytes) = self.row();
        8.0 * *bytes as f64 / *block as f64
    }
}

impl Format {
    /// The tensor of `sizes` whose bytes these are.
    ///
    /// # Errors
    /// If they are not so many.
    pub(super) fn stored(self, bytes: Vec<u8>, sizes: &[usize]) -> Result<Stored, String> {
        let plain = |format| {
            let tensor = Tensor::from_raw_buffer(&bytes, format, sizes, &Device::Cpu);
            tensor.map(Stored::Plain).map_err(|error| error.to_string())
        };
        let format = match self {
            Self::F32 => return plain(DType::F32),
            Self::F16 => return plain(DType::F16),
            Self::Bf16 => return plain(DType::BF16),
            Self::Q4_0 => BlockFormat::Q4_0,
            Self::Q8_0 => BlockFormat::Q8_0,
            Self::Q4K => BlockFormat::Q4K,
            Self::Q5K => BlockFormat::Q5K,
            Self::Q6K => BlockFormat::Q6K,
        };
        let columns = sizes.last().copied().unwrap_or(1);
        let rows = sizes.iter().product::<usize>() / columns.max(1);
        let matrix = BlockMatrix::from_bytes(format, rows, columns, &bytes);
        let matrix = matrix.map_err(|error| error.to_string())?;
        Ok(Stored::Blocks(Arc::new(matrix)))
    }

    /// Where in a block the numbers stand that scale it, each of 16 bits.
    fn scales(self) -> &'static [usize] {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => &[],
            Self::Q4_0 | Self::Q8_0 => &[0],
            Self::Q4K | Self::Q5K => &[0, 2],
            Self::Q6K => &[208],
        }
    }

    /// The first entry that is NaN or infinite, or the first of a block that is scaled so; and
    /// that number.
    pub(super) fn not_finite(self, bytes: &[u8]) -> Option<(usize, f32)> {
        let plain = match self {
            Self::F32 => Some(Dtype::F32),
            Self::F16 => Some(Dtype::F16),
            Self::Bf16 => Some(Dtype::BF16),
            _ => None,
        };
        if let Some(format) = plain {
            return first_not_finite(format, bytes);
        }
        let (_, _, _, entries, length) = self.row();
        let mut blocks = bytes.chunks_exact(*length as usize).enumerate();
        blocks.find_map(|(number, block)| {
            let mut scales = self
                .scales()
                .iter()
                .map(|place| f16::from_le_bytes([block[*place], block[place + 1]]).to_f32());
            let scale = scales.find(|scale| !scale.is_finite())?;
            Some((number * *entries as usize, scale))
        })
    }
}
