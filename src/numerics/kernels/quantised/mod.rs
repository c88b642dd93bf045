//! Products with weights that stay quantised in memory.
//!
//! [`BlockMatrix`] holds weights in blocks of 32 inputs, either read from a file
//! ([`BlockMatrix::from_bytes`]) or rounded ([`BlockMatrix::round`]). A product rounds each row of
//! activations to 8 bits once ([`RoundedRows`]), adds products of integers exactly, block by block,
//! and adds blocks in one order of fused multiply–adds, on every path the same
//! ([`Kernels::block_matmul`](super::Kernels::block_matmul)).

#[cfg(target_arch = "x86_64")]
mod avx2;
mod cuts;
mod format;
mod ggml;
mod integers;
mod matrix;
mod product;
mod round;
mod rows;
mod tile;
#[cfg(target_arch = "x86_64")]
mod vnni;

pub use format::{BLOCK, BlockFormat};
pub use matrix::BlockMatrix;
pub use product::Columns;
pub use rows::RoundedRows;

pub(super) use integers::{IntegerKernel, Integers};
#[cfg(target_arch = "x86_64")]
pub(super) use vnni::Vnni;
