//! When a token leaves a model at an exit: by the difference of the two greatest probabilities
//! ("softmax response", Schuster et al. 2022, arXiv:2207.07061, section 3.5).

/// A token leaves where its margin is above a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Within \[0, 1\]; at 1 nobody leaves, for no margin is above it.
    pub threshold: f64,
}

impl Rule {
    /// Whether a token leaves whose logits have this margin.
    pub fn leaves(self, margin: f64) -> bool {
        margin > self.threshold
    }
}

/// p₁ − p₂, the two greatest probabilities of the softmax of one row of finite logits; 1 where
/// there is one token alone.
///
/// Summed in the order of the tokens, in f64.
pub fn margin(logits: &[f32]) -> f64 {
    let (mut first, mut second) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    for &logit in logits {
        let logit = f64::from(logit);
        if logit > first {
            (first, second) = (logit, first);
        } else if logit > second {
            second = logit;
        }
    }
    let terms = logits.iter().map(|&z| libm::exp(f64::from(z) - first));
    let sum: f64 = terms.sum();
    (1.0 - libm::exp(second - first)) / sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_that_of_paper_and_pencil() {
        let logits = [0.1f32, 0.6, 0.3].map(f32::ln);
        assert!((margin(&logits) - 0.3).abs() < 1e-6);
        assert!(margin(&[2.0, 2.0, -1.0]).abs() < 1e-12);
        assert_eq!(margin(&[5.0]), 1.0);
        assert!(margin(&[1000.0, -1000.0]) <= 1.0);
    }

    #[test]
    fn nobody_leaves_at_a_threshold_of_one() {
        let rule = Rule { threshold: 1.0 };
        assert!(!rule.leaves(margin(&[1000.0, -1000.0])));
        assert!(Rule { threshold: 0.0 }.leaves(0.1));
    }
}
