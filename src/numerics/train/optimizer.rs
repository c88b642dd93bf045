//! AdamW (Loshchilov and Hutter 2019, algorithm 2) with clipping by the global
//! norm, its moments in plain vectors that a checkpoint can hold.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor, Var};

/// Added to the root of the second moment.
const EPSILON: f32 = 1e-8;

/// First and second moments of one variable's gradient.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moments {
    pub(super) first: Vec<f32>,
    pub(super) second: Vec<f32>,
}

/// The optimiser's state.
pub(super) struct AdamW {
    pub(super) moments: BTreeMap<String, Moments>,
    betas: (f64, f64),
    weight_decay: f64,
    clip: f64,
}

impl AdamW {
    /// Zero moments for `variables`.
    pub(super) fn new(
        variables: &BTreeMap<String, Var>,
        betas: (f64, f64),
        weight_decay: f64,
        clip: f64,
    ) -> Self {
        let moments = variables
            .iter()
            .map(|(name, var)| {
                let zeros = vec![0f32; var.elem_count()];
                let moments = Moments {
                    first: zeros.clone(),
                    second: zeros,
                };
                (name.clone(), moments)
            })
            .collect();
        Self {
            moments,
            betas,
            weight_decay,
            clip,
        }
    }

    /// Takes step number `step` (from 1) with learning rate `rate` and returns the
    /// gradients' global norm before clipping. Vectors (the norms' weights) are
    /// not decayed.
    pub(super) fn step(
        &mut self,
        variables: &BTreeMap<String, Var>,
        gradients: &BTreeMap<String, Vec<f32>>,
        step: u64,
        rate: f64,
    ) -> Result<f64> {
        let square: f64 = gradients
            .values()
            .map(|gradient| norm_squared(gradient))
            .sum();
        let norm = square.sqrt();
        let scale = if norm > self.clip {
            (self.clip / norm) as f32
        } else {
            1.0
        };
        let (beta1, beta2) = self.betas;
        let correction1 = 1.0 - libm::pow(beta1, step as f64);
        let correction2 = 1.0 - libm::pow(beta2, step as f64);
        let stride = (rate / correction1) as f32;
        let root = (1.0 / correction2) as f32;
        let (b1, b2) = (beta1 as f32, beta2 as f32);
        for (name, var) in variables {
            let decay = if var.rank() > 1 {
                1.0 - (rate * self.weight_decay) as f32
            } else {
                1.0
            };
            let moments = self.moments.get_mut(name).expect("one entry per variable");
            let mut weights = var.flatten_all()?.to_vec1::<f32>()?;
            let state = moments.first.iter_mut().zip(&mut moments.second);
            for ((w, g), (m, v)) in weights.iter_mut().zip(&gradients[name]).zip(state) {
                let g = g * scale;
                *m = b1 * *m + (1.0 - b1) * g;
                *v = b2 * *v + (1.0 - b2) * g * g;
                *w = *w * decay - stride * *m / ((*v * root).sqrt() + EPSILON);
            }
            var.set(&Tensor::from_vec(weights, var.shape(), &Device::Cpu)?)?;
        }
        Ok(norm)
    }
}

/// Σ g² in eight interleaved double-precision sums.
fn norm_squared(gradient: &[f32]) -> f64 {
    let mut lanes = [0f64; 8];
    for chunk in gradient.chunks(8) {
        for (lane, &g) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(g) * f64::from(g);
        }
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Algorithm 2 in double precision on one weight.
    fn reference(gradients: &[f64], rate: f64, decay: f64) -> f64 {
        let (mut w, mut m, mut v) = (0.5, 0.0, 0.0);
        let (mut power1, mut power2) = (1.0, 1.0);
        for g in gradients {
            power1 *= 0.9;
            power2 *= 0.98;
            m = 0.9 * m + 0.1 * g;
            v = 0.98 * v + 0.02 * g * g;
            let (m_hat, v_hat) = (m / (1.0 - power1), v / (1.0 - power2));
            w -= rate * (m_hat / (f64::sqrt(v_hat) + 1e-8) + decay * w);
        }
        w
    }

    #[test]
    fn follows_the_published_algorithm() {
        let start = Tensor::new(&[[0.5f32]], &Device::Cpu).unwrap();
        let variables = BTreeMap::from([("w".to_owned(), Var::from_tensor(&start).unwrap())]);
        let mut optimizer = AdamW::new(&variables, (0.9, 0.98), 0.1, 10.0);
        let told = [0.3, -0.2, 0.7, 0.1];
        for (index, &g) in told.iter().enumerate() {
            let gradients = BTreeMap::from([("w".to_owned(), vec![g as f32])]);
            optimizer
                .step(&variables, &gradients, index as u64 + 1, 0.01)
                .unwrap();
        }
        let w = variables["w"]
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap()[0];
        let expected = reference(&told, 0.01, 0.1);
        assert!(
            (f64::from(w) - expected).abs() < 1e-6,
            "{w} against {expected}"
        );
    }

    #[test]
    fn a_long_gradient_is_cut_to_the_clip() {
        let start = Tensor::new(&[1f32, 1.0], &Device::Cpu).unwrap();
        let variables = BTreeMap::from([("w".to_owned(), Var::from_tensor(&start).unwrap())]);
        let mut optimizer = AdamW::new(&variables, (0.9, 0.98), 0.0, 1.0);
        let gradients = BTreeMap::from([("w".to_owned(), vec![30.0, 40.0])]);
        let norm = optimizer.step(&variables, &gradients, 1, 0.01).unwrap();
        assert_eq!(norm, 50.0);
        let first = &optimizer.moments["w"].first;
        assert!((first[0] - 0.1 * 0.6).abs() < 1e-6 && (first[1] - 0.1 * 0.8).abs() < 1e-6);
    }
}
