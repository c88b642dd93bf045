//! A trace in brief: sums over all tasks of one stage, kind and resource.
//!
//! Its size does not grow with the length of a run. It is a table of its own, not
//! a shorter `events.csv`: the columns of sums are
//! `stage,kind,resource,tasks,queued_ps,service_ps,flops,bytes,bits,joules`, where
//! `queued_ps` is Σ (start − ready) and `service_ps` is Σ (end − start).

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::key::Kind;
use super::ledger::Totals;
use super::trace::Record;

/// Sums by stage, kind and resource.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    lines: BTreeMap<(u16, Kind), BTreeMap<String, Line>>,
}

#[derive(Debug, Clone, Default)]
struct Line {
    queued_ps: u128,
    totals: Totals,
}

impl Summary {
    /// Counts a finished task in.
    pub fn add(&mut self, record: &Record<'_>) {
        let lines = self
            .lines
            .entry((record.key.stage, record.kind))
            .or_default();
        let resource = record.resource.unwrap_or_default();
        if !lines.contains_key(resource) {
            lines.insert(resource.to_owned(), Line::default());
        }
        if let Some(line) = lines.get_mut(resource) {
            line.queued_ps += u128::from(record.start.since(record.ready).0);
            line.totals
                .add(record.end.since(record.start), &record.cost);
        }
    }

    /// Writes the table, `stages[code]` being the name of a stage.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write(&self, writer: &mut impl Write, stages: &[String]) -> io::Result<()> {
        writeln!(
            writer,
            "stage,kind,resource,tasks,queued_ps,service_ps,flops,bytes,bits,joules"
        )?;
        for ((stage, kind), lines) in &self.lines {
            let number = stage.to_string();
            let stage = stages.get(usize::from(*stage)).unwrap_or(&number);
            for (resource, Line { queued_ps, totals }) in lines {
                let Totals {
                    tasks,
                    service_ps,
                    flops,
                    bytes,
                    bits,
                    joules,
                } = totals;
                writeln!(
                    writer,
                    "{stage},{kind},{resource},{tasks},{queued_ps},{service_ps},{flops},{bytes},{bits},{joules}"
                )?;
            }
        }
        Ok(())
    }
}
