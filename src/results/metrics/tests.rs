//! Metrics against a naive recomputation from all records, and on numbers worked by hand.

use super::Metrics;
use crate::measurement::{
    Goals, LoadRecord, Measurements, Mode, PassRecord, RequestRecord, TimeSplit, TokenRecord,
};
use crate::units::Instant;
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000_000;

fn second(seconds: f64) -> Instant {
    Instant((seconds * SECOND as f64).round() as u64)
}

/// A request that generates: when it arrived, began, and got its tokens.
fn request(number: u32, arrival: f64, admitted: f64, tokens: &[f64]) -> RequestRecord {
    let gaps = tokens
        .windows(2)
        .map(|pair| second(pair[1]).since(second(pair[0])));
    RequestRecord {
        request: number,
        mode: Mode::Generate,
        from: None,
        replica: Some(0),
        priority: 0,
        arrival: second(arrival),
        admitted: Some(second(admitted)),
        first_token: tokens.first().map(|at| second(*at)),
        longest_gap: gaps.max(),
        end: second(*tokens.last().unwrap()),
        preemptions: number % 2,
        recomputed_tokens: 0,
        reused_tokens: 3,
        rejected: None,
        input_tokens: 10,
        output_tokens: tokens.len() as u64,
        scored_tokens: 0,
        negative_log_likelihood: None,
        source_nats: None,
        energy_j: Some(2.0),
        energy_first_token_j: Some(0.5),
        text: None,
    }
}

fn measured(requests: Vec<RequestRecord>, tokens: &[(u32, f64)]) -> Measurements {
    let tokens = tokens.iter().map(|(request, at)| TokenRecord {
        request: *request,
        index: 0,
        at: second(*at),
    });
    Measurements {
        requests,
        tokens: tokens.collect(),
        ..Measurements::default()
    }
}

/// Three requests of 1, 3 and 2 tokens and one that is turned away.
fn stream() -> Measurements {
    let rejected = RequestRecord {
        admitted: None,
        first_token: None,
        longest_gap: None,
        rejected: Some("the queue is full".to_owned()),
        output_tokens: 0,
        energy_j: None,
        energy_first_token_j: None,
        ..request(3, 2.5, 2.5, &[2.5])
    };
    measured(
        vec![
            request(0, 1.0, 1.0, &[2.0]),
            request(1, 1.5, 2.0, &[3.0, 3.5, 5.0]),
            request(2, 2.0, 3.0, &[4.0, 6.0]),
            rejected,
        ],
        &[(0, 2.0), (1, 3.0), (1, 3.5), (2, 4.0), (1, 5.0), (2, 6.0)],
    )
}

#[test]
fn a_stream_of_requests_worked_by_hand() {
    let goals = Goals {
        ttft_s: Some(1.75),
        itl_s: Some(1.6),
        ..Goals::default()
    };
    let metrics = Metrics::of(&stream(), &goals, second(6.5));
    for (name, expected) in [
        // 1, 1.5 and 2 s.
        ("ttft_s", 1.5),
        ("ttft_p50_s", 1.5),
        ("ttft_p90_s", 1.9),
        // 2 s over two, and 2 s over one.
        ("tpot_s", 1.5),
        ("tpot_p50_s", 1.5),
        ("tpot_p99_s", 1.99),
        ("e2e_latency_s", (1.0 + 3.5 + 4.0) / 3.0),
        ("e2e_latency_p50_s", 3.5),
        // 0.5, 1.5 and 2 s: over tokens, not requests.
        ("itl_s", 4.0 / 3.0),
        ("itl_p50_s", 1.5),
        ("itl_p90_s", 1.9),
        ("token_gaps", 3.0),
        ("queueing_s", 0.5),
        ("queueing_p50_s", 0.5),
        ("window_s", 5.0),
        ("requests_arrived", 4.0),
        ("requests_completed", 3.0),
        ("requests_rejected", 1.0),
        ("requests_per_s", 0.6),
        ("prefill_tokens_per_s", 6.0),
        ("decode_tokens_per_s", 1.2),
        ("preemptions", 2.0),
        ("reused_tokens", 12.0),
        // The third came too late, the fourth never.
        ("goals_met", 2.0),
        ("goodput_per_s", 0.4),
        ("goal_share", 0.5),
        ("siso_requests", 3.0),
        ("siso_ttft_s", 1.5),
        ("energy_generate_j", 6.0),
        ("energy_per_request_j", 2.0),
        ("energy_first_token_j", 0.5),
        ("energy_per_token_j", 1.0),
        ("energy_delay_js", 2.0 * 8.5 / 3.0),
    ] {
        let found = metrics.get(name);
        let close = found.is_some_and(|found| (found / expected - 1.0).abs() < 1e-12);
        assert!(close, "{name}: {found:?}, not {expected}");
    }
    let none = Metrics::of(&stream(), &Goals::default(), second(6.5));
    for absent in ["goal_share", "goodput_per_s", "lilo_requests", "cache_use"] {
        assert_eq!(none.get(absent), None, "{absent}");
    }
}

