//! Likelihoods have the bits of their definition for every number of logits.

use airloom::numerics::kernels::{log_softmax_at, negative_log_likelihood};

use crate::values::{Kind, values};

/// eˣ for x ≤ 0 by its power series after reduction by ln 2, whose first 32 bits are taken
/// off apart: the definition, one value at a time.
fn exp(x: f64) -> f64 {
    if x <= -708.0 {
        return 0.0;
    }
    let n = (x * std::f64::consts::LOG2_E).round_ties_even();
    let high = f64::from_bits(std::f64::consts::LN_2.to_bits() >> 21 << 21);
    let r = (x - n * high) - n * 1.908_214_929_270_587_7e-10;
    let factorial = |i: u64| (1..=i).product::<u64>() as f64;
    let series = (0..13).rev();
    let sum = series.fold(1.0 / factorial(13), |sum, i| sum * r + 1.0 / factorial(i));
    sum * f64::from_bits(((n as i64 + 1023) as u64) << 52)
}

/// ln softmax(x)ₜ with the sum in sixteen partial sums.
fn definition(logits: &[f32], token: usize) -> f64 {
    let greatest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let mut partial = [0.0; 16];
    for (i, &logit) in logits.iter().enumerate() {
        partial[i % 16] += exp(f64::from(logit) - greatest);
    }
    let sum: f64 = partial.iter().sum();
    (f64::from(logits[token]) - greatest) - libm::log(sum)
}

#[test]
fn every_number_of_logits_has_the_bits_of_the_definition() {
    for length in (1..=300).chain([1024, 4097]) {
        for spread in [1.0, 30.0, 800.0] {
            let logits: Vec<f32> = values(length, 91, Kind::Ordinary)
                .iter()
                .map(|x| spread * x)
                .collect();
            for token in [0, length / 2, length - 1] {
                let (found, expected) =
                    (log_softmax_at(&logits, token), definition(&logits, token));
                assert_eq!(found.to_bits(), expected.to_bits(), "{length}, {token}");
            }
        }
    }
}

#[test]
fn every_number_of_rows_costs_the_sum_of_its_rows() {
    let vocabulary = 37;
    let logits = values(300 * vocabulary, 92, Kind::Ordinary);
    let tokens: Vec<u32> = (0..300).map(|i| i * 11 % 37).collect();
    let mut sum = 0.0;
    for rows in 1..=300 {
        let last = &logits[(rows - 1) * vocabulary..rows * vocabulary];
        sum -= definition(last, tokens[rows - 1] as usize);
        let found = negative_log_likelihood(&logits[..rows * vocabulary], &tokens[..rows]);
        assert_eq!(found.to_bits(), sum.to_bits(), "{rows} rows");
    }
}
