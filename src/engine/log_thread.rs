//! A trace that works in a thread of its own, so that writing and hashing a row costs the
//! simulation no more than copying it.
//!
//! Records are gathered in batches and handed over in order; a batch comes back to be filled
//! again, so that a run has a few of them and no more, however the two threads are scheduled. The inner trace sees the records
//! that it would have seen, one after another, and what it makes of them is the same to the byte.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::key::{Kind, TaskKey};
use super::task::Cost;
use super::trace::{Reason, Record, Trace};
use crate::units::Instant;

/// Records of a batch: few enough to stay in a processor's cache on their way.
const BATCH: usize = 1024;
/// Batches that there are: where all but the one that is filled wait for the thread, the simulation
/// waits for it too.
const BATCHES: usize = 5;

/// Hands the records of a run to a trace that lives in another thread.
#[derive(Debug)]
pub struct LogThread<T> {
    batch: Batch,
    /// None once the thread has been told to end.
    full: Option<SyncSender<Batch>>,
    empty: Receiver<Batch>,
    /// None once its result has been taken.
    thread: Option<JoinHandle<io::Result<T>>>,
}

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

impl<T: Trace + Send + 'static> LogThread<T> {
    /// Starts a thread in which `trace` takes what is recorded here.
    ///
    /// # Errors
    /// If the system grants no thread.
    pub fn new(mut trace: T) -> io::Result<Self> {
        let (full, batches) = sync_channel::<Batch>(BATCHES);
        let (back, empty) = channel();
        for _ in 1..BATCHES {
            // The other end is here.
            let _ = back.send(Batch::new());
        }
        let work = move || {
            for mut batch in batches {
                batch.replay(&mut trace)?;
                batch.clear();
                // Nobody fills it again once the run has ended.
                let _ = back.send(batch);
            }
            Ok(trace)
        };
        Ok(Self {
            batch: Batch::new(),
            full: Some(full),
            empty,
            thread: Some(Builder::new().name("log".to_owned()).spawn(work)?),
        })
    }

    /// Waits until every record has been taken and gives the trace back.
    ///
    /// # Errors
    /// If the trace failed at one of them.
    pub fn finish(mut self) -> io::Result<T> {
        self.hand_over()?;
        self.end()
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let batch = std::mem::take(&mut self.batch);
        let sent = self
            .full
            .as_ref()
            .is_some_and(|full| full.send(batch).is_ok());
        let next = sent.then(|| self.empty.recv().ok()).flatten();
        // The thread ends before its time only where the trace has failed.
        let Some(next) = next else {
            return self.end().map(drop);
        };
        self.batch = next;
        Ok(())
    }

    fn end(&mut self) -> io::Result<T> {
        self.full = None;
        let ended = self.thread.take().map(JoinHandle::join);
        match ended {
            Some(Ok(result)) => result,
            Some(Err(panic)) => resume_unwind(panic),
            None => Err(io::Error::other("the log has failed before")),
        }
    }
}

impl<T: Trace + Send + 'static> Trace for LogThread<T> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.batch.push(record);
        if self.batch.rows.len() == BATCH {
            self.hand_over()?;
        }
        Ok(())
    }
}

impl<T> Drop for LogThread<T> {
    /// A run that breaks off removes its folder: nobody may write there any more.
    fn drop(&mut self) {
        self.full = None;
        if let Some(thread) = self.thread.take() {
            // Whatever it says, the run has failed for another reason already.
            let _ = thread.join();
        }
    }
}

impl Batch {
    /// With room for as many records as it ever has.
    fn new() -> Self {
        Self {
            rows: Vec::with_capacity(BATCH),
            ..Self::default()
        }
    }

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
            let mut thread = LogThread::new(Words(Vec::new(), usize::MAX)).unwrap();
            for (number, (inputs, resource)) in rows.iter().enumerate() {
                let record = record(number as u64, inputs, resource.as_deref());
                alone.record(&record).unwrap();
                thread.record(&record).unwrap();
            }
            prop_assert_eq!(thread.finish().unwrap().0, alone.0);
        }
    }

    #[test]
    fn a_trace_that_fails_ends_the_run_with_its_own_reason() {
        let mut thread = LogThread::new(Words(Vec::new(), BATCH)).unwrap();
        let failed =
            (0..u64::MAX).find_map(|number| thread.record(&record(number, &[], None)).err());
        assert_eq!(failed.unwrap().to_string(), "the disk is full");
        let mut late = LogThread::new(Words(Vec::new(), 3)).unwrap();
        for number in 0..4 {
            late.record(&record(number, &[], None)).unwrap();
        }
        assert_eq!(late.finish().unwrap_err().to_string(), "the disk is full");
    }
}
