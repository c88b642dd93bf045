//! NumPy's `.npy` files of complex numbers, as bytes.
//!
//! The format is NumPy Enhancement Proposal 1 (`numpy.lib.format`): the magic
//! `\x93NUMPY`, a version, the header's length (2 bytes in version 1, 4 in versions 2 and 3,
//! little-endian), the header, then the entries. The header is a Python dictionary of
//! `descr`, `fortran_order` and `shape`. Read are `<c8` and `<c16`, in C or Fortran order;
//! written is `<c16` in C order under a header of version 1.

use num_complex::Complex;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// NumPy itself reads no longer header unless told to (`max_header_size`).
const LONGEST_HEADER: usize = 10_000;

/// As many first bytes of a file as can belong to its header.
pub const LONGEST_PREFIX: usize = 12 + LONGEST_HEADER;

/// NumPy pads its header so that entries begin at a multiple of this.
const ALIGNMENT: usize = 64;

/// Why bytes are not an array of complex numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NpyError {
    /// The magic is missing.
    #[error("this is no .npy file: it does not start with \\x93NUMPY; write it with numpy.save")]
    NoMagic,
    /// A version of the format that does not exist yet.
    #[error("version {major}.{minor} of the .npy format is not known; versions 1 to 3 are")]
    Version {
        /// First number.
        major: u8,
        /// Second number.
        minor: u8,
    },
    /// The header is cut off, too long or not what NumPy writes.
    #[error("the header of the .npy file is damaged: {0}; write it again with numpy.save")]
    Header(String),
    /// Entries of another type.
    #[error(
        "the array holds {found}, but `<c16` or `<c8` is needed: complex, little-endian; {advice}"
    )]
    Type {
        /// `descr` as the header has it.
        found: String,
        /// What to save instead.
        advice: &'static str,
    },
    /// More or fewer bytes than the shape says.
    #[error(
        "the file has {found} bytes, but an array of shape {shape} and type {descr} takes {expected}; it was cut off or is not one array"
    )]
    Length {
        /// Of the file.
        found: u64,
        /// What the header asks for.
        expected: u64,
        /// As NumPy writes it.
        shape: String,
        /// `<c8` or `<c16`.
        descr: &'static str,
    },
}

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NpyHeader {
    /// Entries along every axis.
    pub shape: Vec<u64>,
    /// Whether the first axis is the one whose neighbours lie side by side.
    fortran_order: bool,
    /// Whether parts are f64 rather than f32.
    double: bool,
    /// Bytes before the first entry.
    start: usize,
}

impl NpyHeader {
    /// Reads the header of a file of `length` bytes that starts with `prefix`:
    /// [`LONGEST_PREFIX`] bytes, or all.
    ///
    /// # Errors
    /// If it is none, has entries of another type than complex numbers, or the file's
    /// length is not what it says.
    pub fn parse(prefix: &[u8], length: u64) -> Result<Self, NpyError> {
        let damaged = |fault: &str| NpyError::Header(fault.to_owned());
        if !prefix.starts_with(MAGIC) {
            return Err(NpyError::NoMagic);
        }
        let Some(&[major, minor]) = prefix.get(6..8) else {
            return Err(damaged("it is cut off"));
        };
        let width = match major {
            1 => 2,
            2 | 3 => 4,
            _ => return Err(NpyError::Version { major, minor }),
        };
        let mut size = [0u8; 4];
        let written = prefix.get(8..8 + width);
        size[..width].copy_from_slice(written.ok_or_else(|| damaged("it is cut off"))?);
        let size = u32::from_le_bytes(size) as usize;
        if size > LONGEST_HEADER {
            return Err(NpyError::Header(format!(
                "it claims {size} bytes, more than NumPy itself would read"
            )));
        }
        let start = 8 + width + size;
        let text = prefix
            .get(8 + width..start)
            .ok_or_else(|| damaged("it is cut off"))?;
        let text = str::from_utf8(text).map_err(|_| damaged("it is not text"))?;
        let dictionary = Dictionary::parse(text).map_err(NpyError::Header)?;
        let header = Self {
            double: match dictionary.descr.as_str() {
                "<c16" => true,
                "<c8" => false,
                _ => {
                    return Err(NpyError::Type {
                        found: format!("`{}`", dictionary.descr),
                        advice: advice(&dictionary),
                    });
                }
            },
            shape: dictionary.shape,
            fortran_order: dictionary.fortran_order,
            start,
        };
        let expected = header.entries().map(|entries| {
            let bytes = entries.saturating_mul(if header.double { 16 } else { 8 });
            bytes.saturating_add(start as u64)
        });
        match expected {
            Some(expected) if expected == length => Ok(header),
            expected => Err(NpyError::Length {
                found: length,
                expected: expected.unwrap_or(u64::MAX),
                shape: shape_text(&header.shape),
                descr: if header.double { "<c16" } else { "<c8" },
            }),
        }
    }

