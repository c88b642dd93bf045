//! What is read off a row of logits: its greatest element, and the probability of
//! a token.

use super::log_sum::sum_of_exponentials;

/// The index of the greatest logit; the lowest among equals (−0 equals +0).
/// `None` for an empty row.
///
/// A NaN counts as greatest and the first one wins, as in NumPy and PyTorch: a
/// broken row shows instead of hiding behind its other entries.
pub fn argmax(logits: &[f32]) -> Option<usize> {
    let mut best = None;
    let mut greatest = f32::NEG_INFINITY;
    for (i, &logit) in logits.iter().enumerate() {
        if logit.is_nan() {
            return Some(i);
        }
        if best.is_none() || logit > greatest {
            best = Some(i);
            greatest = logit;
        }
    }
    best
}

/// ln softmax(x)_t = (x_t − m) − ln Σ_i exp(x_i − m), with m = max x.
///
/// In `f64`, the sum in sixteen partial sums: the error is a few units in the
/// last place of an `f64`. NaN if any logit is NaN or +∞, or all are −∞.
///
/// # Panics
/// If `token` is not an index of `logits`.
pub fn log_softmax_at(logits: &[f32], token: usize) -> f64 {
    let chosen = f64::from(logits[token]);
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let greatest = f64::from(greatest);
    if logits.iter().any(|logit| logit.is_nan()) || !greatest.is_finite() {
        return f64::NAN;
    }
    let sum = sum_of_exponentials(logits, greatest);
    (chosen - greatest) - libm::log(sum)
}

/// −Σ_r [`log_softmax_at`]`(row r, tokens[r])`, in nats, rows in ascending order;
/// `logits` is tokens × vocabulary. Divided by the number of tokens, its
/// exponential is the perplexity.
///
/// # Panics
/// If `logits` is not `tokens.len()` equal rows, or a token lies beyond a row.
pub fn negative_log_likelihood(logits: &[f32], tokens: &[u32]) -> f64 {
    if tokens.is_empty() {
        return 0.0;
    }
    assert!(
        logits.len().is_multiple_of(tokens.len()),
        "logits must be one row per token"
    );
    let rows = logits.chunks_exact((logits.len() / tokens.len()).max(1));
    let sum = rows.zip(tokens).fold(0.0, |sum, (row, &token)| {
        sum - log_softmax_at(row, token as usize)
    });
    if sum.is_nan() { f64::NAN } else { sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_index_wins_a_tie() {
        assert_eq!(argmax(&[1.0, 3.0, 3.0, 2.0]), Some(1));
        assert_eq!(argmax(&[-0.0, 0.0]), Some(0));
        assert_eq!(argmax(&[f32::NEG_INFINITY; 3]), Some(0));
        assert_eq!(argmax(&[]), None);
    }

    #[test]
    fn the_first_nan_wins_over_everything() {
        assert_eq!(argmax(&[1.0, f32::NAN, f32::INFINITY, f32::NAN]), Some(1));
    }

    #[test]
    fn uniform_logits_cost_the_logarithm_of_the_vocabulary() {
        for size in [1usize, 3, 17, 255, 4097] {
            let logits = vec![-7.5; 2 * size];
            let nats = negative_log_likelihood(&logits, &[0, size as u32 - 1]);
            assert!((nats - 2.0 * (size as f64).ln()).abs() < 1e-11 * size as f64);
        }
    }

    #[test]
    fn two_logits_give_the_logistic_function() {
        for difference in [-40.0f32, -3.0, -1e-3, 0.0, 0.5, 12.0, 700.0] {
            let expected = -(-f64::from(difference)).exp().ln_1p();
            let found = log_softmax_at(&[difference, 0.0], 0);
            assert!((found - expected).abs() <= 4e-16 * (1.0 + expected.abs()));
        }
    }

    #[test]
    fn broken_rows_give_the_canonical_nan() {
        for row in [
            [f32::NAN, 0.0],
            [f32::INFINITY, 0.0],
            [f32::NEG_INFINITY; 2],
        ] {
            assert_eq!(log_softmax_at(&row, 1).to_bits(), f64::NAN.to_bits());
        }
    }
}
