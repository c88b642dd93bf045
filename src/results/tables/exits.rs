//! `exits.csv`.

use crate::measurement::ExitRecord;
use serde::Serialize;

/// The file's name.
pub(super) const EXITS: &str = "exits.csv";

#[derive(Debug, Serialize)]
struct Row {
    request: u32,
    step: u32,
    layers: u32,
    of_layers: u32,
    margin: Option<f64>,
    agrees: bool,
    nats: f64,
    whole_nats: f64,
}

/// A row of the table.
pub(super) fn row(exit: &ExitRecord) -> impl Serialize {
    Row {
        request: exit.request,
        step: exit.step,
        layers: exit.layers,
        of_layers: exit.of_layers,
        margin: exit.margin,
        agrees: exit.agrees,
        nats: exit.nats,
        whole_nats: exit.whole_nats,
    }
}
