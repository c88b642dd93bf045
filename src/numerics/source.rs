//! Weights that come from no folder: random ones, and a training run's variables.

use super::config::ModelConfig;
use super::error::StepError;
use super::stored::Stored;
use super::weights::Weights;
use crate::model::{Architecture, Positions};
use crate::rng::{BulkDistribution, StandardNormal, Stream};
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;

/// Random f32 weights: norms 1, biases 0, embedding entries standard normal, matrix entries
/// normal with variance 1 / inputs, so that activations keep their size.
pub(super) fn random(
    stream: &mut Stream,
) -> impl FnMut(&str, &[usize]) -> candle_core::Result<Stored> {
    let mut draws = Vec::new();
    move |name, sizes| {
        let count: usize = sizes.iter().product();
        let values: Vec<f32> = match sizes {
            [_, inputs] => {
                let embedding = name == "model.embed_tokens.weight";
                let scale = if embedding {
                    1.0
                } else {
                    1.0 / (*inputs as f64).sqrt()
                };
                draws.resize(count, 0.0);
                StandardNormal.fill(stream, &mut draws);
                draws.iter().map(|draw| (draw * scale) as f32).collect()
            }
            _ if name.ends_with(".bias") => vec![0.0; count],
            _ => vec![1.0; count],
        };
        Tensor::from_vec(values, sizes, &Device::Cpu).map(Stored::Plain)
    }
}

/// Tensors by their published names; they are shared, not copied.
pub(super) fn named(
    tensors: &BTreeMap<String, Tensor>,
) -> impl FnMut(&str, &[usize]) -> candle_core::Result<Stored> {
    |name, sizes| match tensors.get(name) {
        Some(tensor) if tensor.dims() == sizes => Ok(Stored::Plain(tensor.clone())),
        Some(tensor) => Err(candle_core::Error::Msg(format!(
            "the tensor `{name}` has shape {:?}, expected {sizes:?}",
            tensor.dims()
        ))),
        None => Err(candle_core::Error::Msg(format!(
            "the tensor `{name}` is missing; expected it with shape {sizes:?}"
        ))),
    }
}

/// Gathers the weights of `config` from `source`, if it is a model of
/// `architecture`.
pub(super) fn gather(
    config: &ModelConfig,
    architecture: Architecture,
    source: impl FnMut(&str, &[usize]) -> candle_core::Result<Stored>,
) -> Result<Weights, StepError> {
    let shape = &config.shape;
    shape.validate()?;
    let unsupported = |fault: String| StepError::Unsupported {
        model: shape.name.clone(),
        fault,
    };
    if shape.architecture != architecture {
        return Err(unsupported(format!(
            "only a {architecture:?} can be built here, this is the shape of a {:?}",
            shape.architecture
        )));
    }
    if shape.design.positions == Positions::Rotary && !shape.head_dim.is_multiple_of(2) {
        return Err(unsupported(
            "head_dim is odd; rotary embeddings turn pairs, so make it even".into(),
        ));
    }
    Ok(Weights::gather(config, source)?)
}
