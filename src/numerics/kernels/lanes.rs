//! Sixteen lanes of `f32`: the only way in which kernels compute.
//!
//! Kernels are written once over [`Lanes`]; each path implements it with its own
//! instructions. Every operation is defined to the bit by IEEE 754 (round to
//! nearest, ties to even, subnormals kept), so a kernel whose order of
//! operations is fixed has the same bits on every path. The vector is sixteen
//! lanes wide everywhere, whatever the hardware's width, so that sums along a row
//! split into the same partial sums. An operation whose result IEEE 754 leaves
//! open must never be added here; the payload of a NaN is open everywhere, which
//! is why kernels store through [`Lanes::canonical`].

use super::panel::{Operands, Step};

/// Number of lanes in a vector.
pub(super) const LANES: usize = 16;

/// The operations of one path on vectors of [`LANES`] values.
///
/// A value of an implementing type proves that the CPU has the instructions.
pub(super) trait Lanes: Copy + Send + Sync {
    /// Sixteen values.
    type Vector: Copy;

    /// Rows of a [`tile`](Lanes::tile) that the registers hold, at most 6.
    const TILE_ROWS: usize;

    /// Steps of a [`tile`](Lanes::tile) after which the next tile's turn comes, so that the
    /// weights that both read are still in a cache.
    const TILE_DEPTH: usize;

    /// Vectors per row that the registers hold in a [`tile`](Lanes::tile) of `rows`, at most 6.
    fn tile_vectors(rows: usize) -> usize;

    /// Runs `kernel` in a function compiled for this path.
    fn enter<K: Kernel>(self, kernel: K) -> K::Output;

    /// `value` in every lane.
    fn splat(self, value: f32) -> Self::Vector;
    /// Lane i holds `values[i]`.
    fn load(self, values: &[f32; LANES]) -> Self::Vector;
    /// `to[i]` becomes lane i.
    fn store(self, vector: Self::Vector, to: &mut [f32; LANES]);
    /// a + b.
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a − b.
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a · b.
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a / b.
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a · b + c, rounded once.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// a where a > b, else b: so b where either is NaN.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a where a < b, else b: so b where either is NaN.
    fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// −|a|, the sign of a NaN being open.
    fn negative_abs(self, a: Self::Vector) -> Self::Vector;
    /// b where a < 0, else c.
    fn where_negative(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// a · 2ⁿ rounded once, for finite a in [½, 2] and integral n in [−152, 130];
    /// NaN where a is NaN.
    fn scale(self, a: Self::Vector, n: Self::Vector) -> Self::Vector;
    /// The vector with each NaN replaced by `f32::NAN` (0x7fc00000).
    fn canonical(self, a: Self::Vector) -> Self::Vector;

    /// `acc[r][v]` ← fma over k = 0, 1, … of (value k of row r) · (vector v of row k).
    ///
    /// Each lane is one chain: acc ← fma(a, b, acc), k ascending.
    #[inline(always)]
    fn tile<const R: usize, const V: usize>(
        self,
        operands: Operands<'_, R, V>,
        acc: &mut [[Self::Vector; V]; R],
    ) {
        fused_tile(self, operands, acc);
    }

    /// A vector from the first values of `values`, `fill` beyond its end.
    #[inline(always)]
    fn load_or(self, values: &[f32], fill: f32) -> Self::Vector {
        match values.first_chunk() {
            Some(full) => self.load(full),
            None => {
                let mut padded = [fill; LANES];
                padded[..values.len()].copy_from_slice(values);
                self.load(&padded)
            }
        }
    }

    /// Stores the first lanes, as many as `to` has room for.
    #[inline(always)]
    fn store_up_to(self, vector: Self::Vector, to: &mut [f32]) {
        match to.first_chunk_mut() {
            Some(full) => self.store(vector, full),
            None => {
                let mut all = [0.0; LANES];
                self.store(vector, &mut all);
                let len = to.len();
                to.copy_from_slice(&all[..len]);
            }
        }
    }

    /// Adds the lanes in a fixed tree: lane i and i + 8, then i + 4, i + 2, i + 1.
    #[inline(always)]
    fn sum(self, vector: Self::Vector) -> f32 {
        self.reduce(vector, |a, b| a + b)
    }

    /// The greatest lane, in the same tree; a NaN may or may not survive.
    #[inline(always)]
    fn greatest(self, vector: Self::Vector) -> f32 {
        self.reduce(vector, |a, b| if a > b { a } else { b })
    }

    /// Combines the lanes in the tree of [`Lanes::sum`].
    #[inline(always)]
    fn reduce(self, vector: Self::Vector, combine: impl Fn(f32, f32) -> f32) -> f32 {
        let mut lanes = [0.0; LANES];
        self.store(vector, &mut lanes);
        let mut half = LANES / 2;
        while half > 0 {
            for i in 0..half {
                lanes[i] = combine(lanes[i], lanes[i + half]);
            }
            half /= 2;
        }
        lanes[0]
    }
}

/// A computation that can be compiled for any path.
///
/// Implementations mark [`run`](Kernel::run) `#[inline(always)]`, so that it
/// becomes part of the function with the path's instructions.
pub(super) trait Kernel {
    /// What it yields.
    type Output;
    /// Computes on `lanes`.
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// Steps of a tile between two looks at how many are left.
const UNROLLED: usize = 4;
/// Chains beyond which registers are too few for what more steps would load ahead.
const MOST_UNROLLED: usize = 12;

/// [`Lanes::tile`] by [`Lanes::mul_add`].
#[inline(always)]
pub(super) fn fused_tile<L: Lanes, const R: usize, const V: usize>(
    lanes: L,
    operands: Operands<'_, R, V>,
    acc: &mut [[L::Vector; V]; R],
) {
    let mut local = *acc;
    let mut from = 0;
    if R * V <= MOST_UNROLLED {
        for step in operands.steps::<UNROLLED>(0) {
            for u in 0..UNROLLED {
                fused_step(lanes, &step, u, &mut local);
            }
        }
        from = operands.depth() - operands.depth() % UNROLLED;
    }
    for step in operands.steps::<1>(from) {
        fused_step(lanes, &step, 0, &mut local);
    }
    *acc = local;
}

/// One step of every chain of a tile.
#[inline(always)]
fn fused_step<L: Lanes, const R: usize, const V: usize, const U: usize>(
    lanes: L,
    step: &Step<'_, R, V, U>,
    u: usize,
    acc: &mut [[L::Vector; V]; R],
) {
    let mut weights = [lanes.splat(0.0); V];
    for (v, weights) in weights.iter_mut().enumerate() {
        *weights = lanes.load(step.vector(v, u));
    }
    for (r, acc) in acc.iter_mut().enumerate() {
        let x = lanes.splat(step.x(r, u));
        for (acc, &weights) in acc.iter_mut().zip(&weights) {
            *acc = lanes.mul_add(x, weights, *acc);
        }
    }
}
