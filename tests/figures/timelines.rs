//! Timelines show what the log says, whichever pass or request is asked for, and of however many
//! nodes.

use crate::faults;
use airloom::figures::Width;
use airloom::figures::choice::Choice;
use airloom::figures::format::svg;
use airloom::figures::timeline::{self, Timeline};
use airloom::results::events::Events;
use airloom::rng::Streams;
use airloom::scenario::{self, Override};
use airloom::simulation::{RunOptions, prepare, run};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

/// A run of the shipped scenario `name` with these changes.
fn ran(name: &str, changes: &[&str]) -> TempDir {
    static IDLE: AtomicBool = AtomicBool::new(false);
    let place = TempDir::new().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(name);
    let changes = changes.iter().chain(&["trace=Full"]);
    let changes: Vec<Override> = changes.map(|text| text.parse().unwrap()).collect();
    let resolved = scenario::load(&path, &changes).unwrap();
    let prepared = prepare(&resolved, Streams { seed: 1, run: 0 }, Vec::new()).unwrap();
    let options = RunOptions {
        out: place.path().join("x"),
        interrupt: &IDLE,
    };
    run(prepared, &options, &mut ()).unwrap();
    place
}

/// The cells of a table, each row by its columns' names. None of them is quoted.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
    let heading: Vec<String> = lines.next().unwrap().collect();
    lines
        .map(|cells| heading.iter().cloned().zip(cells).collect())
        .collect()
}

/// Picoseconds by node, resource and kind that the log tells of these batches.
fn logged(folder: &Path, wanted: impl Fn(&str) -> bool) -> BTreeMap<(String, String, String), u64> {
    let mut spent = BTreeMap::new();
    for row in rows(&folder.join("events.csv")) {
        let time = |column: &str| row[column].parse::<u64>().unwrap();
        let length = time("end_ps") - time("start_ps");
        let resource = &row["resource"];
        if !wanted(&row["batch"]) || length == 0 || resource.is_empty() {
            continue;
        }
        let node = row["node"].clone();
        let name = resource
            .strip_prefix(&format!("{node}."))
            .unwrap_or(resource);
        let key = (node, name.to_owned(), row["kind"].clone());
        *spent.entry(key).or_default() += length;
    }
    spent
}

/// The same of what a timeline shows as its own.
fn shown(timeline: &Timeline) -> BTreeMap<(String, String, String), u64> {
    let mut spent = BTreeMap::new();
    for group in &timeline.groups {
        for row in group.rows.iter().filter(|row| !row.own.is_empty()) {
            let lengths = row.own.iter().map(|part| part.length().0);
            let kind = row.lane.kind.name().to_owned();
            let key = (group.nodes[0].clone(), row.lane.name.clone(), kind);
            spent.insert(key, lengths.sum());
        }
    }
    spent
}

#[test]
fn a_pass_or_request_is_the_rows_of_its_batches_wherever_it_is_in_the_log() {
    for (name, changes) in [
        ("serving.ron", "workload[0].count=6"),
        (
            "hybrid.ron",
            "workload=[Generate(prompt: \"Once Clara\", max_tokens: 3)]",
        ),
        ("wdmoe_testbed.ron", "workload=[Tokens(prompt: 9)]"),
    ] {
        let place = ran(name, &[changes]);
        let folder = place.path().join("x");
        let events = Events::read(&folder).unwrap();
        let batches = rows(&folder.join("batches.csv"));
        let numbers = |column: &str| {
            let numbers = batches
                .iter()
                .map(|row| row[column].parse::<u32>().unwrap());
            numbers.collect::<std::collections::BTreeSet<u32>>()
        };
        let passes = numbers("batch").into_iter().step_by(5).map(Choice::Pass);
        let requests = numbers("request").into_iter().map(Choice::Request);
        for choice in passes.chain(requests) {
            let chosen = choice.find(&folder).unwrap();
            let own: Vec<&str> = batches
                .iter()
                .filter(|row| match choice {
                    Choice::Pass(number) => row["batch"] == number.to_string(),
                    Choice::Request(number) => row["request"] == number.to_string(),
                    Choice::Typical => false,
                })
                .map(|row| row["batch"].as_str())
                .collect();
            let timeline = timeline::read(&folder, &chosen).unwrap();
            assert_eq!(
                shown(&timeline),
                logged(&folder, |batch| own.contains(&batch)),
                "{name}: {choice:?}"
            );
            // What is read of the log alone says no less than all of it.
            assert!(
                timeline == timeline::timeline(&events, &chosen),
                "{name}: {choice:?}"
            );
            if let Choice::Request(number) = choice {
                let table = rows(&folder.join("requests.csv"));
                let row = table
                    .iter()
                    .find(|row| row["request"] == number.to_string());
                let ends = [timeline.whole.start.0, timeline.whole.end.0];
                let told = ["arrival_ps", "end_ps"].map(|column| row.unwrap()[column].clone());
                assert_eq!(ends.map(|end| end.to_string()), told, "{name}: {choice:?}");
            }
            for width in Width::ALL {
                let picture = svg::write(&timeline::draw(timeline.clone(), width));
                assert_eq!(faults(&picture), [""; 0], "{name}: {choice:?}");
            }
        }
    }
}

