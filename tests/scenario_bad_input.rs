//! Scenarios that are wrong: each error says where, what, and how to put it right.

use airloom::policy::{Assignment, Fixed};
use airloom::scenario::{self, Architecture, Override, Resolved, ScenarioError};
use proptest::prelude::*;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const GOOD: &str = r#"Scenario(
    model: Folder("model"),
    devices: (count: 4),
    radio: (
        bandwidth: "10 MHz",
        device_antennas: 4,
    ),
    architecture: TensorParallel(
        assignment: Fixed([0.4, 0.3, 0.2, 0.1]),
        all_reduce: AirComp(streams: 2),
    ),
    workload: [
        Score(text: World(documents: 8)),
        Generate(prompt: "Anna", max_tokens: 4),
    ],
)
"#;

/// A folder with a model folder in it, as far as scenarios look at one.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("model")).unwrap();
        fs::create_dir(folder.path().join("empty")).unwrap();
        fs::write(folder.path().join("model/config.json"), "{}").unwrap();
        fs::write(folder.path().join("text.txt"), "text").unwrap();
        Self { folder }
    }

    fn load(&self, text: &str, changes: &[&str]) -> Result<Resolved, ScenarioError> {
        let changes: Vec<Override> = changes.iter().map(|c| c.parse().unwrap()).collect();
        scenario::parse(text, &self.folder.path().join("bad.ron"), &changes)
    }

    /// The message about `text`, its folder's path left out.
    fn message(&self, text: &str, changes: &[&str]) -> String {
        let error = self.load(text, changes).expect_err(text).to_string();
        error.replace(&format!("{}/", self.folder.path().display()), "")
    }

    /// The message about the good scenario with `from` replaced by `to`.
    fn refuse(&self, from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        self.message(&GOOD.replacen(from, to, 1), &[])
    }
}

/// Asserts that each change of the good scenario gives one fault whose message has the
/// parts.
#[track_caller]
fn refused(cases: &[(&str, &str, &[&str])]) {
    let desk = Desk::new();
    for (from, to, parts) in cases {
        let message = desk.refuse(from, to);
        for part in *parts {
            assert!(message.contains(part), "`{part}` is not in:\n{message}");
        }
        assert_eq!(message.matches("bad.ron:").count(), 1, "{message}");
    }
}

#[test]
fn the_good_scenario_is_good() {
    let resolved = Desk::new().load(GOOD, &[]).unwrap();
    assert_eq!(resolved.name, "bad");
    let Architecture::TensorParallel(parallel) = &resolved.scenario.architecture else {
        panic!("the scenario is tensor-parallel");
    };
    let listed = Fixed(vec![0.4, 0.3, 0.2, 0.1]);
    assert_eq!(parallel.assignment, Assignment::Fixed(listed));
}

#[test]
fn a_fault_is_shown_with_its_line() {
    assert_eq!(
        Desk::new().refuse("10 MHz", "10 MHzz"),
        r#"bad.ron:5:20: `10 MHzz` is not a frequency: unknown unit `MHzz`; write for example "10 MHz"
   |
 5 |         bandwidth: "10 MHzz",
   |                    ^^^^^^^^^"#
    );
    assert_eq!(
        Desk::new().refuse("bandwidth", "bandwith"),
        "bad.ron:5:9: unknown field `bandwith`
   |
 5 |         bandwith: \"10 MHz\",
   |         ^^^^^^^^ did you mean `bandwidth`? known are bandwidth, device_antennas, \
         device_antennas_except, server_antennas, fading, coherence, doppler, budget, \
         convention, budget_offsets, csi, synchronisation, downlink, round_overhead, \
         lone_device_transmits"
    );
    assert_eq!(
        Desk::new().refuse("streams: 2", "streams: 5"),
        "bad.ron:10:38: architecture.all_reduce.streams: 5 streams, but each device has 4 \
         antennas; use at most 4
    |
 10 |         all_reduce: AirComp(streams: 5),
    |                                      ^"
    );
}

