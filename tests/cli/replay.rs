//! `airloom replay`: its exit codes, and what it says first.

use crate::desk::{Desk, Outcome, TINY, assert_same};
use std::fs;

#[test]
fn a_replay_exits_0_1_or_2_as_the_readme_says() {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron", "--out", "run"]).good();
    let equal = desk.airloom(&["replay", "run"]).good();
    assert!(equal.stdout.starts_with("bit-equal: "), "{}", equal.stdout);

    let manifest = desk.text("run/manifest.json");
    let edited = manifest.replacen("\"seed\": 3", "\"seed\": 4", 1);
    assert_ne!(edited, manifest);
    desk.write("run/manifest.json", &edited);
    let changed = desk.airloom(&["replay", "run"]);
    assert_eq!(changed.code, Some(1), "{}", changed.stdout);
    assert!(changed.stdout.starts_with("changed  scenario: "));

    let unknown = manifest.replacen("\"format\": 1", "\"format\": 99", 1);
    desk.write("run/manifest.json", &unknown);
    let said = desk.airloom(&["replay", "run"]).refused(2);
    assert!(said.contains("format is 99"), "{said}");
}

#[test]
fn a_replay_that_cannot_go_on_says_what_changed_and_then_why() {
    let desk = Desk::new();
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/models/tiny-llama");
    fs::create_dir(desk.path("model")).unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        let from = format!("{bundled}/{file}");
        fs::copy(from, desk.path("model").join(file)).unwrap();
    }
    let scenario = crate::desk::TINY.replace("MODEL", "model");
    desk.write("own.ron", &scenario);
    desk.airloom(&["run", "own.ron", "--out", "run"]).good();
    let config = desk.text("model/config.json");
    desk.write("model/config.json", &config.replace("192", "100"));
    let stopped = desk.airloom(&["replay", "run"]);
    assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
    let said = &stopped.stdout;
    assert!(said.starts_with("changed  input config.json: "), "{said}");
    let why = &stopped.stderr;
    assert!(why.starts_with("error: the replay cannot go on: "), "{why}");
}

/// A folder to stand in with `own.ron` and a model of its own, and its run in `run`.
fn moved() -> Desk {
    let desk = Desk::new();
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/models/tiny-llama");
    fs::create_dir_all(desk.path("a/model")).unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        let from = format!("{bundled}/{file}");
        fs::copy(from, desk.path("a/model").join(file)).unwrap();
    }
    desk.write("a/own.ron", &TINY.replace("MODEL", "model"));
    let run = desk.command(&["run", "own.ron", "--out", "run"]);
    from(run, &desk, "a").good();
    desk
}

/// What the program does when it stands in `folder`.
fn from(mut command: std::process::Command, desk: &Desk, folder: &str) -> Outcome {
    command.current_dir(desk.path(folder));
    command.output().unwrap().into()
}

#[test]
fn a_run_is_replayed_from_any_folder_and_in_any_place() {
    let desk = moved();
    fs::create_dir_all(desk.path("else/where")).unwrap();
    for (stand, path) in [
        (".", "a/run"),
        ("a/run", "."),
        ("else/where", "../../a/run"),
    ] {
        let replay = from(desk.command(&["replay", path]), &desk, stand).good();
        assert!(
            replay.stdout.starts_with("bit-equal: "),
            "{}",
            replay.stdout
        );
    }
    fs::rename(desk.path("a/run"), desk.path("else/moved")).unwrap();
    let replay = desk.airloom(&["replay", "else/moved"]).good();
    assert!(
        replay.stdout.starts_with("bit-equal: "),
        "{}",
        replay.stdout
    );
    // Where its files are gone a bundled model is found by its digests.
    fs::rename(desk.path("a"), desk.path("b")).unwrap();
    let replay = desk.airloom(&["replay", "else/moved"]).good();
    assert!(
        replay.stdout.starts_with("note     scenario: "),
        "{}",
        replay.stdout
    );
    assert!(replay.stdout.contains("\nbit-equal: "), "{}", replay.stdout);
}

#[test]
fn a_file_that_is_nowhere_is_named_with_the_option_that_would_help() {
    let desk = moved();
    desk.write("a/text.txt", &"Clara went to the mill. ".repeat(20));
    let text = TINY
        .replace("MODEL", "model")
        .replace("World(documents: 1)", "File(\"text.txt\"), window: 16");
    desk.write("a/own.ron", &text);
    from(
        desk.command(&["run", "own.ron", "--out", "text"]),
        &desk,
        "a",
    )
    .good();
    fs::create_dir(desk.path("b")).unwrap();
    for name in ["model", "text.txt"] {
        fs::rename(desk.path("a").join(name), desk.path("b").join(name)).unwrap();
    }
    fs::remove_file(desk.path("a/own.ron")).unwrap();
    let message = desk.airloom(&["replay", "a/text"]).refused(2);
    assert!(message.contains("there is no file "), "{message}");
    assert!(
        message.contains("name that folder with --base"),
        "{message}"
    );
    let replay = desk.airloom(&["replay", "a/text", "--base", "b"]).good();
    assert!(replay.stdout.contains("\nbit-equal: "), "{}", replay.stdout);
}

#[test]
fn a_manifest_and_the_scenario_beside_it_are_run_again() {
    let desk = moved();
    fs::rename(desk.path("a/run"), desk.path("moved")).unwrap();
    fs::rename(desk.path("a"), desk.path("b")).unwrap();
    for file in ["manifest.json", "scenario.ron"] {
        let path = format!("moved/{file}");
        let again = desk.airloom(&["run", &path, "--out", file]).good();
        assert!(again.stdout.starts_with("own (seed 3, run 0): "));
        assert_same(&desk.hashed_tree(file), &desk.hashed_tree("moved"));
    }
    // Another run of it, and an edited copy.
    desk.airloom(&["run", "moved/manifest.json", "--run", "2"])
        .good();
    assert_eq!(desk.names("results/own"), ["seed3-run2"]);
    let edited = desk
        .text("moved/scenario.ron")
        .replace("streams: 4", "streams: 2");
    desk.write("moved/scenario.ron", &edited);
    desk.airloom(&["run", "moved/scenario.ron", "--out", "edited"])
        .good();
    assert_eq!(desk.text("edited/scenario.ron"), edited);
    let replay = desk.airloom(&["replay", "moved"]);
    let expected = "differs  scenario.ron was changed after the run\n";
    assert!(replay.stdout.contains(expected), "{}", replay.stdout);
}
