//! An event log made by hand, and everything that can be said of it.
//!
//! ```text
//! device 0  |== compute ==|          |air|                 ↓                |compute|
//! device 1  |== compute =======|         |== air ==|       ↓
//! server                                           |decode|↓
//! request 1                                                 ·· on its way ··
//!           0            20   30     30  35       45      52  60           75      80
//! ```

use airloom::analysis::{Arrivals, ExecutedGraph};
use airloom::results::events::{
    Barriers, Cause, CriticalPath, Event, Events, EventsError, Held, Holder, Owner,
};
use airloom::units::{Duration, Instant};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

pub const HEADER: &str = airloom::engine::HEADER;

const ONE_REQUEST: &str = "\
0,0,0,attention,device0,,0,device0.compute,compute,0,0,20,,,input,5,0,0,0.5
1,0,0,attention,device1,,0,device1.compute,compute,0,0,30,,,input,5,0,0,0.5
2,0,0,gather,,,0,,barrier,30,30,30,0 1,1,input,0,0,0,0
3,0,0,slot,device0,server,0,air,uplink,30,30,35,2,2,barrier,0,0,8,0
4,0,0,slot,device1,server,0,air,uplink,30,35,45,2,3,resource,0,0,8,0
5,0,0,reduced,,,0,,barrier,45,45,45,3 4,4,input,0,0,0,0
6,0,0,decode,server,,0,server.compute,compute,45,45,52,5,5,barrier,7,0,0,0
7,0,0,send,server,,0,server.downlink,downlink,52,52,60,6,6,input,0,0,8,0
8,0,0,receive,device0,server,0,device0.downlink,downlink,52,52,60,6,6,input,0,0,8,0
9,0,0,receive,device1,server,0,device1.downlink,downlink,52,52,60,6,6,input,0,0,8,0
";

const ANOTHER_REQUEST: &str = "\
10,,,arrival,,,1,,overhead,60,60,75,9,9,input,0,0,0,0
11,1,0,attention,device0,,0,device0.compute,compute,75,75,80,10,10,input,5,0,0,0
";

const BATCHES: &str = "\
batch,replica,request,step,phase,context,tokens,start_ps,end_ps
0,0,0,0,score,0,1,0,60
1,0,1,0,score,0,1,75,80
";

/// The nodes of the picture, by number.
const DEVICE_0: Owner = Owner::Node(0);
const DEVICE_1: Owner = Owner::Node(1);
const SERVER: Owner = Owner::Node(2);

/// Writes the tables beside an event log of two batches on the nodes of these names.
pub fn write_tables(folder: &Path, nodes: &[String]) {
    let names = nodes.iter().map(|name| format!("{name}\n"));
    let names = format!("node\n{}", names.collect::<String>());
    fs::write(folder.join("nodes.csv"), names).unwrap();
    fs::write(folder.join("batches.csv"), BATCHES).unwrap();
}

fn read_on(nodes: &[&str], text: &str) -> Result<Events, EventsError> {
    let folder = tempfile::tempdir().unwrap();
    let nodes: Vec<String> = nodes.iter().map(|name| (*name).to_owned()).collect();
    write_tables(folder.path(), &nodes);
    fs::write(folder.path().join("events.csv"), text).unwrap();
    Events::read(folder.path())
}

pub fn read(text: &str) -> Result<Events, EventsError> {
    read_on(&["device0", "device1", "server"], text)
}

/// Writes the log of the picture and the tables beside it.
pub fn write_run(folder: &Path) {
    let nodes = ["device0", "device1", "server"].map(str::to_owned);
    write_tables(folder, &nodes);
    let log = format!("{HEADER}{ONE_REQUEST}{ANOTHER_REQUEST}");
    fs::write(folder.join("events.csv"), log).unwrap();
}

/// The events of the picture.
pub fn two_requests() -> Events {
    events(&[ONE_REQUEST, ANOTHER_REQUEST])
}

fn events(rows: &[&str]) -> Events {
    read(&format!("{HEADER}{}", rows.concat())).unwrap()
}

#[test]
fn the_parts_of_the_critical_path_are_these() {
    let events = events(&[ONE_REQUEST, ANOTHER_REQUEST]);
    assert_eq!(events.owner_name(DEVICE_1), "device1");
    let path = CriticalPath::of(&events, &events.groups());
    let parts: Vec<_> = path.parts.iter().collect();
    let parts = parts
        .into_iter()
        .map(|((cause, holder), part)| (*cause, *holder, part.time.0, part.tasks, part.queued.0));
    let expected = [
        (Cause::Compute, Holder::One(DEVICE_0), 5, 1, 0),
        (Cause::Compute, Holder::One(DEVICE_1), 30, 1, 0),
        (Cause::Compute, Holder::One(SERVER), 7, 1, 0),
        (Cause::Uplink, Holder::One(DEVICE_0), 5, 1, 0),
        (Cause::Uplink, Holder::One(DEVICE_1), 10, 1, 5),
        (Cause::Downlink, Holder::Together, 8, 1, 0),
        (Cause::Arrival, Holder::One(Owner::Nobody), 15, 1, 0),
    ];
    assert_eq!(parts.collect::<Vec<_>>(), expected);
    assert_eq!((path.length().0, events.makespan().0), (80, 80));
    assert_eq!(path.causes()[0].0, Cause::Compute);
    assert_eq!(path.total(Cause::Compute).time, Duration(42));
}

