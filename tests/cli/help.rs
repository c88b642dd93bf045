//! What the program says of itself, and to a reader who leaves early.

use crate::desk::{Desk, Outcome};
use std::process::Stdio;

const VERBS: [&str; 14] = [
    "new",
    "run",
    "sweep",
    "merge",
    "replay",
    "check",
    "channel",
    "plot",
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
