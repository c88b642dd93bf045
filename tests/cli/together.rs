//! Two sweeps at once in one folder: the same one is waited for, another one is refused.
#![cfg(unix)]

use crate::desk::{Desk, Outcome, TINY, assert_same};
use std::process::{Child, Stdio};
use std::time::Duration;

const POINTS: usize = 12;

fn desk() -> Desk {
    let desk = Desk::new();
    let sweep = format!("sweep: (runs: {POINTS}), trace: Summary,\n    workload: [");
    desk.write("many.ron", &TINY.replace("workload: [", &sweep));
    desk
}

fn start(desk: &Desk, more: &[&str]) -> Child {
    let mut command = desk.command(&[&["sweep", "many.ron", "--out", "out"], more].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn end(child: Child) -> Outcome {
    child.wait_with_output().unwrap().into()
}

#[test]
fn the_same_sweep_twice_at_once_is_made_once() {
    let desk = desk();
    let children = [start(&desk, &[]), start(&desk, &[]), start(&desk, &[])];
    let outcomes = children.map(|child| end(child).good());
    let made = outcomes
        .iter()
        .map(|outcome| outcome.stderr.matches(": done\n").count());
    assert_eq!(made.sum::<usize>(), POINTS);
    for outcome in &outcomes {
        assert_eq!(outcome.stdout, outcomes[0].stdout);
    }
    desk.airloom(&["sweep", "many.ron", "--out", "whole"])
        .good();
    assert_same(&desk.hashed_tree("out"), &desk.hashed_tree("whole"));
    let hidden = desk.names("out");
    assert!(
        !hidden.iter().any(|name| name.starts_with('.')),
        "{hidden:?}"
    );
}

#[test]
fn another_sweep_at_once_is_refused_and_mixes_nothing() {
    let desk = desk();
    let first = start(&desk, &[]);
    while !desk.path("out/points").is_dir() || desk.names("out/points").is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let seed = end(start(&desk, &["--seed", "4"])).refused(2);
    let runs = end(start(&desk, &["--set", "sweep.runs=2"])).refused(2);
    let expected = "error: out: another sweep is at work there (seed 3 instead of 4); wait for its \
                    end, or choose another folder with --out\n";
    let after = "error: out already holds another";
    assert!(seed == expected || seed.starts_with(after), "{seed}");
    let expected = "error: out: another sweep is at work there (`sweep: (axes: [], runs: 12),` in";
    assert!(runs.starts_with(expected), "{runs}");
    end(first).good();
    desk.airloom(&["sweep", "many.ron", "--out", "whole"])
        .good();
    assert_same(&desk.hashed_tree("out"), &desk.hashed_tree("whole"));
}
