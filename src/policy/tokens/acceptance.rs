//! Which tokens of a draft stand (Leviathan et al., "Fast Inference from Transformers via
//! Speculative Decoding", and Chen et al., "Accelerating Large Language Model Decoding with
//! Speculative Sampling").

use super::Categorical;

/// What becomes of one drafted token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stands.
    Accepted,
    /// This token comes in its place, and nothing of the draft after it stands.
    Replaced(u32),
}

/// Whether `token`, which was drawn from q = `draft`, stands where the model says p = `target`:
/// with probability min(1, p(x)/q(x)); else a token from (p − q)₊, normalised, comes in its place.
/// What comes out is distributed as p if the token was drawn from q.
///
/// `accept` and `again` are independent uniform numbers from [0, 1).
pub fn judge(
    token: u32,
    target: &Categorical,
    draft: &Categorical,
    [accept, again]: [f64; 2],
) -> Verdict {
    let (p, q) = (target.probability(token), draft.probability(token));
    if accept * q < p {
        return Verdict::Accepted;
    }
    // Where rounding leaves nothing beyond q, p and q are the same.
    let rest = target.beyond(draft);
    Verdict::Replaced(rest.as_ref().unwrap_or(target).draw(again))
}

/// Tokens of a round whose draft of γ = `length` tokens stands token by token with independent
/// probability α = `acceptance`: (1 − α^{γ+1})/(1 − α), the model's own token included; γ + 1 at
/// α = 1.
pub fn expected_tokens(acceptance: f64, length: usize) -> f64 {
    (0..=length)
        .fold((0.0, 1.0), |(sum, power), _| {
            (sum + power, power * acceptance)
        })
        .0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, Streams};
    use proptest::prelude::*;
    use rand::RngExt;

    fn distribution(size: usize) -> impl Strategy<Value = Categorical> {
        let weights = proptest::collection::vec(0.0..1.0f64, size);
        weights.prop_filter_map("all are 0", Categorical::new)
    }

    fn stream(index: u64) -> Stream {
        Streams { seed: 5, run: 0 }.open("test", 0, index)
    }

    /// Σ (seen − expected)²/expected over what can be expected at all.
    fn chi_square(seen: &[f64], expected: &[f64]) -> f64 {
        let terms = seen
            .iter()
            .zip(expected)
            .filter(|(_, expected)| **expected > 0.0);
        terms
            .map(|(seen, expected)| (seen - expected).powi(2) / expected)
            .sum()
    }

    /// The distribution of what comes out, by integrating over both uniform numbers.
    fn outcome(target: &Categorical, draft: &Categorical) -> Vec<f64> {
        let vocabulary = target.vocabulary() as u32;
        let mut out = vec![0.0; vocabulary as usize];
        let cells = 200;
        for token in (0..vocabulary).filter(|token| draft.probability(*token) > 0.0) {
            for accept in 0..cells {
                for again in 0..cells {
                    let uniform = |cell| (f64::from(cell) + 0.5) / f64::from(cells);
                    let judged = judge(token, target, draft, [uniform(accept), uniform(again)]);
                    let chosen = match judged {
                        Verdict::Accepted => token,
                        Verdict::Replaced(other) => other,
                    };
                    let share = draft.probability(token) / f64::from(cells * cells);
                    out[chosen as usize] += share;
                }
            }
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        /// Law 12, one token: what comes out is the model's, whoever drafts.
        #[test]
        fn what_comes_out_is_distributed_as_the_model_says(
            p in distribution(4), q in distribution(4), bits in 1u32..6, k in 1usize..4,
        ) {
            for draft in [q.clone(), q.quantised(bits), q.top(k), q.rounded()] {
                let out = outcome(&p, &draft);
                for token in 0..4 {
                    prop_assert!((out[token as usize] - p.probability(token)).abs() < 0.02);
                }
            }
        }

        /// α = Σ min(p, q): Leviathan et al., theorem 3.5.
        #[test]
        fn acceptance_is_what_both_have_in_common(p in distribution(4), q in distribution(4), seed in 0u64..1000) {
            let mut stream = stream(seed);
            let draws = 4000;
            let mut accepted = 0;
            for _ in 0..draws {
                let token = q.draw(stream.random());
                let judged = judge(token, &p, &q, [stream.random(), stream.random()]);
                accepted += u32::from(judged == Verdict::Accepted);
            }
            let common: f64 = (0..4).map(|x| p.probability(x).min(q.probability(x))).sum();
            let deviation = (common * (1.0 - common) / f64::from(draws)).sqrt();
            prop_assert!((f64::from(accepted) / f64::from(draws) - common).abs() < 5.0 * deviation + 1e-9);
        }
    }

    #[test]
    fn a_draft_that_drew_from_more_than_it_sends_shifts_the_text() {
        let p = Categorical::new(vec![0.5, 0.3, 0.2]).unwrap();
        let q = Categorical::new(vec![0.4, 0.3, 0.3]).unwrap();
        let sent = q.top(1);
        let mut stream = stream(1);
        let mut seen = [0.0; 3];
        for _ in 0..20_000 {
            let token = q.draw(stream.random());
            match judge(token, &p, &sent, [stream.random(), stream.random()]) {
                Verdict::Accepted => seen[token as usize] += 1.0,
                Verdict::Replaced(other) => seen[other as usize] += 1.0,
            }
        }
        let expected: Vec<f64> = (0..3).map(|x| 20_000.0 * p.probability(x)).collect();
        assert!(chi_square(&seen, &expected) > 100.0, "{seen:?}");
    }

    #[test]
    fn tokens_of_a_round_by_the_closed_form_and_by_drawing() {
        for (acceptance, length) in [(0.0, 4), (0.7, 3), (0.9, 8), (1.0, 5)] {
            let closed = match acceptance {
                1.0 => (length + 1) as f64,
                a => (1.0 - f64::powi(a, length as i32 + 1)) / (1.0 - a),
            };
            assert!((expected_tokens(acceptance, length) - closed).abs() < 1e-12);
            // p and q over two tokens that have α in common, drawn anew for each place.
            let p = Categorical::new(vec![1.0, 0.0]).unwrap();
            let q = Categorical::new(vec![acceptance, 1.0 - acceptance]).unwrap();
            let mut stream = stream(length as u64);
            let rounds = 20_000;
            let (mut tokens, mut squares) = (0.0, 0.0);
            for _ in 0..rounds {
                let mut emitted = 1.0;
                for _ in 0..length {
                    let token = q.draw(stream.random());
                    let uniforms = [stream.random(), stream.random()];
                    if judge(token, &p, &q, uniforms) != Verdict::Accepted {
                        break;
                    }
                    emitted += 1.0;
                }
                tokens += emitted;
                squares += emitted * emitted;
            }
            let mean = tokens / f64::from(rounds);
            let deviation =
                ((squares / f64::from(rounds) - mean * mean).max(0.0) / f64::from(rounds)).sqrt();
            assert!(
                (mean - closed).abs() < 5.0 * deviation + 1e-9,
                "{mean} {closed}"
            );
        }
    }
}
