//! Every fused operation's gradient against central differences of its own
//! forward pass, and its forward pass against a plain formula.

use rand::RngExt;
use std::sync::Arc;

use candle_core::{Device, Result, Tensor, Var};

use super::{
    Balance, CausalSoftmax, CrossEntropy, Distillation, Gate, NO_TARGET, RmsNorm, Rotation,
    SplitHeads, SwiGlu, select,
};
use crate::rng::{NO_DEVICE, Streams};

/// `count` numbers in [−1, 1).
fn numbers(count: usize, index: u64) -> Vec<f32> {
    let mut stream = Streams { seed: 5, run: 0 }.open("test.gradient", NO_DEVICE, index);
    (0..count).map(|_| stream.random_range(-1.0..1.0)).collect()
}

fn variable(shape: &[usize], index: u64) -> Var {
    let tensor = Tensor::from_vec(numbers(shape.iter().product(), index), shape, &Device::Cpu);
    Var::from_tensor(&tensor.unwrap()).unwrap()
}

/// Holds the gradients of Σ c ⊙ f(inputs), c fixed random weights, by every
/// entry of every input to central differences.
fn check(inputs: &[Var], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let objective = |tensors: &[Tensor]| -> Tensor {
        let y = f(tensors).unwrap();
        let weights = Tensor::from_vec(numbers(y.elem_count(), 99), y.shape(), &Device::Cpu);
        (y * weights.unwrap()).unwrap().sum_all().unwrap()
    };
    let tensors: Vec<Tensor> = inputs.iter().map(|var| var.as_tensor().clone()).collect();
    let gradients = objective(&tensors).backward().unwrap();
    for (which, input) in inputs.iter().enumerate() {
        let shape = input.shape().clone();
        let gradient = gradients.get(input).unwrap().flatten_all().unwrap();
        let gradient = gradient.to_vec1::<f32>().unwrap();
        let values = input.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for entry in 0..values.len() {
            let step = 1e-2f32;
            let at = |delta: f32| -> f64 {
                let mut moved = values.clone();
                moved[entry] += delta;
                let mut tensors = tensors.clone();
                tensors[which] = Tensor::from_vec(moved, &shape, &Device::Cpu).unwrap();
                f64::from(objective(&tensors).to_scalar::<f32>().unwrap())
            };
            let difference = (at(step) - at(-step)) / (2.0 * f64::from(step));
            let error = (difference - f64::from(gradient[entry])).abs();
            assert!(
                error < 2e-3,
                "input {which}, entry {entry}: {} against {difference}",
                gradient[entry]
            );
        }
    }
}

#[test]
fn rms_norm() {
    let inputs = [variable(&[3, 10], 0), variable(&[10], 1)];
    check(&inputs, |t| {
        t[0].apply_op2(&t[1], RmsNorm { epsilon: 1e-5 })
    });
    let y = inputs[0]
        .apply_op2(&inputs[1], RmsNorm { epsilon: 1e-5 })
        .unwrap();
    let square = inputs[0].sqr().unwrap().mean_keepdim(1).unwrap();
    let plain = inputs[0]
        .broadcast_div(&(square + 1e-5).unwrap().sqrt().unwrap())
        .unwrap()
        .broadcast_mul(&inputs[1])
        .unwrap();
    assert_close(&y, &plain);
}

#[test]
fn swiglu() {
    let inputs = [variable(&[4, 5], 2), variable(&[4, 5], 3)];
    check(&inputs, |t| t[0].apply_op2(&t[1], SwiGlu));
    let y = inputs[0].apply_op2(&inputs[1], SwiGlu).unwrap();
    let plain = (inputs[0].silu().unwrap() * inputs[1].as_tensor()).unwrap();
    assert_close(&y, &plain);
}