#[test]
fn the_barriers_were_held_by_these() {
    let events = events(&[ONE_REQUEST]);
    let barriers = Barriers::of(&events);
    let held = |lead| Held {
        barriers: 1,
        lead: Duration(lead),
    };
    let expected = BTreeMap::from([
        ((DEVICE_1, Cause::Compute), held(10)),
        ((DEVICE_1, Cause::Uplink), held(10)),
    ]);
    assert_eq!((barriers.count, barriers.tied), (2, 0));
    assert_eq!(barriers.held, expected);
}

#[test]
fn arrivals_that_rounding_alone_tells_apart_held_the_barrier_together() {
    let log = |first: u64, second: u64| {
        let rows = format!(
            "0,0,0,attention,device0,,0,device0.compute,compute,0,0,{first},,,input,0,0,0,0\n\
             1,0,0,attention,device1,,0,device1.compute,compute,0,0,{second},,,input,0,0,0,0\n\
             2,0,0,gather,,,0,,barrier,{second},{second},{second},0 1,1,input,0,0,0,0\n"
        );
        events(&[&rows])
    };
    // A millionth of 3 000 000 ps is 3 ps.
    let tied = log(2_999_997, 3_000_000);
    let openings = tied.openings();
    assert_eq!((openings.len(), &openings[0].held_by[..]), (1, &[0, 1][..]));
    assert_eq!(openings[0].lead, Duration::ZERO);
    let path = CriticalPath::of(&tied, &tied.groups());
    let parts: Vec<_> = path.parts.keys().collect();
    assert_eq!(parts, [&(Cause::Compute, Holder::Together)]);
    let alone = log(2_999_996, 3_000_000);
    let openings = alone.openings();
    assert_eq!(openings[0].held_by, [1]);
    assert_eq!(openings[0].lead, Duration(4));
}

#[test]
fn nodes_spent_the_run_like_this() {
    let events = events(&[ONE_REQUEST, ANOTHER_REQUEST]);
    let splits = events.splits().into_iter().map(|(node, split)| {
        let busy = split.busy.into_iter().map(|(cause, time)| (cause, time.0));
        (
            node,
            busy.collect::<Vec<_>>(),
            split.waiting.0,
            split.done.0,
        )
    });
    let busy = |compute, uplink| {
        vec![
            (Cause::Compute, compute),
            (Cause::Uplink, uplink),
            (Cause::Downlink, 8),
        ]
    };
    let of_server = vec![(Cause::Compute, 7), (Cause::Downlink, 8)];
    // Device 0 waits from 20 to 30, 35 to 52 and 60 to 75, device 1 from 30 to 35 and 45 to
    // 52, the server until 45.
    let expected = [
        (0, busy(25, 5), 42, 0),
        (1, busy(30, 10), 12, 20),
        (2, of_server, 45, 20),
    ];
    assert_eq!(splits.collect::<Vec<_>>(), expected);
}

#[test]
fn nodes_waited_for_these() {
    let events = events(&[ONE_REQUEST, ANOTHER_REQUEST]);
    let waiting: Vec<_> = events
        .waiting()
        .into_iter()
        .map(|((who, cause, whose), time)| (who, cause, whose, time.0))
        .collect();
    let expected = [
        (DEVICE_0, Cause::Compute, DEVICE_1, 10),
        (DEVICE_0, Cause::Compute, SERVER, 7),
        (DEVICE_0, Cause::Uplink, DEVICE_1, 10),
        (DEVICE_0, Cause::Arrival, Owner::Nobody, 15),
        (DEVICE_1, Cause::Compute, SERVER, 7),
        (DEVICE_1, Cause::Uplink, DEVICE_0, 5),
        (SERVER, Cause::Compute, DEVICE_1, 30),
        (SERVER, Cause::Uplink, DEVICE_0, 5),
        (SERVER, Cause::Uplink, DEVICE_1, 10),
    ];
    assert_eq!(waiting, expected);
}

#[test]
fn half_the_time_of_a_cause_brings_the_end_forward_by_this_much() {
    let one = events(&[ONE_REQUEST]);
    let two = events(&[ONE_REQUEST, ANOTHER_REQUEST]);
    let end = |events: &Events, cause: Cause, owner: Option<Owner>| {
        let none = Arrivals::new();
        let graph = ExecutedGraph::of(events, &none);
        let faster = |task: &Event| {
            events.cause(task) == cause && owner.is_none_or(|owner| task.owner() == owner)
        };
        graph.makespan_if_halved(faster).0
    };
    // 15 + 15 of air + ⌈7/2⌉ + 8.
    assert_eq!(end(&one, Cause::Compute, None), 42);
    // Device 0 is in the way then: 20 + 15 + 7 + 8.
    assert_eq!(end(&one, Cause::Compute, Some(DEVICE_1)), 50);
    // 30 + ⌈5/2⌉ + 5 + 7 + 8.
    assert_eq!(end(&one, Cause::Uplink, None), 53);
    assert_eq!(end(&one, Cause::Transfer, None), 60);
    // Request 1 still comes at 75, and takes ⌈5/2⌉ or 5.
    assert_eq!(end(&two, Cause::Compute, None), 78);
    assert_eq!(end(&two, Cause::Downlink, None), 80);
    // It comes at ⌈75/2⌉ = 38 and finds the devices busy until 60.
    assert_eq!(end(&two, Cause::Arrival, None), 65);
}

