//! Unconstrained minimisation by limited-memory BFGS.
//!
//! Nocedal and Wright, *Numerical Optimization*, 2nd ed., algorithms 7.4 (two loops)
//! and 3.1 (backtracking). All sums have a fixed order; buffers are allocated once and
//! reused from one minimisation to the next.

use crate::wide;

/// Pairs of steps and gradient changes that are remembered.
const MEMORY: usize = 8;
/// Sufficient decrease: the fraction of the slope that a step must realise.
const DECREASE: f64 = 1e-4;
/// Halvings of a step before the search gives up.
const MAX_HALVINGS: usize = 30;
/// Independent partial sums of a dot product.
const LANES: usize = 4;

/// The buffers of a minimiser of `dimension` variables.
#[derive(Debug)]
pub(super) struct Lbfgs {
    gradient: Vec<f64>,
    direction: Vec<f64>,
    trial: Vec<f64>,
    trial_gradient: Vec<f64>,
    /// The last pairs, oldest first after `turn`.
    pairs: Vec<Pair>,
    turn: usize,
    remembered: usize,
}

#[derive(Debug, Clone)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// 1/(stepᵀ change).
    inverse: f64,
    weight: f64,
}

impl Lbfgs {
    pub(super) fn new(dimension: usize) -> Self {
        let zeros = || vec![0.0; dimension];
        let pair = Pair {
            step: zeros(),
            change: zeros(),
            inverse: 0.0,
            weight: 0.0,
        };
        Self {
            gradient: zeros(),
            direction: zeros(),
            trial: zeros(),
            trial_gradient: zeros(),
            pairs: vec![pair; MEMORY],
            turn: 0,
            remembered: 0,
        }
    }

    /// Moves `x` downhill until a step gains less than `tolerance` or `max_steps` are
    /// done. `objective(x, gradient)` returns the value, infinite where undefined, and
    /// writes the gradient.
    pub(super) fn minimise(
        &mut self,
        x: &mut [f64],
        tolerance: f64,
        max_steps: usize,
        mut objective: impl FnMut(&[f64], &mut [f64]) -> f64,
    ) {
        self.remembered = 0;
        let mut value = objective(x, &mut self.gradient);
        for _ in 0..max_steps {
            let slope = self.aim();
            if slope >= 0.0 {
                return;
            }
            let Some(next) = self.search(x, value, slope, &mut objective) else {
                return;
            };
            self.remember(x);
            x.copy_from_slice(&self.trial);
            self.gradient.copy_from_slice(&self.trial_gradient);
            let gain = value - next;
            value = next;
            if gain < tolerance {
                return;
            }
        }
    }

    /// Sets the direction; returns its slope.
    fn aim(&mut self) -> f64 {
        wide::run(
            #[inline(always)]
            || self.aim_plainly(),
        )
    }

    #[inline(always)]
    fn aim_plainly(&mut self) -> f64 {
        for (d, g) in self.direction.iter_mut().zip(&self.gradient) {
            *d = -g;
        }
        for age in 0..self.remembered {
            let index = self.newest(age);
            let pair = &mut self.pairs[index];
            pair.weight = pair.inverse * dot(&pair.step, &self.direction);
            add_scaled(&mut self.direction, -pair.weight, &pair.change);
        }
        let scale = if self.remembered > 0 {
            let pair = &self.pairs[self.newest(0)];
            1.0 / (pair.inverse * dot(&pair.change, &pair.change))
        } else {
            1.0 / dot(&self.gradient, &self.gradient).sqrt().max(1.0)
        };
        for d in &mut self.direction {
            *d *= scale;
        }
        for age in (0..self.remembered).rev() {
            let pair = &self.pairs[self.newest(age)];
            let correction = pair.inverse * dot(&pair.change, &self.direction);
            add_scaled(&mut self.direction, pair.weight - correction, &pair.step);
        }
        dot(&self.direction, &self.gradient)
    }

    #[inline(always)]
    fn newest(&self, age: usize) -> usize {
        (self.turn + MEMORY - 1 - age) % MEMORY
    }

