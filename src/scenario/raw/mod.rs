//! RON as a tree that remembers where each value was written.
//!
//! serde decodes a text straight into a type and forgets its places; ron tells the place
//! of its own errors only, and its `Value` forgets the names of enum variants and all but
//! the last of equal keys. This tree keeps all three, which three things need: an error about a value found wrong long after parsing
//! points at it ([`Node::at`]); an override is put in place before anything is
//! checked ([`Node::set`]); and a sweep's points are overrides too.
//!
//! The lifecycle: [`parse`] → any number of [`Node::set`] → [`decode`]. Parsing
//! knows syntax only and stops at the first fault; it must never give meaning to
//! a name. Decoding goes through serde, so the types alone say which fields
//! exist. Bad text is an error, never a panic, and nesting is limited to
//! [`MAX_DEPTH`], so that no text exhausts the stack. ron stays the judge of what RON is: tests hold
//! the two parsers against each other, both ways.

mod decode;
mod edit;
mod lexer;
mod number;
mod parser;
mod path;
mod prune;
mod walk;
mod write;

pub(crate) use decode::LITERAL_TOKEN;
pub use decode::{DecodeError, decode};
pub(in crate::scenario) use number::{Whole, float, whole};
pub use parser::{MAX_DEPTH, MAX_LENGTH, parse, parse_from};
pub(in crate::scenario) use parser::{parse_json, parse_own};
pub use path::{Path, PathError, Segment};
pub use write::{compact, line, pretty};

/// Where a value was written: bytes `start..end` of source number `source`.
///
/// Source 0 is the scenario file, others are overrides and built-in texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which text.
    pub source: u32,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Place {
    /// From the start of `self` to the end of `other`, in the source of `self`.
    pub(crate) fn to(self, other: Self) -> Self {
        Self {
            end: other.end.max(self.start),
            ..self
        }
    }
}

/// A text that is not RON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// What is wrong.
    pub message: String,
    /// How to put it right, where that is known.
    pub help: Option<String>,
    /// Where.
    pub place: Place,
}

/// One value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it was written.
    pub place: Place,
    /// What was written.
    pub value: Value,
}

/// The shapes a value can have in RON.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A bare word: a variant without fields, `true`, `None`, `NaN`.
    Word(String),
    /// A number as written.
    Number(String),
    /// A text, its escapes resolved.
    Text(String),
    /// `[a, b]`
    List(Vec<Node>),
    /// `{a: b}`
    Map(Vec<(Node, Node)>),
    /// `(a: 1)` or `Name(a: 1)`
    Record(Option<Name>, Vec<Field>),
    /// `(1, 2)`, `Name(1)` or `()`
    Tuple(Option<Name>, Vec<Node>),
}

/// The name before a parenthesis, or of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where it was written.
    pub place: Place,
}

/// One `name: value` of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The field's name.
    pub name: Name,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// Where to point when something is missing *inside* this value: at its name
    /// or opening bracket rather than at all of it.
    pub(crate) fn head(&self) -> Place {
        match &self.value {
            Value::Record(Some(name), _) | Value::Tuple(Some(name), _) => name.place,
            Value::Record(None, _) | Value::Tuple(None, _) | Value::List(_) | Value::Map(_) => {
                Place {
                    end: (self.place.start + 1).min(self.place.end),
                    ..self.place
                }
            }
            _ => self.place,
        }
    }

    /// The field `name` of a record.
    pub(crate) fn field(&self, name: &str) -> Option<&Node> {
        let Value::Record(_, fields) = &self.value else {
            return None;
        };
        let field = fields.iter().find(|field| field.name.text == name)?;
        Some(&field.value)
    }

    /// What stands here, in words for an error.
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::Word(word) => format!("`{word}`"),
            Value::Number(number) => format!("the number {number}"),
            Value::Text(text) => {
                let mut short: String = text.chars().take(40).collect();
                if short.len() < text.len() {
                    short.push('…');
                }
                format!("the text {short:?}")
            }
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
            Value::Record(Some(name), _) | Value::Tuple(Some(name), _) => {
                format!("`{}(…)`", name.text)
            }
            Value::Record(None, _) => "fields in parentheses".to_owned(),
            Value::Tuple(None, items) if items.is_empty() => "`()`".to_owned(),
            Value::Tuple(None, _) => "values in parentheses".to_owned(),
        }
    }
}

#[cfg(test)]
mod ron_tests;
#[cfg(test)]
mod tests;
