//! `airloom sweep` into a folder that holds something: finished points, stale ones, or
//! anything else.

use crate::desk::{Desk, TINY, assert_same};
use crate::sweep::{desk, folder};

#[test]
fn a_second_sweep_skips_what_is_finished() {
    let desk = desk();
    let first = desk.airloom(&["sweep", "grid.ron", "--out", "out"]).good();
    assert_eq!(
        first.stderr.matches(": done\n").count(),
        8,
        "{}",
        first.stderr
    );
    // A point that is gone or damaged is made again.
    std::fs::remove_dir_all(desk.path(folder(&desk, "out", 2))).unwrap();
    let damaged = desk.path(folder(&desk, "out", 5)).join("metrics.json");
    std::fs::write(damaged, "{").unwrap();
    let second = desk.airloom(&["sweep", "grid.ron", "--out", "out"]).good();
    assert_eq!(second.stderr.matches(": was there already\n").count(), 6);
    for point in ["point 2: ", "point 5: "] {
        let line = second
            .stderr
            .lines()
            .find(|line| line.starts_with(point))
            .unwrap();
        assert!(line.ends_with(": done"), "{line}");
    }
    assert_eq!(second.stdout, first.stdout);
}

#[test]
fn a_folder_of_anything_else_is_refused_and_stays_as_it_is() {
    let desk = desk();
    desk.write("thesis/chapter.txt", "mine");
    desk.airloom(&["sweep", "grid.ron", "--out", "out", "--set", "sweep.runs=1"])
        .good();
    let before = desk.tree("out");
    for (arguments, expected) in [
        (
            &["--out", "thesis"][..],
            "thesis already holds something that is no sweep; ",
        ),
        (&["--out", "tiny.ron"], "tiny.ron already holds a file; "),
        (
            &["--out", "out", "--set", "sweep.runs=1", "--seed", "4"],
            "out already holds another sweep (seed 3 instead of 4); ",
        ),
    ] {
        let message = desk
            .airloom(&[&["sweep", "grid.ron"], arguments].concat())
            .refused(2);
        assert!(
            message.starts_with(&format!("error: {expected}")),
            "{message}"
        );
    }
    desk.write("other.ron", &desk.text("grid.ron"));
    let message = desk
        .airloom(&["sweep", "other.ron", "--out", "out"])
        .refused(2);
    let expected = "error: out already holds another sweep (scenario grid instead of other); ";
    assert!(message.starts_with(expected), "{message}");
    // Points without the tables that a killed sweep did not come to.
    std::fs::remove_file(desk.path("out/sweep.json")).unwrap();
    let message = desk
        .airloom(&["sweep", "grid.ron", "--out", "out", "--seed", "4"])
        .refused(2);
    let expected = " already holds another run (scenario `grid`, seed 3, run 0); ";
    assert!(message.contains(expected), "{message}");
    desk.write(
        "out/sweep.json",
        std::str::from_utf8(&before["sweep.json"]).unwrap(),
    );
    assert_same(&desk.tree("out"), &before);
    assert_eq!(desk.names("thesis"), ["chapter.txt"]);
}

#[test]
fn points_known_by_their_numbers_are_said_to_be_of_an_earlier_version() {
    let desk = desk();
    desk.write("old/points/0/manifest.json", "{}");
    let message = desk
        .airloom(&["sweep", "grid.ron", "--out", "old"])
        .refused(2);
    let expected = "error: old/points/0 already holds a point that is known by its number, as \
                    airloom 0.1.0 numbered them; choose another folder with --out, or remove it\n";
    assert_eq!(message, expected);
}

/// The notes on stderr that end with `end`.
fn count(stderr: &str, end: &str) -> usize {
    stderr.lines().filter(|line| line.ends_with(end)).count()
}

