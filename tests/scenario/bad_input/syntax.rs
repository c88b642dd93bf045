//! Texts that are not RON, and how a fault is shown.

use super::{Desk, GOOD, refused};

#[test]
fn a_fault_is_shown_with_its_line() {
    assert_eq!(
        Desk::new().refuse("10 MHz", "10 MHzz"),
        r#"bad.ron:5:20: `10 MHzz` is not a frequency: unknown unit `MHzz`; write for example "10 MHz"
   |
 5 |         bandwidth: "10 MHzz",
   |                    ^^^^^^^^^"#
    );
    assert_eq!(
        Desk::new().refuse("bandwidth", "bandwith"),
        "bad.ron:5:9: unknown field `bandwith`
   |
 5 |         bandwith: \"10 MHz\",
   |         ^^^^^^^^ did you mean `bandwidth`? known are hub, members, sharing, \
         messages, bandwidth, device_antennas, device_antennas_except, server_antennas, fading, coherence, \
         doppler, budget, convention, budget_offsets, coding, csi, synchronisation, downlink, \
         round_overhead, lone_device_transmits"
    );
    assert_eq!(
        Desk::new().refuse("streams: 2", "streams: 5"),
        "bad.ron:10:38: replicas[0].placement.all_reduce.streams: 5 streams, but each device has 4 \
         antennas; use at most 4
    |
 10 |         all_reduce: AirComp(streams: 5),
    |                                      ^"
    );
}

#[test]
fn a_text_that_is_not_ron_is_refused_at_the_place() {
    refused(&[
        (
            "\"10 MHz\",",
            "\"10 MHz\"",
            &["bad.ron:5:28: a comma is missing before `device_antennas`"],
        ),
        (
            "\"10 MHz\"",
            "10 MHz",
            &[
                "bad.ron:5:20: `MHz` stands behind a number",
                "such as \"10 MHz\"",
            ],
        ),
        (
            "\"10 MHz\"",
            "10MHz",
            &["bad.ron:5:20: `10MHz` is not a number"],
        ),
        ("\"10 MHz\"", "'10 MHz'", &["bad.ron:5:20", "double quotes"]),
        (
            "\"Anna\"",
            "\"Anna",
            &["bad.ron:14:26: this text is never closed"],
        ),
        (
            "\"Anna\"",
            "\"\\q\"",
            &["bad.ron:14:27: `\\q` is no escape"],
        ),
        (
            "(count: 4)",
            "(count: 4",
            &["bad.ron:3:32: expected `,` or `)`, found `}`"],
        ),
        (
            "(count: 4)",
            "(count: 4]",
            &["bad.ron:3:32: expected `,` or `)`, found `]`"],
        ),
        (
            "    ],\n)\n",
            "    ],\n",
            &[
                "bad.ron:1:9: this bracket is never closed",
                "close it with `)`",
            ],
        ),
        (
            "count: 4",
            "count: 4, count: 5",
            &["bad.ron:3:34: the field `count` appears twice"],
        ),
        (
            "count: 4",
            "count 4",
            &["bad.ron:3:29: a comma is missing here"],
        ),
        (
            "Scenario(",
            "/* Scenario(",
            &["bad.ron:1:1: this comment is never closed"],
        ),
        (
            "Scenario(",
            "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
            &["nest deeper than 64"],
        ),
    ]);
}

#[test]
fn independent_faults_are_found_together() {
    let desk = Desk::new();
    let text = GOOD
        .replace("10 MHz", "10 MHzz")
        .replace("count: 4", "count: four, profil: 3")
        .replace("max_tokens: 4", "max_token: 4")
        .replace("streams: 2", "streams: -2");
    let message = desk.message(&text, &[]);
    let places: Vec<&str> = message
        .lines()
        .filter_map(|line| line.strip_prefix("bad.ron:")?.split(": ").next())
        .collect();
    assert_eq!(
        places,
        ["3:31", "3:37", "5:20", "10:38", "14:34"],
        "{message}"
    );

    let text = GOOD
        .replace("10 MHz", "0 Hz")
        .replace("streams: 2", "streams: 5")
        .replace("\"model\"", "\"modell\"");
    assert_eq!(desk.message(&text, &[]).matches("bad.ron:").count(), 3);
}