#[test]
fn a_text_that_is_not_ron_is_refused_at_the_place() {
    refused(&[
        (
            "\"10 MHz\",",
            "\"10 MHz\"",
            &["bad.ron:5:28: a comma is missing before `device_antennas`"],
        ),
        (
            "\"10 MHz\"",
            "10 MHz",
            &[
                "bad.ron:5:20: `MHz` stands behind a number",
                "such as \"10 MHz\"",
            ],
        ),
        (
            "\"10 MHz\"",
            "10MHz",
            &["bad.ron:5:20: `10MHz` is not a number"],
        ),
        ("\"10 MHz\"", "'10 MHz'", &["bad.ron:5:20", "double quotes"]),
        (
            "\"Anna\"",
            "\"Anna",
            &["bad.ron:14:26: this text is never closed"],
        ),
        (
            "\"Anna\"",
            "\"\\q\"",
            &["bad.ron:14:27: `\\q` is no escape"],
        ),
        (
            "(count: 4)",
            "(count: 4",
            &[
                "bad.ron:3:14: this bracket is never closed",
                "close it with `)`",
            ],
        ),
        (
            "(count: 4)",
            "(count: 4]",
            &["bad.ron:3:23: expected `,` or `)`, found `]`"],
        ),
        (
            "    ],\n)\n",
            "    ],\n",
            &[
                "bad.ron:1:9: this bracket is never closed",
                "close it with `)`",
            ],
        ),
        (
            "count: 4",
            "count: 4, count: 5",
            &["bad.ron:3:25: the field `count` appears twice"],
        ),
        (
            "count: 4",
            "count 4",
            &["bad.ron:3:20: a comma is missing here"],
        ),
        (
            "Scenario(",
            "/* Scenario(",
            &["bad.ron:1:1: this comment is never closed"],
        ),
        (
            "Scenario(",
            "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
            &["nest deeper than 64"],
        ),
    ]);
}

#[test]
fn names_that_do_not_exist_are_refused_with_a_suggestion() {
    refused(&[
        (
            "devices:",
            "device:",
            &["unknown field `device`", "did you mean `devices`?"],
        ),
        (
            "AirComp",
            "AirCom",
            &[
                "bad.ron:10:21: `AirCom` is not known here",
                "did you mean `AirComp`? known are Ideal, AirComp, Digital",
            ],
        ),
        (
            "(count: 4)",
            "(count: 4, profile: Preset(\"jetson\"))",
            &[
                "bad.ron:3:34: devices.profile: there is no device `jetson`; did you mean `jetson-agx-orin`?",
            ],
        ),
        (
            "Score(",
            "Scores(",
            &["bad.ron:13:9", "did you mean `Score`?"],
        ),
        (
            "Scenario(",
            "Scenarios(",
            &["bad.ron:1:1: expected `Scenario(…)`"],
        ),
    ]);
}

#[test]
fn values_that_a_field_cannot_have_are_refused_at_the_place() {
    refused(&[
        (
            "\"10 MHz\"",
            "10",
            &[
                "bad.ron:5:20: expected a frequency with its unit, such as \"10 MHz\", found the number 10",
            ],
        ),
        (
            "10 MHz",
            "-10 MHz",
            &["bad.ron:5:20: `-10 MHz` is not a frequency: it must not be negative"],
        ),
        (
            "10 MHz",
            "0 Hz",
            &["bad.ron:5:20: radio.bandwidth: 0 must be a finite number above zero"],
        ),
        (
            "10 MHz",
            "NaN MHz",
            &["bad.ron:5:20: `NaN MHz` is not a frequency"],
        ),
        (
            "count: 4",
            "count: 0",
            &["bad.ron:3:22: devices.count: 0 devices; use 1 to 65534"],
        ),
        (
            "count: 4",
            "count: 1000000000",
            &["devices.count: 1000000000 devices; use 1 to 65534"],
        ),
        (
            "count: 4",
            "count: -4",
            &["bad.ron:3:22: -4 must not be negative"],
        ),
        (
            "count: 4",
            "count: 4.5",
            &["bad.ron:3:22: 4.5 must be a whole number"],
        ),
        (
            "count: 4",
            "count: 99999999999999999999999",
            &["must lie between 0 and 18446744073709551615"],
        ),
        ("0.4", "NaN", &["bad.ron:9:28: NaN is not a finite number"]),
        (
            "0.4",
            "1e999",
            &["bad.ron:9:28: 1e999 is not a finite number"],
        ),
        (
            "0.4",
            "\"0.4\"",
            &["bad.ron:9:28: expected a number, found the text \"0.4\""],
        ),
        (
            "Folder(\"model\")",
            "Folder",
            &["bad.ron:2:12: expected a text, found `Folder` alone"],
        ),
        (
            "Folder(\"model\")",
            "\"model\"",
            &["bad.ron:2:12: expected one of Folder, Shape, found the text \"model\""],
        ),
        (
            "AirComp(streams: 2)",
            "(streams: 2)",
            &["expected one of Ideal, AirComp, Digital, UncodedFdma, found fields in parentheses"],
        ),
        (
            "AirComp(streams: 2)",
            "Ideal(streams: 2)",
            &["`Ideal` has nothing inside"],
        ),
        (
            "    devices: (count: 4),\n",
            "",
            &[
                "bad.ron:1:1: the field `devices` is missing",
                "add `devices: …`",
            ],
        ),
        (
            "prompt: \"Anna\", ",
            "",
            &["bad.ron:14:9: the field `prompt` is missing"],
        ),
        (
            "max_tokens: 4",
            "max_tokens: 0",
            &["workload[1].max_tokens: 0 tokens"],
        ),
        (
            "max_tokens: 4",
            "arrival: At(\"300000 h\")",
            &["bad.ron:14:43: workload[1].arrival: ", "213 days"],
        ),
        (
            "documents: 8",
            "documents: 0",
            &["bad.ron:13:38: workload[0].text.documents: 0 documents"],
        ),
        (
            "World(documents: 8)",
            "World, window: 64",
            &["bad.ron:13:36: workload[0].window: each document of the world is a window"],
        ),
        (
            "World(documents: 8)",
            "File(\"text.txt\"), window: 1",
            &["workload[0].window: a window needs 2 tokens"],
        ),
        (
            "World(documents: 8)",
            "File(\"text.txt\"), windows: 0",
            &["workload[0].windows: 0 windows"],
        ),
    ]);
}

