//! The division that ends a block soonest: P3 of the paper for one block, exactly.
//!
//! Minimise max_k q_k τ_k(B_k) subject to Σ B_k = B. At the optimum all devices with
//! tokens return together: with B_k(T) the bandwidth at which device k takes T, T solves
//! Σ B_k(T) = B.
//!
//! Two nested Newton iterations. The outer one is on 1/Σ B_k(T) as a function of T, which
//! is nearly a line because B_k(T) is nearly proportional to 1/T. The inner one finds
//! B_k(T) in log–log coordinates, where the time on the air is convex and falls: from the
//! left Newton's steps approach the root monotonically, and from the right the first one
//! goes to its left. Both converge in a handful of steps; the outer one keeps a bracket,
//! from one device having the whole band to all having even parts, and halves it should a
//! step leave it.

use super::{BandwidthPolicy, TokenLink, check, normalised};
use crate::policy::PolicyError;

/// Steps after which an iteration is given up; a handful suffice.
const MOST_STEPS: usize = 200;
/// Newton's error is squared with every step: after a relative step this small it is
/// that of rounding.
const LAST_STEP: f64 = 1e-8;

/// Far below the noise a wider band hardly helps, and the first step would lead to zero.
const LONGEST_STEP_LEFT: f64 = -5.0;

/// Equal delays: the block's end is the earliest possible.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MinMax;

/// A device with tokens.
struct Loaded {
    device: usize,
    link: TokenLink,
    load: f64,
    bandwidth: f64,
    /// dB/dT there.
    slope: f64,
}

impl Loaded {
    /// Moves `bandwidth` to where all tokens take `seconds`, `later` than those for which
    /// it was last found.
    ///
    /// `seconds` exceeds what they take with the whole band, so that there is a root.
    fn meet(&mut self, seconds: f64, later: f64) {
        let air = seconds / self.load - self.link.compute;
        let mut bandwidth = self.bandwidth;
        // Along the tangent, but never so far that nothing is left.
        bandwidth = (bandwidth + later * self.slope).max(0.1 * bandwidth);
        for _ in 0..MOST_STEPS {
            let curve = self.link.on_air(bandwidth);
            // ∂ ln(time)/∂ ln B, in (−1, 0).
            let elasticity = bandwidth * curve.slope / curve.seconds;
            let step = (libm::log(curve.seconds / air) / -elasticity).max(LONGEST_STEP_LEFT);
            self.slope = 1.0 / (self.load * curve.slope);
            bandwidth *= libm::exp(step);
            if step.abs() < LAST_STEP {
                break;
            }
        }
        self.bandwidth = bandwidth;
    }
}

impl BandwidthPolicy for MinMax {
    fn allocate(
        &self,
        links: &[TokenLink],
        loads: &[f64],
        total: f64,
    ) -> Result<Vec<f64>, PolicyError> {
        check(links, loads, total)?;
        if loads.len() != links.len() {
            return Err(PolicyError::Shape {
                what: "loads of one block",
                entries: loads.len(),
                expected: links.len(),
            });
        }
        let mut loaded: Vec<Loaded> = links
            .iter()
            .zip(loads)
            .enumerate()
            .filter(|(_, (_, load))| **load > 0.0)
            .map(|(device, (link, load))| Loaded {
                device,
                link: *link,
                load: *load,
                bandwidth: total,
                slope: 0.0,
            })
            .collect();
        let mut bandwidth = vec![0.0; links.len()];
        equalise(&mut loaded, total);
        for device in loaded {
            bandwidth[device.device] = device.bandwidth;
        }
        Ok(normalised(bandwidth, total))
    }
}

/// Divides `total` so that all devices take the same time.
fn equalise(loaded: &mut [Loaded], total: f64) {
    if loaded.len() < 2 {
        return;
    }
    let even = total / loaded.len() as f64;
    let (mut low, mut high, mut mean) = (0.0_f64, 0.0_f64, 0.0);
    for device in loaded.iter_mut() {
        device.bandwidth = even;
        low = low.max(device.load * device.link.delay(total));
        let seconds = device.load * device.link.delay(even);
        high = high.max(seconds);
        mean += seconds / total * even;
    }
    // Were the spectral efficiency constant and compute free, the mean would be the root.
    let mut seconds = if mean > low && mean < high {
        mean
    } else {
        0.5 * (low + high)
    };
    let mut later = 0.0;
    for _ in 0..MOST_STEPS {
        let (mut sum, mut slope) = (0.0, 0.0);
        for device in loaded.iter_mut() {
            device.meet(seconds, later);
            slope += device.slope;
            sum += device.bandwidth;
        }
        if sum > total {
            low = low.max(seconds);
        } else {
            high = high.min(seconds);
        }
        let step = (1.0 / total - 1.0 / sum) * sum * sum / -slope;
        let aim = seconds + step;
        let met = (sum / total - 1.0).abs() < LAST_STEP;
        let next = if met || aim > low && aim < high {
            aim
        } else {
            0.5 * (low + high)
        };
        let stuck = next == low || next == high;
        later = next - seconds;
        seconds = next;
        if met || stuck {
            for device in loaded.iter_mut() {
                device.meet(seconds, later);
            }
            break;
        }
    }
}
