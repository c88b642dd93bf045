//! The timeline's data within the page: JSON columns, one entry per task.
//!
//! Times are whole picoseconds, exact in JavaScript up to 2.5 hours.

use crate::engine::Kind;
use crate::results::events::{Event, Events, Owner};
use std::collections::BTreeMap;
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

/// A track of the timeline: an owner and what it does there.
type Row = (Owner, u8);

/// The places of a device's rows; waiting is the last.
const WAITING: u8 = 4;
const ROW_NAMES: [&str; 5] = ["compute", "uplink", "downlink", "delays", "waiting"];

fn row_of(events: &Events, task: &Event) -> Option<Row> {
    let place = match task.kind {
        Kind::Compute => 0,
        Kind::Uplink | Kind::Transfer => 1,
        Kind::Downlink => 2,
        Kind::Overhead => 3,
        Kind::Barrier => return None,
    };
    Some((events.owner(task), place))
}

/// Writes the first `most` tasks of `events`.
///
/// # Errors
/// If `out` cannot be written.
pub(super) fn write<W: Write>(events: &Events, most: usize, out: &mut W) -> io::Result<()> {
    let tasks = &events.tasks[..most.min(events.tasks.len())];
    let gaps: Vec<_> = events.gaps();
    let shown = |next: u32| (next as usize) < tasks.len();
    let gaps: Vec<_> = gaps.iter().filter(|gap| shown(gap.next)).collect();
    let mut rows: BTreeMap<Row, usize> = BTreeMap::new();
    let of_tasks = tasks.iter().filter_map(|task| row_of(events, task));
    for row in of_tasks.chain(gaps.iter().map(|gap| (gap.owner, WAITING))) {
        rows.insert(row, 0);
    }
    for (place, number) in rows.values_mut().enumerate() {
        *number = place;
    }
    let track = |row: &Row| rows.get(row).map_or(-1, |place| *place as i64);

    write!(out, "{{\"makespan\":{}", events.makespan().0)?;
    list(out, "rows", rows.keys(), |out, (owner, place)| {
        let who = match owner {
            Owner::Nobody => "requests".to_owned(),
            owner => events.owner_name(*owner),
        };
        let lane = ROW_NAMES[usize::from(*place)];
        write!(out, "[{},\"{lane}\"]", quoted(&who))
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
    list(out, "request", all(), |out, task| {
        number(out, wide(task.request))
    })?;
    list(out, "step", all(), |out, task| number(out, wide(task.step)))?;
    list(out, "layer", all(), |out, task| {
        number(out, wide(task.layer))
    })?;
    list(out, "device", all(), |out, task| {
        number(out, wide(task.device))
    })?;
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
    list(out, "waits", gaps.into_iter(), |out, gap| {
        let (start, time) = (gap.start.0, gap.end.since(gap.start).0);
        write!(
            out,
            "[{},{start},{time},{}]",
            track(&(gap.owner, WAITING)),
            gap.next
        )
    })?;
    out.write_all(b"}")
}
