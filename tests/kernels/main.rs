//! Law 1 of the kernels: each has the bits of its definition, on every path, for
//! every batch and on every number of threads; and each computes what it claims
//! to, against `f64`.

mod attention;
mod attention_lengths;
mod block_matrices;
mod blocks;
mod likelihood;
mod matmul;
mod narrow;
mod portability;
mod quantised;
mod rope;
mod rounded_cache;
mod row_counts;
mod rows;
mod values;
