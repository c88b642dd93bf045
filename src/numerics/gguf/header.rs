//! The header of a GGUF file: its keys and the places of its tensors
//! (ggml's docs/gguf.md, versions 2 and 3).
//!
//! Nothing that it claims is believed: every length is held against the bytes that are left
//! before anything is kept, so that memory follows the file's own size. That is why candle's
//! reader is not used here: it holds 32 bytes for each element of a list, be it one byte.

use super::format::Format;
use super::stream::Stream;
use super::value::Value;
use std::collections::BTreeMap;
use std::io;

/// No header is longer: a vocabulary of 256 000 tokens with its merges takes some ten megabytes.
const MOST_HEADER: u64 = 256 << 20;

/// Letters of a key or of a tensor's name.
const MOST_NAME: u64 = 1024;

/// Lists within lists.
const MOST_DEPTH: usize = 4;

const MOST_DIMENSIONS: u32 = 4;

/// What tensors are aligned to where no key says it.
const ALIGNMENT: u64 = 32;

/// Where a tensor lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Sizes, the innermost last, as everywhere but in GGUF.
    pub(super) sizes: Vec<usize>,
    pub(super) format: Format,
    /// From the file's beginning.
    pub(super) start: u64,
    pub(super) bytes: u64,
}

/// What the header says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) values: BTreeMap<String, Value>,
    pub(super) tensors: BTreeMap<String, Entry>,
}

/// What ends a reading.
pub(super) enum HeaderFault {
    /// The system's.
    Read(io::Error),
    /// The file is not what it should be.
    Damaged(String),
    /// It is, and cannot be used.
    Unusable(String),
}

impl From<io::Error> for HeaderFault {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

type Result<T> = std::result::Result<T, HeaderFault>;

fn damaged<T>(fault: String) -> Result<T> {
    Err(HeaderFault::Damaged(fault))
}

/// Reads the header, with which the file begins.
pub(super) fn read(stream: &mut Stream) -> Result<Header> {
    let mut reader = Reader { stream };
    if reader.array::<4>("its first four bytes")? != *b"GGUF" {
        return Err(HeaderFault::Unusable(
            "it does not begin with GGUF; give a file in that format, or the folder of a model"
                .into(),
        ));
    }
    match reader.u32("its version")? {
        2 | 3 => {}
        version if (2..=3).contains(&version.swap_bytes()) => {
            return Err(HeaderFault::Unusable(
                "its numbers are big-endian, and only little-endian files are read; convert the \
                 model on a little-endian machine"
                    .into(),
            ));
        }
        version => {
            return Err(HeaderFault::Unusable(format!(
                "it is of version {version} of GGUF, and versions 2 and 3 are read; convert the \
                 model again"
            )));
        }
    }
    let tensors = reader.u64("its number of tensors")?;
    let keys = reader.u64("its number of keys")?;
    let mut values = BTreeMap::new();
    for number in 0..keys {
        let key = reader.name(&format!("key {number} of {keys}"))?;
        let value = reader.value(&key)?;
        if values.insert(key.clone(), value).is_some() {
            return damaged(format!("the key `{key}` is there twice"));
        }
    }
    let alignment = match values.get("general.alignment") {
        None => ALIGNMENT,
        Some(Value::Whole(alignment)) if (1..=1 << 20).contains(alignment) => *alignment as u64,
        Some(other) => {
            return damaged(format!(
                "general.alignment is {}; it must be a power of two",
                other.describe()
            ));
        }
    };
    if !alignment.is_power_of_two() {
        return damaged(format!(
            "general.alignment is {alignment}; it must be a power of two"
        ));
    }
    let mut placed = BTreeMap::new();
    for number in 0..tensors {
        let name = reader.name(&format!("the name of tensor {number} of {tensors}"))?;
        let entry = reader.entry(&name, alignment)?;
        if placed.insert(name.clone(), entry).is_some() {
            return damaged(format!("the tensor `{name}` is there twice"));
        }
    }
    let header_end = reader.stream.position();
    let padded = header_end.next_multiple_of(alignment);
    place(&mut placed, padded, header_end + reader.stream.left())?;
    Ok(Header {
        values,
        tensors: placed,
    })
}

/// Moves the tensors, so far counted from where their data begin, to `first`; they must lie one
/// behind the other, before `length`.
fn place(tensors: &mut BTreeMap<String, Entry>, first: u64, length: u64) -> Result<()> {
    let mut order: Vec<(&String, &mut Entry)> = tensors.iter_mut().collect();
    order.sort_by_key(|(_, entry)| (entry.start, entry.bytes));
    let mut before: Option<(&String, u64)> = None;
    for (name, entry) in order {
        let start = first.checked_add(entry.start);
        let end = start.and_then(|start| start.checked_add(entry.bytes));
        let (Some(start), Some(end)) = (start, end.filter(|end| *end <= length)) else {
            return damaged(format!(
                "the tensor `{name}` lies at {} and has {} bytes, and the file has {length}",
                first.saturating_add(entry.start),
                entry.bytes
            ));
        };
        if let Some((other, _)) = before.filter(|(_, end)| start < *end) {
            return damaged(format!("the tensors `{other}` and `{name}` overlap"));
        }
        entry.start = start;
        before = Some((name, end));
    }
    Ok(())
}

struct Reader<'a> {
    stream: &'a mut Stream,
}

