//! A Mixtral layer's sparse block, differentiable: y = Σ_k w_k E_k(n) over the
//! experts that the router selects for a token, E(n) = W₂(silu(W₁ n) ⊙ W₃ n)
//! (Jiang et al. 2024, section 2.1).
//!
//! Each expert computes only the tokens that go to it. Positions without a token
//! go nowhere, and so neither cost nor count in the balance.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};

use super::ops::{Balance, Gate, NO_TARGET, SwiGlu, select};

/// The sparse block's sizes and the weight of its balance.
pub(super) struct Routing<'a> {
    pub(super) experts: usize,
    pub(super) active: usize,
    /// Weight of the load-balancing loss.
    pub(super) balance: f64,
    /// The target of each position; those with [`NO_TARGET`] are not routed.
    pub(super) targets: &'a [u32],
}

/// What the block makes.
pub(super) struct Mixed {
    /// Σ_k w_k E_k(n), `[positions, hidden]`; 0 where nothing was routed.
    pub(super) sum: Tensor,
    /// The load-balancing loss.
    pub(super) balance: Tensor,
    experts: usize,
    /// For each routed position, in order: the position and its experts.
    selected: Vec<(usize, Vec<u32>)>,
}

impl Mixed {
    /// How many of the positions in `span` went to each expert.
    pub(super) fn counts(&self, span: &Range<usize>) -> Vec<u64> {
        let mut counts = vec![0; self.experts];
        for (position, experts) in &self.selected {
            if span.contains(position) {
                for &expert in experts {
                    counts[expert as usize] += 1;
                }
            }
        }
        counts
    }
}

