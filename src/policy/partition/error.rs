//! Why there is no partition.

use crate::units::{Bytes, FieldFault};
use std::ops::Range;

/// Why a pipeline's layers cannot be divided as asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PartitionError {
    /// A field does not fit the pipeline.
    #[error(transparent)]
    Field(#[from] FieldFault),
    /// A stage without memory for its layers.
    #[error(
        "stage {stage} cannot hold layers {} to {}: they need {}, it has {}, and {} are missing; give it more memory or fewer bits per weight, or add a stage",
        layers.start,
        layers.end - 1,
        Bytes(*needs as f64),
        Bytes(*has as f64),
        Bytes((needs - has) as f64)
    )]
    DoesNotFit {
        /// The stage, counted from 0.
        stage: usize,
        /// What it would have to hold at least, the stages before it holding all they can.
        layers: Range<usize>,
        /// Bytes of these layers.
        needs: u128,
        /// Bytes that the stage can hold.
        has: u128,
    },
    /// Not one layer for each stage.
    #[error("{layers} layers cannot give each of {stages} stages one; use at most {layers} stages")]
    TooFewLayers {
        /// Layers of the model.
        layers: usize,
        /// Stages of the pipeline.
        stages: usize,
    },
    /// Slices that do not fit together.
    #[error("{what} has {entries} entries; it needs {expected}")]
    Shape {
        /// The slice.
        what: &'static str,
        /// Its length.
        entries: usize,
        /// The length that fits.
        expected: usize,
    },
    /// A time that is none.
    #[error("{what} of stage {stage} takes {seconds} s; it must be finite, zero or more")]
    Seconds {
        /// A layer, or crossing a cut.
        what: &'static str,
        /// The stage, or the one before the cut.
        stage: usize,
        /// Its value.
        seconds: f64,
    },
}
