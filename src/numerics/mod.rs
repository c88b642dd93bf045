//! Real tensors: kernels, weights, tokenizer and the models themselves.
//!
//! The only room that names candle. [`Llama`] is a model as published or drawn;
//! [`Llama::shard`] packs it for the devices of a
//! [`ShardPlan`](crate::model::ShardPlan) into a [`ShardedLlama`], which steps
//! block by block and leaves every all-reduce to its caller. [`Mixtral`] steps block by block
//! too and leaves to its caller which experts see which tokens.
//!
//! A step takes the tokens of one sequence, or of several at once: [`Hidden`] then holds their rows
//! slice by slice, each slice with a [`KvCache`] of its own, and a row's bits do not depend on the
//! others. A model may be packed in parts: a plan that covers some layers
//! ([`ShardPlan::covering`](crate::model::ShardPlan::covering)) makes one stage of a pipeline.
//!
//! # What candle does, and what our kernels do inside it
//!
//! ```text
//! candle tensors     weights as stored and packed, hidden states, projections, keys and values,
//!                    router weights, logits
//! candle operations  embed ─ rms-norm ─ project ─ rotate ─ remember ─ attend ─ silu-mul ─ softmax
//!                    ─ add ─ add-weighted: custom in-place operations (`ops`), and candle's own where
//!                    values are only moved: slice_set, index_select, zero_set, to_dtype
//! our kernels        every sum and every function within a custom operation ([`kernels`])
//! plain slices       what enters from a network or leaves for one ([`Values`]); tables of angles
//! ```
//!
//! A pass of a model is a chain of candle operations on candle tensors: memory, shapes,
//! locks, and the check that an operation's sources are not its destination are candle's.
//! What candle does not do is add up, because the bits of its products, sums and softmax
//! depend on the CPU and on how many rows there are: inside each operation one of our
//! kernels computes on the tensors' slices, and its bits depend on neither, nor on threads.
//!
//! Operations are in-place, on tensors that a [`Workspace`] keeps (`matrix`), so that a LLaMA's decode
//! step allocates nothing, however many sequences are in it. A Mixtral's experts run the same operations on
//! tensors that live for one step, for which tokens visit them differs from step to step.

mod attention;
mod block_product;
mod blocks;
mod checkpoint;
mod config;
mod division;
mod embedding;
mod error;
mod exits;
mod families;
mod feed_forward;
mod folder;
mod foreign;
mod formats;
mod forward;
mod generation;
mod gguf;
mod json;
pub mod kernels;
mod kv_cache;
mod llama;
mod logits;
mod matrix;
mod mixtral;
mod mlp;
mod model_file;
mod norm;
mod ops;
mod packing;
mod rope;
mod rope_settings;
mod rounding;
mod routing;
mod score;
mod settings;
mod sharded;
mod source;
mod state;
mod stored;
mod tokenizer;
pub mod train;
mod weights;
mod weights_file;

pub use config::ModelConfig;
pub use error::{LoadError, StepError};
pub use exits::{EXITS_FILE, ExitHeads};
pub use folder::{architecture, describe, inspect};
pub use forward::Sublayer;
pub use kernels::CacheFormat;
pub use kv_cache::{CachedLayers, KvCache};
pub use llama::Llama;
pub use logits::Rows;
pub use matrix::Values;
pub use mixtral::{Contribution, Mixtral};
pub use model_file::FileDigest;
pub use rope::{Rope, RopeScaling};
pub use rounding::{Groups, Rounding};
pub use routing::{Routing, strongest, top_experts};
pub use score::{greedy, score};
pub use sharded::ShardedLlama;
pub use state::{Hidden, Slice, Workspace};
pub use tokenizer::Tokenizer;
