//! `airloom channel`, and channels that come back as a trace.

use crate::desk::{Desk, TINY, assert_same};
use serde_json::Value;
use std::fs;

/// The rows of a CSV file, cell by cell.
fn rows(desk: &Desk, name: &str) -> Vec<Vec<String>> {
    let text = desk.text(name);
    let cells = |line: &str| line.split(',').map(str::to_owned).collect();
    text.lines().map(cells).collect()
}

#[test]
fn it_writes_a_tensor_a_table_and_a_figure() {
    let desk = Desk::new();
    let channel = desk.airloom(&["channel", "tiny.ron", "--out", "x"]).good();
    assert_eq!(channel.stderr, "");
    assert!(
        channel
            .stdout
            .starts_with("tiny (seed 3, run 0): 100 blocks of 2 devices, 20 × 4 antennas\n")
    );
    assert!(
        channel.stdout.ends_with("written to x\n"),
        "{}",
        channel.stdout
    );
    assert_eq!(desk.names("x"), ["channel.csv", "channel.svg", "h.npy"]);
    // 100 · 2 · 20 · 4 entries of 16 bytes after a header of 128.
    let tensor = fs::read(desk.path("x/h.npy")).unwrap();
    assert_eq!(tensor.len(), 128 + 256_000);
    assert!(tensor.starts_with(b"\x93NUMPY\x01\x00\x76\x00{'descr': '<c16'"));
    let rows = rows(&desk, "x/channel.csv");
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0][..3], ["device", "entries", "mean_gain_db"]);
    for row in &rows[1..] {
        assert_eq!(row[1], "8000");
        let number = |column: usize| row[column].parse::<f64>().unwrap();
        // Mean 1 and variance 1: E|h|² = 2, with deviation √3 from entry to entry, and K = 1.
        assert!((number(2) - 3.0103).abs() < 4.0 * 4.343 * 1.7321 / 2.0 / 8000f64.sqrt());
        assert!((number(3) - 3.0103).abs() < 1e-4);
        assert_eq!(row[4], "0.0");
        // Kolmogorov's bound for one in a thousand.
        assert!(number(5) < 1.95 / 8000f64.sqrt(), "{row:?}");
    }
    let figure = desk.text("x/channel.svg");
    for words in ["device 1", "theory", "singular values", "Mean gains"] {
        assert!(figure.contains(words), "{words}");
    }
    // The same again, in its usual place.
    desk.airloom(&["channel", "tiny.ron"]).good();
    assert_same(
        &desk.tree("x"),
        &desk.tree("results/tiny/channel-seed3-run0"),
    );
}

#[test]
fn with_doppler_it_shows_the_autocorrelation() {
    let desk = Desk::new();
    let arguments = [
        "channel",
        "tiny.ron",
        "--out",
        "x",
        "--blocks",
        "64",
        "--set",
        "links.air.doppler=Shift(\"50 Hz\")",
        "--set",
        "links.air.coherence=Time(\"2 ms\")",
    ];
    desk.airloom(&arguments).good();
    let rows = rows(&desk, "x/autocorrelation.csv");
    assert_eq!(rows.len(), 1 + 33);
    let cell = |row: usize, column: usize| rows[row][column].parse::<f64>().unwrap();
    assert!((cell(1, 1) - 1.0).abs() < 0.1 && cell(1, 3) == 1.0);
    // J₀(2π · 50 Hz · 2 ms) = J₀(0.628319) = 0.903713, five lags on J₀(π) = −0.304242.
    assert!((cell(2, 0) - 0.002).abs() < 1e-15);
    assert!((cell(2, 3) - 0.903_713).abs() < 1e-6);
    assert!((cell(6, 3) + 0.304_242).abs() < 1e-6);
    assert!((cell(2, 1) - 0.904).abs() < 0.1);
    assert!(desk.text("x/channel.svg").contains("Autocorrelation"));
}

/// The same draws as a run has: a run on the trace of its own channels is the same run.
#[test]
fn a_trace_serves_devices_of_unequal_antennas() {
    let desk = Desk::new();
    let unequal = TINY.replace(
        "budget:",
        "device_antennas_except: {1: 6},\n        budget:",
    );
    desk.write("unequal.ron", &unequal);
    desk.airloom(&["channel", "unequal.ron", "--out", "drawn", "--blocks", "50"])
        .good();
    fs::copy(desk.path("drawn/h.npy"), desk.path("h.npy")).unwrap();
    let traced = unequal.replace("budget:", "fading: Trace(\"h.npy\"),\n        budget:");
    desk.write("traced.ron", &traced);
    let again = ["channel", "traced.ron", "--out", "again", "--blocks", "50"];
    desk.airloom(&again).good();
    let tensor = |folder: &str| fs::read(desk.path(format!("{folder}/h.npy"))).unwrap();
    assert!(tensor("drawn") == tensor("again"));
}

