//! Element by element: SwiGLU's activation, the residual sum and weighted sums.
//!
//! SwiGLU: Shazeer, "GLU Variants Improve Transformer" (2020), equation (6), of
//! which this is Swish₁(gate) ⊗ up.

use super::exp::exp;
use super::lanes::{Kernel, LANES, Lanes};
use super::path::Kernels;

impl Kernels {
    /// out_i = silu(gate_i) · up_i, with silu(x) = x / (1 + e⁻ˣ).
    ///
    /// To the bit: with e = exp(−|g|) and t = 1 for g ≥ 0, e for g < 0,
    /// the result is ((g · t) / (1 + e)) · u, each operation rounded. So nothing
    /// overflows on the way; −∞ gives `f32::NAN`, as does NaN.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn silu_mul(self, gate: &[f32], up: &[f32], out: &mut [f32]) {
        assert_eq!(gate.len(), out.len(), "gate and out must be equally long");
        assert_eq!(up.len(), out.len(), "up and out must be equally long");
        self.enter(SiluMul { gate, up, out });
    }

    /// [`silu_mul`](Self::silu_mul) on the rows of one product that computed both: row r of
    /// `gate_up` holds `columns` gates, then as many values of up.
    ///
    /// # Panics
    /// If `out` is not rows × `columns`, or `gate_up` not twice as long.
    pub fn silu_mul_joined(self, gate_up: &[f32], columns: usize, out: &mut [f32]) {
        assert_eq!(gate_up.len(), 2 * out.len(), "gate_up must be twice out");
        let rows = gate_up.chunks_exact(2 * columns.max(1));
        let outs = out.chunks_exact_mut(columns.max(1));
        assert!(
            rows.remainder().is_empty(),
            "gate_up must be rows of 2 × columns"
        );
        for (row, out) in rows.zip(outs) {
            let (gate, up) = row.split_at(columns);
            self.enter(SiluMul { gate, up, out });
        }
    }

    /// x_i ← x_i + y_i; NaN is stored as `f32::NAN`.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn add(self, x: &mut [f32], y: &[f32]) {
        assert_eq!(x.len(), y.len(), "both terms must be equally long");
        self.enter(Add { x, y });
    }

    /// [`add`](Self::add)s `y` to every row of `y.len()` values.
    ///
    /// # Panics
    /// If `x` are not whole rows.
    pub fn add_to_rows(self, x: &mut [f32], y: &[f32]) {
        if x.is_empty() {
            return;
        }
        assert!(
            !y.is_empty() && x.len().is_multiple_of(y.len()),
            "x must be rows of as many values as y"
        );
        for row in x.chunks_exact_mut(y.len()) {
            self.add(row, y);
        }
    }

    /// x_i ← fma(weight, y_i, x_i), rounded once; NaN is stored as `f32::NAN`.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn add_scaled(self, x: &mut [f32], weight: f32, y: &[f32]) {
        assert_eq!(x.len(), y.len(), "both terms must be equally long");
        self.enter(AddScaled { x, weight, y });
    }
}

struct SiluMul<'a> {
    gate: &'a [f32],
    up: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for SiluMul<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let inputs = self.gate.chunks(LANES).zip(self.up.chunks(LANES));
        for ((gate, up), out) in inputs.zip(self.out.chunks_mut(LANES)) {
            let gate = lanes.load_or(gate, 0.0);
            let one = lanes.splat(1.0);
            let e = exp(lanes, lanes.negative_abs(gate));
            let numerator = lanes.mul(gate, lanes.where_negative(gate, e, one));
            let silu = lanes.div(numerator, lanes.add(one, e));
            let result = lanes.mul(silu, lanes.load_or(up, 0.0));
            lanes.store_up_to(lanes.canonical(result), out);
        }
    }
}

struct Add<'a> {
    x: &'a mut [f32],
    y: &'a [f32],
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        for (x, y) in self.x.chunks_mut(LANES).zip(self.y.chunks(LANES)) {
            let sum = lanes.add(lanes.load_or(x, 0.0), lanes.load_or(y, 0.0));
            lanes.store_up_to(lanes.canonical(sum), x);
        }
    }
}

struct AddScaled<'a> {
    x: &'a mut [f32],
    weight: f32,
    y: &'a [f32],
}

impl Kernel for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let weight = lanes.splat(self.weight);
        for (x, y) in self.x.chunks_mut(LANES).zip(self.y.chunks(LANES)) {
            let sum = lanes.mul_add(weight, lanes.load_or(y, 0.0), lanes.load_or(x, 0.0));
            lanes.store_up_to(lanes.canonical(sum), x);
        }
    }
}
