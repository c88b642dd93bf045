//! Integers and permutations whose bits are defined here.

use rand::distr::Distribution;
use rand::{Rng, RngExt};

/// Uniform on 0..n without bias, by Lemire's multiply-and-reject on whole words (ACM
/// Transactions on Modeling and Computer Simulation 29, 2019), so that the same words give
/// the same integers at any width of `usize`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Below {
    n: u64,
    /// 2⁶⁴ mod n: a product whose low half is less is rejected.
    threshold: u64,
}

impl Below {
    /// # Panics
    /// If `n` is zero.
    pub fn new(n: usize) -> Self {
        assert!(n > 0, "cannot draw below zero");
        let n = n as u64;
        Self {
            n,
            threshold: n.wrapping_neg() % n,
        }
    }
}

impl Distribution<usize> for Below {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> usize {
        loop {
            let product = u128::from(rng.next_u64()) * u128::from(self.n);
            if product as u64 >= self.threshold {
                return (product >> 64) as usize;
            }
        }
    }
}

/// The numbers 0..n in an order as likely as any other (Fisher and Yates 1938, from the
/// last place to the second).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permutation(pub usize);

impl Distribution<Vec<usize>> for Permutation {
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.0).collect();
        for last in (1..self.0).rev() {
            let other = rng.sample(Below::new(last + 1));
            order.swap(last, other);
        }
        order
    }
}