/// Writes a run of 64 nodes that compute alone and meet after each of four blocks: `length` gives
/// how long node and block take.
fn wide(folder: &Path, length: impl Fn(u64, u64) -> u64) {
    let mut nodes = "node\n".to_owned();
    for node in 0..64 {
        writeln!(nodes, "phone{node}").unwrap();
    }
    fs::write(folder.join("nodes.csv"), nodes).unwrap();
    let mut log = airloom::engine::HEADER.to_owned();
    let (mut start, mut number) = (0, 0);
    let mut last = String::new();
    for block in 0..4 {
        let mut ends: Vec<(u64, u64)> = (0..64)
            .map(|node| (start + length(node, block), node))
            .collect();
        ends.sort_unstable();
        let first = number;
        let reason = if block == 0 { "input" } else { "barrier" };
        for (end, node) in &ends {
            writeln!(
                log,
                "{number},0,{block},attention,phone{node},,0,phone{node}.compute,compute,{start},\
                 {start},{end},{last},{last},{reason},5,0,0,0.5"
            )
            .unwrap();
            number += 1;
        }
        start = ends[63].0;
        let inputs: Vec<String> = (first..number)
            .map(|input: u64| input.to_string())
            .collect();
        writeln!(
            log,
            "{number},0,{block},gather,,,0,,barrier,{start},{start},{start},{},{},input,0,0,0,0",
            inputs.join(" "),
            number - 1
        )
        .unwrap();
        last = number.to_string();
        number += 1;
    }
    fs::write(folder.join("events.csv"), log).unwrap();
    let batches = format!(
        "batch,replica,request,step,phase,context,tokens,start_ps,end_ps\n\
         0,0,0,0,decode,5,1,0,{start}\n"
    );
    fs::write(folder.join("batches.csv"), batches).unwrap();
}

/// The words of the figure of the run in `folder` at `width`, after checking that they can be
/// read, and how tall it is in points.
fn words(folder: &Path, width: Width) -> (Vec<String>, f64) {
    let chosen = Choice::Typical.find(folder).unwrap();
    let scene = timeline::draw(timeline::read(folder, &chosen).unwrap(), width);
    assert_eq!(faults(&svg::write(&scene)), [""; 0]);
    let texts = scene.texts();
    let words = texts.iter().map(|text| text.words.clone());
    (words.collect(), f64::from(scene.height) / 100.0)
}

#[test]
fn sixty_four_unlike_nodes_have_a_readable_lane_each_on_one_page() {
    let place = TempDir::new().unwrap();
    wide(place.path(), |node, block| {
        100_000_000 + 10_000_000 * ((node * 37 + block * 11) % 64)
    });
    for width in Width::ALL {
        let (words, height) = words(place.path(), width);
        assert!(
            height < 297.0 / 25.4 * 72.0,
            "{height} pt are more than a page of A4"
        );
        for node in 0..64 {
            let name = format!("phone{node}");
            assert!(words.contains(&name), "{name} has no name");
        }
        // Each of the four barriers was held by one node.
        let held = words.iter().filter(|words| *words == "1 of 4").count();
        assert_eq!(held, 4, "{words:?}");
    }
}

#[test]
fn of_sixty_four_nodes_those_that_show_the_same_are_one_group() {
    let place = TempDir::new().unwrap();
    wide(place.path(), |node, _| match node {
        // Another by less than a hair, one that everybody waits for, and the rest.
        7 => 100_000_001,
        20 => 300_000_000,
        _ => 100_000_000,
    });
    for width in Width::ALL {
        let (words, height) = words(place.path(), width);
        assert!(height < 300.0, "{height} pt");
        for name in ["phone0–19, 21–63", "63, the same", "phone20", "4 of 4"] {
            assert!(words.iter().any(|words| words == name), "{name}: {words:?}");
        }
        let note = words.join(" ");
        assert!(
            note.contains("Nodes named together show the same"),
            "{note}"
        );
    }
}
