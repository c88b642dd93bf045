//! Any number of rows: what works along rows gives each row the bits that it has alone,
//! where `rows` and `rope` say what they are.

use airloom::numerics::kernels::{Kernels, RopeTable, gather};

use crate::attention::paths;
use crate::values::{Kind, all_bits, values};

const MOST: usize = 300;
const COLUMNS: [usize; 6] = [1, 6, 17, 48, 64, 80];

/// Applies `kernel` to the first `rows` rows of `columns` at once, for every number of
/// rows, and to each row alone.
fn check(columns: usize, kernel: impl Fn(Kernels, &[f32], usize) -> Vec<f32>) {
    let x = values(MOST * columns, 81, Kind::Ordinary);
    let portable = paths().next().expect("the portable path");
    let rows = x.chunks(columns).enumerate();
    let alone = rows.map(|(row, x)| all_bits(&kernel(portable, x, row)));
    let alone: Vec<_> = alone.collect();
    for kernels in paths() {
        for rows in 1..=MOST {
            let found = all_bits(&kernel(kernels, &x[..rows * columns], 0));
            let path = kernels.path();
            assert!(
                found == alone[..rows].concat(),
                "{path}: {rows} × {columns}"
            );
        }
    }
}

#[test]
fn rows_of_norms_and_softmaxes_do_not_see_each_other() {
    for columns in COLUMNS {
        let weight = values(columns, 82, Kind::Ordinary);
        check(columns, |kernels, x, _| {
            let mut out = vec![0.0; x.len()];
            kernels.rms_norm(x, &weight, 1e-5, &mut out);
            out
        });
        check(columns, |kernels, x, _| {
            let mut out = x.to_vec();
            kernels.softmax(&mut out, columns);
            out
        });
    }
}

#[test]
fn rows_of_activations_do_not_see_each_other() {
    for columns in COLUMNS {
        check(2 * columns, |kernels, x, _| {
            let mut out = vec![0.0; x.len() / 2];
            kernels.silu_mul_joined(x, columns, &mut out);
            out
        });
    }
}

#[test]
fn rotated_rows_know_their_position_alone() {
    for head_dim in [2, 6, 16, 24, 34, 64, 80, 128] {
        let frequencies: Vec<f32> = (0..head_dim / 2).map(|i| 0.9 / (i + 1) as f32).collect();
        let table = RopeTable::from_frequencies(&frequencies, MOST);
        let stride = 2 * head_dim + 3;
        check(stride, |kernels, x, first| {
            let mut out = x.to_vec();
            kernels.rope(&mut out, stride, 2, first, &table);
            out
        });
    }
}

#[test]
fn gathered_rows_are_those_of_the_table() {
    let vocabulary = 83;
    for columns in COLUMNS {
        let table = values(vocabulary * columns, 84, Kind::Any);
        let tokens: Vec<u32> = (0..MOST as u32)
            .map(|i| i * 37 % vocabulary as u32)
            .collect();
        let rows = tokens
            .iter()
            .map(|&t| &table[t as usize * columns..][..columns]);
        let expected = all_bits(&rows.flatten().copied().collect::<Vec<_>>());
        for rows in 1..=MOST {
            let mut out = vec![0.0; rows * columns];
            gather(&table, columns, &tokens[..rows], &mut out).expect("known tokens");
            assert!(
                all_bits(&out) == expected[..rows * columns],
                "{rows} × {columns}"
            );
        }
    }
}
