//! A GGUF model's files: one, or the parts that a name such as `x-00001-of-00003.gguf` announces.

use super::format::Format;
use super::header::{self, Entry, Header, HeaderFault};
use super::keys::Keys;
use super::stream::{CHUNK, Stream};
use crate::files;
use crate::interrupt::Interrupt;
use crate::numerics::error::LoadError;
use crate::numerics::model_file::FileDigest;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The most parts that a model is read from.
const MOST_PARTS: usize = 1000;

/// The longest tensor that is read for settings.
const MOST_SMALL: u64 = 1 << 20;

/// One file whose header has been read.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) header: Header,
    stream: Stream,
    length: u64,
}

impl Part {
    fn open(path: &Path, fix: &str) -> Result<Self, LoadError> {
        let unreadable = |source| LoadError::Read {
            path: path.to_owned(),
            source,
            fix: fix.to_owned(),
        };
        let (file, length) = files::open(path).map_err(unreadable)?;
        let mut stream = Stream::new(file, length);
        let header = header::read(&mut stream).map_err(|fault| match fault {
            HeaderFault::Read(source) => unreadable(source),
            HeaderFault::Damaged(fault) => LoadError::Damaged {
                path: path.to_owned(),
                fault,
                bytes: length,
            },
            HeaderFault::Unusable(fault) => LoadError::Config {
                path: path.to_owned(),
                fault,
            },
        })?;
        let name = path.file_name().unwrap_or_default();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            path: path.to_owned(),
            header,
            stream,
            length,
        })
    }

    /// What a `fault` of this file is.
    pub(super) fn fault(&self, fault: String) -> LoadError {
        LoadError::Config {
            path: self.path.clone(),
            fault,
        }
    }

    fn broken(&self, source: std::io::Error) -> LoadError {
        LoadError::Read {
            path: self.path.clone(),
            source,
            fix: "it changed while it was read, or its disk fails: fetch it again".to_owned(),
        }
    }

    /// The entries of a small tensor of 32-bit numbers, such as the divisors of frequencies.
    pub(super) fn small(&self, name: &str) -> Result<Option<Vec<f32>>, LoadError> {
        let Some(entry) = self.header.tensors.get(name) else {
            return Ok(None);
        };
        if entry.format != Format::F32 || entry.sizes.len() != 1 || entry.bytes > MOST_SMALL {
            return Err(self.fault(format!(
                "the tensor `{name}` has the sizes {:?} in {}; one row of F32 is expected",
                entry.sizes,
                entry.format.name()
            )));
        }
        let unreadable = |source| self.broken(source);
        let (mut file, _): (File, u64) = files::open(&self.path).map_err(unreadable)?;
        let mut bytes = vec![0; entry.bytes as usize];
        file.seek(SeekFrom::Start(entry.start))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(unreadable)?;
        let words = bytes.as_chunks::<4>().0.iter();
        Ok(Some(words.map(|word| f32::from_le_bytes(*word)).collect()))
    }

    /// Reads on to `end`; the bytes go to `keep`, if there is somewhere to keep them.
    pub(super) fn read_to(
        &mut self,
        end: u64,
        mut keep: Option<&mut Vec<u8>>,
        interrupt: Interrupt<'_>,
    ) -> Result<(), LoadError> {
        let mut passed = Vec::new();
        while self.stream.position() < end {
            interrupt.check()?;
            let count = (end - self.stream.position()).min(CHUNK as u64) as usize;
            let read = match &mut keep {
                Some(kept) => {
                    let from = kept.len();
                    kept.resize(from + count, 0);
                    self.stream.fill(&mut kept[from..])
                }
                None => {
                    passed.resize(count, 0);
                    self.stream.fill(&mut passed)
                }
            };
            read.map_err(|source| self.broken(source))?;
        }
        Ok(())
    }

    /// Reads what is left, and tells what the file held.
    pub(super) fn finish(mut self, interrupt: Interrupt<'_>) -> Result<FileDigest, LoadError> {
        self.read_to(self.length, None, interrupt)?;
        Ok(FileDigest {
            name: self.name,
            bytes: self.length,
            blake3: self.stream.hash(),
        })
    }

    /// The tensors in the order of the file.
    pub(super) fn in_order(&self) -> Vec<(String, Entry)> {
        let tensors = self.header.tensors.iter();
        let mut all: Vec<_> = tensors
            .map(|(name, entry)| (name.clone(), entry.clone()))
            .collect();
        all.sort_by_key(|(_, entry)| entry.start);
        all
    }
}

/// Opens the file at `path` and the parts that belong to it, which all lie in its folder.
pub(super) fn open(path: &Path) -> Result<Vec<Part>, LoadError> {
    let first = Part::open(path, "give the path of a GGUF file")?;
    let split = split(&first).map_err(|fault| first.fault(fault))?;
    let Some((number, count)) = split else {
        return Ok(vec![first]);
    };
    let stem = stem(&first.name).filter(|(_, own, of)| (*own, *of) == (number + 1, count));
    let Some((stem, ..)) = stem else {
        return Err(first.fault(format!(
            "it is part {} of {count} by its keys (split.no, split.count), and parts are named \
             x-{:05}-of-{count:05}.gguf; give it its name back",
            number + 1,
            number + 1
        )));
    };
    let name = |part: usize| format!("{stem}-{part:05}-of-{count:05}.gguf");
    if number != 0 {
        return Err(first.fault(format!(
            "it is part {} of {count}; give the first, {}",
            number + 1,
            name(1)
        )));
    }
    let stem = stem.to_owned();
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut parts = vec![first];
    for part in 2..=count {
        let name = format!("{stem}-{part:05}-of-{count:05}.gguf");
        let fix = format!("the model has {count} parts: fetch them all");
        let part = Part::open(&folder.join(name), &fix)?;
        let found = split_of(&part)?;
        if found != Some((parts.len(), count)) {
            return Err(part.fault(format!(
                "its keys split.no and split.count do not say that it is part {} of {count}; \
                 fetch it again",
                parts.len() + 1
            )));
        }
        parts.push(part);
    }
    Ok(parts)
}

fn split_of(part: &Part) -> Result<Option<(usize, usize)>, LoadError> {
    split(part).map_err(|fault| part.fault(fault))
}

/// Which part the file is, counted from 0, and of how many, if there are several.
fn split(part: &Part) -> Result<Option<(usize, usize)>, String> {
    let keys = Keys::new(&part.header.values);
    let count = keys.size("split.count")?.unwrap_or(1);
    if count <= 1 {
        return Ok(None);
    }
    if count > MOST_PARTS {
        return Err(format!(
            "split.count is {count}; at most {MOST_PARTS} are read"
        ));
    }
    let number = keys.required("split.no")?;
    if number >= count {
        return Err(format!("split.no is {number}, and split.count {count}"));
    }
    Ok(Some((number, count)))
}

/// `x`, 2 and 3 of `x-00002-of-00003.gguf`.
pub(super) fn stem(name: &str) -> Option<(&str, usize, usize)> {
    let (rest, count) = name.strip_suffix(".gguf")?.rsplit_once("-of-")?;
    let (stem, number) = rest.rsplit_once('-')?;
    Some((stem, number.parse().ok()?, count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_model_are_named_by_their_number() {
        assert_eq!(stem("a-b-00002-of-00003.gguf"), Some(("a-b", 2, 3)));
        assert_eq!(stem("a-b.gguf"), None);
        assert_eq!(stem("a-x-of-3.gguf"), None);
    }
}
