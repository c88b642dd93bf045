//! The distribution of a Rician amplitude, against which drawn channels are held.

use super::fading::Moments;

/// Above this K the series below would start from an underflow; 27 dB.
const LARGEST_FACTOR: f64 = 500.0;

/// P(|h| ≤ x) for h ~ CN(μ, σ²): 1 − Q₁(a, b), Marcum's Q with a = μ√2/σ and b = x√2/σ.
///
/// As a Poisson mixture of Gamma distributions, with K = μ²/σ² and v = x²/σ²:
/// Σ_k e^(−K) Kᵏ/k! · (1 − e^(−v) Σ_{j ≤ k} vʲ/j!) (Marcum 1960; Abramowitz and Stegun, 26.4.25).
/// K = 0 is Rayleigh's 1 − e^(−v).
///
/// Range: finite moments of a power above zero, x ≥ 0; above K = 500 (27 dB) the amplitude
/// counts as normal, N(μ + σ²/(4μ), σ²/2), which errs by less than 0.002; for σ = 0 it is μ.
pub fn rician_cdf(moments: Moments, x: f64) -> f64 {
    let Moments { mean, variance } = moments;
    let mean = mean.abs();
    if x <= 0.0 {
        return 0.0;
    }
    if variance == 0.0 {
        return if x < mean { 0.0 } else { 1.0 };
    }
    let factor = mean * mean / variance;
    if factor > LARGEST_FACTOR {
        let centre = mean + variance / (4.0 * mean);
        return 0.5 * libm::erfc((centre - x) / variance.sqrt());
    }
    let v = x * x / variance;
    // Beyond this, e^(−v) underflows, and so does what is missing to 1.
    if v > 700.0 && v > 4.0 * factor {
        return 1.0;
    }
    let log_v = libm::log(v);
    let mut weight = libm::exp(-factor);
    let mut log_term = -v;
    let mut tail = libm::exp(log_term);
    let mut sum = weight * (1.0 - tail);
    let mut weights = weight;
    let mut k = 0.0;
    // The weights left out are worth less than 1e-12.
    while weights < 1.0 - 1e-12 && k < 4.0 * factor + 100.0 {
        k += 1.0;
        weight *= factor / k;
        log_term += log_v - libm::log(k);
        tail += libm::exp(log_term);
        weights += weight;
        sum += weight * (1.0 - tail).max(0.0);
    }
    sum.clamp(0.0, 1.0)
}

/// The largest distance between the empirical distribution of `samples`, which are in
/// ascending order, and the distribution function `cdf` (Kolmogorov and Smirnov).
pub fn kolmogorov_smirnov(samples: &[f64], cdf: impl Fn(f64) -> f64) -> f64 {
    let n = samples.len() as f64;
    let gap = |(i, x): (usize, &f64)| {
        let p = cdf(*x);
        (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs())
    };
    samples.iter().enumerate().map(gap).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probability of a disc of radius x under a Gaussian shifted by μ, by the
    /// trapezoidal rule over the circle and Simpson's over the radius.
    fn integrated(mean: f64, variance: f64, x: f64) -> f64 {
        let density = |r: f64| {
            let turns = 512;
            let circle = (0..turns).map(|k| {
                let angle = std::f64::consts::TAU * f64::from(k) / f64::from(turns);
                (-(r * r + mean * mean - 2.0 * r * mean * angle.cos()) / variance).exp()
            });
            2.0 * r / variance * circle.sum::<f64>() / f64::from(turns)
        };
        let panels = 2000;
        let step = x / f64::from(panels);
        let panel = |k: i32| {
            let at = f64::from(k) * step;
            density(at) + 4.0 * density(at + step / 2.0) + density(at + step)
        };
        (0..panels).map(panel).sum::<f64>() * step / 6.0
    }

    #[test]
    fn it_is_the_integral_over_a_disc() {
        for (mean, variance, tolerance) in [
            (0.0f64, 1.0, 1e-9),
            (1.0, 1.0, 1e-9),
            (-1.0, 0.1, 1e-9),
            (1.0, 0.01, 1e-9),
            // Just below and above where it counts as normal.
            (1.0, 0.00201, 1e-7),
            (1.0, 0.00199, 2e-3),
        ] {
            let deviation = f64::sqrt(variance / 2.0);
            for steps in -3..=3 {
                let x = mean.abs() + f64::from(steps) * deviation;
                if x > 0.0 {
                    let found = rician_cdf(Moments { mean, variance }, x);
                    let expected = integrated(mean, variance, x);
                    assert!(
                        (found - expected).abs() < tolerance,
                        "{mean} {variance} {x}: {found}, not {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn far_out_it_is_certain() {
        for (mean, variance) in [(0.0, 1.0), (20.0, 1.0), (1.0, 0.0), (1e-6, 1e-12)] {
            let moments = Moments { mean, variance };
            let far = 100.0 * moments.power().sqrt();
            assert!((rician_cdf(moments, far) - 1.0).abs() < 1e-9);
            assert_eq!(rician_cdf(moments, 0.0), 0.0);
        }
    }

    /// Three samples against the uniform distribution: at 0.9 two thirds lie below.
    #[test]
    fn the_distance_is_the_largest_gap() {
        let distance = kolmogorov_smirnov(&[0.3, 0.4, 0.9], |x| x);
        assert!((distance - 0.3).abs() < 1e-12, "{distance}");
    }
}
