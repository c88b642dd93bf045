//! `airloom compare`: two runs side by side, on stdout and on a page.

use crate::desk::Desk;
use std::fs;

/// A desk with the run `a`, the same again in `again`, and `b` at another signal-to-noise ratio.
fn desk() -> Desk {
    let desk = Desk::new();
    let run = |out: &str, more: &[&str]| {
        desk.airloom(&[&["run", "tiny.ron", "--out", out], more].concat())
            .good();
    };
    run("a", &[]);
    run("again", &[]);
    run("b", &["--set", "links.air.budget.snr=0 dB"]);
    desk
}

#[test]
fn equal_runs_are_equal_in_everything() {
    let desk = desk();
    let before = desk.tree("a");
    let compared = desk.airloom(&["compare", "a", "again"]).good();
    assert_eq!(compared.stderr, "");
    let text = &compared.stdout;
    assert!(text.starts_with("A: a: tiny (seed 3, run 0)"), "{text}");
    for words in [
        "The scenarios are equal.",
        "metrics are equal.",
        "The event logs are equal, bit for bit.",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("B − A"), "{text}");
    assert_eq!(desk.tree("a"), before);
}

#[test]
fn settings_metrics_and_the_first_event_that_differ_are_told() {
    let desk = desk();
    let compared = desk.airloom(&["compare", "a", "b"]).good();
    let text = &compared.stdout;
    assert!(
        text.contains("One line of the scenarios differs:"),
        "{text}"
    );
    assert!(text.contains("\"0 dB\""), "{text}");
    let (a, b) = (desk.json("a/metrics.json"), desk.json("b/metrics.json"));
    let metric = |name: &str| (a[name].as_f64().unwrap(), b[name].as_f64().unwrap());
    let row = |name: &str| -> Vec<&str> {
        let row = text
            .lines()
            .find(|line| line.trim_start().starts_with(&format!("{name} ")));
        row.unwrap_or_else(|| panic!("{name}: {text}"))
            .split_whitespace()
            .collect()
    };
    let (there, here) = metric("all_reduce_mse");
    assert!(here > there);
    let mse = row("all_reduce_mse");
    let close = |text: &str, value: f64| {
        let shown: f64 = text.trim_start_matches('+').parse().unwrap();
        assert!(
            (shown - value).abs() < 1e-3 * value.abs(),
            "{text} for {value}"
        );
    };
    close(mse[1], there);
    close(mse[2], here);
    close(mse[3], here - there);
    close(mse[4], 100.0 * (here - there) / there);
    assert_eq!(mse[5], "%");
    // What is the same has no row.
    assert!(!text.contains("\n  generated_tokens "), "{text}");

    let lines = |name: &str| -> Vec<String> {
        let text = desk.text(&format!("{name}/events.csv"));
        text.lines().map(str::to_owned).collect()
    };
    let (ours, theirs) = (lines("a"), lines("b"));
    let first = ours.iter().zip(&theirs).position(|(a, b)| a != b).unwrap() - 1;
    let said = format!("The first event that differs is number {first}: ");
    assert!(text.contains(&said), "{said}: {text}");
}

#[test]
fn where_no_log_was_kept_digests_tell_where_the_runs_part() {
    let desk = desk();
    let off = [
        "run",
        "tiny.ron",
        "--set",
        "trace=Off",
        "--seed",
        "4",
        "--out",
        "off",
    ];
    desk.airloom(&off).good();
    let text = desk.airloom(&["compare", "a", "off"]).good().stdout;
    assert!(text.contains("Seed or run differ."), "{text}");
    assert!(
        text.contains("only digests of the logs are at hand"),
        "{text}"
    );
    let page = desk
        .airloom(&["compare", "a", "off", "--out", "p/x.html"])
        .good();
    assert!(
        page.stdout.ends_with("\nwritten to p/x.html\n"),
        "{}",
        page.stdout
    );
    let page = desk.text("p/x.html");
    assert!(page.contains("This run kept no event log"));
    assert_eq!(page.matches("<section class=timeline>").count(), 1);
}

#[test]
fn a_page_has_both_timelines_and_is_the_same_again() {
    let desk = desk();
    desk.airloom(&["compare", "a", "b", "--out", "x.html"])
        .good();
    desk.airloom(&["compare", "a", "b", "--out", "y.html"])
        .good();
    let page = desk.text("x.html");
    assert_eq!(page, desk.text("y.html"));
    assert_eq!(page.matches("<section class=timeline>").count(), 2);
    for words in ["all_reduce_mse", "First event that differs", "<code>budget"] {
        assert!(page.contains(words), "{words}");
    }
    for foreign in ["src=", "href=\"http", "url(", "@import"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn what_is_no_run_folder_is_refused_with_what_to_do() {
    let desk = desk();
    desk.write("thesis/chapter.txt", "mine");
    desk.write("sweep/points.csv", "point,run,folder\n");
    let no_run = "this is no run folder: it has no manifest.json; give a folder that `airloom run` or `airloom sweep` wrote";
    for (a, b, said) in [
        ("thesis", "a", format!("thesis: {no_run}")),
        ("a", "nowhere", format!("nowhere: {no_run}")),
        (
            "a",
            "sweep",
            "sweep: this is a sweep; give one of the run folders in its points/".to_owned(),
        ),
    ] {
        let refused = desk.airloom(&["compare", a, b]).refused(2);
        assert_eq!(refused, format!("error: {said}\n"));
    }
    fs::write(desk.path("b/metrics.json"), "[]").unwrap();
    let refused = desk.airloom(&["compare", "a", "b"]).refused(2);
    assert_eq!(
        refused,
        "error: b/metrics.json: it holds no metrics; run the scenario again\n"
    );
    let events = desk.text("again/events.csv");
    fs::write(
        desk.path("again/events.csv"),
        events.replacen(",compute,", ",compote,", 1),
    )
    .unwrap();
    let refused = desk
        .airloom(&["compare", "a", "again", "--out", "x.html"])
        .refused(2);
    assert!(refused.contains("`compote` is no kind"), "{refused}");
    assert!(!desk.path("x.html").exists());
}
