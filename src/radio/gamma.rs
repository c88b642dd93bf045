//! The gamma distribution of unit scale, and its inverse: one number from one uniform, so that
//! whoever draws takes as much from a stream whatever comes out.

/// Terms of a series or a fraction, and steps to a root: no shape up to 1000 needs as many.
const MOST_STEPS: usize = 2000;

/// Below this the first term of the series alone is nearer than Wilson and Hilferty.
const NEAR_ZERO: f64 = 0.1;

/// Gamma(a, 1), a > 0: meant for 0.5 ≤ a ≤ 1000.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gamma {
    shape: f64,
    /// ln Γ(a).
    log_gamma: f64,
}

impl Gamma {
    /// Of shape a.
    pub(super) fn new(shape: f64) -> Self {
        Self {
            shape,
            log_gamma: libm::lgamma(shape),
        }
    }

    /// xᵃ e^(−x)/Γ(a): x times the density.
    fn weight(self, x: f64) -> f64 {
        libm::exp(self.shape * libm::log(x) - x - self.log_gamma)
    }

    /// P(a, x) = γ(a, x)/Γ(a) and Q(a, x) = 1 − P(a, x), the smaller of the two to its own
    /// precision: by the series of P up to a + 1, and by the continued fraction of Q from there
    /// on (Abramowitz and Stegun, 6.5.29 and 6.5.31; the fraction in its even part).
    pub(super) fn tails(self, x: f64) -> (f64, f64) {
        let a = self.shape;
        if x <= 0.0 {
            return (0.0, 1.0);
        }
        if x < a + 1.0 {
            let mut term = 1.0 / a;
            let mut sum = term;
            let mut n = a;
            for _ in 0..MOST_STEPS {
                n += 1.0;
                term *= x / n;
                sum += term;
                if term < sum * f64::EPSILON / 2.0 {
                    break;
                }
            }
            let below = (self.weight(x) * sum).min(1.0);
            return (below, 1.0 - below);
        }
        // Lentz's recurrence; every denominator is at least 1 from here on.
        let mut b = x + 1.0 - a;
        let mut c = f64::INFINITY;
        let mut d = 1.0 / b;
        let mut fraction = d;
        let mut n = 0.0;
        for _ in 0..MOST_STEPS {
            n += 1.0;
            let numerator = n * (a - n);
            b += 2.0;
            d = 1.0 / (b + numerator * d);
            c = b + numerator / c;
            let factor = c * d;
            fraction *= factor;
            if (factor - 1.0).abs() <= f64::EPSILON {
                break;
            }
        }
        let above = (self.weight(x) * fraction).min(1.0);
        (1.0 - above, above)
    }

    /// The x with P(a, x) = `p`, for p in [0, 1): by Halley's steps from the approximation of
    /// Wilson and Hilferty (1931), or near zero from the first term of the series, between
    /// bounds that close in.
    pub(super) fn quantile(self, p: f64) -> f64 {
        if p <= 0.0 {
            return 0.0;
        }
        let a = self.shape;
        let (mut low, mut high) = (0.0, f64::INFINITY);
        let mut x = self.first_guess(p);
        for _ in 0..MOST_STEPS {
            let (below, above) = self.tails(x);
            // The difference of the smaller tails does not cancel.
            let excess = if p < 0.5 {
                below - p
            } else {
                (1.0 - p) - above
            };
            if excess > 0.0 {
                high = x;
            } else {
                low = x;
            }
            let newton = excess * x / self.weight(x);
            let curvature = (newton * ((a - 1.0) / x - 1.0)).min(1.0);
            let mut next = x - newton / (1.0 - 0.5 * curvature);
            if !(low..=high).contains(&next) {
                next = if high.is_finite() {
                    0.5 * (low + high)
                } else {
                    2.0 * x
                };
            }
            let step = (next - x).abs();
            x = next;
            // What a step of Halley's misses is of its third power.
            if step <= 1e-6 * x {
                break;
            }
        }
        x
    }

    fn first_guess(self, p: f64) -> f64 {
        let a = self.shape;
        let near_zero = libm::exp((libm::log(p * a) + self.log_gamma) / a);
        if near_zero < NEAR_ZERO {
            return near_zero;
        }
        // A normal quantile to 3e-3 (Abramowitz and Stegun, 26.2.22).
        let tail = p.min(1.0 - p);
        let t = (-2.0 * libm::log(tail)).sqrt();
        let upper = t - (2.30753 + t * 0.27061) / (1.0 + t * (0.99229 + t * 0.04481));
        let normal = if p < 0.5 { -upper } else { upper };
        let root = 1.0 - 1.0 / (9.0 * a) + normal / (3.0 * a.sqrt());
        (a * root * root * root).max(NEAR_ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 − e^(−x) Σ_{j<k} xʲ/j! of a whole shape k, and erf √x of a half.
    #[test]
    fn tails_are_the_closed_forms_of_whole_and_half_shapes() {
        for x in [1e-3, 0.1, 0.9, 1.0, 1.6, 3.0, 7.0, 20.0] {
            for k in [1u32, 2, 5, 12] {
                let mut term = f64::exp(-x);
                let mut expected = 0.0;
                for j in 0..k {
                    expected += term;
                    term *= x / f64::from(j + 1);
                }
                let (below, above) = Gamma::new(f64::from(k)).tails(x);
                assert!((above / expected - 1.0).abs() < 1e-12, "{k} {x}: {above}");
                assert!((below + above - 1.0).abs() < 1e-15);
            }
            let (below, above) = Gamma::new(0.5).tails(x);
            assert!((below / libm::erf(x.sqrt()) - 1.0).abs() < 1e-13, "{x}");
            assert!((above / libm::erfc(x.sqrt()) - 1.0).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn the_quantile_inverts_the_tails_from_end_to_end() {
        for shape in [0.5, 0.77, 1.0, 1.5, 2.0, 9.3, 100.0, 1000.0] {
            let gamma = Gamma::new(shape);
            let ends = [1, 20, 40, 53].map(|bits| f64::exp2(-f64::from(bits)));
            let middle = (1..100).map(|i| f64::from(i) / 100.0);
            let both = ends.into_iter().flat_map(|p| [p, 1.0 - p]);
            for p in middle.chain(both) {
                let (below, above) = gamma.tails(gamma.quantile(p));
                let error = if p < 0.5 {
                    below / p - 1.0
                } else {
                    above / (1.0 - p) - 1.0
                };
                assert!(error.abs() < 1e-10, "{shape} {p}: {error}");
            }
            assert_eq!(gamma.quantile(0.0), 0.0);
        }
        for p in [1e-9, 0.3, 0.999] {
            let expected = -f64::ln_1p(-p);
            let found = Gamma::new(1.0).quantile(p);
            assert!((found / expected - 1.0).abs() < 1e-13, "{p}: {found}");
        }
    }
}