#[test]
fn split_heads_with_rotation() {
    let split = SplitHeads {
        heads: 2,
        window: 3,
        rotation: Some(Arc::new(Rotation::new(3, 4, 10_000.0))),
        merge: false,
    };
    let inputs = [variable(&[6, 8], 4)];
    check(&inputs, |t| t[0].apply_op1(split.clone()));
    // Scores of rotated queries and keys depend on the distance alone: moving
    // both by one position changes nothing.
    let same = |position: usize, values: &[f32]| -> Tensor {
        let mut rows = vec![0f32; 3 * 8];
        rows[position * 8..(position + 1) * 8].copy_from_slice(values);
        let rows = Tensor::from_vec(rows, (3, 8), &Device::Cpu).unwrap();
        let heads = rows.apply_op1(split.clone()).unwrap();
        heads.narrow(1, position, 1).unwrap()
    };
    let (q, k) = (numbers(8, 5), numbers(8, 6));
    let score = |at: usize| {
        let product = (same(at + 1, &q) * same(at, &k)).unwrap();
        product.sum((1, 2)).unwrap()
    };
    assert_close(&score(0), &score(1));
}

#[test]
fn merge_heads() {
    let merge = SplitHeads {
        heads: 2,
        window: 3,
        rotation: None,
        merge: true,
    };
    let inputs = [variable(&[4, 3, 4], 7)];
    check(&inputs, |t| t[0].apply_op1(merge.clone()));
    let split = SplitHeads {
        merge: false,
        ..merge.clone()
    };
    let there = inputs[0].apply_op1(merge).unwrap();
    let back = there.apply_op1(split).unwrap();
    assert_close(&back, inputs[0].as_tensor());
}