    /// Halves the step until it decreases the objective enough; the point found is left
    /// in `trial`.
    fn search(
        &mut self,
        x: &[f64],
        value: f64,
        slope: f64,
        objective: &mut impl FnMut(&[f64], &mut [f64]) -> f64,
    ) -> Option<f64> {
        let mut step = 1.0;
        for _ in 0..MAX_HALVINGS {
            for ((trial, x), d) in self.trial.iter_mut().zip(x).zip(&self.direction) {
                *trial = x + step * d;
            }
            let next = objective(&self.trial, &mut self.trial_gradient);
            if next <= value + DECREASE * step * slope {
                return Some(next);
            }
            step *= 0.5;
        }
        None
    }

    /// Stores the step from `x` to `trial`, unless the objective curves downwards along it.
    fn remember(&mut self, x: &[f64]) {
        wide::run(
            #[inline(always)]
            || self.remember_plainly(x),
        );
    }

    #[inline(always)]
    fn remember_plainly(&mut self, x: &[f64]) {
        let pair = &mut self.pairs[self.turn];
        for ((s, new), old) in pair.step.iter_mut().zip(&self.trial).zip(x) {
            *s = new - old;
        }
        let gradients = self.trial_gradient.iter().zip(&self.gradient);
        for (y, (new, old)) in pair.change.iter_mut().zip(gradients) {
            *y = new - old;
        }
        let curvature = dot(&pair.step, &pair.change);
        if curvature <= f64::EPSILON * dot(&pair.change, &pair.change) {
            return;
        }
        pair.inverse = 1.0 / curvature;
        self.turn = (self.turn + 1) % MEMORY;
        self.remembered = (self.remembered + 1).min(MEMORY);
    }
}

#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a_chunks.remainder().iter().zip(b_chunks.remainder());
    let rest = rest.fold(0.0, |sum, (a, b)| sum + a * b);
    for (a, b) in a_chunks.zip(b_chunks) {
        for k in 0..LANES {
            lanes[k] += a[k] * b[k];
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}

#[inline(always)]
fn add_scaled(a: &mut [f64], factor: f64, b: &[f64]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a += factor * b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quadratic_is_solved() {
        // ½ Σ k x_k² − Σ x_k: the minimum is at 1/k.
        let mut x = vec![3.0; 17];
        Lbfgs::new(17).minimise(&mut x, 1e-16, 200, |x, g| {
            let mut value = 0.0;
            for (k, x) in x.iter().enumerate() {
                let curvature = (k + 1) as f64;
                g[k] = curvature * x - 1.0;
                value += 0.5 * curvature * x * x - x;
            }
            value
        });
        for (k, x) in x.iter().enumerate() {
            assert!((x - 1.0 / (k + 1) as f64).abs() < 1e-6, "{k}: {x}");
        }
    }

    #[test]
    fn rosenbrocks_valley_is_walked_to_its_end() {
        let mut x = [-1.2, 1.0];
        Lbfgs::new(2).minimise(&mut x, 1e-18, 500, |x, g| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            g[0] = -2.0 * a - 400.0 * x[0] * b;
            g[1] = 200.0 * b;
            a * a + 100.0 * b * b
        });
        assert!(
            (x[0] - 1.0).abs() < 1e-5 && (x[1] - 1.0).abs() < 1e-5,
            "{x:?}"
        );
    }

    #[test]
    fn an_undefined_region_is_backed_out_of() {
        // −ln x + x, undefined for x ≤ 0, from a start where the first step lands there.
        let mut x = [10.0];
        Lbfgs::new(1).minimise(&mut x, 1e-15, 100, |x, g| {
            if x[0] <= 0.0 {
                return f64::INFINITY;
            }
            g[0] = 20.0 * (1.0 - 1.0 / x[0]);
            20.0 * (x[0] - x[0].ln())
        });
        assert!((x[0] - 1.0).abs() < 1e-6, "{x:?}");
    }
}
