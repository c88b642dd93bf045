//! The matrix product has the bits of its definition, on every path, for every
//! batch and on every number of threads.

use airloom::numerics::kernels::{Kernels, Packed, Part, Path};
use proptest::prelude::*;

use crate::values::{KINDS, Kind, bits, values};

/// The definition: one chain of fused multiply–adds per output.
fn naive(x: &[f32], rows: usize, weights: &[f32], outputs: usize, inputs: usize) -> Vec<u32> {
    let mut out = Vec::with_capacity(rows * outputs);
    for r in 0..rows {
        for o in 0..outputs {
            let row = &x[r * inputs..(r + 1) * inputs];
            let column = &weights[o * inputs..(o + 1) * inputs];
            let chain = row.iter().zip(column);
            out.push(bits(chain.fold(0.0f32, |acc, (&x, &w)| x.mul_add(w, acc))));
        }
    }
    out
}

fn product(path: Path, x: &[f32], rows: usize, weights: &Packed) -> Vec<u32> {
    let mut out = vec![f32::from_bits(0xffff_ffff); rows * weights.outputs()];
    let kernels = Kernels::with_path(path).unwrap();
    kernels.matmul(x, rows, weights, &mut out);
    out.iter().map(|value| value.to_bits()).collect()
}

fn check(rows: usize, outputs: usize, inputs: usize, x: Kind, w: Kind) {
    let x_values = values(rows * inputs, 1, x);
    let weights = values(outputs * inputs, 2, w);
    let expected = naive(&x_values, rows, &weights, outputs, inputs);
    let packed = Packed::new(&weights, outputs, inputs).unwrap();
    for path in Path::available() {
        let found = product(path, &x_values, rows, &packed);
        assert!(
            found == expected,
            "{path}: {rows} × {inputs} × {outputs}, {x:?} · {w:?}: first at {:?}",
            found.iter().zip(&expected).position(|(a, b)| a != b)
        );
    }
}

#[test]
fn awkward_shapes_have_the_bits_of_the_definition() {
    for rows in [0, 1, 2, 3, 5, 6, 7, 13, 17, 31] {
        for outputs in [0, 1, 3, 15, 16, 17, 33, 63, 64, 65, 100, 255] {
            for inputs in [0, 1, 3, 17, 255] {
                check(rows, outputs, inputs, Kind::Ordinary, Kind::Ordinary);
            }
        }
    }
    for (rows, outputs, inputs) in [(1, 4097, 17), (3, 17, 4097), (255, 3, 17), (4097, 17, 3)] {
        check(rows, outputs, inputs, Kind::Ordinary, Kind::Ordinary);
    }
}

/// Rows are independent, so the longest product holds the result of every shorter one.
fn check_every_row_count(outputs: usize, inputs: usize, most: usize) {
    let x = values(most * inputs, 1, Kind::Ordinary);
    let weights = values(outputs * inputs, 2, Kind::Ordinary);
    let expected = naive(&x, most, &weights, outputs, inputs);
    let packed = Packed::new(&weights, outputs, inputs).unwrap();
    for path in Path::available() {
        for rows in 1..=most {
            assert!(
                product(path, &x[..rows * inputs], rows, &packed) == expected[..rows * outputs],
                "{path}: {rows} × {inputs} × {outputs}"
            );
        }
    }
}

#[test]
fn every_row_count_has_the_bits_of_the_definition() {
    for outputs in [
        1, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 80, 96, 112, 127, 128, 129, 192, 193,
    ] {
        for inputs in [1, 5, 24] {
            check_every_row_count(outputs, inputs, 300);
        }
    }
}

#[test]
fn every_number_of_outputs_has_the_bits_of_the_definition() {
    for outputs in 1..=300 {
        check_every_row_count(outputs, 9, 13);
    }
}

#[test]
fn every_number_of_inputs_has_the_bits_of_the_definition() {
    for inputs in 1..=300 {
        check_every_row_count(67, inputs, 7);
    }
}

