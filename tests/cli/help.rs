//! What the program says of itself, and to a reader who leaves early.

use crate::desk::{Desk, Outcome};
use std::process::Stdio;

const VERBS: [&str; 11] = [
    "run", "sweep", "merge", "replay", "check", "channel", "plot", "explain", "fields", "list",
    "train",
];

#[test]
fn alone_it_shows_its_verbs_and_how_to_start() {
    let desk = Desk::new();
    let alone = desk.airloom(&[]).refused(2);
    let help = desk.airloom(&["--help"]).good();
    assert_eq!(help.stderr, "");
    for text in [&alone, &help.stdout] {
        for verb in VERBS {
            assert!(text.contains(&format!("\n  {verb} ")), "{verb}: {text}");
        }
        assert!(
            text.contains("airloom run scenarios/aircomp_tensor_parallel.ron"),
            "{text}"
        );
    }
    assert_eq!(desk.names("."), ["tiny.ron"]);
}

#[test]
fn every_verb_explains_itself() {
    let desk = Desk::new();
    for verb in VERBS {
        let help = desk.airloom(&[verb, "--help"]).good().stdout;
        assert!(help.contains(&format!("Usage: airloom {verb}")), "{help}");
    }
    for verb in [
        "run", "sweep", "merge", "check", "channel", "plot", "explain", "fields",
    ] {
        let help = desk.airloom(&[verb, "--help"]).good().stdout;
        assert!(
            help.contains(&format!("\n  airloom {verb} ")),
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
