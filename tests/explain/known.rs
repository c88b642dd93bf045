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
    Barriers, Cause, CriticalPath, Events, EventsError, Held, Holder, Owner,
};
use airloom::units::{Duration, Instant};
use std::collections::BTreeMap;

pub const HEADER: &str = airloom::engine::HEADER;

const ONE_REQUEST: &str = "\
0,0,0,attention,0,0,device0.compute,compute,0,0,20,,input,5,0,0,0.5
0,0,0,attention,1,0,device1.compute,compute,0,0,30,,input,5,0,0,0.5
0,0,0,gather,,0,,barrier,30,30,30,0/0/0/attention/1/0,input,0,0,0,0
0,0,0,slot,0,0,air,uplink,30,30,35,0/0/0/gather//0,barrier,0,0,8,0
0,0,0,slot,1,0,air,uplink,30,35,45,0/0/0/slot/0/0,resource,0,0,8,0
0,0,0,reduced,,0,,barrier,45,45,45,0/0/0/slot/1/0,input,0,0,0,0
0,0,0,decode,,0,server.compute,compute,45,45,52,0/0/0/reduced//0,barrier,7,0,0,0
0,0,0,send,,0,server.downlink,downlink,52,52,60,0/0/0/decode//0,input,0,0,8,0
0,0,0,receive,0,0,device0.downlink,downlink,52,52,60,0/0/0/decode//0,input,0,0,8,0
0,0,0,receive,1,0,device1.downlink,downlink,52,52,60,0/0/0/decode//0,input,0,0,8,0
";

const ANOTHER_REQUEST: &str = "\
1,,,arrival,,0,,overhead,60,60,75,0/0/0/receive/1/0,input,0,0,0,0
1,0,0,attention,0,0,device0.compute,compute,75,75,80,1///arrival//0,input,5,0,0,0
";

pub fn read(text: &str) -> Result<Events, EventsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.csv");
    std::fs::write(&path, text).unwrap();
    Events::read(&path)
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
    let air = Owner::Shared(2);
    assert_eq!(events.owner_name(air), "air");
    let path = CriticalPath::of(&events, &events.groups());
    let parts: Vec<_> = path.parts.iter().collect();
    let parts = parts
        .into_iter()
        .map(|((cause, holder), part)| (*cause, *holder, part.time.0, part.tasks, part.queued.0));
    let expected = [
        (Cause::Compute, Holder::One(Owner::Device(0)), 5, 1, 0),
        (Cause::Compute, Holder::One(Owner::Device(1)), 30, 1, 0),
        (Cause::Compute, Holder::One(Owner::Server), 7, 1, 0),
        (Cause::Downlink, Holder::Together, 8, 1, 0),
        (Cause::AirSlot, Holder::One(air), 15, 2, 5),
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
    let barriers = Barriers::of(&events, &events.groups());
    let held = |lead| Held {
        barriers: 1,
        lead: Duration(lead),
    };
    let expected = BTreeMap::from([
        ((Owner::Device(1), Cause::Compute), held(10)),
        ((Owner::Shared(2), Cause::AirSlot), held(10)),
    ]);
    assert_eq!((barriers.count, barriers.tied), (2, 0));
    assert_eq!(barriers.held, expected);
}

#[test]
fn arrivals_that_rounding_alone_tells_apart_held_the_barrier_together() {
    let log = |first: u64, second: u64| {
        let rows = format!(
            "0,0,0,attention,0,0,device0.compute,compute,0,0,{first},,input,0,0,0,0\n\
             0,0,0,attention,1,0,device1.compute,compute,0,0,{second},,input,0,0,0,0\n\
             0,0,0,gather,,0,,barrier,{second},{second},{second},0/0/0/attention/1/0,input,0,0,0,0\n"
        );
        events(&[&rows])
    };
    // A millionth of 3 000 000 ps is 3 ps.
    let tied = log(2_999_997, 3_000_000);
    let openings = tied.openings(&tied.groups());
    assert_eq!((openings.len(), &openings[0].held_by[..]), (1, &[0, 1][..]));
    assert_eq!(openings[0].lead, Duration::ZERO);
    let path = CriticalPath::of(&tied, &tied.groups());
    let parts: Vec<_> = path.parts.keys().collect();
    assert_eq!(parts, [&(Cause::Compute, Holder::Together)]);
    let alone = log(2_999_996, 3_000_000);
    let openings = alone.openings(&alone.groups());
    assert_eq!(openings[0].held_by, [1]);
    assert_eq!(openings[0].lead, Duration(4));
}

