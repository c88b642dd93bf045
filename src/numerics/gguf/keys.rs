//! The keys of a GGUF file, by kind; each fault names the key.

use super::value::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// The keys of a file, and which of them were asked for.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    values: &'a BTreeMap<String, Value>,
    asked: RefCell<BTreeSet<String>>,
}

/// Keys of an architecture that change nothing here, and what begins so.
const HARMLESS: [&str; 6] = [
    // How a file came to be.
    "rope.scaling.finetuned",
    "attention.layer_norm_epsilon",
    "tensor_data_layout",
    // Of tokens, the tokenizer's own list says how many there are.
    "vocab_size",
    // What is said of training or of use elsewhere.
    "pooling_type",
    "attention.causal",
];

impl<'a> Keys<'a> {
    pub(super) fn new(values: &'a BTreeMap<String, Value>) -> Self {
        Self {
            values,
            asked: RefCell::default(),
        }
    }

    /// What `key` says, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.asked.borrow_mut().insert(key.to_owned());
        self.values.get(key)
    }

    fn of_kind<T>(
        &self,
        key: &str,
        what: &str,
        kind: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        match kind(value) {
            Some(value) => Ok(Some(value)),
            None => Err(format!("{key} is {}; {what} is expected", value.describe())),
        }
    }

    /// A size.
    pub(super) fn size(&self, key: &str) -> Result<Option<usize>, String> {
        self.of_kind(key, "a whole number of at most 2^32", |value| match value {
            Value::Whole(value) if (0..=1 << 32).contains(value) => Some(*value as usize),
            _ => None,
        })
    }

    /// A size that must be there.
    pub(super) fn required(&self, key: &str) -> Result<usize, String> {
        let missing = || format!("the key {key} is missing; convert the model again");
        self.size(key)?.ok_or_else(missing)
    }

    /// A number, whole or not.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, String> {
        self.of_kind(key, "a finite number", |value| match value {
            Value::Number(value) if value.is_finite() => Some(*value),
            Value::Whole(value) => Some(*value as f64),
            _ => None,
        })
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, String> {
        self.of_kind(key, "true or false", |value| match value {
            Value::Flag(value) => Some(*value),
            _ => None,
        })
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, String> {
        self.of_kind(key, "a text", |value| match value {
            Value::Text(value) => Some(value.as_str()),
            _ => None,
        })
    }

    pub(super) fn texts(&self, key: &str) -> Result<Option<&'a [String]>, String> {
        self.of_kind(key, "a list of texts", |value| match value {
            Value::Texts(value) => Some(value.as_slice()),
            _ => None,
        })
    }

    pub(super) fn integers(&self, key: &str) -> Result<Option<&'a [i64]>, String> {
        self.of_kind(
            key,
            "a list of whole numbers of 32 bits",
            |value| match value {
                Value::Integers(value) => Some(value.as_slice()),
                _ => None,
            },
        )
    }

    pub(super) fn numbers(&self, key: &str) -> Result<Option<&'a [f32]>, String> {
        self.of_kind(key, "a list of numbers of 32 bits", |value| match value {
            Value::Numbers(value) => Some(value.as_slice()),
            _ => None,
        })
    }

    /// Refuses the first key of `architecture` that nobody asked for: it may change what is
    /// computed.
    pub(super) fn refuse_unread(&self, architecture: &str) -> Result<(), String> {
        let asked = self.asked.borrow();
        for (key, value) in self.values {
            let own = key.strip_prefix(architecture);
            let Some(own) = own.and_then(|rest| rest.strip_prefix('.')) else {
                continue;
            };
            if asked.contains(key) || HARMLESS.contains(&own) {
                continue;
            }
            return Err(format!(
                "{key} is {}: that may change what the model computes, and is not implemented for \
                 {architecture}; use a model without it",
                value.describe()
            ));
        }
        Ok(())
    }
}
