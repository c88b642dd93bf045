//! Experts by their devices' rooflines, which are no multiple of the number of tokens, and
//! links whose codes stay behind capacity.

use crate::{Run, SYNTHETIC, body, links, loads, number, outcome, parse, simulate};
use airloom::device::{DeviceProfile, Group};
use airloom::measurement::Measurements;
use airloom::model::ModelShape;
use airloom::scenario::Resolved;
use airloom::simulation::{RunOptions, prepare, run};
use airloom::units::Duration;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

/// `fields` under the roofline, on devices of this memory bandwidth.
fn roofline(memory: &str, fields: &str, workload: &str) -> Run {
    let text = body(&format!("{SYNTHETIC}, {fields}"), workload)
        .replace("compute: Flops", "compute: Roofline")
        .replace("100 GB/s", memory);
    let resolved = parse(&text).unwrap_or_else(|error| panic!("{error}"));
    go(&resolved)
}

fn go(resolved: &Resolved) -> Run {
    let folder = TempDir::new().unwrap();
    let options = RunOptions {
        out: folder.path().join("run"),
        interrupt: &AtomicBool::new(false),
    };
    let streams = airloom::rng::Streams { seed: 1, run: 0 };
    let prepared = prepare(resolved, streams, Vec::new()).unwrap();
    let mut measured = Measurements::default();
    let finished = run(prepared, &options, &mut measured).unwrap();
    Run {
        finished,
        measured,
        folder,
    }
}

/// A token in one expert: 352.45 MFLOP and 352.5 MB: 35 µs at 10 TFLOP/s, 3.5 ms at 100 GB/s.
#[test]
fn an_experts_weights_take_their_time_to_read() {
    let mut last = f64::INFINITY;
    for (memory, bytes_per_second) in [("1 GB/s", 1e9), ("100 GB/s", 100e9), ("10 TB/s", 10e12)] {
        // Four devices with two experts each; in decoding a token visits two experts.
        let run = roofline(memory, "", "Tokens(prompt: 100, generate: 2)");
        let shape = ModelShape::named("mixtral-8x7b").unwrap();
        for visit in &run.measured.visits {
            let experts = run.measured.experts.iter();
            let own = experts.filter(|expert| {
                (expert.request, expert.step, expert.layer)
                    == (visit.request, visit.step, visit.layer)
                    && expert.node == visit.node
            });
            let (mut flops, mut bytes) = (0.0, 0.0);
            for expert in own.filter(|expert| expert.visits > 0) {
                let tokens = expert.visits as f64;
                flops += tokens * 14336.0 * (6.0 * 4096.0 + 9.0);
                // 16-bit weights once, 2h + 6f activations per token.
                bytes += 2.0 * (3.0 * 4096.0 * 14336.0 + tokens * (2.0 * 4096.0 + 6.0 * 14336.0));
            }
            let expected = f64::max(flops / 10e12, bytes / bytes_per_second);
            let found = visit.compute.as_seconds();
            assert!(
                (found - expected).abs() < 2e-12,
                "{memory}: {found} {expected}"
            );
        }
        let decode = run.measured.passes.last().unwrap();
        let step = decode.end.since(decode.start).as_seconds();
        assert!(step >= 32.0 * shape.expert_parameters() as f64 * 2.0 / bytes_per_second);
        assert!(step < last);
        last = step;
    }
}

/// With all tokens of a visit known, the min–max division makes all devices return together,
/// whatever takes them their time.
#[test]
fn a_division_reckons_with_what_a_visit_really_takes() {
    let run = roofline("100 GB/s", "bandwidth: MinMax", "Tokens(prompt: 12)");
    let visits = &run.measured.visits;
    assert!(!visits.is_empty());
    assert!(visits.iter().all(|visit| visit.holds_barrier));
}

#[test]
fn a_pipeline_reads_an_experts_weights_for_every_token() {
    let run = roofline("100 GB/s", "pipelining: Tokens", "Tokens(prompt: 5)");
    let whole = roofline("100 GB/s", "", "Tokens(prompt: 5)");
    let alone = 2.0 * (3.0 * 4096.0 * 14336.0 + 2.0 * 4096.0 + 6.0 * 14336.0) / 100e9;
    for visit in &run.measured.visits {
        let each = visit.compute.as_seconds() / visit.tokens as f64;
        assert!((each - alone).abs() < 2e-12, "{each} {alone}");
    }
    // The same bytes cost energy.
    let joules = |run: &Run| run.metric("energy_compute_j");
    assert!(joules(&run) > 1.1 * joules(&whole));
}

