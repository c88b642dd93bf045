//! The run folder: manifest, metrics and tables.

pub mod assignment;
pub mod bounded;
pub mod channel;
pub mod columns;
pub mod comparison;
pub mod drawn;
pub mod events;
pub mod expert_pairs;
pub mod folder;
pub mod host;
pub mod manifest;
pub mod metrics;
pub mod outcomes;
pub mod pages;
pub mod parting;
pub mod perfetto;
pub mod points;
pub mod publish;
pub mod readable;
pub mod student;
pub mod summary;
pub mod sweep_record;
pub mod tables;
pub mod tensors;
pub mod terminal;
