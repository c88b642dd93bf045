//! A router that draws: Gaussian logits with popular experts and tokens that resemble
//! their predecessors.

use super::trace::TraceError;
use crate::execution::network::{GateSequence, GateSource};
use crate::placement::Synthetic;
use crate::rng::{BulkDistribution, NO_DEVICE, StandardNormal, Stream, Streams};
use std::sync::Arc;

/// A router of `layers` layers with `experts` experts.
pub(in crate::execution) fn router(
    synthetic: Synthetic,
    streams: Streams,
    layers: usize,
    experts: usize,
) -> Drawn {
    let biases = (0..layers)
        .map(|layer| {
            let mut bias = vec![0.0; experts];
            StandardNormal.fill(
                &mut streams.open("wdmoe.expert_bias", NO_DEVICE, layer as u64),
                &mut bias,
            );
            bias
        })
        .collect();
    Drawn(Arc::new(Popular {
        synthetic,
        streams,
        experts,
        biases,
    }))
}

/// A [`Synthetic`] router at work.
#[derive(Debug)]
pub(in crate::execution) struct Drawn(Arc<Popular>);

/// What all its sequences share.
#[derive(Debug)]
struct Popular {
    synthetic: Synthetic,
    streams: Streams,
    experts: usize,
    /// b, layer by layer.
    biases: Vec<Vec<f64>>,
}

/// One sequence of it.
#[derive(Debug)]
struct DrawnSequence {
    router: Arc<Popular>,
    lanes: Vec<Lane>,
}

/// One layer's place in the sequence.
#[derive(Debug, Clone)]
struct Lane {
    stream: Stream,
    /// z of the token before.
    last: Option<Vec<f64>>,
}

impl Popular {
    fn draw(&self, lane: &mut Lane, layer: usize, tokens: usize) -> Vec<f32> {
        let Synthetic {
            logit_std,
            expert_bias,
            correlation,
        } = self.synthetic;
        let fresh = (1.0 - correlation * correlation).sqrt();
        let bias = &self.biases[layer];
        let mut weights = Vec::with_capacity(tokens * self.experts);
        let mut z = vec![0.0; self.experts];
        // Logits first, then their powers.
        let mut row = vec![0.0; self.experts];
        for _ in 0..tokens {
            StandardNormal.fill(&mut lane.stream, &mut z);
            match &mut lane.last {
                Some(last) => {
                    for (z, last) in z.iter_mut().zip(last) {
                        *z = correlation * *last + fresh * *z;
                        *last = *z;
                    }
                }
                None => lane.last = Some(z.clone()),
            }
            for ((entry, z), b) in row.iter_mut().zip(&z).zip(bias) {
                *entry = logit_std * (z + expert_bias * b);
            }
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for entry in &mut row {
                *entry = libm::exp(*entry - largest);
            }
            let sum: f64 = row.iter().sum();
            weights.extend(row.iter().map(|power| (power / sum) as f32));
        }
        weights
    }
}

impl GateSource for Drawn {
    fn sequence(&self, number: u64) -> Box<dyn GateSequence> {
        let layers = self.0.biases.len() as u64;
        let lane = |layer: u64| {
            let index = number.wrapping_mul(layers).wrapping_add(layer);
            Lane {
                stream: self.0.streams.open("wdmoe.router", NO_DEVICE, index),
                last: None,
            }
        };
        Box::new(DrawnSequence {
            router: self.0.clone(),
            lanes: (0..layers).map(lane).collect(),
        })
    }
}

impl GateSequence for DrawnSequence {
    fn weights(&mut self, layer: usize, _: usize, tokens: usize) -> Result<Vec<f32>, TraceError> {
        Ok(self.router.draw(&mut self.lanes[layer], layer, tokens))
    }

    fn foresee(&self, layer: usize, _: usize, tokens: usize) -> Result<Vec<f32>, TraceError> {
        Ok(self
            .router
            .draw(&mut self.lanes[layer].clone(), layer, tokens))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAMS: Streams = Streams { seed: 3, run: 0 };

    /// ln w_je − mean over e: the logits but for what softmax forgets.
    fn centred(weights: &[f32], experts: usize) -> Vec<f64> {
        let mut logits = Vec::new();
        for row in weights.chunks_exact(experts) {
            let row: Vec<f64> = row.iter().map(|w| f64::from(*w).ln()).collect();
            let mean = row.iter().sum::<f64>() / experts as f64;
            logits.extend(row.iter().map(|x| x - mean));
        }
        logits
    }

    #[test]
    fn logits_have_the_spread_and_the_memory_asked_for() {
        let synthetic = Synthetic {
            logit_std: 1.4,
            expert_bias: 0.0,
            correlation: 0.6,
        };
        let (experts, tokens) = (8, 20_000);
        let weights = router(synthetic, STREAMS, 1, experts)
            .sequence(0)
            .weights(0, 0, tokens)
            .unwrap();
        let logits = centred(&weights, experts);
        let power = logits.iter().map(|x| x * x).sum::<f64>() / logits.len() as f64;
        // Taking the mean over n experts away leaves (n − 1)/n of the variance.
        assert!((power / (1.4 * 1.4 * 7.0 / 8.0) - 1.0).abs() < 0.03);
        let pairs = logits.iter().zip(&logits[experts..]);
        let next = pairs.map(|(a, b)| a * b).sum::<f64>() / (logits.len() - experts) as f64;
        assert!((next / power - 0.6).abs() < 0.02);
    }

    #[test]
    fn a_sequence_does_not_depend_on_how_it_is_cut() {
        let synthetic = Synthetic {
            correlation: 0.5,
            ..Synthetic::default()
        };
        let router = router(synthetic, STREAMS, 2, 4);
        let whole = router.sequence(0).weights(1, 0, 7).unwrap();
        let mut sequence = router.sequence(0);
        let foreseen = sequence.foresee(1, 0, 3).unwrap();
        let mut cut = sequence.weights(1, 0, 3).unwrap();
        assert_eq!(foreseen, cut);
        cut.extend(sequence.weights(1, 3, 4).unwrap());
        assert_eq!(whole, cut);
        let other = router.sequence(1).weights(1, 0, 7).unwrap();
        assert_ne!(whole, other);
    }
}
