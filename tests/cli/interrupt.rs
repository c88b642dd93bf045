//! Ctrl-C half-way: a run leaves nothing, a sweep its finished points, and the same
//! command goes on from there.
#![cfg(unix)]

use crate::desk::{Desk, Outcome, TINY, assert_same};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Starts the program with `arguments`, presses Ctrl-C once `begun` holds, and waits
/// for its end.
pub fn interrupted(desk: &Desk, arguments: &[&str], begun: impl Fn() -> bool) -> Outcome {
    let mut command = desk.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    while !begun() {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "it ended before it could be interrupted");
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut kill = Command::new("kill");
    kill.args(["-INT", &child.id().to_string()]);
    assert!(kill.status().unwrap().success());
    child.wait_with_output().unwrap().into()
}

/// Whether a run folder is being written in `folder`.
fn is_writing(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name())
        .any(|name| name.to_string_lossy().starts_with(".airloom-"))
}

#[test]
fn a_run_that_is_interrupted_leaves_nothing_behind() {
    let desk = Desk::new();
    let long = "workload[0].text.documents=3000";
    let run = interrupted(&desk, &["run", "tiny.ron", "--set", long], || {
        is_writing(&desk.path("results/tiny"))
    });
    assert_eq!(run.refused(1), "error: interrupted; nothing was written\n");
    assert_eq!(desk.names("."), ["tiny.ron"]);
}

#[test]
fn a_sweep_that_is_interrupted_in_its_first_point_leaves_nothing_behind() {
    let desk = Desk::new();
    let long = "workload[0].text.documents=3000";
    let sweep = interrupted(
        &desk,
        &["sweep", "tiny.ron", "--set", long, "--out", "out"],
        || is_writing(&desk.path("out/points")),
    );
    assert_eq!(
        sweep.refused(1),
        "error: interrupted; nothing was written\n"
    );
    assert_eq!(desk.names("."), ["tiny.ron"]);
}

#[test]
fn a_sweep_that_is_interrupted_goes_on_where_it_was() {
    const POINTS: usize = 40;
    let desk = Desk::new();
    let sweep = format!("sweep: (runs: {POINTS}),\n    trace: Summary,\n    workload: [");
    desk.write("many.ron", &TINY.replace("workload: [", &sweep));
    let arguments = ["sweep", "many.ron", "--out", "out"];
    let finished = |name: &String| !name.starts_with('.');
    let first = interrupted(&desk, &arguments, || {
        let points = desk.path("out/points");
        points.is_dir() && desk.names("out/points").iter().any(finished)
    });
    let message = first.refused(1);
    let said =
        "error: interrupted; finished points stay, and the same command goes on from there\n";
    assert!(message.ends_with(said), "{message}");
    let finished = desk.names("out/points");
    assert!((1..POINTS).contains(&finished.len()), "{finished:?}");
    assert_eq!(
        desk.text("out/points.csv").lines().count(),
        1 + finished.len()
    );

    let second = desk.airloom(&arguments).good();
    let skipped = second.stderr.matches(": was there already\n").count();
    assert_eq!(skipped, finished.len());
    assert_eq!(second.stderr.matches(": done\n").count(), POINTS - skipped);

    // In one go, and two at a time: the same to the last bit.
    desk.airloom(&["sweep", "many.ron", "--out", "whole", "--jobs", "2"])
        .good();
    assert_same(&desk.hashed_tree("out"), &desk.hashed_tree("whole"));
}
