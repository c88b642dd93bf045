//! A distribution over a vocabulary.
//!
//! Every function is defined to the bit: sums run over tokens in the order of their numbers, or of
//! their ranks where it says so, in f64, and eˣ is that of `libm`.

/// Probabilities of tokens, up to a factor: weights ≥ 0 with a sum above 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Categorical {
    weights: Vec<f64>,
    sum: f64,
}

impl Categorical {
    /// The distribution with these weights; `None` if their sum is not a number above 0, or one
    /// is below 0.
    pub fn new(weights: Vec<f64>) -> Option<Self> {
        let sum: f64 = weights.iter().fold(0.0, |sum, weight| sum + weight);
        let fit = weights.iter().all(|weight| *weight >= 0.0);
        (fit && sum.is_finite() && sum > 0.0).then_some(Self { weights, sum })
    }

    /// softmax(z/T) = e^((z_i − max z)/T)/Σ of finite `logits` z at the temperature T > 0; `None`
    /// of no logits, or where one is not finite.
    pub fn softmax(logits: &[f32], temperature: f64) -> Option<Self> {
        let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if !logits.iter().all(|logit| logit.is_finite()) {
            return None;
        }
        let greatest = f64::from(greatest);
        let weight = |logit: &f32| libm::exp((f64::from(*logit) - greatest) / temperature);
        Self::new(logits.iter().map(weight).collect())
    }

    /// All of it on one token of a vocabulary.
    ///
    /// # Panics
    /// If the token is not of the vocabulary.
    pub fn certain(token: u32, vocabulary: usize) -> Self {
        let mut weights = vec![0.0; vocabulary];
        weights[token as usize] = 1.0;
        Self { weights, sum: 1.0 }
    }

