//! Time on the air and at the devices against the paper's closed forms, and the barriers that
//! events and tables tell of.

use crate::{SYNTHETIC, links, loads, simulate};
use airloom::policy::{BandwidthPolicy, MinMax, Uniform};
use airloom::units::Duration;
use std::collections::BTreeMap;

#[test]
fn a_batch_takes_the_papers_sum_over_blocks_of_the_slowest_device() {
    for (bandwidth, policy) in [
        ("Uniform", &Uniform as &dyn BandwidthPolicy),
        ("MinMax", &MinMax),
    ] {
        let fields = format!("{SYNTHETIC}, bandwidth: {bandwidth}");
        let run = simulate(&fields, "Tokens(prompt: 40)");
        let links = links();
        let mut batch = 0.0;
        for loads in loads(&run, 4) {
            let shares = policy.allocate(&links, &loads, 20e6).unwrap();
            let devices = links.iter().zip(&loads).zip(&shares);
            // (8), (10), (11).
            batch += devices
                .filter(|((_, load), _)| **load > 0.0)
                .map(|((link, load), b)| load * link.delay(*b))
                .fold(0.0, f64::max);
        }
        // Every stage of every device is rounded up to a picosecond.
        let error = run.metric("batch_latency_s") - batch;
        assert!(error.abs() < 1e-9, "{bandwidth}: {error}");
        assert!((run.metric("attention_wait_s") - batch).abs() < 1e-9);
    }
}

#[test]
fn a_pipeline_takes_its_slowest_stage_per_token_and_the_others_once() {
    let fields = format!("{SYNTHETIC}, bandwidth: Uniform, pipelining: Tokens");
    let run = simulate(&fields, "Tokens(prompt: 40)");
    let links = links();
    let share = 20e6 / 4.0;
    let mut batch = 0.0;
    for loads in loads(&run, 4) {
        let spans = links.iter().zip(&loads).filter(|(_, load)| **load > 0.0);
        batch += spans
            .map(|(link, load)| {
                let (down, up) = (link.downlink_time(share), link.uplink_time(share));
                link.delay(share) + (load - 1.0) * down.max(up).max(link.compute)
            })
            .fold(0.0, f64::max);
    }
    assert!((run.metric("batch_latency_s") - batch).abs() < 1e-8);
    let whole = simulate(
        &format!("{SYNTHETIC}, bandwidth: Uniform"),
        "Tokens(prompt: 40)",
    );
    assert!(batch < whole.metric("batch_latency_s"));
}

#[test]
fn blocks_and_events_tell_the_same_barriers() {
    for pipelining in ["None", "Tokens"] {
        let fields = format!("{SYNTHETIC}, pipelining: {pipelining}");
        let run = simulate(
            &fields,
            "Tokens(prompt: 24), Tokens(prompt: 8, generate: 3)",
        );
        let events = run.rows("events.csv");
        let barriers: Vec<&str> = events
            .iter()
            .filter(|event| event["stage"] == "expert_gather")
            .map(|event| event["end_ps"].as_str())
            .collect();
        let blocks = run.rows("blocks.csv");
        let gathered: Vec<&str> = blocks.iter().map(|b| b["gathered_ps"].as_str()).collect();
        assert_eq!(barriers, gathered, "{pipelining}");
        assert_eq!(barriers.len(), 32 * 4);
        let batches = run.rows("batches.csv");
        let batch_of = |row: &BTreeMap<String, String>| {
            let of = |batch: &&BTreeMap<String, String>| {
                ["request", "step"]
                    .iter()
                    .all(|column| batch[*column] == row[*column])
            };
            batches.iter().find(of).unwrap()["batch"].clone()
        };
        // Who holds a barrier is the device whose last uplink released it.
        let last_up = |row: &BTreeMap<String, String>| {
            let batch = batch_of(row);
            events
                .iter()
                .filter(|event| {
                    event["stage"] == "token_uplink"
                        && event["batch"] == batch
                        && ["layer", "node"]
                            .iter()
                            .all(|column| event[*column] == row[*column])
                })
                .map(|event| event["end_ps"].parse::<u64>().unwrap())
                .max()
                .unwrap()
        };
        for row in run.rows("waits.csv").iter().step_by(7) {
            assert_eq!(last_up(row).to_string(), row["end_ps"], "{pipelining}");
        }
    }
}

#[test]
fn devices_that_return_together_hold_the_barrier_together() {
    let run = simulate(
        &format!("{SYNTHETIC}, bandwidth: MinMax"),
        "Tokens(prompt: 12)",
    );
    let visits = &run.measured.visits;
    // Not one picosecond decides: some return before others.
    assert!(visits.iter().any(|visit| visit.wait > Duration::ZERO));
    assert!(visits.iter().all(|visit| visit.holds_barrier));
}

#[test]
fn the_barriers_holder_is_the_device_that_returns_last() {
    let run = simulate(
        &format!("{SYNTHETIC}, bandwidth: Uniform"),
        "Tokens(prompt: 12)",
    );
    let visits = &run.measured.visits;
    for block in visits.chunk_by(|a, b| a.layer == b.layer) {
        let last = block.iter().map(|visit| visit.end).max();
        for visit in block {
            assert_eq!(visit.holds_barrier, Some(visit.end) == last);
        }
    }
}
