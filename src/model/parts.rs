//! Which of a model's parts a plan covers: a stage of a pipeline holds some layers only.

use super::{ModelShape, ShapeError};
use std::ops::Range;

/// Contiguous layers of a model, with or without what stands before and after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The embedding table.
    pub embedding: bool,
    /// The layers, counted from the model's first; there may be none.
    pub layers: Range<usize>,
    /// The final norm and the LM head.
    pub head: bool,
}

impl Parts {
    /// All of a model.
    pub fn whole(shape: &ModelShape) -> Self {
        Self {
            embedding: true,
            layers: 0..shape.layers,
            head: true,
        }
    }

    /// Layers alone.
    pub fn layers(layers: Range<usize>) -> Self {
        Self {
            embedding: false,
            layers,
            head: false,
        }
    }

    /// Whether all of `other` is among these.
    pub fn contain(&self, other: &Self) -> bool {
        let layers = other.layers.is_empty()
            || (self.layers.start <= other.layers.start && other.layers.end <= self.layers.end);
        let embedding = self.embedding || !other.embedding;
        layers && embedding && (self.head || !other.head)
    }

    pub(super) fn check(&self, shape: &ModelShape) -> Result<(), ShapeError> {
        let Range { start, end } = self.layers;
        if start <= end && end <= shape.layers {
            return Ok(());
        }
        Err(ShapeError::Layers {
            model: shape.name.clone(),
            start,
            end,
            layers: shape.layers,
        })
    }
}
