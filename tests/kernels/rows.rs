//! Kernels that work along rows: eˣ, softmax, normalisation, activation.

use airloom::numerics::kernels::{Kernels, Path};
use proptest::prelude::*;

use crate::values::{KINDS, Kind, all_bits, bits, values};

/// Every length up to more than four panels, and a long one.
fn lengths() -> impl Iterator<Item = usize> {
    (1..=300).chain([4097])
}

fn kernels() -> impl Iterator<Item = Kernels> {
    Path::available().map(|path| Kernels::with_path(path).unwrap())
}

/// eˣ of one value, by the kernel.
fn exp(x: f32) -> f32 {
    let mut value = [x];
    Kernels::active().unwrap().exp(&mut value);
    value[0]
}

/// Sixteen interleaved partial sums by `step`, then the tree.
fn interleaved(values: &[f32], step: impl Fn(f32, f32) -> f32) -> f32 {
    let mut partial = [0.0f32; 16];
    for (i, &value) in values.iter().enumerate() {
        partial[i % 16] = step(partial[i % 16], value);
    }
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            partial[i] += partial[i + half];
        }
    }
    partial[0]
}

/// Softmax by its definition, with the kernel's own eˣ.
pub fn softmax(row: &[f32]) -> Vec<f32> {
    let greatest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let e: Vec<_> = row.iter().map(|x| exp(x - greatest)).collect();
    let inverse = 1.0 / interleaved(&e, |sum, e| sum + e);
    e.iter().map(|e| e * inverse).collect()
}

#[test]
fn exp_is_within_one_unit_in_the_last_place() {
    // All floats between the ends would take minutes; 2⁻¹⁴⁹ is the unit below 2⁻¹²⁶.
    // Over all of them the greatest error is 1.013 units.
    let step = if cfg!(miri) { 40_000_000 } else { 4999 };
    let positive = (0..=89.5f32.to_bits()).step_by(step);
    let negative = ((-0.0f32).to_bits()..=(-104.5f32).to_bits()).step_by(step);
    let x: Vec<_> = positive.chain(negative).map(f32::from_bits).collect();
    let mut y = x.clone();
    Kernels::active().unwrap().exp(&mut y);
    for (&x, &y) in x.iter().zip(&y) {
        let exact = libm::exp(f64::from(x));
        let magnitude = (exact as f32).max(f32::MIN_POSITIVE);
        if magnitude.is_infinite() || y.is_infinite() {
            assert!(f64::from(x) > 88.722_83, "{x}: {y}");
            continue;
        }
        let unit = f64::from(f32::from_bits(magnitude.to_bits() & 0x7f80_0000)) / 2f64.powi(23);
        let error = (f64::from(y) - exact).abs() / unit;
        assert!(error < 1.02, "exp({x}) = {y}, wrong by {error} units");
    }
}

#[test]
fn exp_of_special_values() {
    let x = [
        0.0,
        -0.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        89.0,
        -104.0,
        f32::NAN,
        -f32::NAN,
    ];
    let y = [
        1.0,
        1.0,
        f32::INFINITY,
        0.0,
        f32::INFINITY,
        0.0,
        f32::NAN,
        f32::NAN,
    ];
    for kernels in kernels() {
        let mut found = x;
        kernels.exp(&mut found);
        assert_eq!(all_bits(&found), all_bits(&y), "{}", kernels.path());
    }
}

#[test]
fn exp_has_equal_bits_on_every_path() {
    let step = if cfg!(miri) { 100_000_007 } else { 7919 };
    let x: Vec<_> = (0..=u32::MAX).step_by(step).map(f32::from_bits).collect();
    let mut expected = x.clone();
    Kernels::with_path(Path::Portable)
        .unwrap()
        .exp(&mut expected);
    for kernels in kernels() {
        let mut found = x.clone();
        kernels.exp(&mut found);
        assert!(
            all_bits(&found) == all_bits(&expected),
            "{}",
            kernels.path()
        );
    }
}

#[test]
fn softmax_has_the_bits_of_its_definition() {
    for kind in KINDS {
        for columns in lengths() {
            let rows = values(3 * columns, 21, kind);
            let expected: Vec<_> = rows.chunks(columns).flat_map(softmax).map(bits).collect();
            for kernels in kernels() {
                let mut found = rows.clone();
                kernels.softmax(&mut found, columns);
                assert!(
                    all_bits(&found) == expected,
                    "{}: {kind:?}, {columns}",
                    kernels.path()
                );
            }
        }
    }
}

#[test]
fn softmax_is_a_distribution_in_proportion_to_exp() {
    let kernels = Kernels::active().unwrap();
    for columns in lengths() {
        let x: Vec<_> = values(columns, 22, Kind::Ordinary)
            .iter()
            .map(|x| 20.0 * x)
            .collect();
        let mut found = x.clone();
        kernels.softmax(&mut found, columns);
        let sum: f64 = x.iter().map(|&x| libm::exp(f64::from(x))).sum();
        for (&x, &found) in x.iter().zip(&found) {
            // x − max rounds: half a unit of at most 40 is 2⁻¹⁹.
            let expected = libm::exp(f64::from(x)) / sum;
            assert!((f64::from(found) - expected).abs() <= 4e-6 * expected);
        }
    }
}

