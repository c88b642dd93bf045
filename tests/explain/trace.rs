//! `trace.json`: what Perfetto is told.

use crate::known;
use airloom::results::events::Events;
use airloom::results::perfetto;
use serde_json::Value;
use std::collections::BTreeMap;

fn rows(events: &Events) -> Vec<Value> {
    let mut text = Vec::new();
    perfetto::write(events, &mut text).unwrap();
    let trace: Value = serde_json::from_slice(&text).unwrap();
    trace["traceEvents"].as_array().unwrap().clone()
}

/// Microseconds as picoseconds.
fn time(row: &Value, field: &str) -> u64 {
    (row[field].as_f64().unwrap() * 1e6).round() as u64
}

fn track(row: &Value) -> (u64, u64) {
    (row["pid"].as_u64().unwrap(), row["tid"].as_u64().unwrap())
}

/// Slices of each track, by `process/track`, as (start, end, name).
fn slices(rows: &[Value]) -> BTreeMap<String, Vec<(u64, u64, String)>> {
    let named = |kind: &str| -> BTreeMap<(u64, u64), String> {
        rows.iter()
            .filter(|row| row["ph"] == "M" && row["name"] == kind)
            .map(|row| {
                let name = row["args"]["name"].as_str().unwrap();
                (track(row), name.to_owned())
            })
            .collect()
    };
    let (processes, threads) = (named("process_name"), named("thread_name"));
    let mut slices: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row["ph"] == "X") {
        let (process, thread) = track(row);
        let (process, name) = (&processes[&(process, 0)], &threads[&(process, thread)]);
        let start = time(row, "ts");
        slices
            .entry(format!("{process}/{name} {thread}"))
            .or_default()
            .push((
                start,
                start + time(row, "dur"),
                row["name"].as_str().unwrap().to_owned(),
            ));
    }
    slices
}

fn named(list: &[(u64, u64, &str)]) -> Vec<(u64, u64, String)> {
    list.iter()
        .map(|(start, end, name)| (*start, *end, (*name).to_owned()))
        .collect()
}

#[test]
fn every_track_holds_what_happened_on_it() {
    let rows = rows(&known::two_requests());
    let expected = BTreeMap::from(
        [
            (
                "device0/compute 1",
                &[(0, 20, "attention"), (75, 80, "attention")][..],
            ),
            ("device0/air 2", &[(30, 35, "slot")]),
            ("device0/downlink 3", &[(52, 60, "receive")]),
            (
                "device0/wait 4",
                &[
                    (20, 30, "waiting for attention, device1"),
                    (35, 52, "waiting for slot, device1"),
                    (60, 75, "waiting for arrival"),
                ],
            ),
            ("device1/compute 1", &[(0, 30, "attention")]),
            ("device1/air 2", &[(35, 45, "slot")]),
            ("device1/downlink 3", &[(52, 60, "receive")]),
            (
                "device1/wait 4",
                &[
                    (30, 35, "waiting for slot, device0"),
                    (45, 52, "waiting for decode, server"),
                ],
            ),
            ("server/compute 1", &[(45, 52, "decode")]),
            ("server/downlink 2", &[(52, 60, "send")]),
            (
                "server/wait 3",
                &[(0, 45, "waiting for attention, device1")],
            ),
            ("requests and barriers/delays 2", &[(60, 75, "arrival")]),
        ]
        .map(|(track, list)| (track.to_owned(), named(list))),
    );
    assert_eq!(slices(&rows), expected);
}

#[test]
fn arrows_lead_across_links() {
    let rows = rows(&known::two_requests());
    // Instant and track of an arrow's two ends.
    type Ends = [Option<(u64, (u64, u64))>; 2];
    let mut arrows: BTreeMap<u64, Ends> = BTreeMap::new();
    for row in &rows {
        let end = match row["ph"].as_str().unwrap() {
            "s" => 0,
            "f" => 1,
            _ => continue,
        };
        let id = row["id"].as_u64().unwrap();
        arrows.entry(id).or_default()[end] = Some((time(row, "ts"), track(row)));
    }
    let arrows: Vec<_> = arrows
        .into_values()
        .map(|ends| ends.map(Option::unwrap))
        .collect();
    // Devices 0 and 1 are processes 1 and 2, the server 3.
    let expected = [
        [(30, (1, 2)), (45, (3, 1))],
        [(35, (2, 2)), (45, (3, 1))],
        [(52, (3, 2)), (52, (1, 3))],
        [(52, (3, 2)), (52, (2, 3))],
    ];
    assert_eq!(arrows, expected);
}

#[test]
fn links_of_a_node_have_tracks_by_their_names() {
    let slices = slices(&rows(&known::pipeline()));
    let tracks: Vec<&str> = slices.keys().map(String::as_str).collect();
    let expected = [
        "a.b/backhaul 2",
        "a.b/compute 1",
        "cloud/compute 1",
        "cloud/wait 2",
    ];
    assert_eq!(tracks, expected);
}

#[test]
fn the_energy_counters_end_at_what_was_spent() {
    let rows = rows(&known::two_requests());
    let mut spent = BTreeMap::new();
    for row in rows.iter().filter(|row| row["ph"] == "C") {
        spent.insert(
            row["pid"].as_u64().unwrap(),
            row["args"]["J"].as_f64().unwrap(),
        );
    }
    assert_eq!(spent, BTreeMap::from([(1, 0.5), (2, 0.5)]));
}

#[test]
fn slices_of_a_track_never_overlap_even_on_a_resource_of_two_places() {
    let two_at_once = "\
0,0,0,attention,device0,,0,device0.compute,compute,0,0,9,,,input,0,0,0,0
1,0,0,attention,device0,,1,device0.compute,compute,0,0,12,,,input,0,0,0,0
2,0,0,attention,device0,,3,device0.compute,compute,0,12,13,,1,resource,0,0,0,0
3,0,0,attention,device0,,2,device0.compute,compute,0,9,14,,0,resource,0,0,0,0
";
    let slices = slices(&rows(
        &known::read(&format!("{}{two_at_once}", known::HEADER)).unwrap(),
    ));
    assert_eq!(slices.len(), 2);
    assert_eq!(slices.values().map(Vec::len).sum::<usize>(), 4);
    for track in slices.values() {
        for pair in track.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "{pair:?}");
        }
    }
}

#[test]
fn a_time_keeps_every_picosecond() {
    let day = 86_400_000_000_000_001_u64;
    let row =
        format!("0,0,0,attention,device0,,0,device0.compute,compute,0,0,{day},,,input,0,0,0,0\n");
    let events = known::read(&format!("{}{row}", known::HEADER)).unwrap();
    let mut text = Vec::new();
    perfetto::write(&events, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.contains("\"ts\":0.000000,\"dur\":86400000000.000001,"),
        "{text}"
    );
}
