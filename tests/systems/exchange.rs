//! All-reduces by messages: they take what their closed forms say on wires, ports and radio, nothing
//! that was sent is lost, and the text is that of one node where entries travel as they are.

use super::{Row, Tables, number, simulated};
use airloom::device::MessageCost;
use airloom::medium::collective::{Joined, Message};
use airloom::medium::{Wire, WireSharing};
use airloom::units::{BitsPerSecond, JoulesPerBit, Seconds};

/// Of the bundled model.
const HIDDEN: u64 = 192;

const COSTS: &str = r#"messages: (send: "70 us", receive: "110 us", synchronise: "30 us")"#;

/// What `COSTS` and the links below say.
fn link(rate: f64) -> Wire {
    Wire {
        between: (String::new(), String::new()),
        rate: BitsPerSecond(rate),
        delay: Seconds(40e-6),
        jitter: Seconds(0.0),
        per_message: Seconds(0.0),
        messages: Some(MessageCost {
            send: Seconds(70e-6),
            receive: Seconds(110e-6),
            synchronise: Seconds(30e-6),
        }),
        energy_per_bit: JoulesPerBit(0.0),
        sharing: WireSharing::Exclusive,
    }
}

/// One token of four boards, joined by `links`, of which board0 sums.
fn boards(links: &str, all_reduce: &str) -> String {
    format!(
        r#"nodes: {{"board": (count: 4)}},
        workload: [Generate(prompt: "Once", max_tokens: 3)], links: {{ {links} }},
        replicas: [(placement: TensorParallel(over: "board", at: "board0",
            all_reduce: {all_reduce}))],"#
    )
}

fn switch(rate: &str) -> String {
    format!(r#""lan": Switch(members: ["board"], rate: "{rate}", delay: "40 us", {COSTS})"#)
}

fn wires(rate: &str) -> String {
    let wire = |n| {
        format!(
            r#""lan{n}": Wire(between: ("board0", "board{n}"), rate: "{rate}", delay: "40 us",
                {COSTS})"#
        )
    };
    (1..4).map(wire).collect::<Vec<_>>().join(", ")
}

struct Log(Vec<Row>);

impl Log {
    fn of(rest: &str) -> Self {
        Self(Tables::of(rest).rows("events.csv"))
    }

    /// The last end of the tasks of `batch`, layer 0, whose stage begins so.
    fn end(&self, batch: &str, stage: &str) -> f64 {
        let of_batch = self.0.iter().filter(|row| row["batch"] == batch);
        let of_layer = of_batch.filter(|row| row["layer"] == "0");
        let stages = of_layer.filter(|row| row["stage"].starts_with(stage));
        let ends = stages.map(|row| number(row, "end_ps"));
        ends.max().expect("a task of that stage") as f64 * 1e-12
    }
}

fn close(simulated: f64, expected: f64) {
    // Every task is rounded up to a picosecond.
    assert!(
        (simulated - expected).abs() < 1e-10,
        "{simulated} {expected}"
    );
}

#[test]
fn a_star_takes_its_closed_form_on_wires_and_on_a_switch() {
    // Costs rule, then bits do.
    for (written, rate) in [("1 Gbit/s", 1e9), ("5 Mbit/s", 5e6)] {
        for (links, joined) in [
            (wires(written), Joined::Wires),
            (switch(written), Joined::Switch),
        ] {
            let log = Log::of(&boards(&links, "Star(bits: 8, block: 32)"));
            // A decode step: one token.
            let bits = HIDDEN * 17 / 2;
            let [up, down] = Message::over(&link(rate), bits).star(4, joined);
            let met = log.end("1", "attention_reduced");
            close(met - log.end("1", "attention_gather"), up);
            close(log.end("1", "attention_sum") - met, down);
            let met = log.end("1", "mlp_reduced");
            close(met - log.end("1", "mlp_gather"), up);
        }
    }
}

#[test]
fn a_ring_takes_its_closed_form() {
    let log = Log::of(&boards(&switch("5 Mbit/s"), "Ring(bits: 32, block: 16)"));
    let message = Message::over(&link(5e6), HIDDEN / 4 * 32);
    let took = log.end("1", "attention_sum") - log.end("1", "attention_gather");
    close(took, message.ring(4));
}

#[test]
fn small_messages_cost_what_they_do() {
    // Ten members' messages of 1.6 kbit: the costs, not a gigabit per second, are the time.
    let bits_alone = (HIDDEN * 17 / 2) as f64 / 1e9;
    let message = Message::over(&link(1e9), HIDDEN * 17 / 2);
    let [up, _] = message.star(4, Joined::Switch);
    assert!(up > 100.0 * bits_alone, "{up} {bits_alone}");
}

#[test]
fn every_bit_of_an_exchange_is_sent_once_and_arrives() {
    for (scheme, per_token) in [
        ("Star(bits: 8, block: 32)", 2 * 3 * HIDDEN * 17 / 2),
        ("Ring(bits: 16)", 6 * HIDDEN * 16),
    ] {
        let log = Log::of(&boards(&switch("1 Gbit/s"), scheme));
        let of_exchange = |row: &&Row| {
            let stage = &row["stage"];
            row["batch"] == "1" && row["layer"] == "0" && stage.starts_with("attention_")
        };
        let rows: Vec<&Row> = log.0.iter().filter(of_exchange).collect();
        let sent: u64 = rows
            .iter()
            .filter(|row| row["kind"] == "transfer")
            .map(|row| number(row, "bits"))
            .sum();
        assert_eq!(sent, per_token, "{scheme}");
        let count = |end: &str| {
            rows.iter()
                .filter(|row| row["stage"].ends_with(end))
                .count()
        };
        let transfers = rows.iter().filter(|row| row["kind"] == "transfer").count();
        assert_eq!(count("_send_cost"), transfers);
        assert_eq!(count("_receive_cost"), transfers);
        assert_eq!(count("_delay"), transfers);
        // Nobody hands two messages over at once, and no port carries two.
        let mut lanes: Vec<(&str, u64, u64)> = log
            .0
            .iter()
            .filter(|row| !row["resource"].is_empty())
            .map(|row| {
                let (start, end) = (number(row, "start_ps"), number(row, "end_ps"));
                (row["resource"].as_str(), start, end)
            })
            .collect();
        lanes.sort_unstable();
        for pair in lanes.windows(2) {
            let [(one, _, end), (other, start, _)] = pair else {
                unreachable!()
            };
            assert!(one != other || end <= start, "{pair:?}");
        }
    }
}