    fn entries(&self) -> Option<u64> {
        self.shape
            .iter()
            .try_fold(1u64, |product, axis| product.checked_mul(*axis))
    }

    /// The entries of the whole file `bytes`, whose header this is, in C order: the last
    /// axis's neighbours side by side. f32 parts widen to the f64 of the same value.
    ///
    /// # Panics
    /// If `bytes` are fewer than the header says.
    pub fn entries_of(&self, bytes: &[u8]) -> Vec<Complex<f64>> {
        let stored: Vec<Complex<f64>> = if self.double {
            let parts = bytes[self.start..].chunks_exact(16);
            let part = |eight: &[u8]| f64::from_le_bytes(eight.try_into().expect("eight bytes"));
            parts
                .map(|entry| Complex::new(part(&entry[..8]), part(&entry[8..])))
                .collect()
        } else {
            let parts = bytes[self.start..].chunks_exact(8);
            let part =
                |four: &[u8]| f64::from(f32::from_le_bytes(four.try_into().expect("four bytes")));
            parts
                .map(|entry| Complex::new(part(&entry[..4]), part(&entry[4..])))
                .collect()
        };
        if self.fortran_order {
            self.transposed(&stored)
        } else {
            stored
        }
    }

    /// From Fortran to C order.
    fn transposed(&self, stored: &[Complex<f64>]) -> Vec<Complex<f64>> {
        let axes = self.shape.len();
        let mut strides = vec![1usize; axes];
        for axis in 1..axes {
            strides[axis] = strides[axis - 1] * self.shape[axis - 1] as usize;
        }
        let mut index = vec![0u64; axes];
        let mut entries = Vec::with_capacity(stored.len());
        for _ in 0..stored.len() {
            let place = index.iter().zip(&strides);
            entries.push(stored[place.map(|(i, stride)| *i as usize * stride).sum::<usize>()]);
            for axis in (0..axes).rev() {
                index[axis] += 1;
                if index[axis] < self.shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
        entries
    }
}

/// How the array of a header becomes one of complex numbers.
fn advice(dictionary: &Dictionary) -> &'static str {
    let kind = dictionary.descr.trim_start_matches(['<', '>', '=', '|']);
    if kind.starts_with('[') {
        return "of a structured type, with fields for example re and im, save \
                h['re'] + 1j*h['im']";
    }
    if !kind.starts_with('c') {
        // Five axes are one more than a trace has, and a pair may also come first.
        match dictionary.shape[..] {
            [.., 2] if dictionary.shape.len() > 4 => {
                return "if its last axis holds real and imaginary parts, save \
                        h[..., 0] + 1j*h[..., 1]";
            }
            [2, ..] if dictionary.shape.len() > 4 => {
                return "if its first axis holds real and imaginary parts, save h[0] + 1j*h[1]";
            }
            _ => {}
        }
    }
    "save h.astype('<c16')"
}

/// As NumPy writes a shape: `(2, 3)`, `(2,)`, `()`.
pub(super) fn shape_text(shape: &[u64]) -> String {
    let axes: Vec<String> = shape.iter().map(u64::to_string).collect();
    match axes.as_slice() {
        [only] => format!("({only},)"),
        axes => format!("({})", axes.join(", ")),
    }
}

/// The bytes of a file that holds `entries` in C order.
///
/// # Panics
/// If `shape` has another number of entries.
pub fn npy_bytes(shape: &[u64], entries: &[Complex<f64>]) -> Vec<u8> {
    let count = shape.iter().product::<u64>();
    assert_eq!(entries.len() as u64, count, "entries of the shape");
    let mut header = format!(
        "{{'descr': '<c16', 'fortran_order': False, 'shape': {}, }}",
        shape_text(shape)
    );
    // The header ends with a newline at a multiple of the alignment.
    let padding = ALIGNMENT - (10 + header.len() + 1) % ALIGNMENT;
    header.extend(std::iter::repeat_n(' ', padding % ALIGNMENT));
    header.push('\n');
    let mut bytes = Vec::with_capacity(10 + header.len() + 16 * entries.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[1, 0]);
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    for entry in entries {
        bytes.extend_from_slice(&entry.re.to_le_bytes());
        bytes.extend_from_slice(&entry.im.to_le_bytes());
    }
    bytes
}

/// A header's fields.
struct Dictionary {
    descr: String,
    fortran_order: bool,
    shape: Vec<u64>,
}

impl Dictionary {
    /// Reads the Python literal that NumPy writes, whatever the order of its keys.
    fn parse(text: &str) -> Result<Self, String> {
        let mut rest = Literal(text.trim());
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        rest.expect("{")?;
        while !rest.take("}") {
            let key = rest.string()?;
            rest.expect(":")?;
            match key {
                "descr" => descr = Some(rest.descr()?),
                "fortran_order" => fortran_order = Some(rest.truth()?),
                "shape" => shape = Some(rest.shape()?),
                _ => return Err(format!("it has an unknown field `{key}`")),
            }
            if !rest.take(",") {
                rest.expect("}")?;
                break;
            }
        }
        let missing = |field: &str| format!("it has no field `{field}`");
        Ok(Self {
            descr: descr.ok_or_else(|| missing("descr"))?,
            fortran_order: fortran_order.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
        })
    }
}

/// What is left of a Python literal.
struct Literal<'a>(&'a str);

