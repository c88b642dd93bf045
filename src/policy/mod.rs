//! Decisions on plain slices: model assignment and transceiver design.
