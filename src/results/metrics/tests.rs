//! Metrics against a naive recomputation.
