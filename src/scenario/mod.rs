//! Scenarios: the RON schema, overrides and their errors.
