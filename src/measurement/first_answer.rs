//! Answers of a small model before a large one.

use crate::units::Instant;

/// The answer of a small model, or the beginning of one that does not stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FirstAnswerRecord {
    /// The request.
    pub request: u32,
    /// The copy of the small model.
    pub replica: u32,
    /// Whether it stands.
    pub stands: bool,
    /// Its tokens, up to the first that it was not sure of.
    pub tokens: u32,
    /// The least probability that one of them had, or the chosen answer among all.
    pub least_probability: f64,
    /// When that was known.
    pub at: Instant,
    /// Bits of the prompt that did not have to go on, because it stands.
    pub spared_bits: u64,
    /// Joules that the request had taken by then; `None` where not all are known.
    pub energy_j: Option<f64>,
}
