//! Overrides and sweeps: what they change, and how their own faults are told.

use airloom::radio::{AirComp, Digital, Downlink, LinkBudget, Scheme};
use airloom::scenario::{self, Architecture, Override, Point, Resolved, Text, WorldText};
use airloom::units::{Decibels, Hertz};
use std::fs;
use tempfile::TempDir;

const SHORT: &str = r#"(
    model: Folder("."),
    devices: (count: 4),
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

fn all_reduce(changes: &[&str]) -> Scheme {
    let Architecture::TensorParallel(parallel) = changed(changes).architecture else {
        panic!("the scenario is tensor-parallel");
    };
    parallel.all_reduce
}

#[test]
fn a_value_that_was_written_is_replaced() {
    assert_eq!(changed(&["devices.count=8"]).devices.count, 8);
    assert_eq!(
        changed(&["devices.count=8", "devices.count = 2"])
            .devices
            .count,
        2
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
    assert_eq!(
        changed(&["radio.device_antennas=6"]).radio.device_antennas,
        6
    );
    let streams = AirComp {
        streams: 2,
        ..AirComp::default()
    };
    assert_eq!(
        all_reduce(&["architecture.all_reduce.streams=2"]),
        Scheme::AirComp(streams)
    );
    let LinkBudget::Normalised {
        snr,
        reference_power,
    } = changed(&["radio.budget.snr=\"3 dB\""]).radio.budget
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
        all_reduce(&["architecture.all_reduce=Digital(bits: 6)"]),
        Scheme::Digital(digital)
    );
    assert_eq!(
        all_reduce(&[
            "architecture.all_reduce=Digital",
            "architecture.all_reduce.bits=6"
        ]),
        Scheme::Digital(digital)
    );
    assert_eq!(
        all_reduce(&["architecture.all_reduce=Ideal"]),
        Scheme::Ideal
    );
    assert_eq!(
        changed(&["radio.downlink=Ideal"]).radio.downlink,
        Downlink::Ideal
    );
}

#[test]
fn a_quantity_needs_no_quotes() {
    assert_eq!(
        changed(&["radio.bandwidth=20 MHz"]).radio.bandwidth,
        Hertz(20e6)
    );
    assert_eq!(
        changed(&["radio.bandwidth=20MHz"]).radio.bandwidth,
        Hertz(20e6)
    );
    let plain: Override = "radio.budget.snr=-3 dB".parse().unwrap();
    let quoted: Override = "radio.budget.snr = \"-3 dB\" ".parse().unwrap();
    assert_eq!(plain, quoted);
    assert_eq!(plain.as_str(), "radio.budget.snr=\"-3 dB\"");
}

#[test]
fn a_fault_in_an_override_names_the_override() {
    let error = |change: &str| resolve(SHORT, &[change]).unwrap_err();
    assert_eq!(
        error("devices.count=0"),
        "--set devices.count=0: devices.count: 0 devices; use 1 to 65534
  |
  | devices.count=0
  |               ^"
    );
    assert_eq!(
        error("devics.count=8"),
        "--set devics.count=8: unknown field `devics`
  |
  | devics.count=8
  | ^^^^^^^^^^^^ did you mean `devices`? known are description, seed, model, precision, \
         devices, server, radio, architecture, workload, trace, sweep"
    );
    for (change, part) in [
        (
            "radio.bandwidth=\"20 MHzz\"",
            "`20 MHzz` is not a frequency",
        ),
        ("radio.bandwith=\"20 MHz\"", "did you mean `bandwidth`?"),
        ("architecture.all_reduce.bits=8", "unknown field `bits`"),
        (
            "architecture.all_reduce=Digital(bits: 1)",
            "architecture.all_reduce.bits: 1 bits per entry",
        ),
        (
            "workload[1].text=World",
            "`workload` has 1 entries, counted from 0, so there is no entry 1",
        ),
        (
            "devices.count.x=1",
            "`devices.count` is the number 4: it has no `x` inside",
        ),
    ] {
        let error = error(change);
        assert!(error.starts_with(&format!("--set {change}: ")), "{error}");
        assert!(error.contains(part), "`{part}` is not in:\n{error}");
    }
    // The value at fault is in the file, though an override made it one.
    let text = SHORT.replace("workload", "radio: (device_antennas: 3),\n    workload");
    let error = resolve(&text, &["architecture.all_reduce.streams=4"]).unwrap_err();
    assert!(
        error.starts_with("--set architecture.all_reduce.streams=4: architecture"),
        "{error}"
    );
}

