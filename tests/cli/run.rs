//! `airloom run`: what it prints, what it writes, and that the bits stay the same.

use crate::desk::{Desk, TINY, assert_same};
use std::fs;

const FOLDER: &str = "results/tiny/seed3-run0";

#[test]
fn a_run_prints_its_table_on_stdout_and_is_silent_on_stderr() {
    let run = Desk::new().airloom(&["run", "tiny.ron"]).good();
    for word in [
        "perplexity",
        "TTFT",
        "TPOT",
        "all-reduce MSE",
        "uplink",
        "server",
    ] {
        assert!(run.stdout.contains(word), "{word}: {}", run.stdout);
    }
    assert!(
        run.stdout.ends_with(&format!("written to {FOLDER}\n")),
        "{}",
        run.stdout
    );
    // Nobody watches a pipe, so there is no progress bar either.
    assert_eq!(run.stderr, "");
}

#[test]
fn a_run_folder_holds_these_files_and_no_others() {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron"]).good();
    let expected = [
        "assignment.csv",
        "batches.csv",
        "blocks.csv",
        "events.csv",
        "load.csv",
        "manifest.json",
        "memory.svg",
        "metrics.json",
        "nodes.csv",
        "report.html",
        "requests.csv",
        "scenario.ron",
        "tensors.digest",
        "timeline.svg",
        "tokens.csv",
    ];
    assert_eq!(desk.names(FOLDER), expected);
    assert_eq!(desk.names("."), ["results", "tiny.ron"]);
    assert_eq!(desk.names("results/tiny"), ["seed3-run0"]);
}

/// So that whoever reads tables needs no case for a run in which a thing never happened.
#[test]
fn a_table_without_rows_names_its_columns() {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron", "--out", "several"])
        .good();
    desk.write(
        "alone.ron",
        "Scenario(model: Shape(\"llama-2-7b\"), nodes: {\"edge\": (profile: \
         Preset(\"edge-server-l4\"))}, workload: [Tokens(prompt: 5, generate: 2)])",
    );
    desk.airloom(&["run", "alone.ron", "--out", "alone"]).good();
    let several = desk.text("several/blocks.csv");
    let header = several.lines().next().unwrap();
    assert_eq!(desk.text("alone/blocks.csv"), format!("{header}\n"));
}

#[test]
fn the_manifest_names_every_other_file_with_its_digest() {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron"]).good();
    let manifest = desk.json(&format!("{FOLDER}/manifest.json"));
    let mut files = desk.tree(FOLDER);
    files.remove("manifest.json").unwrap();
    let listed = manifest["files"].as_array().unwrap();
    assert_eq!(listed.len(), files.len());
    for file in listed {
        let content = &files[file["name"].as_str().unwrap()];
        assert_eq!(file["blake3"], blake3::hash(content).to_hex().as_str());
        assert_eq!(file["bytes"], content.len());
    }
    let events = &files["events.csv"];
    assert_eq!(
        manifest["trace"]["blake3"],
        blake3::hash(events).to_hex().as_str()
    );
    let rows = events.iter().filter(|byte| **byte == b'\n').count() - 1;
    assert_eq!(manifest["trace"]["rows"], rows);
}

