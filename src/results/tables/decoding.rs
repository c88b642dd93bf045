//! What happened to tokens and answers on the way, where decoding is more than one pass after
//! another: `exits.csv`, `rounds.csv` and `first_answers.csv`.

use crate::measurement::{ExitRecord, FirstAnswerRecord, RoundRecord};
use serde::Serialize;

/// A row per token that might leave at exits.
pub(super) const EXITS: &str = "exits.csv";

/// A row per draft that was verified.
pub(super) const ROUNDS: &str = "rounds.csv";

/// A row per answer of a small model.
pub(super) const FIRST_ANSWERS: &str = "first_answers.csv";

#[derive(Debug, Serialize)]
struct ExitRow {
    request: u32,
    step: u32,
    layers: u32,
    of_layers: u32,
    margin: Option<f64>,
    agrees: bool,
    nats: f64,
    whole_nats: f64,
}

pub(super) fn exit(exit: &ExitRecord) -> impl Serialize {
    ExitRow {
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

#[derive(Debug, Serialize)]
struct RoundRow {
    request: u32,
    step: u32,
    replica: u32,
    end_ps: u64,
    drafted: u32,
    accepted: u32,
    tokens: u32,
    wasted_flops: f64,
    wasted_j: Option<f64>,
}

pub(super) fn round(round: &RoundRecord) -> impl Serialize {
    RoundRow {
        request: round.request,
        step: round.step,
        replica: round.replica,
        end_ps: round.at.0,
        drafted: round.drafted,
        accepted: round.accepted,
        tokens: round.tokens,
        wasted_flops: round.wasted_flops,
        wasted_j: round.wasted_j,
    }
}

#[derive(Debug, Serialize)]
struct FirstAnswerRow {
    request: u32,
    replica: u32,
    end_ps: u64,
    stands: bool,
    tokens: u32,
    least_probability: f64,
    spared_bits: u64,
    energy_j: Option<f64>,
}

pub(super) fn first_answer(answer: &FirstAnswerRecord) -> impl Serialize {
    FirstAnswerRow {
        request: answer.request,
        replica: answer.replica,
        end_ps: answer.at.0,
        stands: answer.stands,
        tokens: answer.tokens,
        least_probability: answer.least_probability,
        spared_bits: answer.spared_bits,
        energy_j: answer.energy_j,
    }
}
