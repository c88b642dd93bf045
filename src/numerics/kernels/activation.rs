//! Functions of single values between products, and caps on scores and logits.
//!
//! SiLU stands in `elementwise`, joined with the product that it gates; here are the others:
//! GELU by tanh (Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2), ReLU, and the soft cap
//! of Gemma 2 (Gemma Team 2024, arXiv:2408.00118, section 2).
//!
//! # The result, to the bit
//!
//! - GELU: ½ x (1 + tanh u) = x σ(2u) with 2u = x (a + b x²), a = 2√(2/π), b = 0.044715 a;
//!   with e = exp(−|2u|) and t = 1 for 2u ≥ 0, e below, it is (x · t) / (1 + e), each operation
//!   rounded but x², a + b x², which is one fused multiply–add.
//! - SiLU as in `elementwise`: the same with x in place of 2u.
//! - ReLU: 0 where x < 0, else x, so NaN stays.
//! - The cap: c · tanh(x / c), with q = x / c and e = exp(−2|q|): (1 − e) / (1 + e) with the sign
//!   of q, times c. Absolute error below 2⁻²² c.
//!
//! A NaN is stored as `f32::NAN`.

use super::exp::exp;
use super::lanes::{Kernel, LANES, Lanes};
use super::path::Kernels;
use crate::model::Activation;

/// 2√(2/π).
const GELU_LINEAR: f32 = 1.595_769;
/// 0.044715 · 2√(2/π).
const GELU_CUBIC: f32 = 0.071_354_814;

impl Kernels {
    /// out_i = f(x_i), f being `activation`.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn activate(self, activation: Activation, x: &[f32], out: &mut [f32]) {
        assert_eq!(x.len(), out.len(), "x and out must be equally long");
        self.enter(Activate { activation, x, out });
    }

    /// out_i = f(gate_i) · up_i on the rows of one product that computed both: row r of
    /// `gate_up` holds `columns` gates, then as many values of up.
    ///
    /// # Panics
    /// If `out` is not rows × `columns`, or `gate_up` not twice as long.
    pub fn activate_joined(
        self,
        activation: Activation,
        gate_up: &[f32],
        columns: usize,
        out: &mut [f32],
    ) {
        if activation == Activation::Silu {
            return self.silu_mul_joined(gate_up, columns, out);
        }
        assert_eq!(gate_up.len(), 2 * out.len(), "gate_up must be twice out");
        let columns = columns.max(1);
        assert!(
            out.len().is_multiple_of(columns),
            "out must be rows of columns"
        );
        let rows = gate_up.chunks_exact(2 * columns);
        for (row, out) in rows.zip(out.chunks_exact_mut(columns)) {
            let (gate, up) = row.split_at(columns);
            self.activate(activation, gate, out);
            self.multiply(out, up);
        }
    }

    /// x_i ← x_i · y_i; NaN is stored as `f32::NAN`.
    fn multiply(self, x: &mut [f32], y: &[f32]) {
        self.enter(Multiply { x, y });
    }

    /// x_i ← `cap` · tanh(x_i / `cap`).
    pub fn soft_cap(self, values: &mut [f32], cap: f32) {
        self.enter(SoftCap { values, cap });
    }

    /// x_i ← σ(x_i) = 1 / (1 + e^(−x_i)).
    pub fn sigmoid(self, values: &mut [f32]) {
        self.enter(Sigmoid { values });
    }
}

/// (x · t) / (1 + e) with e = exp(−|u|) and t = 1 for u ≥ 0, e below: x · σ(u).
#[inline(always)]
fn times_sigmoid<L: Lanes>(lanes: L, x: L::Vector, u: L::Vector) -> L::Vector {
    let one = lanes.splat(1.0);
    let e = exp(lanes, lanes.negative_abs(u));
    let numerator = lanes.mul(x, lanes.where_negative(u, e, one));
    lanes.div(numerator, lanes.add(one, e))
}

struct Activate<'a> {
    activation: Activation,
    x: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for (x, out) in self.x.chunks(LANES).zip(self.out.chunks_mut(LANES)) {
            let x = lanes.load_or(x, 0.0);
            let result = match self.activation {
                Activation::Silu => times_sigmoid(lanes, x, x),
                Activation::GeluTanh => {
                    let square = lanes.mul(x, x);
                    let cubic = lanes.splat(GELU_CUBIC);
                    let slope = lanes.mul_add(square, cubic, lanes.splat(GELU_LINEAR));
                    times_sigmoid(lanes, x, lanes.mul(x, slope))
                }
                Activation::Relu => lanes.max(lanes.splat(0.0), x),
            };
            lanes.store_up_to(lanes.canonical(result), out);
        }
    }
}

