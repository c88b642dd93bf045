//! The run folder: manifest, metrics, tables and figures.

pub mod folder;
pub mod manifest;
pub mod metrics;
pub mod tables;
