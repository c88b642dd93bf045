//! The CSV files of a run folder: one row type per file, the unit in each
//! column's name. Times are integer picoseconds where they are instants, seconds
//! where they are lengths. An empty cell is a value that was not measured.

use super::folder::{FolderError, Staging};
use crate::architecture::measurement::Measurements;
use crate::units::Instant;
use serde::Serialize;

/// Device column of the server's row in `devices.csv`.
const SERVER: &str = "server";

#[derive(Serialize)]
struct RequestRow<'a> {
    request: u32,
    mode: &'static str,
    arrival_ps: u64,
    start_ps: u64,
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

#[derive(Serialize)]
struct TokenRow<'a> {
    request: u32,
    step: u32,
    mode: &'static str,
    tokens: u64,
    context: u64,
    start_ps: u64,
    end_ps: u64,
    duration_s: f64,
    compute_s: f64,
    uplink_s: f64,
    downlink_s: f64,
    wait_s: f64,
    nats: Option<f64>,
    token_id: Option<u32>,
    token: Option<&'a str>,
}

#[derive(Serialize)]
struct DeviceRow<'a> {
    device: String,
    profile: &'a str,
    share: Option<f64>,
    heads: u64,
    ffn_columns: u64,
    weight_bytes: u64,
    kv_cache_bytes: u64,
    activation_bytes: u64,
    memory_bytes: u64,
    flops: u64,
    uplink_bits: u64,
    compute_s: f64,
    uplink_s: f64,
    downlink_s: f64,
    wait_s: f64,
    energy_compute_j: Option<f64>,
    energy_radio_j: Option<f64>,
    energy_idle_j: Option<f64>,
}

#[derive(Serialize)]
struct BlockRow {
    request: u32,
    step: u32,
    layer: u32,
    half: &'static str,
    start_ps: u64,
    gathered_ps: u64,
    reduced_ps: u64,
    slowest_device: Option<u32>,
    waiting_s: f64,
    mse: Option<f64>,
    noise_mse: Option<f64>,
    analytic_mse: Option<f64>,
    nmse: Option<f64>,
}

#[derive(Serialize)]
struct VisitRow {
    request: u32,
    step: u32,
    layer: u32,
    device: u32,
    tokens: u64,
    bandwidth_hz: f64,
    downlink_s: f64,
    compute_s: f64,
    uplink_s: f64,
    start_ps: u64,
    end_ps: u64,
    wait_s: f64,
    holds_barrier: bool,
    bottleneck: &'static str,
}

#[derive(Serialize)]
struct ExpertRow {
    request: u32,
    step: u32,
    layer: u32,
    expert: u32,
    device: String,
    wanted: u64,
    visits: u64,
    lost: u64,
}

/// Who kept which block waiting: a row per block and device with tokens.
pub const WAITS: &str = "waits.csv";

/// Writes a CSV file of `rows`, whose fields are its columns.
///
/// # Errors
/// If the file system refuses.
pub(super) fn write_rows<R: Serialize>(
    staging: &mut Staging,
    name: &str,
    mut rows: impl Iterator<Item = R>,
) -> Result<(), FolderError> {
    let file = staging.create(name)?;
    let mut writer = csv::Writer::from_writer(file);
    let written = rows
        .try_for_each(|row| writer.serialize(row))
        .and_then(|()| writer.flush().map_err(csv::Error::from));
    match (written, writer.into_inner()) {
        (Ok(()), Ok(file)) => {
            let digest = file.finish()?;
            staging.record(digest);
            Ok(())
        }
        (Err(error), Ok(file)) => Err(file.error(error.into())),
        (_, Err(error)) => {
            let source = std::io::Error::new(error.error().kind(), error.error().to_string());
            Err(FolderError::Io {
                path: staging.shown(name),
                source,
            })
        }
    }
}

