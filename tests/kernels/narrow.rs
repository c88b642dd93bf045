//! Weights of 16 bits: a product has the bits that it has with the same weights in 32.

use airloom::numerics::kernels::{Kernels, Numbers, Packed, Packing, Part, Path};
use half::{bf16, f16};
use proptest::prelude::*;

fn part<T>(weights: &[T], outputs: usize, inputs: usize) -> Part<'_, T> {
    Part {
        weights,
        outputs,
        inputs,
        output_range: 0..outputs,
        input_range: 0..inputs,
    }
}

/// Bits of a product of numbers of some kind, and of the same ones in f32.
fn products<T: Copy + Default + Into<f32>>(
    kernels: Kernels,
    x: &[f32],
    weights: &[T],
    [rows, outputs, inputs]: [usize; 3],
    numbers: fn(&[T]) -> Numbers<'_>,
) -> [Vec<u32>; 2] {
    let (packing, panels) = Packing::of_parts(&[part(weights, outputs, inputs)]).expect("it fits");
    let wide: Vec<f32> = weights.iter().map(|&weight| weight.into()).collect();
    let wide = Packed::new(&wide, outputs, inputs).expect("it fits");
    let mut results = [vec![0.0; rows * outputs], vec![0.0; rows * outputs]];
    let [narrow, single] = &mut results;
    kernels.matmul(x, rows, packing.view(numbers(&panels)), narrow);
    kernels.matmul(x, rows, &wide, single);
    results.map(|values| values.iter().map(|value| value.to_bits()).collect())
}

proptest! {
    #[test]
    fn law_1_narrow_weights_have_the_bits_of_wide_ones(
        rows in 1..60_usize,
        outputs in 1..150_usize,
        inputs in 0..300_usize,
        seed in 1..u32::MAX,
    ) {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 20) as f32 - 8.0
        };
        let x: Vec<f32> = (0..rows * inputs).map(|_| next()).collect();
        let weights: Vec<f32> = (0..outputs * inputs).map(|_| next()).collect();
        let brain: Vec<bf16> = weights.iter().map(|&weight| bf16::from_f32(weight)).collect();
        let half: Vec<f16> = weights.iter().map(|&weight| f16::from_f32(weight)).collect();
        for path in Path::available() {
            let kernels = Kernels::with_path(path).unwrap();
            let sizes = [rows, outputs, inputs];
            let [narrow, wide] = products(kernels, &x, &brain, sizes, |it| Numbers::Bf16(it));
            prop_assert_eq!(narrow, wide);
            let [narrow, wide] = products(kernels, &x, &half, sizes, |it| Numbers::F16(it));
            prop_assert_eq!(narrow, wide);
        }
    }
}