#[test]
fn a_port_receives_one_message_after_the_other() {
    let log = Log::of(&boards(&switch("5 Mbit/s"), "Star(bits: 32)"));
    let mut into: Vec<(u64, u64)> = log
        .0
        .iter()
        .filter(|row| row["kind"] == "transfer" && row["peer"] == "board0")
        .map(|row| (number(row, "start_ps"), number(row, "end_ps")))
        .collect();
    into.sort_unstable();
    assert!(into.windows(2).all(|pair| pair[0].1 <= pair[1].0));
    assert!(into.windows(2).any(|pair| pair[0].1 == pair[1].0));
}

#[test]
fn time_of_messages_is_time_of_nodes() {
    let run = Tables::of(&boards(&switch("1 Gbit/s"), "Star()"));
    let nodes = run.rows("nodes.csv");
    let seconds = |row: &Row, column: &str| row[column].parse::<f64>().unwrap();
    for row in nodes.iter().filter(|row| row["node"].starts_with("board")) {
        // A member that takes and hands over messages is not waiting meanwhile.
        assert!(
            seconds(row, "uplink_s") > 0.0 && seconds(row, "downlink_s") > 0.0,
            "{row:?}"
        );
        let parts = [
            "compute_s",
            "uplink_s",
            "downlink_s",
            "wait_s",
            "no_request_s",
        ];
        let sum: f64 = parts.iter().map(|part| seconds(row, part)).sum();
        let log = run.rows("events.csv");
        let makespan = log.iter().map(|row| number(row, "end_ps")).max().unwrap();
        // The root sends and hands over at once, which is counted in parts and once in the whole.
        assert!(
            sum >= makespan as f64 * 1e-12 * (1.0 - 1e-9),
            "{row:?} {makespan}"
        );
    }
}

#[test]
fn entries_as_they_are_make_the_text_of_one_node() {
    let logits = |rest: &str| simulated(rest).logits_blake3;
    let links = switch("1 Gbit/s");
    let star = logits(&boards(&links, "Star(bits: 32)"));
    let ideal = logits(&boards(&links, "Ideal"));
    assert_eq!(star, ideal, "law 7");
    let rounded = logits(&boards(&links, "Star(bits: 4)"));
    assert_ne!(star, rounded, "what is rounded is felt");
}

#[test]
fn messages_of_an_all_reduce_go_over_radio_too() {
    let rest = r#"workload: [Generate(prompt: "Once", max_tokens: 2)],
        links: {
            "air": Radio(hub: "edge", members: "left", coherence: Static,
                messages: (send: "70 us", receive: "110 us", synchronise: "30 us")),
        },
        replicas: [(placement: TensorParallel(over: "left", all_reduce: Star()))],"#;
    let log = Log::of(rest);
    let of_stage = |stage: &str| {
        let rows = log
            .0
            .iter()
            .filter(|row| row["stage"] == stage && row["layer"] == "0");
        rows.map(|row| number(row, "end_ps") - number(row, "start_ps"))
            .collect::<Vec<_>>()
    };
    let (up, down) = (
        of_stage("attention_part"),
        of_stage("attention_sum_downlink"),
    );
    assert_eq!(
        (up.len(), down.len()),
        (2 * 2, 2 * 2),
        "two members, two passes"
    );
    assert!(
        of_stage("attention_part_send_cost")
            .iter()
            .all(|took| *took == 70_000_000)
    );
    assert!(
        of_stage("attention_part_receive_cost")
            .iter()
            .all(|took| *took == 110_000_000)
    );
    assert!(
        of_stage("attention_met")
            .iter()
            .all(|took| *took == 30_000_000)
    );
    assert!(
        of_stage("attention_sum_receive_cost")
            .iter()
            .all(|took| *took == 140_000_000)
    );
}

#[test]
fn costs_of_a_message_from_stage_to_stage_come_before_and_after_it() {
    let log = Log::of(
        r#"workload: [Generate(prompt: "Once Clara", max_tokens: 1)],
        links: {"backhaul": Wire(between: ("edge", "cloud"), rate: "1 Gbit/s", delay: "8 ms",
            messages: (send: "70 us", receive: "110 us", synchronise: "30 us"))},
        replicas: [(placement: Pipeline(stages: [Single(at: "edge"), Single(at: "cloud")]))],"#,
    );
    let row = |stage: &str| log.0.iter().find(|row| row["stage"] == stage).unwrap();
    let (cut, next) = (row("cut"), row("cut_receive_cost"));
    assert_eq!(
        number(cut, "start_ps"),
        number(row("cut_send_cost"), "end_ps")
    );
    assert_eq!(
        number(next, "start_ps"),
        number(cut, "end_ps") + 8_000_000_000
    );
    assert_eq!(
        number(next, "end_ps") - number(next, "start_ps"),
        140_000_000
    );
    assert_eq!((&*next["node"], &*next["peer"]), ("cloud", "edge"));
}