#[test]
fn a_shorter_trace_keeps_fewer_files_and_the_same_digest() {
    let desk = Desk::new();
    let run = |level: &str| {
        let setting = format!("trace={level}");
        desk.airloom(&["run", "tiny.ron", "--set", &setting, "--out", level])
            .good();
        (
            desk.names(level),
            desk.json(&format!("{level}/manifest.json"))["trace"].clone(),
            desk.text(&format!("{level}/metrics.json")),
        )
    };
    let (_, digest, metrics) = run("Full");
    let summary = [
        "assignment.csv",
        "batches.csv",
        "blocks.csv",
        "events_summary.csv",
        "load.csv",
        "manifest.json",
        "metrics.json",
        "nodes.csv",
        "requests.csv",
        "scenario.ron",
        "tokens.csv",
    ];
    let off = [
        "assignment.csv",
        "load.csv",
        "manifest.json",
        "metrics.json",
        "nodes.csv",
        "requests.csv",
        "scenario.ron",
    ];
    for (level, expected) in [("Summary", &summary[..]), ("Off", &off[..])] {
        let (files, trace, numbers) = run(level);
        assert_eq!(files, expected, "{level}");
        assert_eq!(trace, digest, "{level}");
        assert_eq!(numbers, metrics, "{level}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let desk = Desk::new();
    for threads in ["1", "2", "5"] {
        desk.airloom(&["run", "tiny.ron", "--threads", threads, "--out", threads])
            .good();
        let host = desk.json(&format!("{threads}/manifest.json"))["host"]["threads"].clone();
        assert_eq!(host.to_string(), threads);
    }
    assert_same(&desk.hashed_tree("1"), &desk.hashed_tree("2"));
    assert_same(&desk.hashed_tree("1"), &desk.hashed_tree("5"));
}

#[test]
fn another_seed_or_run_draws_another_channel_into_a_folder_of_its_own() {
    let desk = Desk::new();
    for arguments in [&[][..], &["--seed", "4"], &["--run", "1"], &["--seed", "3"]] {
        desk.airloom(&[&["run", "tiny.ron"], arguments].concat())
            .good();
    }
    let names = ["seed3-run0", "seed3-run1", "seed4-run0"];
    assert_eq!(desk.names("results/tiny"), names);
    let errors = names.map(|name| {
        let metrics = desk.json(&format!("results/tiny/{name}/metrics.json"));
        metrics["all_reduce_mse"].to_string()
    });
    assert!(errors[0] != errors[1] && errors[1] != errors[2] && errors[2] != errors[0]);
}

#[test]
fn an_override_does_what_the_same_change_in_the_file_does() {
    let desk = Desk::new();
    desk.write("edited/tiny.ron", &TINY.replace("streams: 4", "streams: 1"));
    desk.airloom(&["run", "edited/tiny.ron", "--out", "a"])
        .good();
    let setting = "replicas[0].placement.all_reduce.streams=1";
    desk.airloom(&["run", "tiny.ron", "--set", setting, "--out", "b"])
        .good();
    assert_same(&desk.hashed_tree("a"), &desk.hashed_tree("b"));
    assert!(
        desk.json("a/manifest.json")["scenario"]
            .as_str()
            .unwrap()
            .contains("streams: 1")
    );
}

#[test]
fn runs_with_other_overrides_get_other_folders() {
    let desk = Desk::new();
    for setting in [
        "seed=3",
        "links.air.server_antennas=8",
        "links.air.server_antennas=9",
    ] {
        desk.airloom(&["run", "tiny.ron", "--set", setting]).good();
    }
    let names = desk.names("results/tiny");
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(
        names.iter().all(|name| name.starts_with("seed3-run0-")),
        "{names:?}"
    );
}

#[test]
fn running_again_replaces_the_folder_of_the_same_run() {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron"]).good();
    let first = desk.hashed_tree("results");
    fs::write(desk.path(FOLDER).join("metrics.json"), "{}").unwrap();
    fs::write(desk.path(FOLDER).join("left.over"), "").unwrap();
    desk.airloom(&["run", "tiny.ron"]).good();
    assert_same(&desk.hashed_tree("results"), &first);
}

#[test]
fn another_runs_folder_is_refused_and_stays_as_it_is() {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron", "--out", "x"]).good();
    let before = desk.tree("x");
    desk.write("other.ron", &TINY.replace("streams: 4", "streams: 2"));
    for arguments in [
        &["run", "other.ron"][..],
        &["run", "tiny.ron", "--seed", "4"],
    ] {
        let run = desk.airloom(&[arguments, &["--out", "x"]].concat());
        assert_eq!(
            run.refused(2),
            "error: x already holds another run (scenario `tiny`, seed 3, run 0); choose another \
             folder with --out, or replace it with --overwrite\n"
        );
        assert_same(&desk.tree("x"), &before);
    }
}

#[test]
fn a_folder_that_no_run_wrote_is_refused_and_an_empty_one_is_taken() {
    let desk = Desk::new();
    desk.write("thesis/chapter.txt", "mine");
    desk.write("file", "mine");
    for (place, what) in [
        ("thesis", "something that is no run folder"),
        ("file", "a file that is no run folder"),
    ] {
        let message = desk
            .airloom(&["run", "tiny.ron", "--out", place])
            .refused(2);
        assert!(
            message.contains(&format!("{place} already holds {what}; choose")),
            "{message}"
        );
    }
    assert_eq!(desk.names("thesis"), ["chapter.txt"]);
    assert_eq!(desk.names("."), ["file", "thesis", "tiny.ron"]);
    fs::create_dir(desk.path("empty")).unwrap();
    desk.airloom(&["run", "tiny.ron", "--out", "empty"]).good();
    assert_eq!(desk.names("empty").len(), 15);
}

#[test]
fn an_edited_scenario_gets_a_folder_of_its_own() {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron"]).good();
    let first = desk.tree(FOLDER);
    desk.write("tiny.ron", &TINY.replace("streams: 4", "streams: 2"));
    for _ in 0..2 {
        let edited = desk.airloom(&["run", "tiny.ron"]).good();
        let names = desk.names("results/tiny");
        assert_eq!(names.len(), 2, "{names:?}");
        let own = format!("results/tiny/{}", names[1]);
        let identity = desk.json(&format!("{own}/manifest.json"))["identity"].clone();
        let digest = &identity.as_str().unwrap()[..8];
        assert_eq!(own, format!("{FOLDER}-{digest}"));
        assert!(edited.stdout.ends_with(&format!("written to {own}\n")));
    }
    assert_same(&desk.tree(FOLDER), &first);
    // The first one again is where it was.
    desk.write("tiny.ron", TINY);
    desk.airloom(&["run", "tiny.ron"]).good();
    assert_eq!(desk.names("results/tiny").len(), 2);
}

#[test]
fn overwriting_replaces_another_run_and_nothing_else() {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron", "--out", "x"]).good();
    desk.airloom(&["run", "tiny.ron", "--seed", "4", "--out", "y"])
        .good();
    let over = [
        "run",
        "tiny.ron",
        "--seed",
        "4",
        "--out",
        "x",
        "--overwrite",
    ];
    desk.airloom(&over).good();
    assert_same(&desk.hashed_tree("x"), &desk.hashed_tree("y"));
    desk.write("thesis/chapter.txt", "mine");
    desk.airloom(&["run", "tiny.ron", "--out", "thesis", "--overwrite"])
        .refused(2);
    assert_eq!(desk.names("thesis"), ["chapter.txt"]);
    // In its usual place too.
    desk.airloom(&["run", "tiny.ron"]).good();
    desk.write("tiny.ron", &TINY.replace("streams: 4", "streams: 2"));
    desk.airloom(&["run", "tiny.ron", "--overwrite"]).good();
    assert_eq!(desk.names("results/tiny"), ["seed3-run0"]);
}
