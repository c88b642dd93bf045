//! Overrides and sweeps: what they change, and how their own faults are told.

use airloom::medium::Link;
use airloom::placement::Placement;
use airloom::radio::{AirComp, Digital, Downlink, LinkBudget, RadioConfig, Scheme};
use airloom::scenario::{self, Override, Point, Resolved, Text, WorldText};
use airloom::units::{Decibels, Hertz};
use std::fs;
use tempfile::TempDir;

const SHORT: &str = r#"(
    model: Folder("."),
    nodes: {"device": (count: 4)},
    workload: [Score(text: World(documents: 8))],
)
"#;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), "{}").unwrap();
    folder
}

fn resolve(text: &str, changes: &[&str]) -> Result<Resolved, String> {
    let folder = folder();
    let changes: Vec<Override> = changes
        .iter()
        .map(|change| change.parse().map_err(|error| format!("{error}")))
        .collect::<Result<_, _>>()?;
    scenario::parse(text, &folder.path().join("short.ron"), &changes).map_err(|error| {
        error
            .to_string()
            .replace(&format!("{}/", folder.path().display()), "")
    })
}

fn changed(changes: &[&str]) -> scenario::Scenario {
    resolve(SHORT, changes)
        .unwrap_or_else(|error| panic!("{error}"))
        .scenario
}

fn count(changes: &[&str]) -> Option<usize> {
    changed(changes).nodes["device"].count
}

fn radio(changes: &[&str]) -> RadioConfig {
    match changed(changes).links.remove("air") {
        Some(Link::Radio(radio)) => *radio,
        other => panic!("the air is a radio and not {other:?}"),
    }
}

fn all_reduce(changes: &[&str]) -> Scheme {
    let placement = changed(changes).replicas.remove(0).placement;
    let Placement::TensorParallel(parallel) = placement else {
        panic!("the scenario is tensor-parallel");
    };
    parallel.all_reduce
}

#[test]
fn a_value_that_was_written_is_replaced() {
    assert_eq!(count(&["nodes.device.count=8"]), Some(8));
    assert_eq!(
        count(&["nodes.device.count=8", "nodes.device.count = 2"]),
        Some(2)
    );
    let scenario::Request::Score(score) = &changed(&["workload[0].text.documents=3"]).workload[0]
    else {
        panic!("still a score")
    };
    let world = WorldText {
        documents: 3,
        ..WorldText::default()
    };
    assert_eq!(score.text, Text::World(world));
}

#[test]
fn a_field_that_was_left_out_appears_beside_its_defaults() {
    assert_eq!(changed(&["seed=9"]).seed, 9);
    assert_eq!(radio(&["links.air.device_antennas=6"]).device_antennas, 6);
    let streams = AirComp {
        streams: 2,
        ..AirComp::default()
    };
    assert_eq!(
        all_reduce(&["replicas[0].placement.all_reduce.streams=2"]),
        Scheme::AirComp(streams)
    );
    let LinkBudget::Normalised {
        snr,
        reference_power,
    } = radio(&["links.air.budget.snr=\"3 dB\""]).budget
    else {
        panic!("still normalised")
    };
    assert_eq!((snr, reference_power), (Decibels(3.0), None));
}

#[test]
fn a_variant_is_replaced_by_another_and_changed_inside() {
    let digital = Digital {
        bits: 6,
        ..Digital::default()
    };
    assert_eq!(
        all_reduce(&["replicas[0].placement.all_reduce=Digital(bits: 6)"]),
        Scheme::Digital(digital)
    );
    assert_eq!(
        all_reduce(&[
            "replicas[0].placement.all_reduce=Digital",
            "replicas[0].placement.all_reduce.bits=6"
        ]),
        Scheme::Digital(digital)
    );
    assert_eq!(
        all_reduce(&["replicas[0].placement.all_reduce=Ideal"]),
        Scheme::Ideal
    );
    assert_eq!(
        radio(&["links.air.downlink=Ideal"]).downlink,
        Downlink::Ideal
    );
}

#[test]
fn a_quantity_needs_no_quotes() {
    assert_eq!(
        radio(&["links.air.bandwidth=20 MHz"]).bandwidth,
        Hertz(20e6)
    );
    assert_eq!(radio(&["links.air.bandwidth=20MHz"]).bandwidth, Hertz(20e6));
    let plain: Override = "links.air.budget.snr=-3 dB".parse().unwrap();
    let quoted: Override = "links.air.budget.snr = \"-3 dB\" ".parse().unwrap();
    assert_eq!(plain, quoted);
    assert_eq!(plain.as_str(), "links.air.budget.snr=\"-3 dB\"");
}