impl Reader<'_> {
    /// Refuses to read `count` bytes of `what` if there are no more so many.
    fn check(&self, count: u64, what: &str) -> Result<()> {
        let left = self.stream.left();
        if count > left {
            return damaged(format!(
                "{what} needs {count} bytes and {left} are left at {}",
                self.stream.position()
            ));
        }
        if self.stream.position() + count > MOST_HEADER {
            return Err(HeaderFault::Unusable(format!(
                "its header goes on beyond {MOST_HEADER} bytes with {what}; no model has so long a \
                 one"
            )));
        }
        Ok(())
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        self.check(N as u64, what)?;
        let mut bytes = [0; N];
        self.stream.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self, what: &str) -> Result<u32> {
        self.array(what).map(u32::from_le_bytes)
    }

    fn u64(&mut self, what: &str) -> Result<u64> {
        self.array(what).map(u64::from_le_bytes)
    }

    fn text(&mut self, what: &str, most: u64) -> Result<String> {
        let length = self.u64(what)?;
        if length > most {
            return damaged(format!("{what} would have {length} letters"));
        }
        self.check(length, what)?;
        let mut bytes = vec![0; length as usize];
        self.stream.fill(&mut bytes)?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    fn name(&mut self, what: &str) -> Result<String> {
        self.text(what, MOST_NAME)
    }

    fn value(&mut self, key: &str) -> Result<Value> {
        let what = format!("`{key}`");
        let kind = self.u32(&what)?;
        match kind {
            9 => self.list(&what, 0),
            _ => self.single(kind, &what),
        }
    }

    fn single(&mut self, kind: u32, what: &str) -> Result<Value> {
        Ok(match kind {
            0 => Value::Whole(u8::from_le_bytes(self.array(what)?).into()),
            1 => Value::Whole(i8::from_le_bytes(self.array(what)?).into()),
            2 => Value::Whole(u16::from_le_bytes(self.array(what)?).into()),
            3 => Value::Whole(i16::from_le_bytes(self.array(what)?).into()),
            4 => Value::Whole(self.u32(what)?.into()),
            5 => Value::Whole(i32::from_le_bytes(self.array(what)?).into()),
            6 => Value::Number(f32::from_le_bytes(self.array(what)?).into()),
            7 => match self.array(what)? {
                [0] => Value::Flag(false),
                [1] => Value::Flag(true),
                [other] => return damaged(format!("{what} is neither true nor false but {other}")),
            },
            8 => Value::Text(self.text(what, MOST_HEADER)?),
            10 => Value::Whole(self.u64(what)?.into()),
            11 => Value::Whole(i64::from_le_bytes(self.array(what)?).into()),
            12 => Value::Number(f64::from_le_bytes(self.array(what)?)),
            _ => return damaged(format!("{what} is of kind {kind}, and there is none such")),
        })
    }

    /// Of elements that take at least `least` bytes each.
    fn list(&mut self, what: &str, depth: usize) -> Result<Value> {
        let kind = self.u32(what)?;
        let count = self.u64(what)?;
        let least = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            9 => 12,
            _ => {
                return damaged(format!(
                    "{what} lists what is of kind {kind}, and there is none"
                ));
            }
        };
        let bytes = count.checked_mul(least);
        self.check(bytes.unwrap_or(u64::MAX), what)?;
        Ok(match kind {
            4 | 5 => {
                let mut all = Vec::with_capacity(count as usize);
                for _ in 0..count {
                    let bits = self.u32(what)?;
                    all.push(match kind {
                        4 => bits.into(),
                        _ => bits.cast_signed().into(),
                    });
                }
                Value::Integers(all)
            }
            6 => {
                let mut all = Vec::with_capacity(count as usize);
                for _ in 0..count {
                    all.push(f32::from_bits(self.u32(what)?));
                }
                Value::Numbers(all)
            }
            7 => {
                let mut all = Vec::with_capacity(count as usize);
                for _ in 0..count {
                    let [flag] = self.array(what)?;
                    all.push(flag != 0);
                }
                Value::Flags(all)
            }
            8 => {
                let mut all = Vec::with_capacity(count as usize);
                for _ in 0..count {
                    all.push(self.text(what, MOST_HEADER)?);
                }
                Value::Texts(all)
            }
            9 if depth >= MOST_DEPTH => {
                return damaged(format!("{what} has lists within lists beyond {MOST_DEPTH}"));
            }
            9 => {
                for _ in 0..count {
                    self.list(what, depth + 1)?;
                }
                Value::Passed(count)
            }
            _ => {
                self.pass(count * least)?;
                Value::Passed(count)
            }
        })
    }

    fn pass(&mut self, mut bytes: u64) -> Result<()> {
        let mut chunk = [0; 4096];
        while bytes > 0 {
            let count = bytes.min(chunk.len() as u64);
            self.stream.fill(&mut chunk[..count as usize])?;
            bytes -= count;
        }
        Ok(())
    }

    /// Where the tensor `name` lies, counted from where the tensors' data begin.
    fn entry(&mut self, name: &str, alignment: u64) -> Result<Entry> {
        let what = format!("the tensor `{name}`");
        let dimensions = self.u32(&what)?;
        if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
            return damaged(format!(
                "{what} has {dimensions} dimensions; one to four are possible"
            ));
        }
        let mut sizes = Vec::with_capacity(dimensions as usize);
        let mut entries = Some(1u64);
        for _ in 0..dimensions {
            let size = self.u64(&what)?;
            entries = entries.and_then(|entries| entries.checked_mul(size));
            sizes.push(size as usize);
        }
        let entries = entries.filter(|entries| (1..=1 << 60).contains(entries));
        let Some(entries) = entries else {
            return damaged(format!(
                "{what} has the sizes {sizes:?}, which no tensor can have"
            ));
        };
        let format = Format::of(self.u32(&what)?)
            .map_err(|fault| HeaderFault::Unusable(format!("{what} {fault}")))?;
        let block = format.block();
        let bytes = match (sizes[0] as u64).is_multiple_of(block) {
            true => format.bytes(entries),
            false => None,
        };
        let Some(bytes) = bytes else {
            return damaged(format!(
                "{what} has rows of {} entries, and {} has blocks of {block}",
                sizes[0],
                format.name()
            ));
        };
        let start = self.u64(&what)?;
        if !start.is_multiple_of(alignment) {
            return damaged(format!(
                "{what} begins at {start}, which is no multiple of general.alignment, {alignment}"
            ));
        }
        sizes.reverse();
        Ok(Entry {
            sizes,
            format,
            start,
            bytes,
        })
    }
}
