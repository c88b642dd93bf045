//! Real tensors: kernels, weights, tokenizer and the models themselves.

pub mod kernels;
pub mod train;