#[test]
fn a_sweep_that_grows_makes_only_what_is_missing() {
    let desk = desk();
    let axis = |list: &str| format!("sweep.axes[1].values={list}");
    let sweep = |out: &str, changes: &[&str]| {
        let mut arguments = vec!["sweep", "grid.ron", "--out", out];
        for change in changes {
            arguments.extend(["--set", change]);
        }
        desk.airloom(&arguments).good().stderr
    };
    let (one, three) = (axis("[2]"), axis("[4, 2, 1]"));
    let first = sweep("out", &[&one, "sweep.runs=1"]);
    assert_eq!(count(&first, ": done"), 2, "{first}");
    // More runs, more values in another order, another axis.
    let second = sweep("out", &[&one, "sweep.runs=3"]);
    let (made, kept) = (": done", ": was there already");
    assert_eq!((count(&second, made), count(&second, kept)), (4, 2));
    let third = sweep("out", &[&three, "sweep.runs=2"]);
    assert_eq!((count(&third, made), count(&third, kept)), (8, 4));
    let axes = "sweep.axes=[\
        (path: \"links.air.server_antennas\", values: [16, 20]), \
        (path: \"nodes.device.count\", values: [2, 1]), \
        (path: \"replicas[0].placement.all_reduce\", values: [AirComp(streams: 2), Ideal])]";
    let fourth = sweep("out", &[axes, "sweep.runs=1"]);
    assert_eq!((count(&fourth, made), count(&fourth, kept)), (4, 4));
    // In the sweep's order, and the same as if it had been made at once.
    sweep("whole", &[axes, "sweep.runs=1"]);
    for file in ["points.csv", "aggregates.csv", "sweep.json"] {
        let text = |out: &str| desk.text(&format!("{out}/{file}"));
        assert!(text("out") == text("whole"), "{file}");
    }
    assert_same(&desk.tree("out/figures"), &desk.tree("whole/figures"));
    // Points that the sweep no longer has are kept for another time.
    assert_eq!(desk.names("out/points").len(), 2 + 4 + 8 + 4);
}

/// What a killed, an edited or a moved input leaves behind.
#[test]
fn a_point_that_read_another_model_is_run_again_and_says_why() {
    let desk = Desk::new();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/models/tiny-llama");
    std::fs::create_dir(desk.path("model")).unwrap();
    for entry in std::fs::read_dir(model).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), desk.path("model").join(entry.file_name())).unwrap();
    }
    let sweep = "sweep: (axes: [(path: \"nodes.device.count\", values: [1, 2])]),\n    workload: [";
    let text = TINY
        .replace("MODEL", "model")
        .replace("Fixed([0.5, 0.5])", "Equal")
        .replace("workload: [", sweep);
    desk.write("own.ron", &text);
    let arguments = ["sweep", "own.ron", "--out", "out"];
    let dry = ["sweep", "own.ron", "--out", "out", "--dry-run"];
    desk.airloom(&arguments).good();
    let listed = desk.airloom(&dry).good().stdout;
    assert_eq!(
        listed,
        "point 0: count=1, run=0: finished\npoint 1: count=2, run=0: finished\n"
    );
    // The same configuration in other bytes.
    let config = desk.text("model/config.json");
    std::fs::write(desk.path("model/config.json"), config + "\n").unwrap();
    let listed = desk.airloom(&dry).good().stdout;
    let why = ": to run again, as config.json has changed\n";
    assert_eq!(listed.matches(why).count(), 2, "{listed}");
    let again = desk.airloom(&arguments).good().stderr;
    let why = ": run again, as config.json has changed: done\n";
    assert_eq!(again.matches(why).count(), 2, "{again}");
    // A point of another version.
    let manifest = &format!("{}/manifest.json", folder(&desk, "out", 1));
    let version = format!("\"airloom\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let older = desk
        .text(manifest)
        .replace(&version, "\"airloom\": \"0.0.1\"");
    std::fs::write(desk.path(manifest), older).unwrap();
    let listed = desk.airloom(&dry).good().stdout;
    assert!(listed.contains("run=0: finished\n"), "{listed}");
    assert!(
        listed.ends_with(": to run again, as it is of airloom 0.0.1\n"),
        "{listed}"
    );
}
