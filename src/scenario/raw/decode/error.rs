//! What a type finds wrong with a value, in words and with its place.

use super::super::{Node, Place};
use serde::de;
use std::fmt::Display;

/// A value that its type refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    /// What is wrong.
    pub message: String,
    /// How to put it right, where the message does not say so.
    pub help: Option<String>,
    /// Where; always there once [`decode`](super::decode) returns.
    pub place: Option<Place>,
    /// The field that is missing, if that is the fault.
    pub missing: Option<&'static str>,
    /// The name of a field that does not exist here, if that is the fault.
    pub unknown: Option<String>,
}

impl DecodeError {
    fn new(message: String, help: Option<String>) -> Self {
        Self {
            message,
            help,
            place: None,
            missing: None,
            unknown: None,
        }
    }

    /// The same error with a place, that of `node`, unless a place nearer to the
    /// fault is known.
    pub(super) fn at(mut self, node: &Node) -> Self {
        if self.place.is_none() {
            let whole = self.missing.is_none();
            self.place = Some(if whole { node.place } else { node.head() });
        }
        self
    }

    /// The same error at `place`, unless a place nearer to the fault is known.
    pub(super) fn or_at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }
}

impl de::Error for DecodeError {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(message.to_string(), None)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self {
            unknown: Some(field.to_owned()),
            ..Self::new(format!("unknown field `{field}`"), Some(hint(field, known)))
        }
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        let message = format!("`{variant}` is not known here");
        Self::new(message, Some(hint(variant, known)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            missing: Some(field),
            ..Self::new(
                format!("the field `{field}` is missing"),
                Some(format!("add `{field}: …` inside these parentheses")),
            )
        }
    }
}

fn hint(name: &str, known: &[&str]) -> String {
    let suggestion = nearest(name, known.iter().copied())
        .map_or(String::new(), |near| format!("did you mean `{near}`? "));
    match known {
        [] => "nothing may stand here".to_owned(),
        [only] => format!("{suggestion}known is only {only}"),
        _ => format!("{suggestion}known are {}", known.join(", ")),
    }
}

/// A name is suggested if it is at least this similar (Jaro–Winkler, 0 to 1).
const SIMILAR: f64 = 0.75;

/// The known name that `name` most probably stands for.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    known
        .map(|known| (strsim::jaro_winkler(&lower, &known.to_lowercase()), known))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|x, y| x.0.total_cmp(&y.0))
        .map(|(_, known)| known)
}
