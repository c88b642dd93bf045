//! Kernels whose bits are ours.
//!
//! Every function here defines its result to the bit: which operations, in which
//! order, each rounded how. So a result never depends on the CPU, on the number
//! of threads, on how many other rows were computed with it, or on whether the
//! build is a debug or a release build. Everything works on plain `f32` slices,
//! row-major, and allocates nothing: weights are [`Packed`] once, or a
//! [`BlockMatrix`] of quantised ones; scratch comes from the caller.
//!
//! Three [`Path`]s compute the same bits: AVX-512, AVX2 with FMA, and a portable
//! one that computes fused multiply–adds exactly in software. [`Kernels::active`]
//! picks the fastest that the CPU can run, unless the environment variable
//! `AIRLOOM_KERNELS` (`portable`, `avx2`, `avx512`) picks one.
//!
//! # How it is kept true
//!
//! - Each kernel is written once, over sixteen lanes; a path supplies only single
//!   operations that IEEE 754 defines completely.
//! - Sums over k in products are chains of fused multiply–adds, k ascending, one chain per
//!   output. Sums along a row are sixteen interleaved partial sums, added in a fixed tree.
//! - Products with weights in blocks ([`BlockMatrix`]) round activations to 8 bits, add integers, which
//!   have no order, and then blocks, k ascending.
//! - eˣ is a polynomial of our own; angles come from `libm`, never from the platform.
//! - A NaN leaves a kernel as `f32::NAN` (0x7fc00000), whatever it was on the way: its payload is the
//!   one thing that IEEE 754 leaves open. Signed zeros and subnormals are kept.
//!
//! What must never happen here: a sum whose order depends on the width of a register or on threads,
//! a transcendental function of the standard library, a change to the CPU's rounding or flush-to-zero modes.
//!
//! A slice of the wrong length is a bug of the caller and panics; what comes from outside the
//! program (a file's weights, a token, the environment) yields a [`KernelError`].

mod activation;
mod attention;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod cache;
mod chain;
mod elementwise;
mod embedding;
mod error;
mod exp;
mod fma;
mod lanes;
mod likelihood;
mod log_sum;
mod matmul;
mod narrow;
mod norm;
mod packed;
mod panel;
mod path;
mod portable;
mod quantised;
mod rope;
mod rounded_cache;
mod softmax;

pub use attention::{Queries, attention_scratch_len};
pub use cache::Cache;
pub use embedding::gather;
pub use error::KernelError;
pub use likelihood::{argmax, log_softmax_at, negative_log_likelihood};
pub use packed::{Numbers, Packed, PackedView, Packing, Part};
pub use path::{Kernels, Path, VARIABLE};
pub use quantised::{BLOCK, BlockFormat, BlockMatrix, Columns, RoundedRows};
pub use rope::RopeTable;
pub use rounded_cache::CacheFormat;
