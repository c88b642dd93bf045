//! From blocks to numbers: what ggml's formats mean (`ggml-quants.c`).
//!
//! A block holds 32 or 256 entries of a row as small whole numbers q, and what scales them: d·q, or
//! d·s·q − m·t with a scale s and an offset t of each 32 (or d·s·q with one of each 16).

use super::format::Format;
use half::f16;

/// Writes the entries of whole blocks of `format` to `out`, as many as they have.
pub(in crate::numerics) fn dequantise(format: Format, blocks: &[u8], out: &mut [f32]) {
    let entries = format.block() as usize;
    let length = format.bytes(entries as u64).unwrap_or(0) as usize;
    for (block, out) in blocks
        .chunks_exact(length)
        .zip(out.chunks_exact_mut(entries))
    {
        match format {
            Format::Q8_0 => q8_0(block, out),
            Format::Q4_0 => q4_0(block, out),
            Format::Q4K => q4_k(block, out),
            Format::Q5K => q5_k(block, out),
            Format::Q6K => q6_k(block, out),
            Format::F32 | Format::F16 | Format::Bf16 => unreachable!("these have no blocks"),
        }
    }
}

fn half(block: &[u8], place: usize) -> f32 {
    f16::from_le_bytes([block[place], block[place + 1]]).to_f32()
}

fn q8_0(block: &[u8], out: &mut [f32]) {
    let scale = half(block, 0);
    for (value, byte) in out.iter_mut().zip(&block[2..]) {
        *value = scale * f32::from(byte.cast_signed());
    }
}

/// Low halves of the bytes first, then high ones; each less 8.
fn q4_0(block: &[u8], out: &mut [f32]) {
    let scale = half(block, 0);
    let (low, high) = out.split_at_mut(16);
    for ((low, high), byte) in low.iter_mut().zip(high).zip(&block[2..]) {
        *low = scale * (f32::from(byte & 15) - 8.0);
        *high = scale * (f32::from(byte >> 4) - 8.0);
    }
}

/// Scale and offset of the 32 entries `index` of a block of 256: six bits each, of twelve bytes.
fn scale_offset(packed: &[u8], index: usize) -> (f32, f32) {
    let (scale, offset) = match index {
        0..4 => (packed[index] & 63, packed[index + 4] & 63),
        _ => (
            packed[index + 4] & 15 | packed[index - 4] >> 6 << 4,
            packed[index + 4] >> 4 | packed[index] >> 6 << 4,
        ),
    };
    (f32::from(scale), f32::from(offset))
}

fn q4_k(block: &[u8], out: &mut [f32]) {
    let (scale, least) = (half(block, 0), half(block, 2));
    let (packed, nibbles) = block[4..].split_at(12);
    for (chunk, (out, bytes)) in out
        .chunks_exact_mut(64)
        .zip(nibbles.chunks_exact(32))
        .enumerate()
    {
        for (part, out) in out.chunks_exact_mut(32).enumerate() {
            let (own, offset) = scale_offset(packed, 2 * chunk + part);
            let (own, offset) = (scale * own, least * offset);
            for (value, byte) in out.iter_mut().zip(bytes) {
                *value = own * f32::from(byte >> (4 * part) & 15) - offset;
            }
        }
    }
}

/// As [`q4_k`], with a fifth bit of each entry apart.
fn q5_k(block: &[u8], out: &mut [f32]) {
    let (scale, least) = (half(block, 0), half(block, 2));
    let (packed, rest) = block[4..].split_at(12);
    let (fifth, nibbles) = rest.split_at(32);
    for (chunk, (out, bytes)) in out
        .chunks_exact_mut(64)
        .zip(nibbles.chunks_exact(32))
        .enumerate()
    {
        for (part, out) in out.chunks_exact_mut(32).enumerate() {
            let index = 2 * chunk + part;
            let (own, offset) = scale_offset(packed, index);
            let (own, offset) = (scale * own, least * offset);
            for ((value, byte), fifth) in out.iter_mut().zip(bytes).zip(fifth) {
                let entry = byte >> (4 * part) & 15 | (fifth >> index & 1) << 4;
                *value = own * f32::from(entry) - offset;
            }
        }
    }
}

/// Four bits and two of each entry apart, less 32; a scale of eight bits for each 16.
fn q6_k(block: &[u8], out: &mut [f32]) {
    let (low, rest) = block.split_at(128);
    let (high, scales) = rest.split_at(64);
    let scale = half(block, 208);
    for (number, out) in out.chunks_exact_mut(128).enumerate() {
        let (low, high) = (&low[64 * number..][..64], &high[32 * number..][..32]);
        for (quarter, out) in out.chunks_exact_mut(32).enumerate() {
            for (place, value) in out.iter_mut().enumerate() {
                let four = low[place + 32 * (quarter % 2)] >> (4 * (quarter / 2)) & 15;
                let two = high[place] >> (2 * quarter) & 3;
                let own = scales[8 * number + 2 * quarter + place / 16].cast_signed();
                let entry = f32::from(four | two << 4) - 32.0;
                *value = scale * f32::from(own) * entry;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use candle_core::quantized::GgmlDType;
    use candle_core::quantized::ggml_file::qtensor_from_ggml;

    /// Bytes of a simple generator, with small scales in their places.
    fn blocks(format: Format, count: usize) -> Vec<u8> {
        let length = format.bytes(format.block()).expect("one block") as usize;
        let mut state = 12345u32;
        let mut bytes: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(count * length)
        .collect();
        for (number, block) in bytes.chunks_exact_mut(length).enumerate() {
            for place in format.scales() {
                let scale = f16::from_f32(0.001 * (1 + number) as f32);
                block[*place..place + 2].copy_from_slice(&scale.to_le_bytes());
            }
        }
        bytes
    }

    #[test]
    fn every_format_means_what_candle_makes_of_it() {
        for (format, candle) in [
            (Format::Q8_0, GgmlDType::Q8_0),
            (Format::Q4_0, GgmlDType::Q4_0),
            (Format::Q4K, GgmlDType::Q4K),
            (Format::Q5K, GgmlDType::Q5K),
            (Format::Q6K, GgmlDType::Q6K),
        ] {
            let bytes = blocks(format, 8);
            let entries = 8 * format.block() as usize;
            let mut values = vec![0.0; entries];
            dequantise(format, &bytes, &mut values);
            let expected = qtensor_from_ggml(candle, &bytes, vec![1, entries], &Device::Cpu)
                .and_then(|tensor| {
                    tensor
                        .dequantize(&Device::Cpu)?
                        .flatten_all()?
                        .to_vec1::<f32>()
                })
                .expect("blocks of this format");
            for (place, (value, expected)) in values.iter().zip(&expected).enumerate() {
                let near = (value - expected).abs() <= 1e-6 * expected.abs().max(1e-3);
                assert!(near, "{format:?} {place}: {value} {expected}");
            }
            assert!(values.iter().any(|value| *value != 0.0), "{format:?}");
        }
    }
}
