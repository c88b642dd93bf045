//! Normalisers and decoders of a `tokenizer.json`, taken step by step and given up before
//! a text outgrows its [limit].

use super::fence::report;
use super::growth::{Growth, limit, most_by_table};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokenizers::{
    Decoder, DecoderWrapper, NormalizedString, Normalizer, NormalizerWrapper, Result,
};

/// A normaliser's steps.
#[derive(Debug)]
pub(super) struct BoundedNormalizer(Vec<(NormalizerWrapper, Growth)>);

/// A decoder's steps.
#[derive(Debug)]
pub(super) struct BoundedDecoder(Vec<(DecoderWrapper, Growth)>);

impl<'de> Deserialize<'de> for BoundedNormalizer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        steps(deserializer, "normalizers").map(Self)
    }
}

impl<'de> Deserialize<'de> for BoundedDecoder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        steps(deserializer, "decoders").map(Self)
    }
}

/// The steps of a part that is one step, or a `Sequence` of them under `field`.
fn steps<'de, D: Deserializer<'de>, S: for<'a> Deserialize<'a>>(
    deserializer: D,
    field: &str,
) -> std::result::Result<Vec<(S, Growth)>, D::Error> {
    let part = Value::deserialize(deserializer)?;
    let steps = flattened(&part, field).into_iter().map(|step| {
        let growth = Growth::of(step).map_err(D::Error::custom)?;
        let step = serde_json::from_value(step.clone()).map_err(D::Error::custom)?;
        Ok((step, growth))
    });
    steps.collect()
}

/// The parts that `part` consists of, those of every sequence in its place.
pub(super) fn flattened<'a>(part: &'a Value, field: &str) -> Vec<&'a Value> {
    match part.get(field).and_then(Value::as_array) {
        Some(parts) => parts
            .iter()
            .flat_map(|part| flattened(part, field))
            .collect(),
        None => vec![part],
    }
}

/// The error of a text that has outgrown its limit.
fn outgrown<T>(what: &str, bytes: usize) -> Result<T> {
    let fault = format!(
        "its {what} makes {bytes} bytes longer than {}; no text is read by such a file",
        limit(bytes)
    );
    // Normalisers' errors are dropped on their way through the crate.
    report(&fault);
    Err(fault.into())
}

impl Normalizer for BoundedNormalizer {
    fn normalize(&self, normalized: &mut NormalizedString) -> Result<()> {
        let bytes = normalized.get().len();
        for (step, growth) in &self.0 {
            let text = normalized.get();
            let most = match step {
                NormalizerWrapper::Precompiled(table) => most_by_table(text, table),
                _ => growth.most_after(text),
            };
            if most > limit(bytes) {
                return outgrown("normalizer", bytes);
            }
            step.normalize(normalized)?;
        }
        Ok(())
    }
}

impl Decoder for BoundedDecoder {
    fn decode_chain(&self, mut tokens: Vec<String>) -> Result<Vec<String>> {
        let bytes: usize = tokens.iter().map(|token| token.len() + 1).sum();
        for (step, growth) in &self.0 {
            let most = tokens.iter().map(|token| growth.most_after(token));
            if most.fold(0, usize::saturating_add) > limit(bytes) {
                return outgrown("decoder", bytes);
            }
            tokens = step.decode_chain(tokens)?;
        }
        Ok(tokens)
    }
}
