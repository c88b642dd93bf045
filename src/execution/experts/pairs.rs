//! Which two experts the tokens of a layer visit together most often: what would be saved
//! by keeping both on one device.

use crate::measurement::PairRecord;
use crate::policy::Selection;

/// Tokens per layer and unordered pair of experts, apart for each kind of text.
///
/// The share of a layer's most frequent pair is max over a < b of Σ_j q_ja q_jb / J, of the
/// J tokens of all passes: Fig. 8 of Xue et al., "WDMoE", whose batch is here everything of
/// one kind. Were all pairs of n experts equally frequent it would be 2/(n(n − 1)).
#[derive(Debug, Default)]
pub(super) struct Pairs(Vec<(&'static str, Vec<Layer>)>);

#[derive(Debug, Clone, Default)]
struct Layer {
    experts: usize,
    tokens: u64,
    /// n × n, row a and column b with a < b.
    together: Vec<u64>,
}

impl Pairs {
    /// Enters what the tokens of `texts` visited in `layer`.
    pub(super) fn enter(&mut self, texts: &'static str, layer: usize, selection: &Selection) {
        let known = self.0.iter().position(|(kind, _)| *kind == texts);
        let kind = known.unwrap_or_else(|| {
            self.0.push((texts, Vec::new()));
            self.0.len() - 1
        });
        let layers = &mut self.0[kind].1;
        if layers.len() <= layer {
            layers.resize(layer + 1, Layer::default());
        }
        layers[layer].enter(selection);
    }

    /// The most frequent pair of every layer, by kind of text in order of appearance.
    pub(super) fn records(&self) -> Vec<PairRecord> {
        let kinds = self.0.iter();
        kinds
            .flat_map(|(texts, layers)| {
                let numbered = layers.iter().enumerate();
                numbered.filter_map(|(layer, counts)| {
                    let (first, second, together) = counts.most_frequent()?;
                    Some(PairRecord {
                        texts,
                        layer: layer as u32,
                        tokens: counts.tokens,
                        first: first as u32,
                        second: second as u32,
                        together,
                        experts: counts.experts as u32,
                    })
                })
            })
            .collect()
    }
}

impl Layer {
    fn enter(&mut self, selection: &Selection) {
        let n = selection.experts();
        self.experts = n;
        self.together.resize(n * n, 0);
        self.tokens += selection.tokens() as u64;
        for token in 0..selection.tokens() {
            for first in selection.of(token) {
                for second in selection.of(token).filter(|second| *second > first) {
                    self.together[first * n + second] += 1;
                }
            }
        }
    }

    /// The pair and its tokens, of equally frequent ones the first; `None` if no token
    /// visited two experts.
    fn most_frequent(&self) -> Option<(usize, usize, u64)> {
        let most = *self.together.iter().max()?;
        let place = self.together.iter().position(|count| *count == most)?;
        (most > 0).then(|| (place / self.experts, place % self.experts, most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Gate;

    fn selection(weights: &[f32], top_k: usize) -> Selection {
        Selection::heaviest(&Gate {
            weights,
            top_k,
            latency: &[1.0; 4],
            device: &[Some(0); 4],
            history: &[None],
        })
        .unwrap()
    }

    #[test]
    fn the_pair_that_most_tokens_visit_is_found_in_every_layer_and_kind_of_text() {
        // The two heaviest of the four: {1, 3}, {0, 3}, {1, 3}.
        let three = [
            0.1, 0.4, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3, 0.0, 0.3, 0.1, 0.6_f32,
        ];
        let mut pairs = Pairs::default();
        pairs.enter("facts", 0, &selection(&three, 2));
        pairs.enter("facts", 0, &selection(&[0.5, 0.0, 0.1, 0.4], 2));
        pairs.enter("facts", 1, &selection(&[0.5, 0.4, 0.1, 0.0], 2));
        pairs.enter("pairs", 0, &selection(&three[4..], 2));
        pairs.enter("pairs", 1, &selection(&three, 1));
        let found: Vec<_> = pairs
            .records()
            .into_iter()
            .map(|r| (r.texts, r.layer, r.tokens, (r.first, r.second), r.together))
            .collect();
        assert_eq!(
            found,
            [
                // A tie of two tokens each: the first pair.
                ("facts", 0, 4, (0, 3), 2),
                ("facts", 1, 1, (0, 1), 1),
                ("pairs", 0, 2, (0, 3), 1),
            ]
        );
    }

    #[test]
    fn three_experts_make_three_pairs() {
        let mut pairs = Pairs::default();
        pairs.enter("tokens", 0, &selection(&[0.4, 0.3, 0.2, 0.1], 3));
        pairs.enter("tokens", 0, &selection(&[0.1, 0.3, 0.2, 0.4], 3));
        let [only] = &pairs.records()[..] else {
            panic!("one layer")
        };
        assert_eq!((only.first, only.second, only.together), (1, 2, 2));
    }
}
