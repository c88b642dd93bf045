//! How a stream of requests was served: rates, goals, and who was turned away. These are the
//! metrics of several requests; a single one has no rate.

use super::mean::Mean;
use super::{Collector, Definition};
use crate::measurement::{Goals, Mode, RequestRecord};
use crate::units::{Duration, Instant};

/// When the metrics of a stream of requests are there.
pub(super) const STREAM: &str = "the workload has two requests or more";
const GOALS: &str = "the workload has two requests or more, and the scenario has goals";

/// Definitions in the order of the file.
macro_rules! define {
    ($($rests_on:ident $name:literal $symbol:literal $unit:literal $meaning:literal $present:expr;)*) => {
        &[$($crate::results::metrics::Definition {
            name: $name,
            symbol: $symbol,
            unit: $unit,
            meaning: $meaning,
            present: $present,
            rests_on: $crate::trust::RestsOn::$rests_on,
        }),*]
    };
}
pub(super) use define;

pub(super) const DEFINITIONS: &[Definition] = define! {
    TIME "window_s" "" "s" "from the first arrival to the last completion" STREAM;
    NOTHING "requests_arrived" "" "1" "requests that arrived" STREAM;
    TIME "requests_completed" "" "1" "requests that were answered" STREAM;
    TIME "requests_rejected" "" "1" "requests that were turned away, or could never be served" STREAM;
    TIME "requests_per_s" "RPS" "1/s" "requests_completed over window_s" STREAM;
    TIME "prefill_tokens_per_s" "" "1/s" "tokens of the prompts and texts of answered requests over window_s" STREAM;
    TIME "decode_tokens_per_s" "" "1/s" "tokens generated for answered requests over window_s" STREAM;
    TIME "preemptions" "" "1" "how often a request had to leave and wait again" STREAM;
    TIME "recomputed_tokens" "" "1" "tokens read again after preemptions" STREAM;
    TIME "reused_tokens" "" "1" "tokens of prompts that were not read because another request's cache held them" STREAM;
    TIME "goals_met" "" "1" "requests that met every goal; a rejected one meets none, and a goal for what a request does not have is met" GOALS;
    TIME "goodput_per_s" "" "1/s" "goals_met over window_s" GOALS;
    TIME "goal_share" "" "1" "goals_met over requests_arrived" GOALS;
};

pub(super) const CLASSES: &[Definition] = define! {
    NOTHING "siso_requests" "SISO" "1" "Generate requests of short prompt and short output: up to 1000 and up to 128 tokens" "there is one, of two requests or more";
    PROMPTS "siso_ttft_s" "" "s" "their mean TTFT" "siso_requests is";
    NOTHING "silo_requests" "SILO" "1" "Generate requests of short prompt and long output" "there is one, of two requests or more";
    PROMPTS "silo_ttft_s" "" "s" "their mean TTFT" "silo_requests is";
    NOTHING "liso_requests" "LISO" "1" "Generate requests of long prompt and short output" "there is one, of two requests or more";
    PROMPTS "liso_ttft_s" "" "s" "their mean TTFT" "liso_requests is";
    NOTHING "lilo_requests" "LILO" "1" "Generate requests of long prompt and long output" "there is one, of two requests or more";
    PROMPTS "lilo_ttft_s" "" "s" "their mean TTFT" "lilo_requests is";
};

/// Tokens of the longest prompt and of the longest output that count as short.
const SHORT: (u64, u64) = (1000, 128);

/// From the first arrival to the last completion; `None` of fewer than two requests.
pub(super) fn window(requests: &[RequestRecord]) -> Option<Duration> {
    let several = requests.len() > 1;
    let first = requests.iter().map(|request| request.arrival).min()?;
    let answered = requests.iter().filter(|request| request.is_answered());
    let last = answered.map(|request| request.end).max();
    several.then(|| last.map_or(Duration::ZERO, |last: Instant| last.since(first)))
}

pub(super) fn collect(requests: &[RequestRecord], goals: &Goals, metrics: &mut Collector) {
    let Some(window) = window(requests) else {
        return;
    };
    let seconds = window.as_seconds();
    let answered = || requests.iter().filter(|request| request.is_answered());
    let sum = |count: fn(&RequestRecord) -> u64| answered().map(count).sum::<u64>() as f64;
    let completed = answered().count() as f64;
    let arrived = requests.len() as f64;
    metrics.put("window_s", seconds);
    metrics.put("requests_arrived", arrived);
    metrics.put("requests_completed", completed);
    metrics.put("requests_rejected", arrived - completed);
    // Where all were turned away the window is empty, and none of them was served in it.
    let per_s = |count: f64| {
        if completed > 0.0 {
            count / seconds
        } else {
            0.0
        }
    };
    metrics.put("requests_per_s", per_s(completed));
    metrics.put("prefill_tokens_per_s", per_s(sum(|it| it.input_tokens)));
    metrics.put("decode_tokens_per_s", per_s(sum(|it| it.output_tokens)));
    let of_all = |count: fn(&RequestRecord) -> u64| requests.iter().map(count).sum::<u64>() as f64;
    metrics.put("preemptions", of_all(|it| u64::from(it.preemptions)));
    metrics.put("recomputed_tokens", of_all(|it| it.recomputed_tokens));
    metrics.put("reused_tokens", of_all(|it| it.reused_tokens));
    let met: Option<u64> = requests
        .iter()
        .map(|request| goals.met(request).map(u64::from))
        .sum();
    if let Some(met) = met.map(|met| met as f64) {
        metrics.put("goals_met", met);
        metrics.put("goodput_per_s", per_s(met));
        metrics.put("goal_share", met / arrived);
    }
    for (prompt, output, count, ttft) in [
        (false, false, "siso_requests", "siso_ttft_s"),
        (false, true, "silo_requests", "silo_ttft_s"),
        (true, false, "liso_requests", "liso_ttft_s"),
        (true, true, "lilo_requests", "lilo_ttft_s"),
    ] {
        let (longest_prompt, longest_output) = SHORT;
        let class = answered().filter(|request| {
            request.mode == Mode::Generate
                && (request.input_tokens > longest_prompt) == prompt
                && (request.output_tokens > longest_output) == output
        });
        let mut times = Mean::default();
        for request in class {
            times.add(request.ttft().map_or(0.0, Duration::as_seconds));
        }
        if times.count > 0 {
            metrics.put(count, times.count as f64);
            metrics.put(ttft, times.value());
        }
    }
}