struct Multiply<'a> {
    x: &'a mut [f32],
    y: &'a [f32],
}

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for (x, y) in self.x.chunks_mut(LANES).zip(self.y.chunks(LANES)) {
            let product = lanes.mul(lanes.load_or(x, 0.0), lanes.load_or(y, 0.0));
            lanes.store_up_to(lanes.canonical(product), x);
        }
    }
}

struct Sigmoid<'a> {
    values: &'a mut [f32],
}

impl Kernel for Sigmoid<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for chunk in self.values.chunks_mut(LANES) {
            let x = lanes.load_or(chunk, 0.0);
            let result = times_sigmoid(lanes, lanes.splat(1.0), x);
            lanes.store_up_to(lanes.canonical(result), chunk);
        }
    }
}

struct SoftCap<'a> {
    values: &'a mut [f32],
    cap: f32,
}

impl Kernel for SoftCap<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for chunk in self.values.chunks_mut(LANES) {
            let capped = capped(lanes, lanes.load_or(chunk, 0.0), self.cap);
            lanes.store_up_to(lanes.canonical(capped), chunk);
        }
    }
}

/// `cap` · tanh(x / `cap`) in each lane.
#[inline(always)]
pub(super) fn capped<L: Lanes>(lanes: L, x: L::Vector, cap: f32) -> L::Vector {
    let (one, cap) = (lanes.splat(1.0), lanes.splat(cap));
    let quotient = lanes.div(x, cap);
    let magnitude = lanes.negative_abs(quotient);
    let e = exp(lanes, lanes.add(magnitude, magnitude));
    let tanh = lanes.div(lanes.sub(one, e), lanes.add(one, e));
    let signed = lanes.where_negative(quotient, lanes.sub(lanes.splat(0.0), tanh), tanh);
    lanes.mul(signed, cap)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> Vec<f32> {
        (-400..=400).map(|step| step as f32 / 20.0).collect()
    }

    fn on_every_path(work: impl Fn(Kernels) -> Vec<f32>) -> Vec<f32> {
        let mut results = super::super::Path::available()
            .map(|path| work(Kernels::with_path(path).expect("available")));
        let first = results.next().expect("the portable path");
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        for other in results {
            assert_eq!(bits(&first), bits(&other), "every path has the same bits");
        }
        first
    }

    #[test]
    fn activations_are_those_of_their_formulas_in_double_precision() {
        for (activation, formula) in [
            (
                Activation::Silu,
                (|x| x / (1.0 + libm::exp(-x))) as fn(f64) -> f64,
            ),
            (Activation::GeluTanh, |x| {
                let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
                0.5 * x * (1.0 + libm::tanh(u))
            }),
            (Activation::Relu, |x| x.max(0.0)),
        ] {
            let x = points();
            let found = on_every_path(|kernels| {
                let mut out = vec![0.0; x.len()];
                kernels.activate(activation, &x, &mut out);
                out
            });
            for (x, found) in x.iter().zip(found) {
                let expected = formula(f64::from(*x));
                let error = (f64::from(found) - expected).abs();
                assert!(
                    error <= 1e-6 * (1.0 + expected.abs()),
                    "{activation:?} {x}: {found}"
                );
            }
        }
    }

    #[test]
    fn a_cap_is_a_hyperbolic_tangent_and_nothing_overflows() {
        for cap in [0.5f32, 30.0, 50.0] {
            let mut x = points();
            x.extend([f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30]);
            let found = on_every_path(|kernels| {
                let mut values = x.clone();
                kernels.soft_cap(&mut values, cap);
                values
            });
            for (x, found) in x.iter().zip(found) {
                let expected = f64::from(cap) * libm::tanh(f64::from(*x) / f64::from(cap));
                let error = (f64::from(found) - expected).abs();
                assert!(error <= 3e-7 * f64::from(cap), "{x} under {cap}: {found}");
            }
        }
    }

    #[test]
    fn sigmoid_is_the_logistic_function() {
        let x = points();
        let found = on_every_path(|kernels| {
            let mut values = x.clone();
            kernels.sigmoid(&mut values);
            values
        });
        for (x, found) in x.iter().zip(found) {
            let expected = 1.0 / (1.0 + libm::exp(-f64::from(*x)));
            assert!((f64::from(found) - expected).abs() <= 2e-7, "{x}: {found}");
        }
    }
}
