//! Overrides: `path=value`, put in place before a scenario is checked.

use super::raw::{Node, Path, PathError, Place, SyntaxError, Value, line, parse_from, parse_own};
use std::fmt;
use std::str::FromStr;

/// One change to a scenario's text.
///
/// The path names fields and entries and passes through variants; the value is RON. A
/// quantity may be written without its quotes, since shells tend to eat them:
/// `links.air.bandwidth=20 MHz`. Overrides that say the same in other words are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    path: Path,
    /// `path=value` in one form for all ways to write it.
    text: String,
    /// Where in `text` the value begins.
    value: usize,
}

/// A text that is no override.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// There is no `=`.
    #[error("`{0}` changes nothing; write path=value, such as nodes.device.count=8")]
    NoValue(String),
    /// The path is none.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The value is not RON.
    #[error(
        "the value `{value}` is not RON: {fault}{}",
        fault.help.as_ref().map_or(String::new(), |help| format!("; {help}"))
    )]
    Value {
        /// The value as written.
        value: String,
        /// What is wrong with it.
        fault: SyntaxError,
    },
}

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        let (path, value) = text
            .split_once('=')
            .ok_or_else(|| OverrideError::NoValue(text.to_owned()))?;
        let path: Path = path.parse()?;
        let node = read(value).map_err(|fault| OverrideError::Value {
            value: value.to_owned(),
            fault,
        })?;
        let start = format!("{path}=");
        Ok(Self {
            path,
            value: start.len(),
            text: start + &line(&node),
        })
    }
}

/// RON, or a quantity without quotes.
fn read(value: &str) -> Result<Node, SyntaxError> {
    let bare = value.trim();
    parse_from(value, 0, 0).or_else(|fault| {
        if bare.starts_with(|c: char| c.is_ascii_digit() || "+-.−".contains(c)) {
            Ok(Node {
                place: fault.place,
                value: Value::Text(bare.to_owned()),
            })
        } else {
            Err(fault)
        }
    })
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Override {
    /// What it changes.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `path=value`, in one form for all ways to write it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The value, and the place of the path, both in source number `source`.
    pub(super) fn node(&self, source: u32) -> (Node, Place) {
        let node = parse_own(&self.text, self.value, source);
        let place = Place {
            source,
            start: 0,
            end: self.value as u32 - 1,
        };
        (node.expect("a value that was written from a tree"), place)
    }
}
