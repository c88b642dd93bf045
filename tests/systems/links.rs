//! What crosses a link takes what the link's closed form says, alone and beside others.

use super::{Row, Tables, number};

fn messages(run: &Tables, kind: &str) -> Vec<Row> {
    let events = run.rows("events.csv");
    events.into_iter().filter(|e| e["kind"] == kind).collect()
}

/// Entries of a state of the bundled model.
const HIDDEN: u64 = 192;

#[test]
fn a_message_over_a_wire_takes_its_cost_its_bits_and_the_delay() {
    let run = Tables::of(
        r#"workload: [Generate(prompt: "Once Clara", max_tokens: 2)],
        replicas: [(placement: Pipeline(stages: [Single(at: "edge"), Single(at: "cloud")]))],"#,
    );
    let sent = messages(&run, "transfer");
    // The prompt's states, its token back, and one state.
    let [prompt, token, state] = &sent[..] else {
        panic!("three messages: {sent:?}")
    };
    assert_eq!(prompt["node"], "edge");
    assert_eq!((&*token["node"], &*token["peer"]), ("cloud", "edge"));
    for message in [prompt, token, state] {
        let bits = number(message, "bits");
        let busy = number(message, "end_ps") - number(message, "start_ps");
        // 50 us and a nanosecond a bit.
        assert_eq!(busy, 50_000_000 + bits * 1000);
    }
    assert_eq!(number(state, "bits"), 16 * HIDDEN);
    assert_eq!(number(token, "bits"), 32);
    let delays = messages(&run, "overhead");
    assert!(
        delays
            .iter()
            .all(|delay| { number(delay, "end_ps") - number(delay, "start_ps") == 8_000_000_000 })
    );
    assert_eq!(delays.len(), 3);
}

#[test]
fn messages_that_share_a_wire_slow_each_other_down_and_none_of_its_time_is_lost() {
    let run = Tables::of(
        r#"workload: [
            Score(text: World(documents: 3), arrival: At("0 s")),
            Score(text: World(documents: 3), arrival: At("0 s")),
        ],
        links: {
            "air": Radio(hub: "edge", members: "left"),
            "backhaul": Wire(between: ("edge", "cloud"), rate: "2 Mbit/s", delay: "0 s",
                sharing: Equal),
        },
        replicas: [
            (placement: Pipeline(stages: [Single(at: "edge"), Single(at: "cloud")])),
            (placement: Pipeline(stages: [Single(at: "edge"), Single(at: "cloud")])),
        ],"#,
    );
    let mut sent: Vec<(u64, u64, u64)> = messages(&run, "transfer")
        .iter()
        .map(|row| {
            (
                number(row, "start_ps"),
                number(row, "end_ps"),
                number(row, "bits"),
            )
        })
        .collect();
    sent.sort_unstable();
    let alone = |bits: u64| bits * 500_000;
    let slowed = sent.iter().filter(|(s, e, bits)| e - s > alone(*bits) + 1);
    assert!(slowed.count() > 1, "they overlap: {sent:?}");
    // While anything is under way the wire carries its whole rate.
    let (mut busy, mut until) = (0, 0);
    for (start, end, _) in &sent {
        busy += end.saturating_sub(until.max(*start));
        until = until.max(*end);
    }
    let bits: u64 = sent.iter().map(|(_, _, bits)| bits).sum();
    let rounded = sent.len() as u64;
    assert!(
        busy.abs_diff(alone(bits)) <= rounded,
        "{busy} {}",
        alone(bits)
    );
}

#[test]
fn from_member_to_member_a_message_goes_through_the_hub() {
    let run = Tables::of(
        r#"workload: [Score(text: World(documents: 1))],
        replicas: [(placement: Pipeline(over: "left"))],"#,
    );
    let up = messages(&run, "uplink");
    let down = messages(&run, "downlink");
    assert_eq!((up.len(), down.len()), (1, 1));
    assert_eq!((&*up[0]["node"], &*up[0]["peer"]), ("left0", "edge"));
    assert_eq!((&*down[0]["node"], &*down[0]["peer"]), ("left1", "edge"));
    assert!(number(&down[0], "ready_ps") == number(&up[0], "end_ps"));
    assert_eq!(number(&up[0], "bits"), number(&down[0], "bits"));
}
