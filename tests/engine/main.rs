//! The engine from outside: its laws on random task graphs, small programs known by
//! hand, and every way to fail. One binary, for linking is what takes time.

mod failures;
mod laws;
mod plan;
mod reference;
mod runs;