#[test]
fn a_fault_in_an_override_names_the_override() {
    let error = |change: &str| resolve(SHORT, &[change]).unwrap_err();
    assert_eq!(
        error("nodes.device.count=0"),
        "--set nodes.device.count=0: nodes.device.count: 0 nodes; use 1 to 65535, or leave the group out
  |
  | nodes.device.count=0
  |                    ^"
    );
    assert_eq!(
        error("noddes.device=(count: 8)"),
        "--set noddes.device=(count: 8): unknown field `noddes`
  |
  | noddes.device=(count: 8)
  | ^^^^^^^^^^^^^ did you mean `nodes`? known are description, seed, model, models, precision, nodes, \
         links, replicas, router, workload, goals, trace, sweep"
    );
    for (change, part) in [
        (
            "links.air.bandwidth=\"20 MHzz\"",
            "`20 MHzz` is not a frequency",
        ),
        ("links.air.bandwith=\"20 MHz\"", "did you mean `bandwidth`?"),
        (
            "replicas[0].placement.all_reduce.bits=8",
            "unknown field `bits`",
        ),
        (
            "replicas[0].placement.all_reduce=Digital(bits: 1)",
            "replicas[0].placement.all_reduce.bits: 1 bits per entry",
        ),
        (
            "workload[1].text=World",
            "`workload` has 1 entries, counted from 0, so there is no entry 1",
        ),
        (
            "nodes.device.count.x=1",
            "`nodes.device.count` is the number 4: it has no `x` inside",
        ),
    ] {
        let error = error(change);
        assert!(error.starts_with(&format!("--set {change}: ")), "{error}");
        assert!(error.contains(part), "`{part}` is not in:\n{error}");
    }
    // The value at fault is in the file, though an override made it one.
    let text = SHORT.replace(
        "workload",
        "links: {\"air\": Radio(device_antennas: 3)},\n    workload",
    );
    let error = resolve(&text, &["replicas[0].placement.all_reduce.streams=4"]).unwrap_err();
    assert!(
        error.starts_with("--set replicas[0].placement.all_reduce.streams=4: replicas"),
        "{error}"
    );
}

#[test]
fn a_text_that_is_no_override_says_what_one_is() {
    let error = |text: &str| text.parse::<Override>().unwrap_err().to_string();
    assert_eq!(
        error("nodes.device.count"),
        "`nodes.device.count` changes nothing; write path=value, such as nodes.device.count=8"
    );
    assert!(error("=3").contains("is not a path"));
    assert!(error("devices count=3").contains("is not a path"));
    assert_eq!(
        error("nodes.device.profile=Preset(\"x\""),
        "the value `Preset(\"x\"` is not RON: this bracket is never closed; close it with `)`"
    );
}

/// The points of [`SHORT`] with `sweep`, and the folder that they need.
fn points(sweep: &str, changes: &[&str]) -> Result<(TempDir, Vec<Point>), String> {
    let text = SHORT.replace(
        "    workload",
        &format!("    sweep: {sweep},\n    workload"),
    );
    let folder = folder();
    let changes: Vec<Override> = changes.iter().map(|c| c.parse().unwrap()).collect();
    let points = scenario::parse(&text, &folder.path().join("short.ron"), &changes)
        .and_then(|resolved| scenario::points(&resolved))
        .map_err(|error| {
            error
                .to_string()
                .replace(&format!("{}/", folder.path().display()), "")
        })?;
    Ok((folder, points))
}

#[test]
fn a_sweep_crosses_its_lists_in_order() {
    let sweep = "(axes: [
        (path: \"nodes.device.count\", values: [1, 2]),
        (path: \"replicas[0].placement.all_reduce\", values: [Digital(bits: 8), Ideal]),
    ], runs: 2)";
    let (_folder, points) = points(sweep, &[]).unwrap();
    let labels: Vec<&str> = points.iter().map(|point| point.label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "count=1, all_reduce=Digital(bits: 8), run=0",
            "count=1, all_reduce=Digital(bits: 8), run=1",
            "count=1, all_reduce=Ideal, run=0",
            "count=1, all_reduce=Ideal, run=1",
            "count=2, all_reduce=Digital(bits: 8), run=0",
            "count=2, all_reduce=Digital(bits: 8), run=1",
            "count=2, all_reduce=Ideal, run=0",
            "count=2, all_reduce=Ideal, run=1",
        ]
    );
    for (index, point) in points.iter().enumerate() {
        assert_eq!(point.index, index);
        let resolved = point.resolve().unwrap();
        assert_eq!(resolved.replicas[0].members().len(), 1 + index / 4);
        assert_eq!(resolved.scenario.sweep, None);
    }
}

