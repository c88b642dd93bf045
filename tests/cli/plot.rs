//! `airloom plot`: the same figures, trace and report again, from the data alone.

use crate::desk::{Desk, assert_same};
use airloom::results::drawn::DRAWN;
use std::collections::BTreeSet;
use std::fs;

const FIGURE: &str = "x/timeline.svg";

/// A desk with the run folder `x`.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron", "--out", "x"]).good();
    desk
}

/// What is drawn of the run folder `name`, in order.
fn drawn(desk: &Desk, name: &str) -> Vec<&'static str> {
    let names = DRAWN.iter().map(|drawn| drawn.name);
    names
        .filter(|file| desk.path(name).join(file).is_file())
        .collect()
}

#[test]
fn whatever_is_drawn_comes_back_byte_for_byte() {
    let desk = Desk::new();
    let scenario = |name: &str| format!("{}/scenarios/{name}", env!("CARGO_MANIFEST_DIR"));
    let converging = "architecture.assignment=StochasticSca(iterations: 3)";
    let runs = [
        ("parallel", "model_assignment.ron", converging),
        (
            "experts",
            "wdmoe_simulated.ron",
            "workload=[Tokens(prompt: 9)]",
        ),
    ];
    for (out, name, change) in runs {
        let full = ["--set", "trace=Full", "--set", change, "--out", out];
        desk.airloom(&[&["run", &scenario(name)][..], &full].concat())
            .good();
    }
    let mut seen = BTreeSet::new();
    for folder in ["parallel", "experts"] {
        let before = desk.tree(folder);
        let names = drawn(&desk, folder);
        for (place, name) in names.iter().enumerate() {
            let path = desk.path(folder).join(name);
            match place % 2 {
                0 => fs::remove_file(path).unwrap(),
                _ => fs::write(path, "").unwrap(),
            }
        }
        let plot = desk.airloom(&["plot", folder]).good();
        assert_eq!(plot.stderr, "");
        let told = names.iter().map(|name| format!("{folder}/{name}\n"));
        assert_eq!(plot.stdout, told.collect::<String>());
        assert_same(&desk.tree(folder), &before);
        seen.extend(names);
    }
    // No file of those that are drawn has escaped this test.
    assert_eq!(seen, DRAWN.iter().map(|drawn| drawn.name).collect());
}

#[test]
fn a_folder_that_is_no_run_folder_is_refused() {
    let desk = Desk::new();
    desk.write("thesis/chapter.txt", "mine");
    for folder in ["thesis", "nowhere", "tiny.ron"] {
        assert_eq!(
            desk.airloom(&["plot", folder]).refused(2),
            format!(
                "error: {folder}: this is no run folder: it has no manifest.json; give a folder \
                 that `airloom run` or `airloom sweep` wrote\n"
            )
        );
    }
    assert_eq!(desk.names("thesis"), ["chapter.txt"]);
}

#[test]
fn a_run_that_kept_no_events_cannot_be_drawn() {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron", "--out", "x", "--set", "trace=Off"])
        .good();
    assert_eq!(
        desk.airloom(&["plot", "x"]).refused(2),
        "error: x: this run kept no event log to draw from; run its scenario with --set trace=Full\n"
    );
}

#[test]
fn damaged_data_is_named_and_the_old_figure_stays() {
    let desk = desk();
    let figure = desk.text(FIGURE);
    let events = desk.text("x/events.csv");
    // Cut off within a row.
    let end = events[..events.len() / 2].rfind('\n').unwrap() + 8;
    fs::write(desk.path("x/events.csv"), &events[..end]).unwrap();
    let message = desk.airloom(&["plot", "x"]).refused(2);
    assert!(
        message.starts_with("error: cannot read x/events.csv: "),
        "{message}"
    );
    assert!(desk.text(FIGURE) == figure);
    assert_eq!(desk.names("x").len(), 13);
}