#[test]
fn a_tensor_written_is_a_trace_that_gives_the_same_bits() {
    let desk = Desk::new();
    // Blocks of time: where each all-reduce has a channel of its own, it is that of its request.
    let tiny = TINY.replace("budget:", "coherence: Time(\"100 us\"),\n        budget:");
    desk.write("tiny.ron", &tiny);
    desk.airloom(&["channel", "tiny.ron", "--out", "drawn", "--blocks", "2000"])
        .good();
    fs::copy(desk.path("drawn/h.npy"), desk.path("h.npy")).unwrap();
    let traced = tiny.replace("budget:", "fading: Trace(\"h.npy\"),\n        budget:");
    desk.write("traced.ron", &traced);
    let arguments = [
        "channel",
        "traced.ron",
        "--out",
        "again",
        "--blocks",
        "2000",
    ];
    desk.airloom(&arguments).good();
    let tensor = |folder: &str| fs::read(desk.path(format!("{folder}/h.npy"))).unwrap();
    assert!(tensor("drawn") == tensor("again"));
    desk.airloom(&["run", "tiny.ron", "--out", "a"]).good();
    desk.airloom(&["run", "traced.ron", "--out", "b"]).good();
    for file in ["events.csv", "metrics.json", "tensors.digest"] {
        // What is expected of an assignment is an estimate over other draws.
        let measured = |folder: &str| {
            let text = desk.text(&format!("{folder}/{file}"));
            let lines = text.lines().filter(|line| !line.contains("assignment_"));
            lines.collect::<Vec<_>>().join("\n")
        };
        assert!(measured("a") == measured("b"), "{file}");
    }
    let inputs = |folder: &str| desk.json(&format!("{folder}/manifest.json"))["inputs"].clone();
    let trace = |inputs: &Value| {
        let inputs = inputs.as_array().unwrap();
        inputs
            .iter()
            .find(|input| input["name"] == "h.npy (channels)")
            .cloned()
    };
    assert_eq!(trace(&inputs("a")), None);
    let trace = trace(&inputs("b")).unwrap();
    assert_eq!(trace["bytes"], tensor("drawn").len());
    let digest = blake3::hash(&tensor("drawn")).to_hex().to_string();
    assert_eq!(trace["blake3"], digest);
    // Another trace under the same name is told by a replay.
    let mut other = tensor("drawn");
    let last = other.len() - 1;
    other[last] ^= 1;
    fs::write(desk.path("h.npy"), other).unwrap();
    let replay = desk.airloom(&["replay", "b"]);
    assert!(
        replay.stdout.contains("h.npy (channels)"),
        "{}",
        replay.stdout
    );
}

#[test]
fn a_trace_that_does_not_fit_is_told_before_anything_runs() {
    let desk = Desk::new();
    desk.airloom(&["channel", "tiny.ron", "--out", "x", "--blocks", "3"])
        .good();
    fs::copy(desk.path("x/h.npy"), desk.path("h.npy")).unwrap();
    let fading = |fading: &str| format!("fading: {fading},\n        budget:");
    desk.write(
        "traced.ron",
        &TINY.replace("budget:", &fading("Trace(\"h.npy\")")),
    );
    desk.airloom(&["check", "traced.ron"]).good();
    let message = desk
        .airloom(&[
            "check",
            "traced.ron",
            "--set",
            "nodes.device.count=3",
            "--set",
            "replicas[0].placement.assignment=Equal",
        ])
        .refused(2);
    assert!(
        message.starts_with(
            "error: traced.ron:7:17: links.air.fading.file: ./h.npy: the trace has 2 devices"
        ),
        "{message}"
    );
    assert!(
        message.contains("but the scenario has 3; set their count to 2"),
        "{message}"
    );
    desk.write(
        "missing.ron",
        &TINY.replace(
            "budget:",
            &fading("Trace(file: \"no.npy\", past_end: Wrap)"),
        ),
    );
    let message = desk.airloom(&["check", "missing.ron"]).refused(2);
    assert!(message.starts_with("error: missing.ron:7:29: links.air.fading.file: there is no file ./no.npy; paths are relative"), "{message}");
    desk.write(
        "typo.ron",
        &TINY.replace(
            "budget:",
            &fading("Trace(file: \"h.npy\", past_ende: Wrap)"),
        ),
    );
    let message = desk.airloom(&["check", "typo.ron"]).refused(2);
    assert!(message.contains("did you mean `past_end`?"), "{message}");
    fs::write(desk.path("h.npy"), b"not an array").unwrap();
    let message = desk.airloom(&["channel", "traced.ron"]).refused(2);
    assert!(
        message.contains("it does not start with \\x93NUMPY"),
        "{message}"
    );
}

#[test]
fn a_trace_that_ends_during_a_run_says_how_to_go_on() {
    let desk = Desk::new();
    desk.airloom(&["channel", "tiny.ron", "--out", "x", "--blocks", "3"])
        .good();
    fs::copy(desk.path("x/h.npy"), desk.path("h.npy")).unwrap();
    let traced = TINY.replace("budget:", "fading: Trace(\"h.npy\"),\n        budget:");
    desk.write("traced.ron", &traced);
    let message = desk
        .airloom(&["run", "traced.ron", "--out", "y"])
        .refused(1);
    assert!(
        message.contains("coherence block 3 lies past the end of the channel trace, which has 3"),
        "{message}"
    );
    let wrap = [
        "run",
        "traced.ron",
        "--out",
        "y",
        "--set",
        "links.air.fading=Trace(file: \"h.npy\", past_end: Wrap)",
    ];
    desk.airloom(&wrap).good();
}

#[test]
fn it_replaces_nothing_but_its_own() {
    let desk = Desk::new();
    for _ in 0..2 {
        desk.airloom(&["channel", "tiny.ron", "--out", "x", "--blocks", "2"])
            .good();
    }
    desk.write("x/notes.txt", "mine");
    let message = desk
        .airloom(&["channel", "tiny.ron", "--out", "x"])
        .refused(2);
    assert_eq!(
        message,
        "error: x already holds something that `airloom channel` did not write; choose another \
         folder with --out, or remove it\n"
    );
    let message = desk
        .airloom(&[
            "channel",
            "tiny.ron",
            "--out",
            "y",
            "--blocks",
            "1000000",
            "--set",
            "nodes.device.count=1024",
            "--set",
            "replicas[0].placement.assignment=Equal",
        ])
        .refused(2);
    assert!(message.contains("use fewer --blocks"), "{message}");
    assert_eq!(desk.names("."), ["tiny.ron", "x"]);
}
