//! One safetensors file: its header, and then its tensors from front to back, each
//! straight from the file, so that no more than one is held twice.

use super::error::LoadError;
use super::model_file::FileDigest;
use super::stored::Stored;
use crate::files;
use crate::interrupt::Interrupt;
use candle_core::{DType, Device, Tensor};
use half::{bf16, f16};
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, SafeTensorError};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The bytes before the header, which say how long it is.
const PREFIX: u64 = 8;

/// The longest header that the format allows.
const MOST_HEADER: u64 = 100_000_000;

/// Bytes read between two looks at whether to go on.
const CHUNK: usize = 16 << 20;

/// A file whose header has been read.
#[derive(Debug)]
pub(super) struct WeightsFile {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) header: Metadata,
    file: File,
    length: u64,
    hasher: blake3::Hasher,
}

impl WeightsFile {
    /// Reads the header of `folder`/`name`; `fix` is what to do if it cannot be read.
    pub(super) fn open(folder: &Path, name: &str, fix: &str) -> Result<Self, LoadError> {
        let path = folder.join(name);
        let unreadable = |source| LoadError::Read {
            path: path.clone(),
            source,
            fix: fix.to_owned(),
        };
        let (mut file, length) = files::open(&path).map_err(unreadable)?;
        let damaged = |fault: SafeTensorError| damaged(&path, length, &fault);
        let mut prefix = [0; PREFIX as usize];
        if length < PREFIX {
            return Err(damaged(SafeTensorError::HeaderTooSmall));
        }
        file.read_exact(&mut prefix).map_err(unreadable)?;
        let header_length = u64::from_le_bytes(prefix);
        if header_length > MOST_HEADER {
            return Err(damaged(SafeTensorError::HeaderTooLarge));
        }
        if header_length > length - PREFIX {
            return Err(damaged(SafeTensorError::InvalidHeaderLength));
        }
        let mut header = vec![0; header_length as usize];
        file.read_exact(&mut header).map_err(unreadable)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&prefix);
        hasher.update(&header);
        let header: Metadata = serde_json::from_slice(&header)
            .map_err(|error| damaged(SafeTensorError::InvalidHeaderDeserialization(error)))?;
        if PREFIX + header_length + header.data_len() as u64 != length {
            return Err(damaged(SafeTensorError::MetadataIncompleteBuffer));
        }
        Ok(Self {
            name: name.to_owned(),
            path,
            header,
            file,
            length,
            hasher,
        })
    }

    /// Reads the file to its end; the tensors that are `wanted` go to `tensors`.
    pub(super) fn read(
        mut self,
        wanted: impl Fn(&str) -> bool,
        tensors: &mut BTreeMap<String, Stored>,
        interrupt: Interrupt<'_>,
    ) -> Result<FileDigest, LoadError> {
        let mut buffer = Vec::new();
        // In the order of the file: the header's own check leaves no gaps between them.
        for name in self.header.offset_keys() {
            let info = self
                .header
                .info(&name)
                .expect("a name of the header")
                .clone();
            let length = info.data_offsets.1 - info.data_offsets.0;
            let keep = wanted(&name);
            buffer.clear();
            let mut left = length;
            while left > 0 {
                interrupt.check()?;
                let from = if keep { buffer.len() } else { 0 };
                let count = left.min(CHUNK);
                buffer.resize(from + count, 0);
                let chunk = &mut buffer[from..];
                self.file
                    .read_exact(chunk)
                    .map_err(|source| self.broken(source))?;
                self.hasher.update(chunk);
                left -= count;
            }
            if keep {
                let tensor = self.tensor(&name, &info, &buffer)?;
                tensors.insert(name, Stored::Plain(tensor));
            }
        }
        Ok(FileDigest {
            name: self.name,
            bytes: self.length,
            blake3: self.hasher.finalize().to_hex().to_string(),
        })
    }

    fn broken(&self, source: io::Error) -> LoadError {
        LoadError::Read {
            path: self.path.clone(),
            source,
            fix: "it changed while it was read, or its disk fails: fetch it again".to_owned(),
        }
    }

    fn tensor(&self, name: &str, info: &TensorInfo, data: &[u8]) -> Result<Tensor, LoadError> {
        if let Some((entry, value)) = first_not_finite(info.dtype, data) {
            return Err(LoadError::NotFinite {
                path: self.path.clone(),
                tensor: name.to_owned(),
                shape: info.shape.clone(),
                entry,
                value,
            });
        }
        let format = match info.dtype {
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            _ => DType::F32,
        };
        Tensor::from_raw_buffer(data, format, &info.shape, &Device::Cpu).map_err(|source| {
            LoadError::Tensor {
                path: self.path.clone(),
                source,
            }
        })
    }
}

fn damaged(path: &Path, bytes: u64, fault: &SafeTensorError) -> LoadError {
    LoadError::Damaged {
        path: path.to_owned(),
        fault: fault.to_string(),
        bytes,
    }
}

/// The first entry that is NaN or infinite: its exponent is all ones.
pub(super) fn first_not_finite(format: Dtype, data: &[u8]) -> Option<(usize, f32)> {
    let halves = || {
        data.as_chunks::<2>()
            .0
            .iter()
            .map(|b| u16::from_le_bytes(*b))
    };
    match format {
        Dtype::F16 => {
            let entry = halves().position(|bits| bits & 0x7c00 == 0x7c00)?;
            Some((entry, f16::from_bits(halves().nth(entry)?).to_f32()))
        }
        Dtype::BF16 => {
            let entry = halves().position(|bits| bits & 0x7f80 == 0x7f80)?;
            Some((entry, bf16::from_bits(halves().nth(entry)?).to_f32()))
        }
        _ => {
            let words = data.as_chunks::<4>().0.iter();
            let mut words = words.map(|b| u32::from_le_bytes(*b)).enumerate();
            let (entry, bits) = words.find(|(_, bits)| bits & 0x7f80_0000 == 0x7f80_0000)?;
            Some((entry, f32::from_bits(bits)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_that_is_not_finite_is_found_in_every_format() {
        let values = [1.0, -65504.0, f32::INFINITY, f32::NAN];
        let bytes32: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let bytes16: Vec<u8> = values
            .iter()
            .flat_map(|v| f16::from_f32(*v).to_le_bytes())
            .collect();
        let brain16: Vec<u8> = values
            .iter()
            .flat_map(|v| bf16::from_f32(*v).to_le_bytes())
            .collect();
        for (format, bytes) in [
            (Dtype::F32, bytes32),
            (Dtype::F16, bytes16),
            (Dtype::BF16, brain16),
        ] {
            let entry = bytes.len() / 4;
            assert_eq!(
                first_not_finite(format, &bytes),
                Some((2, f32::INFINITY)),
                "{format:?}"
            );
            assert_eq!(first_not_finite(format, &bytes[..2 * entry]), None);
            let (last, value) = first_not_finite(format, &bytes[3 * entry..]).expect("NaN");
            assert!(last == 0 && value.is_nan());
        }
    }
}