#[test]
fn a_text_that_is_no_override_says_what_one_is() {
    let error = |text: &str| text.parse::<Override>().unwrap_err().to_string();
    assert_eq!(
        error("devices.count"),
        "`devices.count` changes nothing; write path=value, such as devices.count=8"
    );
    assert!(error("=3").contains("is not a path"));
    assert!(error("devices count=3").contains("is not a path"));
    assert_eq!(
        error("devices.profile=Preset(\"x\""),
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
        (path: \"devices.count\", values: [1, 2]),
        (path: \"architecture.all_reduce\", values: [Digital(bits: 8), Ideal]),
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
        assert_eq!(resolved.devices.len(), 1 + index / 4);
        assert_eq!(resolved.scenario.sweep, None);
    }
}

/// A point is the scenario that one gets by hand.
#[test]
fn a_point_is_the_scenario_with_its_values_set() {
    let sweep = "(axes: [(path: \"radio.budget.snr\", values: [\"0 dB\", \"9 dB\"])])";
    let (_folder, points) = points(sweep, &["devices.count=3"]).unwrap();
    let by_hand = resolve(SHORT, &["devices.count=3", "radio.budget.snr=9 dB"]).unwrap();
    assert_eq!(points[1].resolve().unwrap().to_ron(), by_hand.to_ron());
}

#[test]
fn ranges_and_zipped_axes_are_lists_that_advance_as_written() {
    let sweep = "(axes: [
        (path: \"radio.bandwidth\", range: (from: \"20 MHz\", to: \"40 MHz\", count: 3)),
        (zip: [
            (path: \"devices.count\", range: (from: 1, to: 4, count: 3, scale: Log)),
            (path: \"radio.budget.snr\", values: [\"0 dB\", \"3 dB\", \"6 dB\"]),
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
    assert_eq!(last.devices.len(), 4);
    assert_eq!(last.scenario.radio.bandwidth, Hertz(40e6));
}

/// Of a thousand faults sixteen are shown, and the rest is counted.
#[test]
fn many_faults_are_cut_off_with_a_count() {
    let sweep = "(axes: [(path: \"devices.count\", \
                 range: (from: 100001, to: 101000, count: 1000))])";
    let error = points(sweep, &[]).unwrap_err();
    assert_eq!(error.matches("devices.count: ").count(), 16, "{error}");
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
    let sweep = "(axes: [(path: \"devices.count\", values: [1, 0])])";
    assert_eq!(
        points(sweep, &[]).unwrap_err(),
        "short.ron:4:56: devices.count: 0 devices; use 1 to 65534 (at the sweep's point count=0)
   |
 4 |     sweep: (axes: [(path: \"devices.count\", values: [1, 0])]),
   |                                                        ^"
    );
    let sweep = "(axes: [
        (path: \"devices.count\", values: [1, 2]),
        (path: \"architecture.assignment\", values: [Equal, Fixed([0.5, 0.5])]),
        (path: \"sede\", values: [1]),
    ])";
    let error = points(sweep, &[]).unwrap_err();
    assert!(
        error.contains("short.ron:7:33: unknown field `sede`"),
        "{error}"
    );
    let sweep = "(axes: [
        (path: \"devices.count\", values: [1, 2]),
        (path: \"architecture.assignment\", values: [Equal, Fixed([0.5, 0.5])]),
    ])";
    let error = points(sweep, &[]).unwrap_err();
    let expected = "short.ron:6:59: architecture.assignment: 2 shares for 1 devices; give one each \
                    (at the sweep's point count=1, assignment=Fixed([0.5, 0.5]))\n";
    assert!(error.starts_with(expected), "{error}");
    assert_eq!(error.matches("short.ron:").count(), 1, "{error}");
}