#[test]
fn rms_norm_has_the_bits_of_its_definition() {
    for kind in KINDS {
        for columns in lengths() {
            let x = values(2 * columns, 31, kind);
            let weight = values(columns, 32, Kind::Ordinary);
            let mut expected = Vec::new();
            for row in x.chunks(columns) {
                let squares = interleaved(row, |sum, x| x.mul_add(x, sum));
                let scale = 1.0 / (squares / columns as f32 + 1e-5).sqrt();
                expected.extend(row.iter().zip(&weight).map(|(x, w)| bits((x * scale) * w)));
            }
            for kernels in kernels() {
                let mut found = vec![0.0; x.len()];
                kernels.rms_norm(&x, &weight, 1e-5, &mut found);
                assert!(
                    all_bits(&found) == expected,
                    "{}: {kind:?}, {columns}",
                    kernels.path()
                );
            }
        }
    }
}

#[test]
fn rms_norm_leaves_a_root_mean_square_of_one() {
    for columns in lengths() {
        let x = values(columns, 33, Kind::Ordinary);
        let mut found = vec![0.0; columns];
        let weight = vec![1.0; columns];
        Kernels::active()
            .unwrap()
            .rms_norm(&x, &weight, 0.0, &mut found);
        let squares: f64 = found.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        assert!((squares / columns as f64 - 1.0).abs() < 1e-6, "{columns}");
    }
}

#[test]
fn silu_mul_has_the_bits_of_its_definition() {
    for kind in KINDS {
        for columns in lengths() {
            let (gate, up) = (
                values(columns, 41, kind),
                values(columns, 42, Kind::Ordinary),
            );
            let silu = |g: f32| {
                let e = exp(-g.abs());
                g * (if g < 0.0 { e } else { 1.0 }) / (1.0 + e)
            };
            let expected: Vec<_> = gate
                .iter()
                .zip(&up)
                .map(|(&g, u)| bits(silu(g) * u))
                .collect();
            for kernels in kernels() {
                let mut found = vec![0.0; columns];
                kernels.silu_mul(&gate, &up, &mut found);
                assert!(all_bits(&found) == expected, "{}: {kind:?}", kernels.path());
                let joined = [&gate[..], &up, &gate, &up].concat();
                let mut twice = vec![0.0; 2 * columns];
                kernels.silu_mul_joined(&joined, columns, &mut twice);
                assert!(all_bits(&twice) == [&expected[..], &expected].concat());
            }
        }
    }
}

#[test]
fn silu_is_accurate_at_both_ends() {
    let gate: Vec<_> = (-1000..1000).map(|i| i as f32 * 0.087).collect();
    let mut found = vec![0.0; gate.len()];
    let up = vec![1.0; gate.len()];
    Kernels::active().unwrap().silu_mul(&gate, &up, &mut found);
    for (&x, &found) in gate.iter().zip(&found) {
        let exact = f64::from(x) / (1.0 + libm::exp(-f64::from(x)));
        let error = (f64::from(found) - exact).abs();
        assert!(error <= 4e-7 * exact.abs() + 1e-44, "silu({x}) = {found}");
    }
}

/// Every pair of kinds, and for each the two rows of numbers.
fn pairs(seed: u32) -> impl Iterator<Item = (Vec<f32>, Vec<f32>)> {
    let pairs = KINDS
        .iter()
        .flat_map(|x| KINDS.iter().map(move |y| (*x, *y)));
    pairs.map(move |(x, y)| (values(300, seed, x), values(300, seed + 1, y)))
}

#[test]
fn add_rounds_once_and_canonicalises() {
    for (x, y) in pairs(51) {
        let expected: Vec<_> = x.iter().zip(&y).map(|(x, y)| bits(x + y)).collect();
        for kernels in kernels() {
            for length in 1..=x.len() {
                let mut found = x[..length].to_vec();
                kernels.add(&mut found, &y[..length]);
                assert!(all_bits(&found) == expected[..length], "{}", kernels.path());
            }
        }
    }
}

#[test]
fn add_scaled_rounds_once_and_canonicalises() {
    for (x, y) in pairs(53) {
        for weight in [0.3, -1.0, 0.0, f32::INFINITY, 1e-40] {
            let expected = x.iter().zip(&y).map(|(x, y)| bits(weight.mul_add(*y, *x)));
            let expected: Vec<_> = expected.collect();
            for kernels in kernels() {
                for length in 1..=x.len() {
                    let mut found = x[..length].to_vec();
                    kernels.add_scaled(&mut found, weight, &y[..length]);
                    assert!(all_bits(&found) == expected[..length], "{}", kernels.path());
                }
            }
        }
    }
}

#[test]
fn exp_of_any_number_of_values_is_that_of_each() {
    for kind in KINDS {
        let x = values(300, 55, kind);
        let expected: Vec<_> = x.iter().map(|&x| bits(exp(x))).collect();
        for kernels in kernels() {
            for length in 1..=x.len() {
                let mut found = x[..length].to_vec();
                kernels.exp(&mut found);
                assert!(all_bits(&found) == expected[..length], "{}", kernels.path());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 256 }))]

    #[test]
    fn rows_of_any_bits_are_equal_on_every_path(
        x in prop::collection::vec(any::<u32>().prop_map(f32::from_bits), 1..200),
    ) {
        let everything = |kernels: Kernels| {
            let mut softmax = x.clone();
            kernels.softmax(&mut softmax, x.len());
            let mut norm = vec![0.0; x.len()];
            kernels.rms_norm(&x, &x, 1e-6, &mut norm);
            let mut silu = vec![0.0; x.len()];
            kernels.silu_mul(&x, &norm, &mut silu);
            let mut exp = x.clone();
            kernels.exp(&mut exp);
            all_bits(&[softmax, norm, silu, exp].concat())
        };
        let expected = everything(Kernels::with_path(Path::Portable).unwrap());
        for kernels in kernels() {
            prop_assert_eq!(&everything(kernels), &expected, "{}", kernels.path());
        }
    }
}
