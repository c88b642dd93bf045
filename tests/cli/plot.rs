//! `airloom plot`: the same figures, trace and report again, from the data alone.

use crate::desk::{Desk, assert_same};
use airloom::figures::catalogue::FIGURES;
use airloom::results::drawn::is_drawn;
use std::collections::BTreeSet;
use std::fs;

const FIGURE: &str = "x/timeline.svg";

/// A desk with the run folder `x`.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.airloom(&["run", "tiny.ron", "--out", "x"]).good();
    desk
}

/// What is drawn of the run folder `name`.
fn drawn(desk: &Desk, name: &str) -> Vec<String> {
    let names = desk.names(name).into_iter();
    names.filter(|name| is_drawn(name)).collect()
}

#[test]
fn whatever_is_drawn_comes_back_byte_for_byte() {
    let desk = Desk::new();
    let scenario = |name: &str| format!("{}/scenarios/{name}", env!("CARGO_MANIFEST_DIR"));
    let converging = "replicas[0].placement.assignment=StochasticSca(iterations: 3)";
    let runs = [
        ("parallel", "model_assignment.ron", converging),
        (
            "experts",
            "wdmoe_simulated.ron",
            "workload=[Tokens(prompt: 9)]",
        ),
        ("stream", "serving.ron", "workload[0].count=6"),
    ];
    for (out, name, change) in runs {
        let full = ["--set", "trace=Full", "--set", change, "--out", out];
        desk.airloom(&[&["run", &scenario(name)][..], &full].concat())
            .good();
    }
    let mut seen = BTreeSet::new();
    for folder in ["parallel", "experts", "stream"] {
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
        let mut told: Vec<&str> = plot.stdout.lines().collect();
        told.sort_unstable();
        let expected = names.iter().map(|name| format!("{folder}/{name}"));
        assert_eq!(told, expected.collect::<Vec<_>>());
        assert_same(&desk.tree(folder), &before);
        seen.extend(names);
    }
    // No figure has escaped this test.
    for figure in FIGURES {
        let name = format!("{}.svg", figure.name);
        assert!(seen.contains(&name), "{name}");
    }
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
    let (line, last) = events[..end].lines().enumerate().last().unwrap();
    let (line, cells) = (line + 1, last.split(',').count());
    assert_eq!(
        message,
        format!(
            "error: x/events.csv, line {line}: the row has {cells} cells, and the heading 19\n"
        )
    );
    assert!(desk.text(FIGURE) == figure);
    assert_eq!(desk.names("x").len(), 15);
}

/// A desk with the run folder `x`, whose assignment took three iterations.
fn assigned() -> Desk {
    let desk = Desk::new();
    let name = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/scenarios/model_assignment.ron"
    );
    let few = "replicas[0].placement.assignment=StochasticSca(iterations: 3)";
    let short = "workload=[Generate(prompt: \"Once Clara\", max_tokens: 2)]";
    desk.airloom(&[
        "run",
        name,
        "--set",
        "trace=Full",
        "--set",
        few,
        "--set",
        short,
        "--out",
        "x",
    ])
    .good();
    desk
}

/// Puts `change(row)` in the place of line `number` of a table of the run folder `x`, and tells
/// what `plot` says.
fn with_row(desk: &Desk, table: &str, number: usize, change: impl Fn(&[&str]) -> String) -> String {
    let whole = desk.text(table);
    let mut lines: Vec<String> = whole.lines().map(str::to_owned).collect();
    let cells: Vec<&str> = whole.lines().nth(number - 1).unwrap().split(',').collect();
    lines[number - 1] = change(&cells);
    lines.retain(|line| !line.is_empty());
    fs::write(desk.path(table), lines.join("\n") + "\n").unwrap();
    let said = desk.airloom(&["plot", "x"]).refused(2);
    fs::write(desk.path(table), whole).unwrap();
    said
}