/// A point is the scenario that one gets by hand.
#[test]
fn a_point_is_the_scenario_with_its_values_set() {
    let sweep = "(axes: [(path: \"links.air.budget.snr\", values: [\"0 dB\", \"9 dB\"])])";
    let (_folder, points) = points(sweep, &["nodes.device.count=3"]).unwrap();
    let by_hand = resolve(
        SHORT,
        &["nodes.device.count=3", "links.air.budget.snr=9 dB"],
    )
    .unwrap();
    assert_eq!(points[1].resolve().unwrap().to_ron(), by_hand.to_ron());
}

#[test]
fn ranges_and_zipped_axes_are_lists_that_advance_as_written() {
    let sweep = "(axes: [
        (path: \"links.air.bandwidth\", range: (from: \"20 MHz\", to: \"40 MHz\", count: 3)),
        (zip: [
            (path: \"nodes.device.count\", range: (from: 1, to: 4, count: 3, scale: Log)),
            (path: \"links.air.budget.snr\", values: [\"0 dB\", \"3 dB\", \"6 dB\"]),
        ]),
    ])";
    let (_folder, points) = points(sweep, &[]).unwrap();
    let labels: Vec<&str> = points.iter().map(|point| point.label.as_str()).collect();
    let mut expected = Vec::new();
    for bandwidth in [20, 30, 40] {
        for (count, snr) in [(1, 0), (2, 3), (4, 6)] {
            expected.push(format!(
                "bandwidth=\"{bandwidth} MHz\", count={count}, snr=\"{snr} dB\", run=0"
            ));
        }
    }
    assert_eq!(labels, expected);
    let last = points[8].resolve().unwrap();
    assert_eq!(last.replicas[0].members().len(), 4);
    assert_eq!(last.radio(last.radios()[0]).bandwidth, Hertz(40e6));
}

/// Of a thousand faults sixteen are shown, and the rest is counted.
#[test]
fn many_faults_are_cut_off_with_a_count() {
    let sweep = "(axes: [(path: \"nodes.device.count\", \
                 range: (from: 100001, to: 101000, count: 1000))])";
    let error = points(sweep, &[]).unwrap_err();
    assert_eq!(error.matches("nodes.device.count: ").count(), 16, "{error}");
    assert!(error.contains("short.ron:4:"), "{error}");
    assert!(
        error.ends_with("\nand 984 more faults at other points"),
        "{error}"
    );
}

#[test]
fn a_scenario_without_a_sweep_is_one_point() {
    let folder = folder();
    let resolved = scenario::parse(SHORT, &folder.path().join("s.ron"), &[]).unwrap();
    let points = scenario::points(&resolved).unwrap();
    assert_eq!(points.len(), 1);
    assert_eq!(points[0].label, "run=0");
    assert_eq!(points[0].resolve().unwrap().to_ron(), resolved.to_ron());
}

#[test]
fn a_fault_of_a_point_is_shown_at_the_swept_value() {
    let sweep = "(axes: [(path: \"nodes.device.count\", values: [1, 0])])";
    assert_eq!(
        points(sweep, &[]).unwrap_err(),
        "short.ron:4:61: nodes.device.count: 0 nodes; use 1 to 65535, or leave the group out (at the sweep's point count=0)
   |
 4 |     sweep: (axes: [(path: \"nodes.device.count\", values: [1, 0])]),
   |                                                             ^"
    );
    let sweep = "(axes: [
        (path: \"nodes.device.count\", values: [1, 2]),
        (path: \"replicas[0].placement.assignment\", values: [Equal, Fixed([0.5, 0.5])]),
        (path: \"sede\", values: [1]),
    ])";
    let error = points(sweep, &[]).unwrap_err();
    assert!(
        error.contains("short.ron:7:33: unknown field `sede`"),
        "{error}"
    );
    let sweep = "(axes: [
        (path: \"nodes.device.count\", values: [1, 2]),
        (path: \"replicas[0].placement.assignment\", values: [Equal, Fixed([0.5, 0.5])]),
    ])";
    let error = points(sweep, &[]).unwrap_err();
    let expected = "short.ron:6:68: replicas[0].placement.assignment: 2 shares for 1 devices; give one each \
                    (at the sweep's point count=1, assignment=Fixed([0.5, 0.5]))\n";
    assert!(error.starts_with(expected), "{error}");
    assert_eq!(error.matches("short.ron:").count(), 1, "{error}");
}
