//! A trace that works beside the simulation ([`crate::background`]), so that writing and hashing
//! a row costs the simulation no more than copying it.
//!
//! The inner trace sees the records that it would have seen, one after another, and what it
//! makes of them is the same to the byte.

use super::key::{Kind, TaskKey};
use super::task::Cost;
use super::trace::{Reason, Record, Trace};
use crate::background::{Background, Worker};
use crate::units::Instant;
use std::io;

/// Records of a batch: few enough to stay in a processor's cache on their way.
const BATCH: usize = 1024;

/// Hands the records of a run to a trace that takes them beside it.
#[derive(Debug)]
pub struct BackgroundTrace<T: Trace + Send + 'static> {
    batch: Batch,
    background: Background<Replay<T>>,
}

#[derive(Debug)]
struct Replay<T>(T);

/// Records, with their inputs and the names of their resources one after another.
#[derive(Debug, Default)]
struct Batch {
    rows: Vec<Row>,
    inputs: Vec<u64>,
    names: String,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    number: u64,
    key: TaskKey,
    kind: Kind,
    reason: Reason,
    ready: Instant,
    start: Instant,
    end: Instant,
    released_by: Option<u64>,
    cost: Cost,
    /// Where its own inputs and its own name end.
    inputs: usize,
    name: usize,
    has_resource: bool,
}

impl<T: Trace + Send + 'static> BackgroundTrace<T> {
    /// `trace` takes beside the simulation what is recorded here.
    pub fn new(trace: T) -> Self {
        Self {
            batch: Batch::default(),
            background: Background::new(Replay(trace)),
        }
    }

    /// Waits until every record has been taken and gives the trace back.
    ///
    /// # Errors
    /// If the trace failed at one of them.
    pub fn finish(self) -> io::Result<T> {
        self.background.hand_over(self.batch)?;
        Ok(self.background.finish()?.0)
    }
}

impl<T: Trace + Send + 'static> Trace for BackgroundTrace<T> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.batch.push(record);
        if self.batch.rows.len() == BATCH {
            let batch = std::mem::take(&mut self.batch);
            self.batch = self.background.hand_over(batch)?;
        }
        Ok(())
    }
}

impl<T: Trace + Send + 'static> Worker for Replay<T> {
    type Batch = Batch;

    fn take(&mut self, batch: &mut Batch) -> io::Result<()> {
        batch.replay(&mut self.0)?;
        batch.clear();
        Ok(())
    }
}

impl Batch {
    fn push(&mut self, record: &Record<'_>) {
        self.inputs.extend_from_slice(record.inputs);
        self.names.push_str(record.resource.unwrap_or_default());
        self.rows.push(Row {
            number: record.number,
            key: record.key,
            kind: record.kind,
            reason: record.reason,
            ready: record.ready,
            start: record.start,
            end: record.end,
            released_by: record.released_by,
            cost: record.cost,
            inputs: self.inputs.len(),
            name: self.names.len(),
            has_resource: record.resource.is_some(),
        });
    }

    fn replay(&self, trace: &mut impl Trace) -> io::Result<()> {
        let (mut inputs, mut name) = (0, 0);
        for row in &self.rows {
            let resource = &self.names[name..row.name];
            trace.record(&Record {
                number: row.number,
                inputs: &self.inputs[inputs..row.inputs],
                key: row.key,
                resource: row.has_resource.then_some(resource),
                kind: row.kind,
                ready: row.ready,
                start: row.start,
                end: row.end,
                released_by: row.released_by,
                reason: row.reason,
                cost: row.cost,
            })?;
            (inputs, name) = (row.inputs, row.name);
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.inputs.clear();
        self.names.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Keeps what it is told, in words, and fails after so many records.
    #[derive(Debug)]
    struct Words(Vec<String>, usize);

    impl Trace for Words {
        fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
            if self.0.len() == self.1 {
                return Err(io::Error::other("the disk is full"));
            }
            self.0.push(format!("{record:?}"));
            Ok(())
        }
    }

    const KEY: TaskKey = TaskKey {
        batch: 1,
        layer: 3,
        stage: 1,
        node: 0,
        peer: TaskKey::NO_PEER,
        sequence: 5,
    };

    fn record<'a>(number: u64, inputs: &'a [u64], resource: Option<&'a str>) -> Record<'a> {
        Record {
            number,
            inputs,
            key: KEY,
            resource,
            kind: Kind::Compute,
            ready: Instant(number),
            start: Instant(number + 1),
            end: Instant(number + 2),
            released_by: number.checked_sub(1),
            reason: Reason::Input,
            cost: Cost {
                bits: number,
                ..Cost::default()
            },
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_trace_sees_what_it_would_have_seen(
            rows in prop::collection::vec(
                (prop::collection::vec(any::<u64>(), 0..4), prop::option::of("[a-z]{0,6}")),
                0..3 * BATCH,
            ),
        ) {
            let mut alone = Words(Vec::new(), usize::MAX);
            let mut beside = BackgroundTrace::new(Words(Vec::new(), usize::MAX));
            for (number, (inputs, resource)) in rows.iter().enumerate() {
                let record = record(number as u64, inputs, resource.as_deref());
                alone.record(&record).unwrap();
                beside.record(&record).unwrap();
            }
            prop_assert_eq!(beside.finish().unwrap().0, alone.0);
        }
    }

    #[test]
    fn a_trace_that_fails_ends_the_run_with_its_own_reason() {
        let mut beside = BackgroundTrace::new(Words(Vec::new(), BATCH));
        let failed =
            (0..u64::MAX).find_map(|number| beside.record(&record(number, &[], None)).err());
        assert_eq!(failed.unwrap().to_string(), "the disk is full");
        let mut late = BackgroundTrace::new(Words(Vec::new(), 3));
        for number in 0..4 {
            late.record(&record(number, &[], None)).unwrap();
        }
        assert_eq!(late.finish().unwrap_err().to_string(), "the disk is full");
    }
}