impl<'a> Literal<'a> {
    fn take(&mut self, token: &str) -> bool {
        let rest = self.0.trim_start();
        let found = rest.strip_prefix(token);
        self.0 = found.unwrap_or(rest);
        found.is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) {
            return Ok(());
        }
        let found: String = self.0.chars().take(12).collect();
        Err(format!("`{token}` is expected before `{found}`"))
    }

    fn string(&mut self) -> Result<&'a str, String> {
        let quote = if self.take("'") {
            '\''
        } else {
            self.expect("\"")?;
            '"'
        };
        let (text, rest) = self
            .0
            .split_once(quote)
            .ok_or("a text in it does not end")?;
        self.0 = rest;
        Ok(text)
    }

    /// `'<c16'`; of a structured type, as much as says that it is one.
    fn descr(&mut self) -> Result<String, String> {
        if !self.take("[") {
            return self.string().map(str::to_owned);
        }
        let (fields, rest) = self.0.split_once(']').ok_or("a list in it does not end")?;
        self.0 = rest;
        Ok(format!("[{fields}]"))
    }

    fn truth(&mut self) -> Result<bool, String> {
        if self.take("True") {
            return Ok(true);
        }
        self.expect("False").map(|()| false)
    }

    fn shape(&mut self) -> Result<Vec<u64>, String> {
        let mut shape = Vec::new();
        self.expect("(")?;
        while !self.take(")") {
            let rest = self.0.trim_start();
            let digits = rest.find(|c: char| !c.is_ascii_digit());
            let (digits, rest) = rest.split_at(digits.unwrap_or(rest.len()));
            let axis = digits.parse();
            shape.push(axis.map_err(|_| format!("`{digits}` in its shape is no length"))?);
            self.0 = rest;
            // Python 2 wrote long integers so.
            self.take("L");
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(shape)
    }
}
