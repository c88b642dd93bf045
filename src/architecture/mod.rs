//! The programs: how a forward pass is spread over devices and radio.

pub mod measurement;
pub mod workload;
