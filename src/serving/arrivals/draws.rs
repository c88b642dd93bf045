//! Gaps between arrivals, whose bits are defined here.

use crate::rng::StandardNormal;
use rand::distr::{Distribution, StandardUniform};
use rand::{Rng, RngExt};

/// Exponential with this mean: −mean · ln(1 − U), U uniform on [0, 1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Exponential(pub(super) f64);

impl Distribution<f64> for Exponential {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        -self.0 * libm::log1p(-uniform(rng))
    }
}

fn uniform<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    rng.sample(StandardUniform)
}

/// Gaps of a given mean and coefficient of variation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Gaps {
    Equal(f64),
    Exponential(Exponential),
    Gamma {
        /// Mean over shape.
        scale: f64,
        shape: f64,
    },
}

impl Gaps {
    /// Equal gaps for a `cv` of 0, exponential ones for 1, else gamma with shape 1/cv².
    pub(super) fn new(mean: f64, cv: f64) -> Self {
        if cv == 0.0 {
            Self::Equal(mean)
        } else if cv == 1.0 {
            Self::Exponential(Exponential(mean))
        } else {
            Self::Gamma {
                scale: mean * cv * cv,
                shape: 1.0 / (cv * cv),
            }
        }
    }
}

impl Distribution<f64> for Gaps {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        match *self {
            Self::Equal(mean) => mean,
            Self::Exponential(exponential) => exponential.sample(rng),
            // A shape below 1 is made of that above by a power of a uniform number.
            Self::Gamma { scale, shape } if shape < 1.0 => {
                let above = gamma(shape + 1.0, rng);
                scale * above * libm::pow(1.0 - uniform(rng), 1.0 / shape)
            }
            Self::Gamma { scale, shape } => scale * gamma(shape, rng),
        }
    }
}

/// Gamma with `shape` at least 1 and scale 1, by rejection (Marsaglia and Tsang, "A simple method
/// for generating gamma variables", ACM Transactions on Mathematical Software 26, 2000).
fn gamma<R: Rng + ?Sized>(shape: f64, rng: &mut R) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x: f64 = rng.sample(StandardNormal);
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        let u = 1.0 - uniform(rng);
        if libm::log(u) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}
