//! Rotary embedding: each pair turns by its angle, and only distances matter.

use airloom::numerics::kernels::{Kernels, Path, RopeTable};

use crate::values::{Kind, bits, values};

/// θ^(−2i/d) with θ = 10 000.
fn frequencies(head_dim: usize) -> Vec<f32> {
    let exponent = |pair| -((2 * pair) as f64) / head_dim as f64;
    let pairs = 0..head_dim / 2;
    pairs
        .map(|pair| libm::pow(10_000.0, exponent(pair)) as f32)
        .collect()
}

/// Two heads of `head_dim` and three further values per row.
fn rotate(kernels: Kernels, x: &[f32], head_dim: usize, first: usize) -> Vec<f32> {
    let table = RopeTable::from_frequencies(&frequencies(head_dim), 64);
    let mut found = x.to_vec();
    kernels.rope(&mut found, 2 * head_dim + 3, 2, first, &table);
    found
}

#[test]
fn rope_turns_each_pair_by_its_angle() {
    for head_dim in [2, 4, 6, 32, 34, 128] {
        let stride = 2 * head_dim + 3;
        for kind in [Kind::Ordinary, Kind::Special] {
            let x = values(5 * stride, 61, kind);
            for kernels in Path::available().map(Kernels::with_path) {
                let kernels = kernels.unwrap();
                let found = rotate(kernels, &x, head_dim, 40);
                for (i, (&x_i, &found_i)) in x.iter().zip(&found).enumerate() {
                    let (row, column) = (i / stride, i % stride);
                    if column >= 2 * head_dim {
                        assert_eq!(x_i.to_bits(), found_i.to_bits(), "not part of a head");
                        continue;
                    }
                    let (pair, half) = (column % head_dim, head_dim / 2);
                    let frequency = frequencies(head_dim)[pair % half];
                    let angle = f64::from((40 + row) as f32 * frequency);
                    let (c, s) = (libm::cos(angle) as f32, libm::sin(angle) as f32);
                    let expected = if pair < half {
                        x_i * c - x[i + half] * s
                    } else {
                        x_i * c + x[i - half] * s
                    };
                    assert_eq!(found_i.to_bits(), bits(expected), "{}", kernels.path());
                }
            }
        }
    }
}

#[test]
fn rope_keeps_lengths_and_depends_on_distances_alone() {
    let head_dim = 32;
    let stride = 2 * head_dim + 3;
    let x = values(stride, 62, Kind::Ordinary);
    let dot = |first: usize, second: usize| {
        let kernels = Kernels::active().unwrap();
        let (a, b) = (
            rotate(kernels, &x, head_dim, first),
            rotate(kernels, &x, head_dim, second),
        );
        let heads = a[..head_dim].iter().zip(&b[head_dim..2 * head_dim]);
        heads
            .map(|(&a, &b)| f64::from(a) * f64::from(b))
            .sum::<f64>()
    };
    for distance in [0, 1, 7, 30] {
        for first in [0, 3, 20] {
            assert!((dot(first, first + distance) - dot(0, distance)).abs() < 1e-5);
        }
    }
}
