//! Scenarios as people write them: what is refused and how, what overrides and sweeps
//! change, and the files that ship.

mod bad_input;
mod changes;
mod files;
mod json;
mod systems;
