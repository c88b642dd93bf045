//! `airloom fields`: the scenario's own manual.

use crate::desk::{Desk, Outcome};

fn at_width(desk: &Desk, columns: &str, arguments: &[&str]) -> Outcome {
    let mut command = desk.command(arguments);
    command.env("COLUMNS", columns);
    Outcome::from(command.output().unwrap()).good()
}

#[test]
fn one_field_is_told_in_full_and_a_group_with_what_is_inside() {
    let desk = Desk::new();
    let snr = desk
        .airloom(&["fields", "links.air.budget.snr"])
        .good()
        .stdout;
    assert!(
        snr.starts_with(
            "links.*.Radio.budget.Normalised.snr\n  ratio in dB; required; written for example \"10 dB\"\n"
        ),
        "{snr}"
    );
    let budget = desk.airloom(&["fields", "links.air.budget"]).good().stdout;
    for part in [
        "Normalised | Physical; default Normalised(snr: \"20 dB\", reference_power: None)",
        "\n  snr: ratio in dB, required",
        "\nPhysical",
        "\n  transmit_power: power in W, required",
    ] {
        assert!(budget.contains(part), "{part}: {budget}");
    }
}

#[test]
fn without_a_path_every_field_has_its_line() {
    let desk = Desk::new();
    let all = desk.airloom(&["fields"]).good().stdout;
    for line in [
        "seed: whole number = 1",
        "    bandwidth: frequency in Hz = \"10 MHz\"",
    ] {
        let found = all.lines().filter(|text| text.starts_with(line));
        assert_eq!(found.count(), 1, "{line}");
    }
}

#[test]
fn a_field_that_is_not_there_is_refused_with_the_nearest() {
    let desk = Desk::new();
    let refused = desk.airloom(&["fields", "links.air.budgt"]).refused(2);
    assert!(
        refused.contains("did you mean links.*.Radio.budget"),
        "{refused}"
    );
}

#[test]
fn a_name_is_found_wherever_it_is() {
    let desk = Desk::new();
    let snr = desk.airloom(&["fields", "snr"]).good().stdout;
    assert!(
        snr.starts_with("links.*.Radio.budget.Normalised.snr\n  ratio in dB"),
        "{snr}"
    );
    let streams = desk.airloom(&["fields", "streams"]).good().stdout;
    let places = streams
        .lines()
        .filter(|line| line.starts_with("replicas[]."));
    let places: Vec<&str> = places.collect();
    let expected = [
        "replicas[].placement.TensorParallel.all_reduce.AirComp.streams",
        "replicas[].placement.TensorParallel.all_reduce.UncodedFdma.streams",
        "replicas[].placement.TensorParallel.all_reduce.Hierarchy.within.AirComp.streams",
        "replicas[].placement.TensorParallel.all_reduce.Hierarchy.within.UncodedFdma.streams",
        "replicas[].placement.TensorParallel.all_reduce.Hierarchy.between.AirComp.streams",
        "replicas[].placement.TensorParallel.all_reduce.Hierarchy.between.UncodedFdma.streams",
    ];
    assert_eq!(places, expected, "{streams}");
    let nested = desk.airloom(&["fields", "budget.snr"]).good().stdout;
    // The budgets of levels are found through their field too.
    assert!(nested.starts_with(&snr), "{nested}");
    desk.airloom(&["fields", "snrr"]).refused(2);
}

#[test]
fn no_line_is_wider_than_there_are_columns() {
    let desk = Desk::new();
    for (columns, arguments) in [
        ("60", &["fields"][..]),
        ("60", &["fields", "replicas"]),
        ("72", &["fields", "links"]),
        ("100", &["fields"]),
    ] {
        let text = at_width(&desk, columns, arguments).stdout;
        let width = columns.parse().unwrap();
        for line in text.lines() {
            // Code and formulas stay whole.
            let may_break = line.trim_start().contains(' ') && !line.starts_with("    (");
            assert!(
                !may_break || line.chars().count() <= width,
                "{columns}: {line}"
            );
        }
    }
}
