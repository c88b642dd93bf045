//! Levels in whole runs: the time that the engine measures is their closed form, nothing else
//! changes where nobody sends, and tensors go through every level.

use super::{Run, simulate, unsharded_nats};
use std::collections::BTreeMap;

/// Of the bundled model: 192 entries on 4 streams of 2 are 24 uses.
const USES: f64 = 24.0;
const BANDWIDTH: f64 = 10e6;

fn run(devices: usize, all_reduce: &str, workload: &str) -> Run {
    simulate(&format!(
        r#"nodes: {{"device": (count: {devices}), "server": (profile: Preset("edge-server-l4"))}},
        links: {{"air": Radio(bandwidth: "10 MHz", downlink: Multicast(bits: 16),
            budget: Normalised(snr: "25 dB", reference_power: "100 mW"))}},
        replicas: [(placement: TensorParallel(all_reduce: {all_reduce}, design: Descent()))],
        workload: [{workload}]"#
    ))
}

fn decode(devices: usize, all_reduce: &str) -> Run {
    run(
        devices,
        all_reduce,
        r#"Generate(prompt: "Once", max_tokens: 3)"#,
    )
}

/// From the last part computed to the sum at the hub, of every all-reduce of the decode steps.
fn rounds(run: &Run) -> Vec<f64> {
    let mut ends: BTreeMap<(String, String, String), f64> = BTreeMap::new();
    for row in run.events() {
        let end: f64 = row["end_ps"].parse().unwrap();
        let key = (
            row["batch"].clone(),
            row["layer"].clone(),
            row["stage"].clone(),
        );
        ends.insert(key, end * 1e-12);
    }
    let mut rounds = Vec::new();
    for ((batch, layer, stage), end) in &ends {
        if let Some(half) = stage.strip_suffix("_reduced").filter(|_| batch == "1") {
            let gather = (batch.clone(), layer.clone(), format!("{half}_gather"));
            rounds.push(end - ends[&gather]);
        }
    }
    rounds
}

fn all_last(run: &Run, expected: f64) {
    let rounds = rounds(run);
    assert_eq!(rounds.len(), 12);
    for round in rounds {
        // Every task is rounded up to a picosecond.
        assert!((round - expected).abs() < 1e-10, "{round} {expected}");
    }
}