#[test]
fn fields_that_do_not_fit_each_other_are_refused_by_path() {
    refused(&[
        (
            "count: 4",
            "count: 3",
            &["bad.ron:9:21: architecture.assignment: 4 shares for 3 devices"],
        ),
        (
            "0.4,",
            "0.5,",
            &[
                "bad.ron:9:21: architecture.assignment: the shares of 4 devices sum to 1.1, not to 1",
            ],
        ),
        (
            "[0.4, 0.3,",
            "[-0.4, 1.1,",
            &["architecture.assignment: the share of device 0 is -0.4"],
        ),
        (
            "device_antennas: 4",
            "device_antennas: 1",
            &[
                "bad.ron:10:38: architecture.all_reduce.streams: 2 streams, but each device has 1 antennas",
            ],
        ),
        (
            "device_antennas: 4",
            "server_antennas: 1",
            &["architecture.all_reduce.streams: 2 streams, but the server has 1 antennas"],
        ),
        (
            "(count: 4)",
            "(count: 4, except: {4: Preset(\"raspberry-pi-5\")})",
            &["bad.ron:3:37: devices.except[4]: there is no device 4 among 4"],
        ),
        (
            "(count: 4)",
            "(count: 4, except: {1: Custom(peak: \"1 TFLOP/s\", memory_bandwidth: \"1 GB/s\", memory: \"1 GB\", efficiency: 1.5)})",
            &["devices.except[1].efficiency: 1.5 exceeds 1"],
        ),
        (
            "bandwidth: \"10 MHz\"",
            "fading: Rayleigh(carrier: \"3.5 GHz\", distance: [\"9 m\"])",
            &["radio.fading.distance: 1 distances for 4 devices"],
        ),
        (
            "bandwidth: \"10 MHz\"",
            "fading: Rayleigh(carrier: \"3.5 GHz\", distance: \"9 mm2\")",
            &["bad.ron:5:56: `9 mm2` is not a length: unknown unit `mm2`"],
        ),
        (
            "bandwidth: \"10 MHz\"",
            "fading: Rayleigh(carrier: \"3.5 GHz\", distance: [\"9 m\", 9])",
            &["bad.ron:5:64: expected a length with its unit"],
        ),
        (
            "bandwidth: \"10 MHz\"",
            "fading: Rayleigh(carrier: \"3.5 GHz\", distance: 9)",
            &[
                "bad.ron:5:56: ",
                "a length with its unit, such as \"120 m\", or a list",
            ],
        ),
        (
            "bandwidth: \"10 MHz\"",
            "fading: Tr38901(environment: UMa, carrier: \"3.5 GHz\", distance: \"6 km\")",
            &[
                "bad.ron:5:73: radio.fading.distance: 6 km is outside the range of TR 38.901, Table \
                 7.4.1-1, for UMa; use 10 m to 5 km",
            ],
        ),
        (
            "bandwidth: \"10 MHz\"",
            "fading: Tr38901(environment: RMa, carrier: \"3.5 GHz\", distance: \"1 km\")",
            &["known are UMiStreetCanyon, UMa, InHMixedOffice, InHOpenOffice"],
        ),
        (
            "bandwidth: \"10 MHz\"",
            "downlink: Multicast(bits: 1)",
            &["radio.downlink.bits: 1 bits per entry"],
        ),
    ]);
}

