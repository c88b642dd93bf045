//! The run folder: manifest, metrics, tables and figures.
