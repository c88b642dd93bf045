//! What the program says of itself, and to a reader who leaves early.

use crate::desk::{Desk, Outcome};
use airloom::numerics::train::TrainConfig;
use std::process::Stdio;

const VERBS: [&str; 15] = [
    "new",
    "run",
    "sweep",
    "merge",
    "replay",
    "check",
    "channel",
    "plot",
    "compare",
    "explain",
    "fields",
    "list",
    "train",
    "completions",
    "man",
];

#[test]
fn alone_it_says_how_to_begin_and_where_help_is() {
    let desk = Desk::new();
    let alone = desk.airloom(&[]).refused(2);
    for text in [
        "airloom new first",
        "airloom run first.ron",
        "airloom help",
        "airloom fields",
    ] {
        assert!(alone.contains(text), "{text}: {alone}");
    }
    assert_eq!(desk.names("."), ["tiny.ron"]);
}

#[test]
fn help_lists_every_verb() {
    let desk = Desk::new();
    let help = desk.airloom(&["--help"]).good();
    assert_eq!(help.stderr, "");
    for verb in VERBS {
        assert!(
            help.stdout.contains(&format!("\n  {verb} ")),
            "{verb}: {}",
            help.stdout
        );
    }
}

#[test]
fn a_path_in_place_of_a_verb_is_told_its_verbs() {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron", "--out", "done"]).good();
    for (path, proposal) in [
        ("tiny.ron", "airloom run tiny.ron"),
        ("results/x", "airloom run results/x"),
        ("done", "airloom explain done"),
    ] {
        let told = desk.airloom(&[path]).refused(2);
        assert!(told.contains(proposal), "{told}");
    }
    let told = desk.airloom(&["swep", "tiny.ron"]).refused(2);
    assert!(told.contains("'sweep'"), "{told}");
    let told = desk.airloom(&["run", "done"]).refused(2);
    assert!(told.contains("airloom replay done"), "{told}");
}

#[test]
fn a_scenario_that_is_not_there_is_looked_for() {
    let desk = Desk::new();
    desk.write("scenarios/cell.ron", crate::desk::TINY);
    for (wrong, near) in [
        ("tinny.ron", "tiny.ron"),
        ("tiny", "tiny.ron"),
        ("cell.ron", "scenarios/cell.ron"),
        ("scenarios/cel.ron", "scenarios/cell.ron"),
        ("scenaros/cell.ron", "scenarios/cell.ron"),
    ] {
        let told = desk.airloom(&["run", wrong]).refused(2);
        assert!(told.ends_with(&format!("did you mean {near}?\n")), "{told}");
    }
}

#[test]
fn every_verb_explains_itself() {
    let desk = Desk::new();
    for verb in VERBS {
        let help = desk.airloom(&[verb, "--help"]).good().stdout;
        assert!(help.contains(&format!("Usage: airloom {verb}")), "{help}");
    }
    for verb in VERBS {
        let help = desk.airloom(&[verb, "--help"]).good().stdout;
        assert!(
            help.contains(&format!("\n  airloom {verb}"))
                || help.contains(&format!("<(airloom {verb}")),
            "no example: {help}"
        );
    }
}

#[test]
fn a_reader_who_leaves_early_is_no_failure() {
    let desk = Desk::new();
    for arguments in [
        &["list"][..],
        &["check", "--resolved", "tiny.ron"],
        &["run", "tiny.ron"],
    ] {
        let mut command = desk.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let outcome = Outcome::from(child.wait_with_output().unwrap());
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    }
}

#[test]
fn training_tells_its_defaults() {
    let desk = Desk::new();
    let help = desk.airloom(&["train", "--help"]).good().stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let llama = TrainConfig::new("out");
    let mixtral = TrainConfig::mixtral("out");
    let experts = mixtral.network.experts.unwrap();
    for expected in [
        format!("Optimiser steps [default: {}", llama.steps),
        format!("Documents per step [default: {}", llama.documents),
        format!(
            "Experts per layer of a Mixtral [default: {}]",
            experts.count
        ),
        format!(
            "Width of the residual stream [default: {}",
            llama.network.hidden
        ),
    ] {
        assert!(help.contains(&expected), "{expected}: {help}");
    }
}

/// What is told on the way is dropped where it cannot be written, and decides nothing.
#[cfg(target_os = "linux")]
#[test]
fn a_full_or_closed_stderr_changes_neither_result_nor_exit_code() {
    let desk = Desk::new();
    let sweep = "sweep=(axes: [(path: \"links.air.bandwidth\", values: [\"5 MHz\", \"9 MHz\"])])";
    let whole = ["sweep", "tiny.ron", "--set", sweep, "--out"];
    desk.airloom(&[&whole[..], &["quiet"]].concat()).good();
    let full = || {
        std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let mut command = desk.command(&[&whole[..], &["full"]].concat());
    assert_eq!(command.stderr(full()).status().unwrap().code(), Some(0));
    let mut child = desk
        .command(&[&whole[..], &["closed"]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    for name in ["full", "closed"] {
        assert!(
            desk.text(&format!("{name}/points.csv")) == desk.text("quiet/points.csv"),
            "{name}"
        );
    }
    for arguments in [&["check", "nope.ron"][..], &[], &["no-verb"], &["tiny.ron"]] {
        let mut command = desk.command(arguments);
        let code = command
            .stderr(full())
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .code();
        assert_eq!(code, Some(2), "{arguments:?}");
    }
}
