//! What is read upwards is what the whole log says, held in memory.

use super::*;
use crate::engine::HEADER;
use crate::results::events::CriticalPath;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const NODES: [&str; 3] = ["a", "b", "c"];

/// A task of a log that is made up: who released it (one of those before, or nobody), how long it
/// took, at whom, and what it did.
type Made = (u16, u64, usize, usize);

/// Writes a log of these tasks, each begun when its releaser ended.
fn write(folder: &Path, made: &[Made]) {
    let mut tasks: Vec<(u64, u64, Option<usize>, usize, usize)> = Vec::new();
    for (number, (releaser, time, node, kind)) in made.iter().enumerate() {
        let releaser = (usize::from(*releaser) % (number + 1)).checked_sub(1);
        let start = releaser.map_or(0, |releaser| tasks[releaser].1);
        let time = if *kind == 3 { 0 } else { *time };
        tasks.push((start, start + time, releaser, *node, *kind));
    }
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|task| tasks[*task].1);
    let mut place = vec![0; tasks.len()];
    for (number, task) in order.iter().enumerate() {
        place[*task] = number;
    }
    let mut text = HEADER.to_owned();
    for (number, task) in order.iter().enumerate() {
        let (start, end, releaser, node, kind) = tasks[*task];
        let by = releaser.map_or(String::new(), |releaser| place[releaser].to_string());
        let name = NODES[node];
        let (node, resource, kind) = match kind {
            0 => (name, format!("{name}.compute"), "compute"),
            1 => (name, "air".to_owned(), "uplink"),
            2 => ("", String::new(), "overhead"),
            _ => ("", String::new(), "barrier"),
        };
        let batch = number % 4;
        writeln!(
            text,
            "{number},{batch},,work,{node},,{number},{resource},{kind},{start},{start},{end},,{by},input,1,0,0,0"
        )
        .unwrap();
    }
    std::fs::write(folder.join("events.csv"), text).unwrap();
    std::fs::write(
        folder.join("nodes.csv"),
        format!("node\n{}\n", NODES.join("\n")),
    )
    .unwrap();
    let end = tasks.iter().map(|task| task.1).max().unwrap();
    let pass = |batch: u64, phase: &str, start: u64, end: u64| {
        format!("{batch},0,{batch},0,{phase},0,1,{start},{end}\n")
    };
    let batches = [
        "batch,replica,request,step,phase,context,tokens,start_ps,end_ps\n".to_owned(),
        pass(0, "prefill", 0, end / 5),
        pass(1, "decode", end / 4, end / 2),
        pass(2, "decode", end / 2, end * 4 / 5),
        pass(3, "score", end / 3, end),
    ];
    std::fs::write(folder.join("batches.csv"), batches.concat()).unwrap();
}

fn made() -> impl Strategy<Value = Vec<Made>> {
    prop::collection::vec((any::<u16>(), 0_u64..50, 0_usize..3, 0_usize..4), 1..60)
}

proptest! {
    #[test]
    fn all_of_a_short_log_is_told(made in made()) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &made);
        let events = Events::read(folder.path()).unwrap();
        let run = Overview::read(folder.path()).unwrap();
        prop_assert_eq!(run.makespan, events.makespan());
        prop_assert!(run.is_whole());
        prop_assert_eq!(&run.waiting, &events.waiting());
        let path = CriticalPath::of(&events, &events.groups());
        let critical = run.held.iter().filter(|held| held.critical);
        prop_assert_eq!(critical.map(|held| held.number).collect::<Vec<_>>(), path.tasks);
        for (held, task) in run.held.iter().zip(&events.tasks) {
            prop_assert_eq!((held.task.start, held.task.end), (task.start, task.end));
        }
        let gaps = run.gaps.iter().map(|(_, gap)| (gap.node, gap.start, gap.end, gap.next));
        let own = events.gaps().into_iter().map(|gap| match gap.owner {
            Owner::Node(node) => (node, gap.start, gap.end, gap.next),
            Owner::Nobody => unreachable!("only nodes wait"),
        });
        prop_assert_eq!(gaps.collect::<Vec<_>>(), own.collect::<Vec<_>>());
        // Instant by instant.
        for (number, lane) in run.lanes.iter().enumerate() {
            let is = |at: u64, (start, end): (Instant, Instant)| start.0 <= at && at < end.0;
            let tasks = run.held.iter().filter(|held| held.lane == Some(number));
            let tasks = tasks.map(|held| (held.task.start, held.task.end));
            let gaps = run.gaps.iter().filter(|(place, _)| *place == number);
            let spans: Vec<_> = tasks.chain(gaps.map(|(_, gap)| (gap.start, gap.end))).collect();
            let busy = (0..run.makespan.0).filter(|at| spans.iter().any(|span| is(*at, *span)));
            prop_assert_eq!(lane.busy.0, busy.count() as u64);
            prop_assert_eq!(lane.count, spans.len() as u64);
        }
    }

    #[test]
    fn of_a_long_log_every_window_is_whole(made in made(), most in 1_usize..40) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &made);
        let events = Events::read(folder.path()).unwrap();
        let run = Overview::holding(folder.path(), most).unwrap();
        prop_assert!(run.held.len() <= most);
        prop_assert_eq!(&run.waiting, &events.waiting());
        let held: BTreeSet<u32> = run.held.iter().map(|held| held.number).collect();
        for window in &run.windows {
            for (number, task) in (0..).zip(&events.tasks) {
                let meets = task.end > window.start && task.start < window.end;
                prop_assert!(!meets || held.contains(&number), "{} in {:?}", number, window);
            }
        }
        let whole = Overview::read(folder.path()).unwrap();
        let busy = |run: &Overview| run.lanes.iter().map(|lane| lane.busy).collect::<Vec<_>>();
        prop_assert_eq!(busy(&run), busy(&whole));
    }
}

#[test]
fn damage_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[(0, 5, 0, 0), (1, 7, 1, 0), (2, 9, 2, 1)]);
    let path = folder.path().join("events.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    for (from, to, said) in [
        (
            "compute,5,5,12",
            "compute,6,6,12",
            "line 2: the task ends at 5 ps",
        ),
        ("work,b", "work,z", "line 3: `z` is no node"),
        (
            "2,2,,work",
            "7,2,,work",
            "line 4: this is task 2, and not 7",
        ),
        (
            "12,12,21,,1,input,1,0,0,0",
            "12,12,21,,1,inp",
            "line 4: the row has",
        ),
        ("12,12,21,", "12,12,11,", "line 4: ready, start and end"),
        (
            ",0,0,5,",
            ",0,0,25,",
            "line 2: the task ended after the one below it",
        ),
        ("number,", "task,", "line 1: the columns are not"),
    ] {
        let damaged = text.replace(from, to);
        assert_ne!(damaged, text, "{from}");
        std::fs::write(&path, damaged).unwrap();
        let error = Overview::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    std::fs::write(&path, HEADER).unwrap();
    let empty = Overview::read(folder.path()).unwrap();
    assert_eq!((empty.makespan, empty.lanes.len()), (Instant::ZERO, 0));
}
