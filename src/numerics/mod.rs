//! Real tensors: kernels, weights, tokenizer and the models themselves.
//!
//! The only room that names candle. [`Llama`] is a model as published or drawn;
//! [`Llama::shard`] packs it for the devices of a
//! [`ShardPlan`](crate::model::ShardPlan) into a [`ShardedLlama`], which steps
//! block by block and leaves every all-reduce to its caller. [`Mixtral`] steps block by block
//! too and leaves to its caller which experts see which tokens. Sums are made by our
//! own [`kernels`], whose bits do not depend on the CPU, on threads, or on what
//! else is computed at the same time; candle's tensors hold them.

mod attention;
mod blocks;
mod buffer;
mod checkpoint;
mod config;
mod error;
mod expert;
mod folder;
mod formats;
mod forward;
mod generation;
mod json;
pub mod kernels;
mod llama;
mod mixtral;
mod mlp;
mod model_file;
mod ops;
mod packing;
mod rope;
mod routing;
mod score;
mod sharded;
mod source;
mod state;
mod tokenizer;
pub mod train;
mod weights;
mod weights_file;

pub use config::ModelConfig;
pub use error::{LoadError, StepError};
pub use folder::inspect;
pub use forward::Block;
pub use llama::Llama;
pub use mixtral::{Contribution, Mixtral};
pub use model_file::FileDigest;
pub use rope::{Rope, RopeScaling};
pub use routing::{Routing, top_experts};
pub use score::{greedy, score};
pub use sharded::{Rows, ShardedLlama};
pub use state::{Hidden, KvCache, Workspace};
pub use tokenizer::Tokenizer;