#[test]
fn causal_softmax() {
    // Two rows of four positions; the second row holds two documents.
    let softmax = CausalSoftmax {
        starts: Arc::new(vec![0, 0, 0, 0, 0, 0, 2, 2]),
        heads: 1,
        window: 4,
        scale: 0.7,
    };
    let inputs = [variable(&[2, 4, 4], 8)];
    check(&inputs, |t| t[0].apply_op1(softmax.clone()));
    let p = inputs[0].apply_op1(softmax).unwrap();
    let rows = p.reshape((8, 4)).unwrap().to_vec2::<f32>().unwrap();
    assert_eq!(rows[0], [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(rows[6], [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(rows[7][..2], [0.0, 0.0]);
    for row in rows {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
}

#[test]
fn cross_entropy() {
    let loss = CrossEntropy {
        targets: Arc::new(vec![2, NO_TARGET, 0]),
        weight: 0.5,
    };
    let inputs = [variable(&[3, 9], 9)];
    check(&inputs, |t| t[0].apply_op1(loss.clone()));
    let told = inputs[0].apply_op1(loss).unwrap();
    let picked = inputs[0].index_select(&Tensor::new(&[0u32, 2], &Device::Cpu).unwrap(), 0);
    let targets = Tensor::new(&[2u32, 0], &Device::Cpu).unwrap();
    let plain = candle_nn::loss::cross_entropy(&picked.unwrap(), &targets).unwrap();
    // The mean over two targets is half their sum.
    assert_close(&told, &plain);
}

#[test]
fn distillation() {
    let op = |share: f32| Distillation {
        targets: Arc::new(vec![2, NO_TARGET, 0]),
        teacher: Arc::new(numbers(27, 31).iter().map(|z| 3.0 * z).collect()),
        weight: 0.5,
        share,
        temperature: 1.7,
    };
    let inputs = [variable(&[3, 9], 30)];
    for share in [0.0, 0.6, 1.0] {
        check(&inputs, |t| t[0].apply_op1(op(share)));
    }
    // candle's own operations, composed.
    let rows = Tensor::new(&[0u32, 2], &Device::Cpu).unwrap();
    let soften = |logits: &Tensor| {
        let logits = logits.index_select(&rows, 0).unwrap();
        candle_nn::ops::log_softmax(&(logits / 1.7).unwrap(), 1).unwrap()
    };
    let teacher = Tensor::from_slice(&op(0.0).teacher, (3, 9), &Device::Cpu).unwrap();
    let (student, teacher) = (soften(&inputs[0]), soften(&teacher));
    let divergence = (teacher.exp().unwrap() * (&teacher - &student).unwrap()).unwrap();
    let divergence = divergence.sum_all().unwrap();
    let plain = (divergence * (0.5 * 1.7 * 1.7)).unwrap();
    assert_close(&inputs[0].apply_op1(op(1.0)).unwrap(), &plain);
    let hard = CrossEntropy {
        targets: op(0.0).targets,
        weight: 0.5,
    };
    let hard = inputs[0].apply_op1(hard).unwrap();
    assert_close(&inputs[0].apply_op1(op(0.0)).unwrap(), &hard);
    let mixed = ((plain * 0.6).unwrap() + (hard * 0.4).unwrap()).unwrap();
    assert_close(&inputs[0].apply_op1(op(0.6)).unwrap(), &mixed);
    // A student that says what its teacher says has nothing to learn from it.
    let same = Distillation {
        teacher: Arc::new(inputs[0].flatten_all().unwrap().to_vec1().unwrap()),
        ..op(1.0)
    };
    let nothing = inputs[0].apply_op1(same).unwrap();
    assert!(nothing.to_scalar::<f32>().unwrap().abs() < 1e-6);
}

#[test]
fn selection_takes_the_greatest_and_at_a_tie_the_first() {
    let logits = [0.1, 0.7, -1.0, 0.7, 2.0, 2.0, 2.0, -3.0];
    assert_eq!(select(&logits, 4, 2), [1, 3, 0, 1]);
}

#[test]
fn gate() {
    let logits = variable(&[5, 4], 10);
    let plain = logits.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let gate = Gate {
        experts: 4,
        active: 2,
        selected: Arc::new(select(&plain, 4, 2)),
    };
    check(std::slice::from_ref(&logits), |t| {
        t[0].apply_op1(gate.clone())
    });
    // Softmax over all experts, then those selected over their sum.
    let all = candle_nn::ops::softmax(&logits, 1).unwrap();
    let selected = Tensor::from_slice(&gate.selected, (5, 2), &Device::Cpu).unwrap();
    let some = all.gather(&selected, 1).unwrap();
    let plain = some.broadcast_div(&some.sum_keepdim(1).unwrap()).unwrap();
    assert_close(&logits.apply_op1(gate).unwrap(), &plain);
}

#[test]
fn balance() {
    let logits = variable(&[6, 3], 11);
    let loss = |selected: &[u32]| Balance {
        experts: 3,
        selected: Arc::new(selected.to_vec()),
        weight: 0.7,
    };
    let uneven = loss(&[0, 1, 0, 1, 0, 2, 0, 1, 0, 1, 0, 2]);
    check(std::slice::from_ref(&logits), |t| {
        t[0].apply_op1(uneven.clone())
    });
    let p = candle_nn::ops::softmax(&logits, 1)
        .unwrap()
        .mean(0)
        .unwrap();
    let f = Tensor::new(&[0.5f32, 1.0 / 3.0, 1.0 / 6.0], &Device::Cpu).unwrap();
    let plain = ((p * f).unwrap().sum_all().unwrap() * (3.0 * 0.7)).unwrap();
    assert_close(&logits.apply_op1(uneven).unwrap(), &plain);
    // Selections that are spread evenly cost the weight, whatever the logits.
    let even = logits.apply_op1(loss(&[0, 1, 2, 0, 1, 2])).unwrap();
    assert!((even.to_scalar::<f32>().unwrap() - 0.7).abs() < 1e-6);
}

fn assert_close(a: &Tensor, b: &Tensor) {
    let worst = (a - b).unwrap().abs().unwrap().flatten_all().unwrap();
    let worst = worst.max(0).unwrap().to_scalar::<f32>().unwrap();
    assert!(worst < 1e-5, "differs by {worst}");
}