impl Routing<'_> {
    /// Routes the rows of `n`; `weight` names a matrix of the block, `"gate"` or
    /// `"experts.{e}.w{1,2,3}"`.
    pub(super) fn mix<'w>(&self, n: &Tensor, weight: impl Fn(&str) -> &'w Tensor) -> Result<Mixed> {
        let routed: Vec<u32> = (0..self.targets.len() as u32)
            .filter(|&position| self.targets[position as usize] != NO_TARGET)
            .collect();
        let places = Tensor::new(routed.as_slice(), &Device::Cpu)?;
        let x = n.index_select(&places, 0)?;
        let logits = x.matmul(&weight("gate").t()?)?;
        let plain = logits.flatten_all()?.to_vec1::<f32>()?;
        let selected = Arc::new(select(&plain, self.experts, self.active));
        let gates = logits
            .apply_op1(Gate {
                experts: self.experts,
                active: self.active,
                selected: selected.clone(),
            })?
            .flatten_all()?;
        let balance = logits.apply_op1(Balance {
            experts: self.experts,
            selected: selected.clone(),
            weight: self.balance as f32,
        })?;

        // The selections by expert: which row of x, and which gate.
        let mut rows = vec![Vec::new(); self.experts];
        let mut gate_of = vec![Vec::new(); self.experts];
        for (choice, &expert) in selected.iter().enumerate() {
            rows[expert as usize].push(routed[choice / self.active]);
            gate_of[expert as usize].push(choice as u32);
        }
        let mut parts = Vec::with_capacity(self.experts);
        for (expert, (rows, gate_of)) in rows.iter().zip(&gate_of).enumerate() {
            if rows.is_empty() {
                continue;
            }
            let rows = Tensor::new(rows.as_slice(), &Device::Cpu)?;
            let gate_of = Tensor::new(gate_of.as_slice(), &Device::Cpu)?;
            let part = |matrix: &str| weight(&format!("experts.{expert}.{matrix}"));
            let x = n.index_select(&rows, 0)?;
            let gated = x
                .matmul(&part("w1").t()?)?
                .apply_op2(&x.matmul(&part("w3").t()?)?, SwiGlu)?;
            let gate = gates.index_select(&gate_of, 0)?.unsqueeze(1)?;
            let y = gated.matmul(&part("w2").t()?)?.broadcast_mul(&gate)?;
            parts.push((rows, y));
        }
        let rows: Vec<&Tensor> = parts.iter().map(|(rows, _)| rows).collect();
        let outputs: Vec<&Tensor> = parts.iter().map(|(_, y)| y).collect();
        let sum = if parts.is_empty() {
            n.zeros_like()?
        } else {
            Tensor::zeros(n.shape(), DType::F32, &Device::Cpu)?.index_add(
                &Tensor::cat(&rows, 0)?,
                &Tensor::cat(&outputs, 0)?,
                0,
            )?
        };
        let selected = routed
            .iter()
            .zip(selected.chunks_exact(self.active))
            .map(|(&position, experts)| (position as usize, experts.to_vec()))
            .collect();
        Ok(Mixed {
            sum,
            balance,
            experts: self.experts,
            selected,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::top_experts;
    use crate::rng::{NO_DEVICE, Streams};
    use rand::RngExt;
    use std::collections::BTreeMap;

    fn matrix(rows: usize, columns: usize, index: u64) -> Tensor {
        let mut stream = Streams { seed: 9, run: 0 }.open("test.experts", NO_DEVICE, index);
        let values: Vec<f32> = (0..rows * columns)
            .map(|_| stream.random_range(-1.0..1.0))
            .collect();
        Tensor::from_vec(values, (rows, columns), &Device::Cpu).unwrap()
    }

    /// Against every expert on every token, weighted by hand; positions without a
    /// token get nothing.
    #[test]
    fn the_block_is_the_weighted_sum_of_the_chosen_experts() {
        let (positions, hidden, ffn, experts, active) = (7, 6, 5, 4, 2);
        let mut weights = BTreeMap::from([("gate".to_owned(), matrix(experts, hidden, 0))]);
        for expert in 0..experts {
            for (index, (name, rows, columns)) in [
                ("w1", ffn, hidden),
                ("w2", hidden, ffn),
                ("w3", ffn, hidden),
            ]
            .into_iter()
            .enumerate()
            {
                let index = 1 + 3 * expert + index;
                let name = format!("experts.{expert}.{name}");
                weights.insert(name, matrix(rows, columns, index as u64));
            }
        }
        let n = matrix(positions, hidden, 99);
        let targets = [3, NO_TARGET, 1, 1, 0, NO_TARGET, 2];
        let routing = Routing {
            experts,
            active,
            balance: 0.0,
            targets: &targets,
        };
        let mixed = routing.mix(&n, |name| &weights[name]).unwrap();

        let linear = |x: &Tensor, name: &str| x.matmul(&weights[name].t().unwrap()).unwrap();
        let router = candle_nn::ops::softmax(&linear(&n, "gate"), 1).unwrap();
        let router = router.to_vec2::<f32>().unwrap();
        let outputs: Vec<Vec<Vec<f32>>> = (0..experts)
            .map(|expert| {
                let name = |matrix| format!("experts.{expert}.{matrix}");
                let gate = linear(&n, &name("w1")).silu().unwrap();
                let product = (gate * linear(&n, &name("w3"))).unwrap();
                linear(&product, &name("w2")).to_vec2().unwrap()
            })
            .collect();
        let found = mixed.sum.to_vec2::<f32>().unwrap();
        let mut visits = vec![0; experts];
        for position in 0..positions {
            let mut expected = vec![0f32; hidden];
            if targets[position] != NO_TARGET {
                for (expert, weight) in top_experts(&router[position], active) {
                    visits[expert] += 1;
                    for (sum, y) in expected.iter_mut().zip(&outputs[expert][position]) {
                        *sum += weight * y;
                    }
                }
            }
            for (found, expected) in found[position].iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-5, "{found} for {expected}");
            }
        }
        assert_eq!(mixed.counts(&(0..positions)), visits);
        assert_eq!(mixed.counts(&(1..2)), vec![0; experts]);
    }
}
