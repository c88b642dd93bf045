//! What a router says of a step's tokens, and the choice of experts by weight.

use super::error::StepError;
use super::matrix::{Matrix, Values};

/// The router's view of one layer's tokens: the normalised states that go to the
/// experts, and how much it wants each expert to see each token.
///
/// It may serve any number of layers, one at a time; its memory is reused.
#[derive(Debug, Default)]
pub struct Routing {
    pub(super) inputs: Matrix,
    pub(super) weights: Matrix,
    /// What a shared expert made of the tokens, weighted by its gate.
    pub(super) shared: Option<Matrix>,
}

impl Routing {
    /// Tokens routed.
    pub fn tokens(&self) -> usize {
        self.inputs.rows()
    }

    /// Experts to choose from.
    pub fn experts(&self) -> usize {
        self.weights.columns()
    }

    /// The normalised states \[tokens × hidden\], row-major: what experts compute on.
    pub fn inputs(&self) -> Values<'_> {
        self.inputs.values()
    }

    /// The normalised states of one token.
    ///
    /// # Errors
    /// If there is no such token.
    pub fn input(&self, token: usize) -> Result<Values<'_>, StepError> {
        row(&self.inputs, token)
    }

    /// Router weights \[tokens × experts\], row-major: the softmax over all experts,
    /// so each row sums to 1 up to rounding.
    pub fn weights(&self) -> Values<'_> {
        self.weights.values()
    }

    /// The router weights of one token.
    ///
    /// # Errors
    /// If there is no such token.
    pub fn weights_of(&self, token: usize) -> Result<Values<'_>, StepError> {
        row(&self.weights, token)
    }
}

fn row(matrix: &Matrix, index: usize) -> Result<Values<'_>, StepError> {
    let (count, width) = (matrix.rows(), matrix.columns());
    if index >= count {
        return Err(StepError::Index {
            what: "token",
            index,
            count,
        });
    }
    Ok(matrix.values().row(index, width))
}

/// The `active` experts of the greatest weights, with their weights divided by
/// their sum: what a Mixtral does with one row of [`Routing::weights`] (Jiang et
/// al. 2024, arXiv:2401.04088, section 2.1). The greatest comes first; of equal
/// weights the lower expert. All of them if there are fewer.
///
/// The sum runs in the order of the result, in f32.
pub fn top_experts(weights: &[f32], active: usize) -> Vec<(usize, f32)> {
    let mut chosen = strongest(weights, active);
    let sum = chosen.iter().fold(0f32, |sum, (_, weight)| sum + weight);
    for (_, weight) in &mut chosen {
        *weight /= sum;
    }
    chosen
}

/// The `active` experts of the greatest weights as they are, for families whose weights need not
/// sum to one; in the order of [`top_experts`].
pub fn strongest(weights: &[f32], active: usize) -> Vec<(usize, f32)> {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]).then(a.cmp(&b)));
    order.truncate(active);
    order
        .into_iter()
        .map(|expert| (expert, weights[expert]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_weights_win_and_sum_to_one() {
        let chosen = top_experts(&[0.1, 0.5, 0.0, 0.3, 0.1], 2);
        assert_eq!(chosen.iter().map(|c| c.0).collect::<Vec<_>>(), [1, 3]);
        assert!((chosen[0].1 - 0.625).abs() < 1e-7 && (chosen[1].1 - 0.375).abs() < 1e-7);
    }

    #[test]
    fn at_a_tie_the_lower_expert_wins() {
        let chosen = top_experts(&[0.25; 4], 2);
        assert_eq!(chosen, [(0, 0.5), (1, 0.5)]);
        let chosen = top_experts(&[0.2, 0.3, 0.3, 0.2], 3);
        assert_eq!(chosen.iter().map(|c| c.0).collect::<Vec<_>>(), [1, 2, 0]);
    }

    #[test]
    fn more_than_there_are_means_all() {
        assert_eq!(top_experts(&[0.5, 0.5], 5).len(), 2);
    }
}