#[test]
fn files_that_are_not_there_are_refused_by_path() {
    refused(&[
        (
            "Folder(\"model\")",
            "Folder(\"modell\")",
            &["bad.ron:2:12: model: there is no folder modell; paths are relative"],
        ),
        (
            "Folder(\"model\")",
            "Folder(\"empty\")",
            &["model: empty holds no config.json"],
        ),
        (
            "World(documents: 8)",
            "File(\"t.txt\")",
            &["bad.ron:13:21: workload[0].text: there is no file t.txt"],
        ),
    ]);
    let desk = Desk::new();
    let nowhere = scenario::load(&desk.folder.path().join("none.ron"), &[]);
    let message = nowhere.unwrap_err().to_string();
    assert!(
        message.starts_with("cannot read the scenario "),
        "{message}"
    );
    let path: PathBuf = desk.folder.path().join("binary.ron");
    fs::write(&path, b"Scenario(\xff)").unwrap();
    let message = scenario::load(&path, &[]).unwrap_err().to_string();
    assert!(message.contains("not UTF-8 from byte 9 on"), "{message}");
}

#[test]
fn independent_faults_are_found_together() {
    let desk = Desk::new();
    let text = GOOD
        .replace("10 MHz", "10 MHzz")
        .replace("count: 4", "count: four, profil: 3")
        .replace("max_tokens: 4", "max_token: 4")
        .replace("streams: 2", "streams: -2");
    let message = desk.message(&text, &[]);
    let places: Vec<&str> = message
        .lines()
        .filter_map(|line| line.strip_prefix("bad.ron:")?.split(": ").next())
        .collect();
    assert_eq!(
        places,
        ["3:22", "3:28", "5:20", "10:38", "14:34"],
        "{message}"
    );

    let text = GOOD
        .replace("10 MHz", "0 Hz")
        .replace("streams: 2", "streams: 5")
        .replace("\"model\"", "\"modell\"");
    assert_eq!(desk.message(&text, &[]).matches("bad.ron:").count(), 3);
}

