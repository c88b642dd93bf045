//! `requests.csv` and `answers.csv`.

use super::{REQUESTS, TableError, not_negative_if_any, read_rows, written};
use crate::measurement::{AnswerRecord, Goals, Mode, RequestRecord};
use crate::results::folder::{FileDigest, FolderError, Staging};
use crate::units::{Duration, Instant};
use serde::{Deserialize, Serialize};
use std::path::Path;

#[derive(Serialize)]
struct RequestRow<'a> {
    request: u32,
    mode: &'static str,
    from: Option<&'a str>,
    replica: Option<u32>,
    priority: u32,
    arrival_ps: u64,
    start_ps: Option<u64>,
    first_token_ps: Option<u64>,
    end_ps: u64,
    queueing_s: Option<f64>,
    ttft_s: Option<f64>,
    tpot_s: Option<f64>,
    longest_gap_s: Option<f64>,
    e2e_latency_s: Option<f64>,
    goal_met: Option<bool>,
    rejected: Option<&'a str>,
    preemptions: u32,
    recomputed_tokens: u64,
    reused_tokens: u64,
    input_tokens: u64,
    output_tokens: u64,
    scored_tokens: u64,
    perplexity: Option<f64>,
    source_perplexity: Option<f64>,
    energy_j: Option<f64>,
    energy_first_token_j: Option<f64>,
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

/// Writes `requests.csv`.
pub(super) fn write(
    staging: &Staging,
    requests: &[RequestRecord],
    nodes: &[String],
    goals: &Goals,
) -> Result<FileDigest, FolderError> {
    let rows = requests.iter().map(|request| {
        let perplexity = |nats: f64| libm::exp(nats / request.scored_tokens as f64);
        let scored = request.scored_tokens > 0;
        RequestRow {
            request: request.request,
            mode: request.mode.name(),
            from: request.from.map(|node| nodes[node as usize].as_str()),
            replica: request.replica,
            priority: request.priority,
            arrival_ps: request.arrival.0,
            start_ps: request.admitted.map(|Instant(ps)| ps),
            first_token_ps: request.first_token.map(|Instant(ps)| ps),
            end_ps: request.end.0,
            queueing_s: request.queueing().map(Duration::as_seconds),
            ttft_s: request.ttft().map(Duration::as_seconds),
            tpot_s: request.tpot_s(),
            longest_gap_s: request.longest_gap.map(Duration::as_seconds),
            e2e_latency_s: request.latency().map(Duration::as_seconds),
            goal_met: goals.met(request),
            rejected: request.rejected.as_deref(),
            preemptions: request.preemptions,
            recomputed_tokens: request.recomputed_tokens,
            reused_tokens: request.reused_tokens,
            input_tokens: request.input_tokens,
            output_tokens: request.output_tokens,
            scored_tokens: request.scored_tokens,
            perplexity: request
                .negative_log_likelihood
                .filter(|_| scored)
                .map(perplexity),
            source_perplexity: request.source_nats.filter(|_| scored).map(perplexity),
            energy_j: request.energy_j,
            energy_first_token_j: request.energy_first_token_j,
            text: request.text.as_deref(),
        }
    });
    written(staging, REQUESTS, rows)
}

/// A row of `answers.csv`.
pub(super) fn answer_row(answer: &AnswerRecord) -> impl Serialize {
    AnswerRow {
        request: answer.request,
        question: answer.question,
        suite: answer.suite.name(),
        choices: answer.choices,
        answer: answer.answer,
        chosen: answer.chosen,
        right: answer.chosen == answer.answer,
        margin_nats: answer.margin_nats,
    }
}

#[derive(Deserialize)]
struct Text {
    request: u32,
    text: Option<String>,
}

/// The texts that the run in `folder` generated, each with its request; none if it had more
/// than `most` requests.
///
/// # Errors
/// If `requests.csv` is missing or damaged.
pub fn read_texts(folder: &Path, most: usize) -> Result<Vec<(u32, String)>, TableError> {
    let mut texts = Vec::new();
    for (number, row) in read_rows::<Text>(folder, REQUESTS)?.enumerate() {
        let row = row?;
        if number == most {
            return Ok(Vec::new());
        }
        texts.extend(row.text.map(|text| (row.request, text)));
    }
    Ok(texts)
}

/// What `requests.csv` says of latencies, in seconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Latencies {
    /// Of first tokens.
    pub ttft: Vec<f64>,
    /// Per output token.
    pub tpot: Vec<f64>,
    /// From arrival to the last token.
    pub e2e: Vec<f64>,
}

#[derive(Deserialize)]
struct Latency {
    mode: String,
    #[serde(deserialize_with = "not_negative_if_any")]
    ttft_s: Option<f64>,
    #[serde(deserialize_with = "not_negative_if_any")]
    tpot_s: Option<f64>,
    #[serde(deserialize_with = "not_negative_if_any")]
    e2e_latency_s: Option<f64>,
}

/// The latencies of the requests that generated in the run in `folder`.
///
/// # Errors
/// If `requests.csv` is missing or damaged.
pub fn read_latencies(folder: &Path) -> Result<Latencies, TableError> {
    let mut latencies = Latencies::default();
    for row in read_rows::<Latency>(folder, REQUESTS)? {
        let row = row?;
        if row.mode == Mode::Generate.name() {
            latencies.ttft.extend(row.ttft_s);
            latencies.tpot.extend(row.tpot_s);
            latencies.e2e.extend(row.e2e_latency_s);
        }
    }
    Ok(latencies)
}