#[test]
fn a_damaged_row_is_told_with_its_table_and_line() {
    let desk = assigned();
    let tables = ["x/assignment.csv", "x/batches.csv"];
    let devices = desk.text(tables[0]);
    let devices = devices
        .lines()
        .filter(|line| line.starts_with("iterate,0,"))
        .count();
    for (table, line, column, cell, fault) in [
        (0, 3, 3, "NaN", "NaN is not a finite number, zero or above"),
        (0, 3, 8, "inf", "inf is not a finite number, zero or above"),
        (
            0,
            3,
            1,
            "7",
            "no row of iteration 7, node device1 stands here",
        ),
        (0, 3, 1, "", "an iterate has a number and an error"),
        (1, 3, 8, "0", "the pass ends before it starts"),
        (1, 3, 7, "-1", "start_ps: invalid digit found in string"),
    ] {
        let said = with_row(&desk, tables[table], line, |cells| {
            let mut cells = cells.to_vec();
            cells[column] = cell;
            cells.join(",")
        });
        assert_eq!(
            said,
            format!("error: {}, line {line}: {fault}\n", tables[table])
        );
    }
    // A row less: from there on nothing is where it belongs, or the last has too few.
    let said = with_row(&desk, tables[0], 4, |_| String::new());
    assert!(said.starts_with("error: x/assignment.csv, line "), "{said}");
    let last = 1 + 3 * devices;
    let rows: Vec<String> = desk.text(tables[0]).lines().map(str::to_owned).collect();
    fs::write(desk.path(tables[0]), rows[..last - 1].join("\n") + "\n").unwrap();
    let said = desk.airloom(&["plot", "x"]).refused(2);
    let few = format!(
        "error: x/assignment.csv, line {}: before it, iteration 2 has {} nodes, and the first \
         has {devices}\n",
        last - 1,
        devices - 1
    );
    assert_eq!(said, few);
}

#[test]
fn a_table_that_grew_since_the_run_is_refused() {
    let desk = desk();
    for (table, verb) in [
        ("tokens.csv", "plot"),
        ("nodes.csv", "explain"),
        ("events.csv", "explain"),
    ] {
        let path = desk.path("x").join(table);
        let length = fs::metadata(&path).unwrap().len();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(3 << 30).unwrap();
        assert_eq!(
            desk.airloom(&[verb, "x"]).refused(2),
            format!(
                "error: x: {table} has 3221225472 bytes, and the run wrote {length}; run the \
                 scenario again\n"
            )
        );
        let replay = desk.airloom(&["replay", "x"]);
        assert_ne!(replay.code, Some(0), "{}", replay.stdout);
        file.set_len(length).unwrap();
    }
}

#[test]
fn generated_text_is_read_in_the_report_and_does_not_act_there() {
    let desk = desk();
    let requests = desk.text("x/requests.csv");
    let (rest, last) = requests.trim_end().rsplit_once(',').unwrap();
    let acting = "\u{1b}<i\r";
    assert!(acting.len() <= last.len(), "{last}");
    fs::write(
        desk.path("x/requests.csv"),
        format!("{rest},{acting}\n").replace('\r', ""),
    )
    .unwrap();
    desk.airloom(&["plot", "x"]).good();
    let report = desk.text("x/report.html");
    assert!(report.contains(r"generated: \u{1b}&lt;i"), "{report}");
    assert!(!report.contains('\u{1b}'));
}

#[test]
fn the_trace_for_perfetto_is_written_when_it_is_asked_for() {
    let desk = desk();
    assert!(!desk.path("x/trace.json").exists());
    let plot = desk.airloom(&["plot", "x", "--perfetto"]).good();
    assert_eq!(plot.stdout, "x/trace.json\n");
    let trace = desk.json("x/trace.json");
    assert!(!trace["traceEvents"].as_array().unwrap().is_empty());
}

#[test]
fn a_pass_or_request_is_drawn_beside_the_usual_timeline() {
    let desk = desk();
    let usual = desk.text(FIGURE);
    let requests = desk.text("x/requests.csv").lines().count() - 1;
    for (asked, file) in [
        (["--pass", "1"], "x/timeline_pass_1.svg"),
        (["--request", "0"], "x/timeline_request_0.svg"),
    ] {
        let plot = desk.airloom(&[&["plot", "x"][..], &asked].concat()).good();
        assert_eq!(plot.stdout, format!("{file}\n"));
        assert_ne!(desk.text(file), usual);
    }
    assert_eq!(desk.text(FIGURE), usual);
    let batches = desk.text("x/batches.csv");
    let last = batches.lines().last().unwrap().split(',').next().unwrap();
    assert_eq!(
        desk.airloom(&["plot", "x", "--pass", "4000"]).refused(2),
        format!("error: x/batches.csv holds no pass 4000; choose one from 0 to {last}\n")
    );
    assert_eq!(
        desk.airloom(&["plot", "x", "--request", "4000"]).refused(2),
        format!(
            "error: x/batches.csv holds no request 4000; choose one from 0 to {}\n",
            requests - 1
        )
    );
}