#[test]
fn time_is_the_sum_over_levels() {
    let round = USES / BANDWIDTH;
    all_last(&decode(12, "AirComp(streams: 4)"), round);
    // In turn every cluster takes a round, and the hub one more.
    let turns = "Hierarchy(clusters: Equal(3))";
    all_last(&decode(12, turns), 4.0 * round);
    // At once each takes three times as long.
    let parts = "Hierarchy(clusters: Equal(3), turns: AtOnce)";
    all_last(&decode(12, parts), 4.0 * round);
    let unequal = "Hierarchy(turns: AtOnce, clusters: Listed([
        (members: [0, 1, 2, 3, 4, 5], band: 0.5), (members: [6, 7, 8], band: 0.25),
        (members: [9, 10, 11], band: 0.125)]))";
    all_last(&decode(12, unequal), 9.0 * round);
    // Four clusters, of whose heads two pairs sum before the hub does.
    let deep = "Hierarchy(clusters: Equal(4), between: Hierarchy(clusters: Equal(2)))";
    all_last(&decode(12, deep), (4.0 + 2.0 + 1.0) * round);
    // Two of three clusters have nobody to hear.
    let lone = "Hierarchy(clusters: Listed([(members: [0]), (members: [1]), (members: [2, 3])]))";
    all_last(&decode(4, lone), 2.0 * round);
    // Q bits per entry at η on the band of each sender, of which a cluster of four has three.
    let digital = "Hierarchy(clusters: Equal(3), within: AirComp(streams: 4),
        between: Digital(bits: 8, rate: Fixed(\"6 bit/s/Hz\")))";
    let up = 192.0 * 8.0 / (6.0 * BANDWIDTH / 3.0);
    all_last(&decode(12, digital), 3.0 * round + up);
}

#[test]
fn a_level_at_which_nobody_sends_changes_no_event() {
    let flat = decode(4, "AirComp(streams: 4)");
    let levelled = decode(
        4,
        "Hierarchy(clusters: Equal(4), between: AirComp(streams: 4))",
    );
    assert_eq!(flat.rows("events.csv"), levelled.rows("events.csv"));
    assert_eq!(flat.rows("blocks.csv"), levelled.rows("blocks.csv"));
}

#[test]
fn every_device_sends_once_per_all_reduce_and_pays_for_it() {
    let run = decode(12, "Hierarchy(clusters: Equal(3))");
    let mut sent: BTreeMap<(String, String, String), Vec<(String, String)>> = BTreeMap::new();
    let mut joules = 0.0;
    for row in run.events() {
        if row["kind"] == "uplink" {
            let key = (
                row["batch"].clone(),
                row["layer"].clone(),
                row["stage"].clone(),
            );
            let ends = (row["node"].clone(), row["peer"].clone());
            sent.entry(key).or_default().push(ends);
            joules += row["joules"].parse::<f64>().unwrap();
        }
    }
    let node = |n: usize| format!("device{n}");
    for ends in sent.values() {
        let mut ends = ends.clone();
        ends.sort();
        let mut expected: Vec<(String, String)> = (0..12)
            .map(|n| match n % 4 {
                0 => (node(n), "server".to_owned()),
                _ => (node(n), node(n / 4 * 4)),
            })
            .collect();
        expected.sort();
        assert_eq!(ends, expected);
    }
    // Law 5: what nodes radiated is what their transmissions cost, but for the multicasts.
    let down: f64 = run
        .events()
        .iter()
        .filter(|row| row["kind"] == "downlink")
        .map(|row| row["joules"].parse::<f64>().unwrap())
        .sum();
    let nodes = run.rows("nodes.csv");
    let radiated = nodes
        .iter()
        .map(|node| node["energy_radio_j"].parse::<f64>());
    let radiated: f64 = radiated.map(Result::unwrap).sum();
    let ratio = radiated / (joules + down);
    assert!((ratio - 1.0).abs() < 1e-9, "{radiated} {joules} {down}");
}

/// Law 7 at any depth, with more devices than heads: exact sums leave the model as it is.
#[test]
fn law_7_levels_without_noise_leave_the_model_as_it_is() {
    let (nats, tokens) = unsharded_nats(2);
    let exact = (nats / tokens as f64).exp();
    let score = "Score(text: World(documents: 2))";
    for devices in [8, 24, 100] {
        let levels = "Hierarchy(clusters: Equal(4), within: Ideal,
            between: Hierarchy(clusters: Equal(2), within: Ideal, between: Ideal))";
        let own = run(devices, levels, score).metric("perplexity");
        assert!((own / exact - 1.0).abs() < 1e-4, "{devices}: {own} {exact}");
    }
}

/// Law 8 in a run: what tensors felt is what both levels are expected to do to them.
#[test]
fn law_8_tensors_feel_every_level() {
    let score = "Score(text: World(documents: 2))";
    let mse = |all_reduce: &str| {
        let run = run(12, all_reduce, score);
        let [felt, analytic] =
            ["all_reduce_mse", "all_reduce_analytic_mse"].map(|name| run.metric(name));
        assert!((felt / analytic - 1.0).abs() < 0.02, "{felt} {analytic}");
        felt
    };
    let levels = |within: &str, between: &str| {
        format!(
            "Hierarchy(clusters: Equal(3), head_antennas: 12, within: {within}, between: {between})"
        )
    };
    let analog = "AirComp(streams: 4)";
    let both = mse(&levels(analog, analog));
    let [below, above] = [levels(analog, "Ideal"), levels("Ideal", analog)].map(|it| mse(&it));
    let ratio = both / (below + above);
    // What one level does to the state changes what the other has to send.
    assert!((ratio - 1.0).abs() < 0.1, "{below} + {above} is not {both}");
}
