//! `airloom explain`: the table and the words, and what it refuses.

use crate::desk::Desk;
use std::fs;

/// A desk with the run folder `x`.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron", "--out", "x"]).good();
    desk
}

#[test]
fn a_run_is_explained_in_a_table_and_in_words() {
    let desk = desk();
    let before = desk.tree("x");
    let explained = desk.airloom(&["explain", "x"]).good();
    assert_eq!(explained.stderr, "");
    let text = &explained.stdout;
    let mut last = 0;
    for words in [
        "x: ",
        " of simulated time\n",
        "critical path ",
        "makespan ",
        "100.0 %",
        "\n1. Compute took ",
        "\n2. Uplink took ",
        "barriers held by",
        "\nIf compute took half the time, the run would end after ",
    ] {
        let at = text[last..].find(words);
        last += at.unwrap_or_else(|| panic!("{words}: {text}"));
    }
    assert_eq!(desk.tree("x"), before);
}

#[test]
fn what_cannot_be_explained_is_refused_with_what_to_do() {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron", "--out", "off", "--set", "trace=Summary"])
        .good();
    desk.write("sweep/points.csv", "point,seed\n");
    desk.write("thesis/chapter.txt", "mine");
    for (folder, fault) in [
        (
            "off",
            "this run kept no event log to explain; run its scenario with --set trace=Full",
        ),
        (
            "sweep",
            "this is a sweep; give one of the run folders in its points/",
        ),
        (
            "thesis",
            "this is no run folder: it has no manifest.json; give a folder that `airloom run` or `airloom sweep` wrote",
        ),
        (
            "nowhere",
            "this is no run folder: it has no manifest.json; give a folder that `airloom run` or `airloom sweep` wrote",
        ),
    ] {
        assert_eq!(
            desk.airloom(&["explain", folder]).refused(2),
            format!("error: {folder}: {fault}\n")
        );
    }
}

#[test]
fn damaged_data_is_named_with_its_line() {
    let desk = desk();
    let events = desk.text("x/events.csv");
    let damaged = events.replacen(",compute,0,0,", ",compute,0,7,", 1);
    assert!(damaged != events);
    fs::write(desk.path("x/events.csv"), damaged).unwrap();
    assert_eq!(
        desk.airloom(&["explain", "x"]).refused(2),
        "error: x/events.csv, line 2: the task starts at 7 ps and was released at 0 ps; run the \
         scenario again with --set trace=Full\n"
    );
    fs::remove_file(desk.path("x/requests.csv")).unwrap();
    fs::write(desk.path("x/events.csv"), events).unwrap();
    let message = desk.airloom(&["explain", "x"]).refused(2);
    assert!(
        message.starts_with("error: cannot read x/requests.csv: "),
        "{message}"
    );
}