#[test]
fn devices_spent_the_run_like_this() {
    let events = events(&[ONE_REQUEST, ANOTHER_REQUEST]);
    let splits = events.splits().into_iter().map(|(device, split)| {
        let busy = split.busy.into_iter().map(|(cause, time)| (cause, time.0));
        (
            device,
            busy.collect::<Vec<_>>(),
            split.waiting.0,
            split.done.0,
        )
    });
    let busy = |compute, air| {
        vec![
            (Cause::Compute, compute),
            (Cause::Downlink, 8),
            (Cause::AirSlot, air),
        ]
    };
    // Device 0 waits from 20 to 30, 35 to 52 and 60 to 75, device 1 from 30 to 35 and 45 to 52.
    let expected = [(0, busy(25, 5), 42, 0), (1, busy(30, 10), 12, 20)];
    assert_eq!(splits.collect::<Vec<_>>(), expected);
}

#[test]
fn devices_waited_for_these() {
    let events = events(&[ONE_REQUEST, ANOTHER_REQUEST]);
    let waiting: Vec<_> = events
        .waiting()
        .into_iter()
        .map(|((who, cause, whose), time)| (who, cause, whose, time.0))
        .collect();
    let (first, second) = (Owner::Device(0), Owner::Device(1));
    let expected = [
        (first, Cause::Compute, second, 10),
        (first, Cause::Compute, Owner::Server, 7),
        (first, Cause::AirSlot, Owner::Shared(2), 15),
        (first, Cause::Arrival, Owner::Nobody, 15),
        (second, Cause::Compute, Owner::Server, 7),
        (second, Cause::AirSlot, Owner::Shared(2), 15),
    ];
    assert_eq!(waiting, expected);
}

#[test]
fn half_the_time_of_a_cause_brings_the_end_forward_by_this_much() {
    let one = events(&[ONE_REQUEST]);
    let two = events(&[ONE_REQUEST, ANOTHER_REQUEST]);
    let end = |events: &Events, cause: Cause, owner: Option<Owner>| {
        let none = Arrivals::new();
        let graph = ExecutedGraph::of(events, &events.groups(), &none).unwrap();
        let faster = |task: &_| {
            events.cause(task) == cause && owner.is_none_or(|owner| events.owner(task) == owner)
        };
        graph.makespan_if_halved(faster).0
    };
    // 15 + 15 of air + ⌈7/2⌉ + 8.
    assert_eq!(end(&one, Cause::Compute, None), 42);
    // Device 0 is in the way then: 20 + 15 + 7 + 8.
    assert_eq!(end(&one, Cause::Compute, Some(Owner::Device(1))), 50);
    // 30 + ⌈5/2⌉ + 5 + 7 + 8.
    assert_eq!(end(&one, Cause::AirSlot, None), 53);
    assert_eq!(end(&one, Cause::Uplink, None), 60);
    // Request 1 still comes at 75, and takes ⌈5/2⌉ or 5.
    assert_eq!(end(&two, Cause::Compute, None), 78);
    assert_eq!(end(&two, Cause::Downlink, None), 80);
    // It comes at ⌈75/2⌉ = 38 and finds the devices busy until 60.
    assert_eq!(end(&two, Cause::Arrival, None), 65);
}

#[test]
fn a_request_that_had_queued_never_starts_before_it_came() {
    let queued =
        "1,0,0,attention,0,0,device0.compute,compute,60,60,65,0/0/0/receive/0/0,input,5,0,0,0\n";
    let events = events(&[ONE_REQUEST, queued]);
    let arrivals = Arrivals::from([(1, Instant(57))]);
    let graph = ExecutedGraph::of(&events, &events.groups(), &arrivals).unwrap();
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
            "0/0/0/attention/1/0",
            "0/0/0/attention/2/0",
            "line 4: released_by names 0/0/0/attention/2/0, which has not ended before",
        ),
        (
            "0/0/0/attention/1/0",
            "0/0/0",
            "line 4: a task's key has six fields",
        ),
        (
            "attention,1,0",
            "attention,0,0",
            "line 3: this task has ended before",
        ),
        ("compute,0,0,20", "compute,9,0,20", "line 2: ready, start"),
        (
            "server.compute,compute",
            "server.compute,cooking",
            "line 8: `cooking` is no kind",
        ),
        ("5,0,0,0.5\n", "5,0,0,NaN\n", "line 2: NaN is no energy"),
        ("0,0,0,slot", "zero,0,0,slot", "line 5: `zero` is no value"),
        ("request,", "requests,", "line 1: the columns are not"),
    ] {
        let text = format!("{HEADER}{ONE_REQUEST}");
        assert!(text.contains(from), "{from}");
        let error = read(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(fault), "{from} → {to}: {error}");
    }
}
