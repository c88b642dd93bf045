//! `airloom plot`: the same figure again, from the data alone.

use crate::desk::Desk;
use std::fs;

const FIGURE: &str = "x/timeline.svg";

/// A desk with the run folder `x`.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron", "--out", "x"]).good();
    desk
}

#[test]
fn plot_draws_the_same_figure_from_the_data_alone() {
    let desk = desk();
    let figure = desk.text(FIGURE);
    for damaged in [None, Some("")] {
        match damaged {
            None => fs::remove_file(desk.path(FIGURE)).unwrap(),
            Some(text) => fs::write(desk.path(FIGURE), text).unwrap(),
        }
        let plot = desk.airloom(&["plot", "x"]).good();
        assert_eq!(
            (plot.stdout.as_str(), plot.stderr.as_str()),
            ("x/timeline.svg\n", "")
        );
        assert!(desk.text(FIGURE) == figure);
    }
    assert_eq!(desk.names("x").len(), 12);
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
    assert_eq!(desk.names("x").len(), 12);
}