/// An overhead and a measured rate count as they do everywhere else.
#[test]
fn the_whole_profile_counts() {
    let profile =
        "memory: \"64 GB\", overhead: \"1 ms\", measured: Some((weight_rate: \"10 Gparam/s\"))";
    let text = body(SYNTHETIC, "Tokens(prompt: 3)")
        .replace("compute: Flops", "compute: Roofline")
        .replace("memory: \"64 GB\"", profile);
    let run = go(&parse(&text).unwrap());
    let shape = ModelShape::named("mixtral-8x7b").unwrap();
    let resolved = parse(&text).unwrap();
    let profile: &DeviceProfile = resolved.profile(resolved.replicas[0].members()[0]);
    for visit in &run.measured.visits {
        let experts = run.measured.experts.iter();
        let own = experts.filter(|e| e.layer == visit.layer && e.node == visit.node);
        let work = own.map(|e| shape.expert_work(e.visits as usize)).sum();
        let group = Group {
            devices: 1,
            weights: 0,
        };
        assert_eq!(
            visit.compute,
            profile.compute(&work, group).unwrap().duration
        );
        assert!(visit.compute > Duration::from_seconds(1e-3 + 0.0176).unwrap());
    }
}

/// One division for a pass and every selection go on under the roofline.
#[test]
fn every_policy_runs_under_the_roofline() {
    for fields in [
        "selection: WeightToLatency(), bandwidth: PerPass()",
        "selection: LatencyHistory(), bandwidth: PerPass(loads: Oracle)",
        "selection: WeightToLatency(), server_compute: Timed, experts: Experts([Server, Server, \
         Device(0), Device(1), Device(1), Device(2), Device(3), Device(3)])",
    ] {
        let run = roofline("100 GB/s", fields, "Tokens(prompt: 20, generate: 3)");
        assert!(run.metric("batch_latency_s") > 32.0 * 3.5e-3, "{fields}");
    }
}

/// (2), (3) with γ/Γ, η_max and 1/(1 − p) attempts.
#[test]
fn codes_stretch_the_time_on_the_air_and_no_other() {
    let coded = body(&format!("{SYNTHETIC}, bandwidth: Uniform"), "Tokens(prompt: 12)").replace(
        "coherence: Static",
        "coherence: Static, coding: (gap: \"3 dB\", ceiling: Some(\"5 bit/s/Hz\"), block_error_rate: 0.2)",
    );
    let run = go(&parse(&coded).unwrap());
    let (gap, share) = (10f64.powf(0.3), 20e6 / 4.0);
    let links = links();
    for (row, visit) in run.rows("waits.csv").iter().zip(&run.measured.visits) {
        let link = &links[visit.node as usize];
        let seconds = |reach: f64| {
            let efficiency = (1.0 + reach / gap / share).log2().min(5.0);
            visit.tokens as f64 * 65536.0 / 0.8 / (share * efficiency)
        };
        for (column, reach) in [
            ("downlink_s", link.downlink_reach),
            ("uplink_s", link.uplink_reach),
        ] {
            let (found, expected) = (number(row, column), seconds(reach));
            assert!(
                (found / expected - 1.0).abs() < 1e-9,
                "{column} {found} {expected}"
            );
        }
    }
    assert_eq!(
        loads(&run, 4),
        loads(
            &simulate(
                &format!("{SYNTHETIC}, bandwidth: Uniform"),
                "Tokens(prompt: 12)"
            ),
            4
        )
    );
}

/// Antenna gains and a margin add up in decibels with the path loss.
#[test]
fn antenna_gains_are_worth_their_decibels() {
    let with = |budget: &str, metres: [&str; 4]| {
        let text = body(SYNTHETIC, "Tokens(prompt: 12)")
            .replace("noise_figure: \"3 dB\"", budget)
            .replace(
                "[\"60 m\", \"100 m\", \"200 m\", \"300 m\"]",
                &format!("[{}]", metres.map(|m| format!("\"{m}\"")).join(", ")),
            );
        let folder = TempDir::new().unwrap();
        let (finished, _) = outcome(&text, folder.path()).unwrap();
        finished.metrics.get("batch_latency_s").unwrap()
    };
    let plain = with(
        "noise_figure: \"3 dB\"",
        ["60 m", "100 m", "200 m", "300 m"],
    );
    // 12 + 11 − 3 = 20 dB more is a tenth of the distance.
    let gains = with(
        "noise_figure: \"3 dB\", device_antenna_gain: \"12 dBi\", server_antenna_gain: \"11 dBi\", \
         interference_margin: \"3 dB\"",
        ["600 m", "1 km", "2 km", "3 km"],
    );
    assert!((gains / plain - 1.0).abs() < 1e-9, "{gains} {plain}");
}
