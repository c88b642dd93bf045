//! Overrides: `path=value`, put in place before a scenario is checked.

use super::raw::{Node, Path, PathError, SyntaxError, Value, parse_from};
use std::fmt;
use std::str::FromStr;

/// One change to a scenario's text.
///
/// The path names fields and entries and passes through variants; the value is RON. A
/// quantity may be written without its quotes, since shells tend to eat them:
/// `radio.bandwidth=20 MHz`.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    text: String,
    path: Path,
    /// Where in `text` the value begins.
    value: usize,
    origin: Origin,
}

/// Who asked for the change; errors say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    CommandLine,
    Sweep,
}

/// A text that is no override.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// There is no `=`.
    #[error("`{0}` changes nothing; write path=value, such as devices.count=8")]
    NoValue(String),
    /// The path is none.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The value is not RON.
    #[error("the value of `{path}` is not RON: {fault}{}", fault.help.as_ref().map_or(String::new(), |help| format!("; {help}")))]
    Value {
        /// The path.
        path: Path,
        /// What is wrong with the value.
        fault: SyntaxError,
    },
}

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        Self::read(text.trim(), Origin::CommandLine)
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Override {
    /// A sweep's change of `path` to `value`.
    pub(super) fn swept(path: &Path, value: &str) -> Result<Self, OverrideError> {
        Self::read(&format!("{path}={value}"), Origin::Sweep)
    }

    fn read(text: &str, origin: Origin) -> Result<Self, OverrideError> {
        let equals = text
            .find('=')
            .ok_or_else(|| OverrideError::NoValue(text.to_owned()))?;
        let path: Path = text[..equals].parse()?;
        let read = Self {
            text: text.to_owned(),
            path,
            value: equals + 1,
            origin,
        };
        match read.node(0) {
            Ok(_) => Ok(read),
            Err(fault) => Err(OverrideError::Value {
                path: read.path,
                fault,
            }),
        }
    }

    /// What it changes.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The override as it was written, `path=value`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How errors call it.
    pub(super) fn label(&self) -> String {
        match self.origin {
            Origin::CommandLine => format!("--set {}", self.text),
            Origin::Sweep => format!("sweep point {}", self.text),
        }
    }

    /// Bytes of the path at the start of the text.
    pub(super) fn path_length(&self) -> usize {
        self.value - 1
    }

    /// The value, its places in source number `source`.
    pub(super) fn node(&self, source: u32) -> Result<Node, SyntaxError> {
        let parsed = parse_from(&self.text, self.value, source);
        let bare = self.text[self.value..].trim();
        let quantity = bare.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        match parsed {
            Err(fault) if quantity => Ok(Node {
                place: super::raw::Place {
                    source: fault.place.source,
                    start: self.value as u32,
                    end: self.text.len() as u32,
                },
                value: Value::Text(bare.to_owned()),
            }),
            parsed => parsed,
        }
    }
}
