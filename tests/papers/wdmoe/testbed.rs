//! The hardware testbed: Table IV and Fig. 10.

use super::{COMMITTED, row};
use crate::publishes_what_is_committed;

#[test]
fn the_testbeds_table_4_and_figure_10_are_published_again() {
    publishes_what_is_committed(
        "wdmoe_table4.ron",
        COMMITTED,
        &[
            "table4.csv",
            "table4.md",
            "table4_gains.csv",
            "table4_gains.md",
        ],
    );
    publishes_what_is_committed(
        "wdmoe_figure10.ron",
        COMMITTED,
        &[
            "figure10.csv",
            "figure10.svg",
            "figure10_gains.csv",
            "figure10_gains.md",
        ],
    );
}

/// Algorithm 2 takes only second choices from the slowest device, so that even a device far
/// behind all others keeps half of its tokens. On average over the suites it gains what the
/// paper's testbed measured.
#[test]
fn algorithm_2_gains_what_the_testbed_measured_and_never_half() {
    let [paper, ours, difference] = row("table4_gains.csv", &["mean", "Algorithm 2"])[..] else {
        panic!("three numbers in the row of means")
    };
    assert!(difference.abs() < 3.0, "{ours} against {paper}");
    for tokens in ["500", "4000"] {
        let gain = |devices| -row("figure10_gains.csv", &[tokens, devices, "Algorithm 2"])[0];
        assert!(gain("all rated") > 0.0 && gain("all rated") < 10.0);
        assert!(gain("one slow") > 40.0 && gain("one slow") < 50.0);
    }
}
