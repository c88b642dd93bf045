//! The multiplier of a power-limited least-squares precoder.
//!
//! A device that is heard through F = AᴴH_n sends with the B that minimises ‖F B − I‖² within
//! ‖B‖² ≤ P. Its Lagrangian is stationary at B = Fᴴ(F Fᴴ + λI)⁻¹, λ ≥ 0 the price of power,
//! and with the eigenvalues s_i of F Fᴴ
//!
//! ‖B‖² = Σ s_i/(s_i + λ)²,  ‖F B − I‖² = Σ (λ/(s_i + λ))²:
//!
//! λ = 0 if that fits, else the one root of ‖B(λ)‖² = P. Solved as Moré and Sorensen solve
//! the trust-region subproblem ("Computing a trust region step", 1983): Newton on
//! 1/‖B‖ − 1/√P, which is concave and nearly straight, within a bracket.

/// Newton steps; 3 to 6 are usual.
const MAX_STEPS: usize = 60;
/// Relative distance of ‖B‖² from P at which the root is found.
const TOLERANCE: f64 = 1e-13;
/// Below this fraction of the largest, an eigenvalue of F Fᴴ is no stream.
pub(super) const NEGLIGIBLE: f64 = 1e-14;

/// λ for the eigenvalues `spectrum` of F Fᴴ and the power `limit` P > 0; ‖B(λ)‖² ≤ P up to
/// [`TOLERANCE`].
pub(super) fn multiplier(spectrum: &[f64], limit: f64) -> f64 {
    let largest = spectrum.iter().copied().fold(0.0, f64::max);
    let floor = NEGLIGIBLE * largest;
    let heard = || spectrum.iter().copied().filter(|s| *s > floor);
    let free = heard().fold(0.0, |sum, s| sum + 1.0 / s);
    if free <= limit || largest <= 0.0 {
        return 0.0;
    }
    // s/(s + λ)² ≤ s/λ² bounds the root.
    let mut above = (heard().fold(0.0, |sum, s| sum + s) / limit).sqrt();
    let (mut below, mut lambda) = (0.0, 0.0);
    for _ in 0..MAX_STEPS {
        let (norm, slope) = heard().fold((0.0, 0.0), |(norm, slope), s| {
            let inverse = 1.0 / (s + lambda);
            let term = s * inverse * inverse;
            (norm + term, slope + term * inverse)
        });
        if (norm / limit - 1.0).abs() <= TOLERANCE {
            return lambda;
        }
        if norm > limit {
            below = lambda;
        } else {
            above = lambda;
        }
        let next = lambda + norm / slope * ((norm / limit).sqrt() - 1.0);
        lambda = if next > below && next < above {
            next
        } else {
            0.5 * (below + above)
        };
    }
    above
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn norm(spectrum: &[f64], lambda: f64) -> f64 {
        spectrum.iter().map(|s| s / (s + lambda).powi(2)).sum()
    }

    proptest! {
        /// Complementary slackness: the price is zero or the limit is met.
        #[test]
        fn the_price_is_zero_or_the_power_is_spent(
            spectrum in prop::collection::vec(-12f64..6.0, 1..6),
            limit in -6f64..6.0,
        ) {
            let spectrum: Vec<f64> = spectrum.iter().map(|x| 10f64.powf(*x)).collect();
            let limit = 10f64.powf(limit);
            let largest = spectrum.iter().copied().fold(0.0, f64::max);
            let heard: Vec<f64> =
                spectrum.into_iter().filter(|s| *s > NEGLIGIBLE * largest).collect();
            let lambda = multiplier(&heard, limit);
            prop_assert!(lambda >= 0.0);
            if lambda > 0.0 {
                prop_assert!((norm(&heard, lambda) / limit - 1.0).abs() < 1e-12);
            } else {
                prop_assert!(norm(&heard, 0.0) <= limit);
            }
        }
    }

    #[test]
    fn one_stream_has_a_closed_form() {
        // √s/(s + λ) = √P.
        let lambda = multiplier(&[4.0], 0.01);
        assert!((lambda - (2.0 / 0.1 - 4.0)).abs() < 1e-11, "{lambda}");
    }
}
