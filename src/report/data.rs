//! The timeline's data within a page: JSON.
//!
//! Held tasks are columns, one entry per task; times are whole picoseconds, exact in JavaScript up
//! to 2.5 hours. Of a run that is not held whole, each lane has a text of two letters per bin, its
//! busy share in 4095ths to the base of 64, and one letter per bin for the critical path's, in 63rds.

use super::overview::{Held, Overview};
use crate::results::events::Owner;
use crate::units::Instant;
use std::collections::BTreeMap;
use std::io::{self, Write};

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn digit(value: u64) -> char {
    char::from(DIGITS[(value % 64) as usize])
}

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

/// Writes what the timeline of `run` shows.
///
/// # Errors
/// If `out` cannot be written.
pub(super) fn write<W: Write>(run: &Overview, out: &mut W) -> io::Result<()> {
    let (names, held) = (&run.names, &run.held);
    let (makespan, tasks) = (run.makespan.0, names.rows);
    write!(out, "{{\"makespan\":{makespan},\"tasks\":{tasks}")?;
    list(out, "lanes", run.lanes.iter(), |out, lane| {
        let who = match lane.owner {
            Owner::Nobody => "requests",
            owner => names.owner_name(owner),
        };
        let (who, kind, name) = (quoted(who), lane.shows.name(), quoted(&lane.name));
        write!(out, "[{who},\"{kind}\",{name}]")
    })?;
    list(out, "windows", run.windows.iter(), |out, window| {
        let (name, start, end) = (quoted(&window.name), window.start.0, window.end.0);
        write!(out, "[{name},{start},{end}]")
    })?;
    if !run.is_whole() {
        write!(out, ",\n\"bin\":{}", run.busy.width())?;
        list(out, "busy", run.lanes.iter(), |out, lane| {
            let shares = run.busy.shares(lane.bins, 4095);
            let text: String = shares
                .flat_map(|share| [digit(share / 64), digit(share)])
                .collect();
            write!(out, "\"{text}\"")
        })?;
        list(out, "path", run.lanes.iter(), |out, lane| {
            let shares = run.critical.shares(lane.bins, 63);
            let text: String = shares.map(digit).collect();
            // Most lanes have long stretches without a part of the path.
            write!(out, "\"{}\"", text.trim_end_matches('A'))
        })?;
    }
    let texts = |out: &mut W, text: &String| write!(out, "{}", quoted(text));
    list(out, "nodes", names.nodes.iter(), texts)?;
    list(out, "stages", names.stages.iter(), texts)?;
    let batches = names.batches.keys().copied().zip(0_u64..);
    let batches: BTreeMap<u32, u64> = batches.collect();
    list(out, "batches", batches.keys(), |out, batch| {
        write!(out, "{}", quoted(&names.served(*batch)))
    })?;
    columns(run, &batches, out)?;
    let place = |number: u32| held.binary_search_by_key(&number, |held| held.number);
    list(out, "waits", run.gaps.iter(), |out, (lane, gap)| {
        let (start, time) = (gap.start.0, gap.end.since(gap.start).0);
        let next = place(gap.next).map_or(-1, |place| place as i64);
        write!(out, "[{lane},{start},{time},{next}]")
    })?;
    out.write_all(b"}")
}

/// The columns of held tasks.
fn columns<W: Write>(run: &Overview, batches: &BTreeMap<u32, u64>, out: &mut W) -> io::Result<()> {
    let held = &run.held;
    let number = |out: &mut W, value: Option<u64>| match value {
        Some(value) => write!(out, "{value}"),
        None => out.write_all(b"-1"),
    };
    let wide = |value: Option<u32>| value.map(u64::from);
    let mut column = |name: &str, value: &dyn Fn(&Held) -> Option<u64>| {
        list(out, name, held.iter(), |out, held| number(out, value(held)))
    };
    column("number", &|held| Some(u64::from(held.number)))?;
    column("lane", &|held| held.lane.map(|lane| lane as u64))?;
    column("stage", &|held| Some(u64::from(held.task.stage)))?;
    column("batch", &|held| batches.get(&held.task.batch?).copied())?;
    column("layer", &|held| wide(held.task.layer))?;
    column("node", &|held| wide(held.task.node))?;
    column("by", &|held| wide(held.task.released_by))?;
    column("start", &|held| Some(held.task.start.0))?;
    column("time", &|held| Some(held.task.duration().0))?;
    column("queued", &|held| {
        let Instant(start) = held.task.start;
        Some(start - held.task.ready.0)
    })?;
    column("flops", &|held| Some(held.task.flops))?;
    column("bits", &|held| Some(held.task.bits))?;
    column("critical", &|held| Some(u64::from(held.critical)))?;
    list(out, "joules", held.iter(), |out, held| {
        match held.task.joules {
            0.0 => out.write_all(b"0"),
            joules => out.write_all(ryu::Buffer::new().format_finite(joules).as_bytes()),
        }
    })
}
