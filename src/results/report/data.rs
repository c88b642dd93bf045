//! The timeline's data within the page: JSON columns, one entry per task.
//!
//! Times are whole picoseconds, exact in JavaScript up to 2.5 hours.

use crate::engine::Kind;
use crate::results::events::{Event, Events, Owner};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// Text that cannot end the script element that holds it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('<', "\\u003c")
}

fn list<W: Write, T>(
    out: &mut W,
    name: &str,
    items: impl Iterator<Item = T>,
    mut put: impl FnMut(&mut W, T) -> io::Result<()>,
) -> io::Result<()> {
    write!(out, ",\n\"{name}\":[")?;
    for (place, item) in items.enumerate() {
        if place > 0 {
            out.write_all(b",")?;
        }
        put(out, item)?;
    }
    out.write_all(b"]")
}

/// A track of the timeline: an owner, what it does there and on which of its resources.
type Row<'e> = (Owner, u8, &'e str);

/// The places of a node's rows; waiting is the last.
const WAITING: u8 = 5;
const ROW_KINDS: [&str; 6] = [
    "compute", "uplink", "downlink", "transfer", "delays", "waiting",
];

fn row_of<'e>(events: &'e Events, task: &Event) -> Option<Row<'e>> {
    let place = match task.kind {
        Kind::Compute => 0,
        Kind::Uplink => 1,
        Kind::Downlink => 2,
        Kind::Transfer => 3,
        Kind::Overhead => 4,
        Kind::Barrier => return None,
    };
    let name = events.lane_name(task).unwrap_or("delays");
    Some((task.owner(), place, name))
}

fn waiting_of(owner: Owner) -> Row<'static> {
    (owner, WAITING, "waiting")
}

/// Writes the tasks of `events`.
///
/// # Errors
/// If `out` cannot be written.
pub(super) fn write<W: Write>(events: &Events, out: &mut W) -> io::Result<()> {
    let tasks = &events.tasks;
    let gaps = events.gaps();
    let mut rows: BTreeMap<Row<'_>, usize> = BTreeMap::new();
    let of_tasks = tasks.iter().filter_map(|task| row_of(events, task));
    for row in of_tasks.chain(gaps.iter().map(|gap| waiting_of(gap.owner))) {
        rows.insert(row, 0);
    }
    for (place, number) in rows.values_mut().enumerate() {
        *number = place;
    }
    let track = |row: &Row<'_>| rows.get(row).map_or(-1, |place| *place as i64);

    write!(out, "{{\"makespan\":{}", events.makespan().0)?;
    list(out, "rows", rows.keys(), |out, (owner, place, name)| {
        let who = match owner {
            Owner::Nobody => "requests",
            owner => events.owner_name(*owner),
        };
        let kind = ROW_KINDS[usize::from(*place)];
        write!(out, "[{},\"{kind}\",{}]", quoted(who), quoted(name))
    })?;
    list(out, "nodes", events.nodes.iter(), |out, node| {
        write!(out, "{}", quoted(node))
    })?;
    let shown: BTreeSet<u32> = tasks.iter().filter_map(|task| task.batch).collect();
    let batches: BTreeMap<u32, u64> = shown.iter().copied().zip(0..).collect();
    list(out, "batches", shown.iter(), |out, batch| {
        write!(out, "{}", quoted(&events.served(*batch)))
    })?;
    list(out, "stages", events.stages.iter(), |out, stage| {
        write!(out, "{}", quoted(stage))
    })?;
    let number = |out: &mut W, value: Option<u64>| match value {
        Some(value) => write!(out, "{value}"),
        None => out.write_all(b"-1"),
    };
    let wide = |value: Option<u32>| value.map(u64::from);
    let all = || tasks.iter();
    list(out, "track", all(), |out, task| {
        write!(
            out,
            "{}",
            row_of(events, task).map_or(-1, |row| track(&row))
        )
    })?;
    list(out, "stage", all(), |out, task| {
        write!(out, "{}", task.stage)
    })?;
    list(out, "batch", all(), |out, task| {
        number(out, task.batch.map(|batch| batches[&batch]))
    })?;
    list(out, "layer", all(), |out, task| {
        number(out, wide(task.layer))
    })?;
    list(out, "node", all(), |out, task| number(out, wide(task.node)))?;
    list(out, "by", all(), |out, task| {
        number(out, wide(task.released_by))
    })?;
    list(out, "start", all(), |out, task| {
        write!(out, "{}", task.start.0)
    })?;
    list(out, "time", all(), |out, task| {
        write!(out, "{}", task.duration().0)
    })?;
    list(out, "queued", all(), |out, task| {
        write!(out, "{}", task.start.since(task.ready).0)
    })?;
    list(out, "flops", all(), |out, task| {
        write!(out, "{}", task.flops)
    })?;
    list(out, "bits", all(), |out, task| write!(out, "{}", task.bits))?;
    list(out, "joules", all(), |out, task| match task.joules {
        0.0 => out.write_all(b"0"),
        joules => out.write_all(ryu::Buffer::new().format_finite(joules).as_bytes()),
    })?;
    list(out, "waits", gaps.iter(), |out, gap| {
        let (start, time) = (gap.start.0, gap.end.since(gap.start).0);
        write!(
            out,
            "[{},{start},{time},{}]",
            track(&waiting_of(gap.owner)),
            gap.next
        )
    })?;
    out.write_all(b"}")
}
