//! `requests.csv` and `answers.csv`.

use super::{REQUESTS, TableError, read_rows, write_rows};
use crate::measurement::Measurements;
use crate::results::folder::{FolderError, Staging};
use crate::units::Instant;
use serde::{Deserialize, Serialize};
use std::path::Path;

#[derive(Serialize)]
struct RequestRow<'a> {
    request: u32,
    mode: &'static str,
    arrival_ps: u64,
    start_ps: Option<u64>,
    first_token_ps: Option<u64>,
    end_ps: u64,
    ttft_s: Option<f64>,
    tpot_s: Option<f64>,
    e2e_latency_s: f64,
    input_tokens: u64,
    output_tokens: u64,
    scored_tokens: u64,
    perplexity: Option<f64>,
    source_perplexity: Option<f64>,
    energy_j: Option<f64>,
    text: Option<&'a str>,
}

#[derive(Serialize)]
struct AnswerRow {
    request: u32,
    question: u32,
    suite: &'static str,
    choices: u32,
    answer: u32,
    chosen: u32,
    right: bool,
    margin_nats: Option<f64>,
}

/// Writes `requests.csv`, and `answers.csv` if questions were put.
pub(super) fn write(staging: &mut Staging, run: &Measurements) -> Result<(), FolderError> {
    let requests = run.requests.iter().map(|request| {
        let perplexity = |nats: f64| libm::exp(nats / request.scored_tokens as f64);
        let scored = request.scored_tokens > 0;
        RequestRow {
            request: request.request,
            mode: request.mode.name(),
            arrival_ps: request.arrival.0,
            start_ps: request.admitted.map(|Instant(ps)| ps),
            first_token_ps: request.first_token.map(|Instant(ps)| ps),
            end_ps: request.end.0,
            ttft_s: request
                .first_token
                .map(|first| first.since(request.arrival).as_seconds()),
            tpot_s: request.first_token.and_then(|first| {
                let steps = request.output_tokens.checked_sub(1)?;
                (steps > 0).then(|| request.end.since(first).as_seconds() / steps as f64)
            }),
            e2e_latency_s: request.end.since(request.arrival).as_seconds(),
            input_tokens: request.input_tokens,
            output_tokens: request.output_tokens,
            scored_tokens: request.scored_tokens,
            perplexity: request
                .negative_log_likelihood
                .filter(|_| scored)
                .map(perplexity),
            source_perplexity: request.source_nats.filter(|_| scored).map(perplexity),
            energy_j: request.energy_j,
            text: request.text.as_deref(),
        }
    });
    write_rows(staging, REQUESTS, requests)?;
    if !run.answers.is_empty() {
        let answers = run.answers.iter().map(|answer| AnswerRow {
            request: answer.request,
            question: answer.question,
            suite: answer.suite.name(),
            choices: answer.choices,
            answer: answer.answer,
            chosen: answer.chosen,
            right: answer.chosen == answer.answer,
            margin_nats: answer.margin_nats,
        });
        write_rows(staging, "answers.csv", answers)?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Text {
    request: u32,
    text: Option<String>,
}

/// The texts that the run in `folder` generated, each with its request.
///
/// # Errors
/// If `requests.csv` is missing or damaged.
pub fn read_texts(folder: &Path) -> Result<Vec<(u32, String)>, TableError> {
    let mut texts = Vec::new();
    for row in read_rows::<Text>(folder, REQUESTS)? {
        let row = row?;
        texts.extend(row.text.map(|text| (row.request, text)));
    }
    Ok(texts)
}