/// Writes `requests.csv` and `devices.csv`, and `answers.csv` if questions were put.
///
/// # Errors
/// If the file system refuses.
pub fn write_totals(staging: &mut Staging, run: &Measurements) -> Result<(), FolderError> {
    let requests = run.requests.iter().map(|request| {
        let perplexity = |nats: f64| libm::exp(nats / request.scored_tokens as f64);
        let scored = request.scored_tokens > 0;
        RequestRow {
            request: request.request,
            mode: request.mode.name(),
            arrival_ps: request.arrival.0,
            start_ps: request.start.0,
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
    write_rows(staging, "requests.csv", requests)?;
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
    let devices = run.devices.iter().map(|device| DeviceRow {
        device: device
            .device
            .map_or(SERVER.to_owned(), |number| number.to_string()),
        profile: &device.profile,
        share: device.share,
        heads: device.heads,
        ffn_columns: device.ffn_columns,
        weight_bytes: device.weight_bytes,
        kv_cache_bytes: device.kv_cache_bytes,
        activation_bytes: device.activation_bytes,
        memory_bytes: device.memory_bytes,
        flops: device.flops,
        uplink_bits: device.uplink_bits,
        compute_s: device.compute.as_seconds(),
        uplink_s: device.uplink.as_seconds(),
        downlink_s: device.downlink.as_seconds(),
        wait_s: device.wait.as_seconds(),
        energy_compute_j: device.compute_j,
        energy_radio_j: device.radio_j,
        energy_idle_j: device.idle_j,
    });
    write_rows(staging, "devices.csv", devices)
}

/// Writes `tokens.csv` and `blocks.csv`, and where experts are spread `waits.csv` and
/// `experts.csv`.
///
/// # Errors
/// If the file system refuses.
pub fn write_details(staging: &mut Staging, run: &Measurements) -> Result<(), FolderError> {
    let tokens = run.passes.iter().map(|pass| TokenRow {
        request: pass.request,
        step: pass.step,
        mode: pass.mode.name(),
        tokens: pass.tokens,
        context: pass.context,
        start_ps: pass.start.0,
        end_ps: pass.end.0,
        duration_s: pass.end.since(pass.start).as_seconds(),
        compute_s: pass.split.compute_s,
        uplink_s: pass.split.uplink_s,
        downlink_s: pass.split.downlink_s,
        wait_s: pass.split.wait_s,
        nats: pass.negative_log_likelihood,
        token_id: pass.chosen.as_ref().map(|(id, _)| *id),
        token: pass.chosen.as_ref().map(|(_, text)| text.as_str()),
    });
    write_rows(staging, "tokens.csv", tokens)?;
    let blocks = run.blocks.iter().map(|block| BlockRow {
        request: block.request,
        step: block.step,
        layer: block.layer,
        half: block.half,
        start_ps: block.start.0,
        gathered_ps: block.gathered.0,
        reduced_ps: block.reduced.0,
        slowest_device: block.slowest_device,
        waiting_s: block.waiting.as_seconds(),
        mse: block.felt().map(|felt| felt.mse),
        noise_mse: block.felt().map(|felt| felt.noise_mse),
        analytic_mse: block.distortion.and_then(|d| d.analytic_mse),
        nmse: block.felt().map(|felt| felt.nmse),
    });
    write_rows(staging, "blocks.csv", blocks)?;
    if run.experts.is_empty() {
        return Ok(());
    }
    let visits = run.visits.iter().map(|visit| VisitRow {
        request: visit.request,
        step: visit.step,
        layer: visit.layer,
        device: visit.device,
        tokens: visit.tokens,
        bandwidth_hz: visit.bandwidth_hz,
        downlink_s: visit.downlink.as_seconds(),
        compute_s: visit.compute.as_seconds(),
        uplink_s: visit.uplink.as_seconds(),
        start_ps: visit.start.0,
        end_ps: visit.end.0,
        wait_s: visit.wait.as_seconds(),
        holds_barrier: visit.holds_barrier,
        bottleneck: visit.bottleneck,
    });
    write_rows(staging, WAITS, visits)?;
    let experts = run.experts.iter().map(|expert| ExpertRow {
        request: expert.request,
        step: expert.step,
        layer: expert.layer,
        expert: expert.expert,
        device: expert
            .device
            .map_or(SERVER.to_owned(), |number| number.to_string()),
        wanted: expert.wanted,
        visits: expert.visits,
        lost: expert.lost,
    });
    write_rows(staging, "experts.csv", experts)
}