#[test]
fn sweeps_that_cannot_be_crossed_are_refused() {
    let desk = Desk::new();
    for (sweep, part) in [
        (
            "(axes: [(path: \"devices.count\", values: [])])",
            "sweep.axes[0].values: the list is empty",
        ),
        (
            "(axes: [(path: \"devices.count\", values: [1]), (path: \"devices.count\", values: [2])])",
            "sweep.axes[1].path: `devices.count` is varied twice",
        ),
        (
            "(axes: [(path: \"sweep.runs\", values: [1])])",
            "sweep.axes[0].path: a sweep cannot vary itself",
        ),
        (
            "(axes: [(path: \"se ed\", values: [1])])",
            "`se ed` is not a path",
        ),
        (
            "(axes: [(path: \"seed\", values: [1])])",
            "sweep.axes[0].path: the seed names the experiment",
        ),
        (
            "(axes: [(path: \"0.a\", values: [1])])",
            "`0.a` is not a path",
        ),
        (
            "(axes: [(path: \"radio.bandwidth\", values: [\"1 Hz\"]), (path: \"radio\", values: [()])])",
            "sweep.axes[1].path: it would overwrite `radio.bandwidth`",
        ),
        (
            "(axes: [(values: [1])])",
            "sweep.axes[0].path: an axis needs a path",
        ),
        (
            "(axes: [(path: \"devices.count\")])",
            "sweep.axes[0].values: an axis needs values",
        ),
        (
            "(axes: [(path: \"devices.count\", values: [1, 2, 1])])",
            "sweep.axes[0].values[2]: 1 is there twice; remove one",
        ),
        (
            "(axes: [(path: \"devices.count\", range: (from: 1, to: \"x\", count: 2))])",
            "sweep.axes[0].range.to: \"x\" is no number",
        ),
        (
            "(axes: [(path: \"devices.count\", range: (from: 1, to: 2, count: 4000000000))])",
            "sweep.axes: 4000000000 points",
        ),
        (
            "(axes: [(zip: [(path: \"devices.count\", values: [1, 2]), \
             (path: \"radio.bandwidth\", values: [\"1 Hz\"])])])",
            "sweep.axes[0].zip[1]: it has 1 values, but the first of the zipped axes has 2",
        ),
        (
            "(axes: [(zip: [(path: \"devices.count\", values: [1, 2, 2], labels: [\"a\", \"b\", \"b\"]), \
             (path: \"trace\", values: [Off, Off, Full], labels: [\"off\", \"off\", \"off\"])])])",
            "sweep.axes[0].zip[0].labels[2]: `b, off` is there twice",
        ),
        (
            "(axes: [(path: \"devices.count\", zip: [(path: \"trace\", values: [Off])])])",
            "sweep.axes[0].path: beside `zip` this has no meaning",
        ),
        ("(runs: 0)", "sweep.runs: 0 runs measure nothing"),
        ("(runs: 4294967295)", "4294967295 points"),
    ] {
        let text = GOOD.replace(
            "    workload:",
            &format!("    sweep: {sweep},\n    workload:"),
        );
        let message = desk.message(&text, &[]);
        assert!(message.contains(part), "`{part}` is not in:\n{message}");
        assert!(message.starts_with("bad.ron:12:"), "{message}");
    }
}

/// Pieces from which texts near a scenario are made.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,4}",
        "[(){}\\[\\],:\"#!=/*\\\\.+-]{1,3}",
        Just("Some(".to_owned()),
        Just("None".to_owned()),
        Just("r#\"".to_owned()),
        Just("0x".to_owned()),
        Just("1e".to_owned()),
        Just("-170141183460469231731687303715884105728".to_owned()),
        Just("sweep: (axes: [(path: \"devices.count\", values: [1, 0, x])]),".to_owned()),
        Just("Rayleigh(carrier: 1, distance: [\"1\"])".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = Desk::new().load(&text, &[]);
    }

    /// Cuts pieces out of the good scenario and puts others in their place.
    #[test]
    fn no_damaged_scenario_panics(
        cuts in prop::collection::vec((0..GOOD.len(), 0usize..24, piece()), 1..4),
    ) {
        let mut text = GOOD.to_owned();
        for (start, length, piece) in cuts {
            let start = text.floor_char_boundary(start.min(text.len()));
            let end = text.floor_char_boundary((start + length).min(text.len()));
            text.replace_range(start..end.max(start), &piece);
        }
        match Desk::new().load(&text, &[]) {
            Ok(resolved) => { let _ = scenario::points(&resolved); }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn no_override_panics(
        path in "(seed|devices|radio|architecture|workload|sweep|model|server)?([.][a-z_]{1,10}|\\[[0-9]\\]){0,4}",
        value in prop_oneof![piece(), "\\PC*", Just("Digital(bits: 8)".to_owned())],
    ) {
        if let Ok(change) = format!("{path}={value}").parse::<Override>() {
            let desk = Desk::new();
            let _ = scenario::parse(GOOD, &desk.folder.path().join("bad.ron"), &[change]);
        }
    }
}

#[test]
fn energy_per_vector_needs_a_known_number_of_channel_uses() {
    let desk = Desk::new();
    let changes = [
        "radio.convention=EnergyPerVector(energy: \"1 mJ\")",
        "radio.budget=Normalised(snr: \"0 dB\", reference_power: \"100 mW\")",
        "architecture.all_reduce=Digital(bits: 8)",
    ];
    let message = desk.message(GOOD, &changes);
    assert!(message.contains("architecture.all_reduce: "), "{message}");
    assert!(message.contains("rate: Fixed("), "{message}");
    let fixed = "architecture.all_reduce=Digital(bits: 8, rate: Fixed(\"12 bit/s/Hz\"))";
    desk.load(GOOD, &[changes[0], changes[1], fixed]).unwrap();
}
