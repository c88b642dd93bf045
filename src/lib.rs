//! airloom co-simulates large-language-model inference spread over a wireless
//! network. One deterministic discrete-event run yields latency, energy **and**
//! accuracy: real tensors from a candle forward pass travel through a simulated
//! radio channel, on the same clock that times the compute.
//!
//! # The house
//!
//! ```text
//! scenario.ron ─▶ scenario     parse, check, fill defaults; every quantity carries its unit
//!                    │
//!                    ▼
//!                simulation    run │ sweep │ replay: a scenario in, a run folder out
//!                    │
//!                    ▼
//!                execution     the one program: moves batches through the stages of their
//!                    │         placement, and emits each as a graph of tasks; it asks
//!                    │
//!                    │   topology    who is joined with whom       policy    what to choose
//!                    │   serving     who is served next            medium    what a transfer takes
//!                    │   placement   which part is on which node   numerics  what tensors become
//!                    ▼
//!                 engine       runs the graph on simulated time (processes on desim)
//!                    │
//!                    ▼
//!               measurement    what its records add up to
//!                    │
//!                    ▼
//!                 results      trace, metrics, manifest ─▶ tables, figures, timeline
//!                    │
//!                    ▼
//!                 analysis     a finished run explained: its critical path
//! ```
//!
//! An architecture is no room: it is a scenario, which says where the parts of a model lie, which
//! links join them, and how requests are served.
//!
//! Each room knows only the rooms before it in this table.
//!
//! | room | holds |
//! | --- | --- |
//! | [`units`] [`text`] [`rng`] [`digest`] [`files`] [`whole`] [`interrupt`] | quantities, names of randomness, bytes from and to disk |
//! | [`engine`] | simulated time, tasks, resources, barriers, the log; the only room that names desim |
//! | [`model`] | shapes of models: operations, bytes, footprints of parts; no tensors |
//! | [`device`] | time, energy, memory of work on a profile |
//! | [`radio`] | fading, path loss, rates, all-reduces, on plain slices |
//! | [`trust`] | how far numbers can be trusted: what a metric rests on, and how that is known |
//! | [`topology`] | named nodes, the links between them, ways from one to another |
//! | [`corpus`] [`numerics`] | texts; kernels, weights, tokenizers, models stepped stage by stage, slice by slice |
//! | [`policy`] | decisions on plain slices: transceivers, assignment, selection, bandwidth, partitions |
//! | [`medium`] | links as a system uses them: messages over cells and wires, shared bands, weather |
//! | [`placement`] | which part of a model lies on which node, as a scenario says it, and found |
//! | [`measurement`] [`observer`] | what a run measures, and who watches it |
//! | [`serving`] | requests, arrivals, queues, schedulers, choice of replica |
//! | [`execution`] | the one program that the engine runs |
//! | [`scenario`] | the schema, its texts, overrides, sweeps, faults |
//! | [`results`] | run folders, tables, metrics |
//! | [`figures`] | every picture, drawn by plotters on a canvas of our own |
//! | [`report`] | pages for a browser: a run, a sweep, two runs side by side |
//! | [`calibration`] | from tables of measured boards to profiles, with their error |
//! | [`analysis`] | explanations |
//! | [`simulation`] [`cli`] | run, sweep, replay; verbs |
#![feature(coroutines, coroutine_trait, stmt_expr_attributes)]
#![warn(missing_docs)]
// clippy.toml lists what would let bits depend on the machine. Tests may use it.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]
// Printing panics when nobody reads; the command line has words that do not.
#![cfg_attr(not(test), warn(clippy::print_stderr, clippy::print_stdout))]

pub mod analysis;
mod background;
pub mod calibration;
pub mod cli;
pub mod corpus;
pub mod device;
pub mod digest;
pub mod engine;
pub mod execution;
pub mod figures;
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
pub mod report;
pub mod results;
pub mod rng;
pub mod scenario;
pub mod serving;
pub mod simulation;
pub mod text;
pub mod topology;
pub mod trust;
pub mod units;
pub mod whole;
mod wide;
