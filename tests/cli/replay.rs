//! `airloom replay`: its exit codes, and what it says first.

use crate::desk::Desk;
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