#[test]
fn a_single_request_has_no_rates_and_no_percentiles() {
    let alone = measured(
        vec![request(0, 0.0, 0.0, &[1.0, 2.0])],
        &[(0, 1.0), (0, 2.0)],
    );
    let metrics = Metrics::of(&alone, &Goals::default(), second(2.0));
    assert_eq!(metrics.get("itl_s"), Some(1.0));
    for absent in [
        "window_s",
        "ttft_p50_s",
        "itl_p50_s",
        "queue_length",
        "queueing_s",
    ] {
        assert_eq!(metrics.get(absent), None, "{absent}");
    }
}

fn load(at: f64, replica: u32, waiting: u32, cache: u64) -> LoadRecord {
    LoadRecord {
        at: second(at),
        replica,
        waiting,
        running: 1,
        batch_slices: 1,
        batch_tokens: 1,
        cache_allocated: cache,
        cache_held: cache / 2,
        cache_total: Some(100),
    }
}

#[test]
fn loads_are_averages_over_time_of_all_replicas_together() {
    let loads = vec![
        load(1.0, 0, 0, 0),
        load(1.0, 1, 2, 40),
        load(2.0, 0, 4, 80),
        load(4.0, 1, 0, 0),
        load(5.0, 0, 0, 0),
    ];
    let run = Measurements { loads, ..stream() };
    let metrics = Metrics::of(&run, &Goals::default(), second(6.5));
    // Over the five seconds from 1 s to 6 s.
    let close = |name: &str, expected: f64| {
        let found = metrics.get(name).unwrap();
        assert!(
            (found / expected - 1.0).abs() < 1e-12,
            "{name}: {found}, not {expected}"
        );
    };
    close("queue_length", (2.0 * 3.0 + 4.0 * 3.0) / 5.0);
    close("requests_running", 2.0);
    close("cache_use", (40.0 * 3.0 + 80.0 * 3.0) / (5.0 * 200.0));
    close("cache_use_peak", 0.8);
    close("cache_fragmentation", 0.5);
}

/// One batch of as many slices, from `start` for `length` picoseconds.
fn batch(number: u32, slices: u32, start: u64, length: u64) -> Vec<PassRecord> {
    let slice = |request| PassRecord {
        batch: number,
        replica: 0,
        request,
        step: number,
        mode: Mode::Generate,
        tokens: 1 + u64::from(request),
        context: u64::from(number),
        start: Instant(start),
        end: Instant(start + length),
        slices,
        batch_tokens: 0,
        decodes: number > 0,
        last: true,
        split: TimeSplit {
            compute_s: length as f64 * 1e-12,
            ..TimeSplit::default()
        },
        chosen: None,
        negative_log_likelihood: None,
    };
    (0..slices).map(slice).collect()
}

proptest! {
    #[test]
    fn sums_along_the_way_are_those_of_all_records_at_once(
        batches in proptest::collection::vec((1..6u32, 1..1_000_000u64), 1..20),
    ) {
        let mut passes = Vec::new();
        let (mut start, mut area, mut tokens, mut time) = (0, 0u64, 0u64, 0u64);
        for (number, (slices, length)) in (0..).zip(&batches) {
            passes.extend(batch(number, *slices, start, *length));
            start += length;
            area += u64::from(*slices) * length;
            tokens += u64::from(slices * (slices + 1) / 2) * length;
            time += length;
        }
        let decode: Vec<f64> = passes.iter().filter(|p| p.context > 0).map(|p| p.split.compute_s).collect();
        let run = Measurements { passes, ..stream() };
        let metrics = Metrics::of(&run, &Goals::default(), second(6.5));
        let close = |name: &str, expected: f64| (metrics.get(name).unwrap() / expected - 1.0).abs() < 1e-9;
        prop_assert!(close("batch_size", area as f64 / time as f64));
        prop_assert!(close("batch_tokens", tokens as f64 / time as f64));
        prop_assert_eq!(metrics.get("timed_passes"), Some(batches.len() as f64));
        match decode.len() {
            0 => prop_assert_eq!(metrics.get("pass_compute_s"), None),
            count => prop_assert!(close("pass_compute_s", decode.iter().sum::<f64>() / count as f64)),
        }
    }
}
