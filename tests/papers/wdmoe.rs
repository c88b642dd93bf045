//! Xue et al., "WDMoE": the published numbers, the constants behind them, and how far from
//! the paper's they may be.

use super::publishes_what_is_committed;
use std::path::Path;

const COMMITTED: &str = "results/papers/wdmoe";

/// The rows of a committed table whose first columns are `labels`: their other numbers.
fn row(file: &str, labels: &[&str]) -> Vec<f64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(COMMITTED)
        .join(file);
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let row = rows
        .iter()
        .find(|row| row.iter().zip(labels).all(|(cell, label)| cell == *label));
    let row = row.unwrap_or_else(|| panic!("{file} has no row {labels:?}"));
    let cells = row.iter().skip(labels.len());
    cells.filter_map(|cell| cell.parse().ok()).collect()
}

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
/// block what the paper prints.
#[test]
fn one_division_per_pass_gains_far_less_than_one_per_block() {
    for channel in ["new in every block", "the same throughout"] {
        let gain = |bandwidth| -row("per_pass.csv", &[channel, bandwidth])[0];
        let foreseen = gain("per pass, foreseen");
        assert!(gain("per pass") < foreseen && foreseen < 15.0);
        assert!(gain("per block") > 3.0 * foreseen);
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