#[test]
fn every_kind_of_number_has_the_bits_of_the_definition() {
    for x in KINDS {
        for w in KINDS {
            for rows in [1, 4, 7] {
                check(rows, 83, 129, x, w);
            }
        }
    }
}

#[test]
fn threads_and_batches_do_not_change_a_bit() {
    let (rows, outputs, inputs) = (97, 255, 129);
    let x = values(rows * inputs, 5, Kind::Ordinary);
    let weights = values(outputs * inputs, 6, Kind::Ordinary);
    let packed = Packed::new(&weights, outputs, inputs).unwrap();
    let wide = values(4097 * 300, 7, Kind::Ordinary);
    let wide = Packed::new(&wide, 4097, 300).unwrap();
    let expected = naive(&x, rows, &weights, outputs, inputs);
    let row = values(300, 8, Kind::Ordinary);
    let alone = product(Path::Portable, &row, 1, &wide);
    for threads in [1, 2, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            for path in Path::available() {
                assert!(
                    product(path, &x, rows, &packed) == expected,
                    "{path}, {threads}"
                );
                for batch in [1, 2, 6, 17, 50] {
                    for first in [0, 1, 40] {
                        let part = &x[first * inputs..(first + batch) * inputs];
                        let found = product(path, part, batch, &packed);
                        assert!(found == expected[first * outputs..(first + batch) * outputs]);
                    }
                }
                assert!(product(path, &row, 1, &wide) == alone, "{path}, {threads}");
                let twice = product(path, &[&row[..], &row].concat(), 2, &wide);
                assert!(twice == [&alone[..], &alone].concat(), "{path}, {threads}");
            }
        });
    }
}

#[test]
fn the_error_is_that_of_a_chain() {
    // |error| ≤ k u Σ|x w| with u = 2⁻²⁴ (Higham, Accuracy and Stability of Numerical
    // Algorithms, section 3.1), against f64.
    let (outputs, inputs) = (65, 704);
    let x = values(inputs, 11, Kind::Ordinary);
    let weights = values(outputs * inputs, 12, Kind::Ordinary);
    let packed = Packed::new(&weights, outputs, inputs).unwrap();
    for path in Path::available() {
        let found = product(path, &x, 1, &packed);
        for (o, found) in found.into_iter().enumerate() {
            let terms = || {
                let row = weights[o * inputs..].iter();
                x.iter()
                    .zip(row)
                    .map(|(&x, &w)| f64::from(x) * f64::from(w))
            };
            let exact: f64 = terms().sum();
            let magnitude: f64 = terms().map(f64::abs).sum();
            let error = (f64::from(f32::from_bits(found)) - exact).abs();
            assert!(
                error <= inputs as f64 * 2f64.powi(-24) * magnitude,
                "{path}: {error}"
            );
        }
    }
}

#[test]
fn joined_parts_have_the_bits_that_they_have_alone() {
    let (outputs, inputs) = (40, 33);
    let weights = values(outputs * inputs, 3, Kind::Ordinary);
    let x = values(3 * inputs, 4, Kind::Ordinary);
    let part = |rows: std::ops::Range<usize>| Part {
        weights: &weights,
        outputs,
        inputs,
        output_range: rows,
        input_range: 0..inputs,
    };
    let joined = Packed::from_parts(&[part(5..40), part(0..7)]).unwrap();
    for path in Path::available() {
        let found = product(path, &x, 3, &joined);
        let first = product(path, &x, 3, &Packed::from_parts(&[part(5..40)]).unwrap());
        let second = product(path, &x, 3, &Packed::from_parts(&[part(0..7)]).unwrap());
        for r in 0..3 {
            let row = &found[r * 42..(r + 1) * 42];
            assert_eq!(
                row,
                [&first[r * 35..][..35], &second[r * 7..][..7]].concat()
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_product_has_the_bits_of_the_definition(
        rows in 0usize..20,
        outputs in 0usize..140,
        inputs in 0usize..60,
        x in 0usize..8,
        w in 0usize..8,
    ) {
        check(rows, outputs, inputs, KINDS[x], KINDS[w]);
    }
}