#[test]
fn a_request_that_had_queued_never_starts_before_it_came() {
    let queued = "10,1,0,attention,device0,,0,device0.compute,compute,60,60,65,8,8,input,5,0,0,0\n";
    let events = events(&[ONE_REQUEST, queued]);
    let arrivals = Arrivals::from([(1, Instant(57))]);
    let graph = ExecutedGraph::of(&events, &arrivals);
    let compute = graph.makespan_if_halved(|task| events.cause(task) == Cause::Compute);
    assert_eq!(compute, Instant(57 + 3));
}

#[test]
fn a_log_that_no_run_could_have_written_is_refused_with_its_line() {
    for (from, to, fault) in [
        (
            "30,30,35,",
            "30,31,35,",
            "line 5: the task starts at 31 ps and was released at 30 ps",
        ),
        (
            "0 1,1,input",
            "0 1,2,input",
            "line 4: released_by names task 2, which has not ended before",
        ),
        (
            "0 1,1,input",
            "0 9,1,input",
            "line 4: inputs names task 9, which has not ended before",
        ),
        (
            "45,45,52,5",
            "44,45,52,5",
            "line 8: the task was ready before its input 5 ended",
        ),
        (
            "2,0,0,gather",
            "3,0,0,gather",
            "line 4: this is task 2, and not 3",
        ),
        (
            "attention,device1",
            "attention,device9",
            "line 3: `device9` is no node of nodes.csv",
        ),
        (
            "attention,device1",
            "attention,device0",
            "line 3: this task has ended before",
        ),
        ("compute,0,0,20", "compute,9,0,20", "line 2: ready, start"),
        (
            "server.compute,compute",
            "server.compute,cooking",
            "line 8: `cooking` is no kind",
        ),
        ("5,0,0,0.5\n", "5,0,0,NaN\n", "line 2: NaN is no energy"),
        ("3,0,0,slot", "3,zero,0,slot", "line 5: `zero` is no value"),
        ("number,", "numbers,", "line 1: the columns are not"),
    ] {
        let text = format!("{HEADER}{ONE_REQUEST}");
        assert!(text.contains(from), "{from}");
        let error = read(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(fault), "{from} → {to}: {error}");
    }
}

/// Two stages of a pipeline on nodes of any names, joined by a wire, with two batches in
/// flight: the second is computed on the first node while the first goes over the wire.
const PIPELINE: &str = "\
0,0,0,work,a.b,,0,a.b.compute,compute,0,0,10,,,input,0,0,0,0
1,1,0,work,a.b,,0,a.b.compute,compute,0,10,20,,0,resource,0,0,0,0
2,0,0,send,a.b,cloud,0,a.b.backhaul,transfer,10,10,25,0,0,input,0,0,8,0
3,0,1,work,cloud,,0,cloud.compute,compute,25,25,27,2,2,input,0,0,0,0
4,1,0,send,a.b,cloud,0,a.b.backhaul,transfer,20,25,40,1,2,resource,0,0,8,0
5,1,1,work,cloud,,0,cloud.compute,compute,40,40,42,4,4,input,0,0,0,0
";

/// The events of the pipeline.
pub fn pipeline() -> Events {
    read_on(&["cloud", "a.b"], &format!("{HEADER}{PIPELINE}")).unwrap()
}

#[test]
fn a_wire_of_any_nodes_is_told_like_a_radio() {
    let events = pipeline();
    let (cloud, phone) = (Owner::Node(0), Owner::Node(1));
    let path = CriticalPath::of(&events, &events.groups());
    let parts = path.parts.iter();
    let parts: Vec<_> = parts
        .map(|((cause, holder), part)| (*cause, *holder, part.time.0, part.queued.0))
        .collect();
    let expected = [
        (Cause::Compute, Holder::One(cloud), 2, 0),
        (Cause::Compute, Holder::One(phone), 10, 0),
        (Cause::Transfer, Holder::One(phone), 30, 5),
    ];
    assert_eq!(parts, expected);
    assert_eq!(events.deliveries(), [(2, 3), (4, 5)]);
    let splits = events.splits();
    assert_eq!((splits[&0].waiting.0, splits[&1].waiting.0), (38, 0));
    assert_eq!(events.served(1), "request 1, step 0");
    let none = Arrivals::new();
    let graph = ExecutedGraph::of(&events, &none);
    // 10, then 8 and 8, then 2.
    let faster = graph.makespan_if_halved(|task| events.cause(task) == Cause::Transfer);
    assert_eq!(faster, Instant(10 + 10 + 8 + 2));
}
