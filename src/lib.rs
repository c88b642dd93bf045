//! airloom co-simulates large-language-model inference spread over a wireless
//! network. One deterministic discrete-event run yields latency, energy **and**
//! accuracy: real tensors from a candle forward pass travel through a simulated
//! radio channel, on the same clock that times the compute.
//!
//! # The house
//!
//! ```text
//! scenario.ron ─▶ scenario      parse, check, fill defaults; every quantity carries its unit
//!                    │
//!                    ▼
//!                 simulation    run │ sweep: a scenario in, a run folder out
//!                    │
//!                    ▼
//!                 architecture  owns the loop over blocks: asks policies, steps numerics,
//!                    │          emits each block as a graph of tasks
//!                    ▼
//!                 engine        runs the graph on simulated time (processes on desim)
//!                    │
//!                    ▼
//!                 results       trace, metrics, manifest ─▶ tables, figures, timeline
//!                    │
//!                    ▼
//!                 analysis      a finished run explained: its critical path
//! ```
//!
//! Each room knows only the rooms before it in this list: [`units`], [`text`], [`rng`],
//! [`digest`], [`files`], [`whole`] and [`interrupt`],
//! [`engine`], [`model`], [`device`], [`radio`], [`topology`], [`corpus`], [`numerics`],
//! [`policy`], [`medium`], [`placement`], [`serving`], [`architecture`], [`scenario`], [`results`], [`analysis`],
//! [`simulation`], [`cli`].
#![feature(coroutines, coroutine_trait, stmt_expr_attributes)]
#![warn(missing_docs)]
// clippy.toml lists what would let bits depend on the machine. Tests may use it.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]
// Printing panics when nobody reads; the command line has words that do not.
#![cfg_attr(not(test), warn(clippy::print_stderr, clippy::print_stdout))]

pub mod analysis;
pub mod cli;
pub mod corpus;
pub mod device;
pub mod digest;
pub mod engine;
pub mod execution;
pub mod files;
pub mod interrupt;
pub mod manual;
pub mod measurement;
pub mod medium;
pub mod model;
pub mod numerics;
pub mod observer;
pub mod placement;
pub mod policy;
pub mod radio;
mod registry;
pub mod results;
pub mod rng;
pub mod scenario;
pub mod serving;
pub mod simulation;
pub mod text;
pub mod topology;
pub mod units;
pub mod whole;
mod wide;
