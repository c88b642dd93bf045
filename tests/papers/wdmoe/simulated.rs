//! The paper's cell with a drawn router: Table II, Figs. 5 to 7, and what they rest on.

use super::{COMMITTED, row};
use crate::publishes_what_is_committed;
use std::path::Path;

#[test]
fn table_2_is_published_again() {
    publishes_what_is_committed(
        "wdmoe_table2.ron",
        COMMITTED,
        &[
            "table2.csv",
            "table2.md",
            "table2_against_neither.csv",
            "table2_against_neither.md",
            "table2_against_bandwidth.csv",
            "table2_against_bandwidth.md",
            "figure6.csv",
            "figure6.svg",
        ],
    );
}

/// The paper's and our mean change are within three percentage points, for either half of
/// the proposal, both, and selection on top of bandwidth.
#[test]
fn table_2s_mean_reductions_are_the_papers() {
    for (file, variant) in [
        ("table2_against_neither.csv", "selection"),
        ("table2_against_neither.csv", "bandwidth"),
        ("table2_against_neither.csv", "both"),
        ("table2_against_bandwidth.csv", "both"),
    ] {
        let [paper, ours, difference] = row(file, &["mean", variant])[..] else {
            panic!("{file}: three numbers in the row of means")
        };
        assert!((ours - paper - difference).abs() < 1e-3);
        assert!(difference.abs() < 3.0, "{variant}: {ours} against {paper}");
    }
}

/// Every batch's tokens follow from the paper's first row by one constant.
#[test]
fn table_2s_batches_hold_what_10_2_milliseconds_per_token_make_of_the_first_row() {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/papers/wdmoe_table2.ron");
    let scenario = std::fs::read_to_string(scenario).unwrap();
    for suite in [
        "MMLU",
        "PIQA",
        "ARC-E",
        "ARC-C",
        "Humaneval",
        "GSM-8K",
        "BoolQ",
        "MBPP",
    ] {
        let paper = row("table2.csv", &[suite, "neither"])[0];
        let tokens = (paper / 10.2).round();
        assert!(scenario.contains(&format!(
            "                    [Tokens(prompt: {tokens})],\n"
        )));
    }
}

#[test]
fn one_division_per_pass_is_published_again() {
    publishes_what_is_committed(
        "wdmoe_per_pass.ron",
        COMMITTED,
        &["per_pass.csv", "per_pass.md"],
    );
}

/// One division of the band for all blocks of a pass gains a few percent, one for each
/// block what the paper prints. To foresee the loads helps where the channel stays; where it is
/// new in every block, the division is for the first one's, and neither is worth anything.
#[test]
fn one_division_per_pass_gains_far_less_than_one_per_block() {
    for channel in ["new in every block", "the same throughout"] {
        let gain = |bandwidth| -row("per_pass.csv", &[channel, bandwidth])[0];
        let [past, foreseen] = ["per pass", "per pass, foreseen"].map(gain);
        assert!(past.max(foreseen) < 15.0);
        assert!(gain("per block") > 3.0 * past.max(foreseen));
        assert!(past < foreseen || channel == "new in every block");
    }
}

#[test]
fn the_sensitivity_is_published_again() {
    publishes_what_is_committed(
        "wdmoe_sensitivity.ron",
        COMMITTED,
        &["sensitivity.csv", "sensitivity.md"],
    );
}

/// The gain of bandwidth follows the imbalance of the loads; that of selection how much
/// logits spread.
#[test]
fn more_imbalance_is_worth_more_bandwidth_and_more_spread_more_selection() {
    let rising = |assumptions: &[&str], variant: &str| {
        let gain = |assumption: &&str| -row("sensitivity.csv", &[*assumption, variant])[0];
        let gains: Vec<f64> = assumptions.iter().map(gain).collect();
        assert!(
            gains.is_sorted_by(|a, b| a < b),
            "{assumptions:?}: {gains:?}"
        );
    };
    rising(
        &[
            "equal popularity, distance and channel",
            "experts equally popular",
            "half the difference in popularity",
            "as in Table II",
            "twice the difference in popularity",
        ],
        "bandwidth",
    );
    rising(
        &[
            "logits spread by 1.0",
            "as in Table II",
            "logits spread by 2.0",
        ],
        "selection",
    );
}

#[test]
fn figures_5_and_7_are_published_again() {
    for figure in ["figure5", "figure7"] {
        let files = [
            format!("{figure}.csv"),
            format!("{figure}.svg"),
            format!("{figure}_reductions.csv"),
            format!("{figure}_reductions.md"),
        ];
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        publishes_what_is_committed(&format!("wdmoe_{figure}.ron"), COMMITTED, &files);
    }
}

/// At a fifth of the band a batch takes about four times as long, in the paper 4.1 times,
/// and what both halves gain hardly depends on the band.
#[test]
fn figure_5_falls_as_in_the_paper() {
    for variant in ["neither", "both"] {
        let latency = |band| row("figure5.csv", &[band, variant])[0];
        let ratio = latency("20 MHz") / latency("100 MHz");
        assert!((ratio / 4.1 - 1.0).abs() < 0.05, "{variant}: {ratio}");
    }
    for band in ["20 MHz", "60 MHz", "120 MHz"] {
        let change = row("figure5_reductions.csv", &[band, "both"])[0];
        assert!((change + 42.0).abs() < 3.0, "{band}: {change}");
    }
}
