//! Files and arguments from outside, damaged at random: none makes the program panic, run on
//! for ever, or take memory by what it claims.
//!
//! ```text
//! regressions/TARGET/* ─┐
//!                       ├─▶ target: reads the input, checks what the error says
//! seeds ─▶ Mutator ─────┘
//! ```
//!
//! Every target reads all its regressions, which are inputs that once did harm, then its seeds
//! as they are, then a fixed number of seeds damaged by a generator with a fixed seed: the same
//! inputs on every machine. The process may hold no more than [`campaign::MOST_MEMORY`].
//! `AIRLOOM_FUZZ_INPUTS=100000 AIRLOOM_FUZZ_SEED=7 cargo test --release --test fuzz NAME` looks
//! further. An input that does harm is kept in `target/tmp/fuzz/TARGET`; once the fault is
//! mended it becomes a regression.

mod campaign;
mod folders;
mod grids;
mod models;
mod mutator;
mod requests;
mod scenarios;