    /// Tokens of the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.weights.len()
    }

    /// The probability of `token`.
    pub fn probability(&self, token: u32) -> f64 {
        self.weights[token as usize] / self.sum
    }

    /// Tokens in the order of falling probability; of equal ones the lower number first.
    fn ranked(&self) -> Vec<usize> {
        let mut ranked: Vec<usize> = (0..self.weights.len()).collect();
        ranked.sort_by(|a, b| self.weights[*b].total_cmp(&self.weights[*a]).then(a.cmp(b)));
        ranked
    }

    /// The same without tokens that `keep` does not hold, in proportion.
    fn only(&self, keep: &[usize]) -> Self {
        let mut weights = vec![0.0; self.weights.len()];
        for token in keep {
            weights[*token] = self.weights[*token];
        }
        let sum = weights.iter().fold(0.0, |sum, weight| sum + weight);
        Self { weights, sum }
    }

    /// The k ≥ 1 most probable tokens, in proportion; of equal ones those of lower number.
    #[must_use]
    pub fn top(&self, k: usize) -> Self {
        if k >= self.weights.len() {
            return self.clone();
        }
        self.only(&self.ranked()[..k.max(1)])
    }

    /// Of the tokens in falling order the fewest whose probabilities reach `part` together, in
    /// proportion (nucleus sampling: Holtzman et al., "The Curious Case of Neural Text
    /// Degeneration"). `part` is above 0; at 1 or more all stay.
    #[must_use]
    pub fn nucleus(&self, part: f64) -> Self {
        if part >= 1.0 {
            return self.clone();
        }
        let ranked = self.ranked();
        let (mut reached, mut kept) = (0.0, 0);
        while kept < ranked.len() && (kept == 0 || reached < part * self.sum) {
            reached += self.weights[ranked[kept]];
            kept += 1;
        }
        self.only(&ranked[..kept])
    }

    /// Every probability as a whole multiple of the largest over 2^`bits` − 1, rounded to the
    /// nearest, halves up; so the largest always stays. `bits` from 1 to 52.
    #[must_use]
    pub fn quantised(&self, bits: u32) -> Self {
        let steps = ((1u64 << bits) - 1) as f64;
        let largest = self.weights.iter().copied().fold(0.0, f64::max);
        let level = |weight: &f64| (weight / largest * steps + 0.5).floor();
        let weights: Vec<f64> = self.weights.iter().map(level).collect();
        let sum = weights.iter().fold(0.0, |sum, weight| sum + weight);
        Self { weights, sum }
    }

    /// Every probability rounded to 32 bits.
    #[must_use]
    pub fn rounded(&self) -> Self {
        let round = |weight: &f64| f64::from((weight / self.sum) as f32);
        let weights: Vec<f64> = self.weights.iter().map(round).collect();
        let sum = weights.iter().fold(0.0, |sum, weight| sum + weight);
        Self { weights, sum }
    }

    /// The token at `uniform` from [0, 1): the first whose weight, with all before it, is more than
    /// `uniform` of the sum.
    pub fn draw(&self, uniform: f64) -> u32 {
        let target = uniform * self.sum;
        let (mut reached, mut last) = (0.0, 0);
        for (token, weight) in self.weights.iter().enumerate() {
            if *weight == 0.0 {
                continue;
            }
            reached += weight;
            last = token;
            if reached > target {
                break;
            }
        }
        last as u32
    }

    /// (p − q)₊, normalised: what is drawn from where a draft from q = `other` is not accepted.
    /// `None` if q is p, from which every draft is accepted.
    pub fn beyond(&self, other: &Self) -> Option<Self> {
        let weights = self.weights.iter().zip(&other.weights);
        let rest = weights.map(|(own, that)| (own / self.sum - that / other.sum).max(0.0));
        Self::new(rest.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn distribution(size: usize) -> impl Strategy<Value = Categorical> {
        let weights = proptest::collection::vec(0.0..1.0f64, size);
        weights.prop_filter_map("all are 0", Categorical::new)
    }

    /// Each token's share of `[0, 1)` under [`Categorical::draw`], found on a fine grid.
    fn shares(of: &Categorical, cells: u32) -> Vec<f64> {
        let mut shares = vec![0.0; of.vocabulary()];
        for cell in 0..cells {
            let uniform = (f64::from(cell) + 0.5) / f64::from(cells);
            shares[of.draw(uniform) as usize] += 1.0 / f64::from(cells);
        }
        shares
    }

    #[test]
    fn softmax_by_hand() {
        let logits = [1.0f32, 2.0, 3.0];
        let at = |temperature: f64| {
            let powers = logits.map(|logit| (f64::from(logit) / temperature).exp());
            let sum: f64 = powers.iter().sum();
            powers.map(|power| power / sum)
        };
        for temperature in [0.3, 1.0, 2.5] {
            let own = Categorical::softmax(&logits, temperature).unwrap();
            for (token, expected) in at(temperature).into_iter().enumerate() {
                assert!((own.probability(token as u32) - expected).abs() < 1e-15);
            }
        }
        assert_eq!(Categorical::softmax(&[], 1.0), None);
        assert_eq!(Categorical::softmax(&[1.0, f32::NAN], 1.0), None);
        // Far apart, cold: nothing overflows, and one token has it all.
        let cold = Categorical::softmax(&[-3e38, 3e38], 1e-3).unwrap();
        assert_eq!(cold.probability(1), 1.0);
    }

    #[test]
    fn what_is_kept_by_hand() {
        let own = Categorical::new(vec![0.1, 0.4, 0.1, 0.4]).unwrap();
        let kept = |of: &Categorical| -> Vec<u32> {
            (0..4)
                .filter(|token| of.probability(*token) > 0.0)
                .collect()
        };
        assert_eq!(kept(&own.top(1)), [1], "of equal ones the lower number");
        assert_eq!(kept(&own.top(3)), [0, 1, 3]);
        assert_eq!(kept(&own.nucleus(0.4)), [1], "0.4 is reached");
        assert_eq!(kept(&own.nucleus(0.41)), [1, 3]);
        assert_eq!(kept(&own.nucleus(0.85)), [0, 1, 3]);
        assert_eq!(own.nucleus(1.0), own);
        assert_eq!(own.top(3).probability(1), 0.4 / 0.9);
        // 0.4 is 3 of 3, 0.1 is 0.75 of 3: 1 of 3.
        assert_eq!(own.quantised(2).probability(0), 1.0 / 8.0);
        assert_eq!(kept(&own.quantised(1)), [1, 3]);
    }

    proptest! {
        #[test]
        fn draws_fall_by_probability(own in distribution(6)) {
            for (token, share) in shares(&own, 4000).into_iter().enumerate() {
                prop_assert!((share - own.probability(token as u32)).abs() < 1e-3);
            }
        }

        #[test]
        fn tokens_of_no_weight_are_never_drawn(uniform in 0.0..1.0f64, only in 0u32..5) {
            prop_assert_eq!(Categorical::certain(only, 5).draw(uniform), only);
        }

        #[test]
        fn the_rest_is_what_the_draft_lacks(p in distribution(5), q in distribution(5)) {
            let lacks: Vec<f64> = (0..5).map(|x| (p.probability(x) - q.probability(x)).max(0.0)).collect();
            let sum: f64 = lacks.iter().sum();
            if let Some(rest) = p.beyond(&q) {
                for x in 0..5 {
                    prop_assert!((rest.probability(x) - lacks[x as usize] / sum).abs() < 1e-12);
                }
            }
            prop_assert_eq!(p.beyond(&p), None);
        }
    }
}
