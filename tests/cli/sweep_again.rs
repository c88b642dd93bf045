//! `airloom sweep` into a folder that holds something: finished points, stale ones, or
//! anything else.

use crate::desk::{Desk, TINY, assert_same};
use crate::sweep::desk;

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
    std::fs::remove_dir_all(desk.path("out/points/2")).unwrap();
    std::fs::write(desk.path("out/points/5/metrics.json"), "{").unwrap();
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
            "out/points/0 already holds another run (scenario `grid`, seed 3, run 0); ",
        ),
        // The same scenario with other axes.
        (&["--out", "out"], "out/points/1 already holds another run"),
        (
            &[
                "--out",
                "out",
                "--set",
                "sweep.runs=1",
                "--set",
                "sweep.axes[0].values=[AirComp(streams: 2)]",
            ],
            "out/points/2 already holds a point that this sweep has not; ",
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
    assert_same(&desk.tree("out"), &before);
    assert_eq!(desk.names("thesis"), ["chapter.txt"]);
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
    let sweep = "sweep: (axes: [(path: \"devices.count\", values: [1, 2])]),\n    workload: [";
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
    let manifest = "out/points/1/manifest.json";
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
