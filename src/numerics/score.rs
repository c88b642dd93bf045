//! What is read off logits: how probable a text was, and the next token.

use super::error::StepError;
use super::kernels::{argmax, log_softmax_at};
use rayon::prelude::*;

/// −ln p of each target in nats, from row-major `logits` \[targets × `vocabulary`\]:
/// row r is what the model said before it saw target r. In f64, with `libm`.
///
/// # Errors
/// If the sizes do not match, a target is outside the vocabulary, or a logit is not finite.
pub fn score(logits: &[f32], vocabulary: usize, targets: &[u32]) -> Result<Vec<f64>, StepError> {
    let expected = targets.len() * vocabulary;
    if logits.len() != expected {
        return Err(StepError::Length {
            what: "the table of logits",
            found: logits.len(),
            expected,
            tokens: targets.len(),
            width: vocabulary,
        });
    }
    if let Some(position) = targets
        .iter()
        .position(|&target| target as usize >= vocabulary)
    {
        return Err(StepError::Token {
            token: targets[position],
            position,
            vocabulary,
        });
    }
    check_finite(logits, vocabulary)?;
    let rows = logits.par_chunks_exact(vocabulary.max(1)).zip(targets);
    Ok(rows
        .map(|(row, &target)| -log_softmax_at(row, target as usize))
        .collect())
}

/// The most probable token of one row of logits; the lowest id at a tie.
///
/// # Errors
/// If the row is empty, or a logit is not finite: nothing is the greatest beside a NaN.
pub fn greedy(logits: &[f32]) -> Result<u32, StepError> {
    check_finite(logits, logits.len())?;
    let best = argmax(logits).ok_or(StepError::NoToken)?;
    Ok(u32::try_from(best).expect("a vocabulary fits 32 bits"))
}

/// Refuses logits, in rows of `vocabulary`, that are NaN or infinite.
fn check_finite(logits: &[f32], vocabulary: usize) -> Result<(), StepError> {
    let place = logits.iter().position(|logit| !logit.is_finite());
    place.map_or(Ok(()), |place| {
        Err(StepError::Logits {
            row: place / vocabulary,
            token: place % vocabulary,
            value: logits[place],
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_logits_make_every_token_cost_the_logarithm_of_the_vocabulary() {
        let nats = score(&[0.5; 15], 5, &[0, 4, 2]).expect("sizes match");
        assert_eq!(nats.len(), 3);
        assert!(nats.iter().all(|nat| (nat - 5f64.ln()).abs() < 1e-15));
    }

    #[test]
    fn wrong_sizes_and_unknown_targets_are_refused() {
        let error = score(&[0.0; 9], 5, &[0, 1]).expect_err("9 is not 2 × 5");
        assert!(error.to_string().contains("expected 10"), "{error}");
        let error = score(&[0.0; 10], 5, &[0, 5]).expect_err("5 is outside");
        assert!(
            error.to_string().contains("token 5 at position 1"),
            "{error}"
        );
    }

    #[test]
    fn logits_that_are_not_finite_are_named_and_decide_nothing() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut logits = [0.0; 10];
            logits[7] = value;
            let error = score(&logits, 5, &[0, 1])
                .expect_err("not finite")
                .to_string();
            assert!(
                error.contains("row 1") && error.contains("token 2"),
                "{error}"
            );
            assert!(greedy(&logits).is_err());
        }
    }

    #[test]
    fn the_lowest_of_equal_tokens_is_chosen() {
        assert_eq!(greedy(&[0.0, 2.0, 2.0]).expect("not empty"), 1);
        assert!(greedy(&[]).is_err());
    }
}
