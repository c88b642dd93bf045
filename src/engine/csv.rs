//! `events.csv`: one row per task, and the BLAKE3 digest of exactly these bytes.
//!
//! ```text
//! request,step,layer,stage,device,sequence,resource,kind,ready_ps,start_ps,end_ps,released_by,reason,flops,bytes,bits,joules
//! 0,0,3,mlp,2,0,device2.compute,compute,100,100,350,0/0/3/norm/2/0,input,1000,64,0,0.25
//! ```
//!
//! The first six columns are the key; `released_by` is another row's six joined by
//! `/`. What a task does not have (a layer, a device, a resource, a releaser) is an
//! empty cell. Times are whole picoseconds, joules the shortest decimal that reads
//! back as the same f64. No cell is ever quoted: names are checked beforehand.
//! Lines end with a single line feed.
//!
//! The digest is the trace digest of a run. Later versions compare against it, so
//! columns, order and number format stay as they are; a test pins them.

use std::io::{self, Write};

use crate::digest::{Rolling, RollingDigest};

use super::key::TaskKey;
use super::summary::Summary;
use super::trace::{Record, Trace};

/// The first line of `events.csv`.
pub const HEADER: &str = "request,step,layer,stage,device,sequence,resource,kind,ready_ps,start_ps,end_ps,released_by,reason,flops,bytes,bits,joules\n";

/// Bytes gathered before they are hashed and written.
const CHUNK: usize = 1 << 16;
/// Room for the row that fills a chunk up; a longer one makes the buffer grow.
const ROW: usize = 512;

/// How much of the trace is written; the digest is the same for all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum TraceLevel {
    /// Every row.
    #[default]
    Full,
    /// A table of sums by stage, kind and resource; see [`Summary`].
    Summary,
    /// Nothing.
    Off,
}

/// Writes `events.csv` and its digest.
#[derive(Debug)]
pub struct CsvTrace<W> {
    level: TraceLevel,
    writer: W,
    stages: Vec<String>,
    buffer: Vec<u8>,
    digest: Rolling,
    summary: Summary,
}

impl<W: Write> CsvTrace<W> {
    /// Starts a trace into `writer`; `stages[code]` is the name of a stage, and a
    /// stage beyond the table is written as its number.
    ///
    /// # Errors
    /// If the name of a stage is unfit for a CSV cell or contains `/`.
    pub fn new(level: TraceLevel, writer: W, stages: &[&str]) -> io::Result<Self> {
        for stage in stages {
            if stage.is_empty()
                || stage.contains([',', '"', '/'])
                || stage.contains(char::is_control)
            {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!(
                        "`{stage}` is no name for a stage; use one or more characters, none of them a comma, a quote, a slash or a control character"
                    ),
                ));
            }
        }
        let mut buffer = Vec::with_capacity(CHUNK + ROW);
        buffer.extend_from_slice(HEADER.as_bytes());
        Ok(Self {
            level,
            writer,
            stages: stages.iter().map(|stage| (*stage).to_owned()).collect(),
            buffer,
            digest: Rolling::default(),
            summary: Summary::default(),
        })
    }

    /// How many rows there are so far.
    pub fn rows(&self) -> u64 {
        self.digest.rows()
    }

    /// Writes what is left and gives the digest and the writer back, flushed.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(mut self) -> io::Result<(RollingDigest, W)> {
        self.drain()?;
        if self.level == TraceLevel::Summary {
            self.summary.write(&mut self.writer, &self.stages)?;
        }
        self.writer.flush()?;
        Ok((self.digest.finish(), self.writer))
    }

    fn drain(&mut self) -> io::Result<()> {
        self.digest.update(&self.buffer);
        if self.level == TraceLevel::Full {
            self.writer.write_all(&self.buffer)?;
        }
        self.buffer.clear();
        Ok(())
    }
}

impl<W: Write> Trace for CsvTrace<W> {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let row = &mut self.buffer;
        push_key(row, &record.key, &self.stages, b',');
        row.push(b',');
        push_text(row, record.resource.unwrap_or_default());
        push_text(row, record.kind.name());
        push_number(row, record.ready.0);
        push_number(row, record.start.0);
        push_number(row, record.end.0);
        if let Some(key) = &record.released_by {
            push_key(row, key, &self.stages, b'/');
        }
        row.push(b',');
        push_text(row, record.reason.name());
        push_number(row, record.cost.flops);
        push_number(row, record.cost.bytes);
        push_number(row, record.cost.bits);
        push_joules(row, record.cost.joules);
        row.push(b'\n');
        let due = self.digest.count();
        if self.level == TraceLevel::Summary {
            self.summary.add(record);
        }
        if due || self.buffer.len() >= CHUNK {
            self.drain()?;
        }
        if due {
            self.digest.note();
        }
        Ok(())
    }
}

/// The six fields of a key with `separator` between them.
fn push_key(row: &mut Vec<u8>, key: &TaskKey, stages: &[String], separator: u8) {
    let push = |row: &mut Vec<u8>, value: u32, none: bool| {
        if !none {
            row.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        }
    };
    push(row, key.request, key.request == TaskKey::NO_REQUEST);
    row.push(separator);
    push(row, key.step, key.step == TaskKey::NO_STEP);
    row.push(separator);
    push(row, key.layer.into(), key.layer == TaskKey::NO_LAYER);
    row.push(separator);
    match stages.get(usize::from(key.stage)) {
        Some(name) => row.extend_from_slice(name.as_bytes()),
        None => push(row, key.stage.into(), false),
    }
    row.push(separator);
    push(row, key.device.into(), key.device == TaskKey::NO_DEVICE);
    row.push(separator);
    push(row, key.sequence, false);
}

fn push_text(row: &mut Vec<u8>, text: &str) {
    row.extend_from_slice(text.as_bytes());
    row.push(b',');
}

fn push_number(row: &mut Vec<u8>, number: u64) {
    row.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    row.push(b',');
}

/// Zero is by far the most frequent energy and has one spelling.
fn push_joules(row: &mut Vec<u8>, joules: f64) {
    if joules == 0.0 {
        row.push(b'0');
    } else {
        row.extend_from_slice(ryu::Buffer::new().format_finite(joules).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Cost, Kind, Reason};
    use crate::units::Instant;
    use proptest::prelude::*;

    const STAGES: &[&str] = &["norm", "attention"];

    fn key(stage: u16) -> TaskKey {
        TaskKey {
            request: 1,
            step: 2,
            layer: 3,
            stage,
            device: 4,
            sequence: 5,
        }
    }

    fn records() -> [Record<'static>; 3] {
        let compute = Record {
            key: key(1),
            resource: Some("device4.compute"),
            kind: Kind::Compute,
            ready: Instant(7),
            start: Instant(8),
            end: Instant(u64::MAX),
            released_by: Some(key(0)),
            reason: Reason::Resource,
            cost: Cost {
                flops: 10,
                bytes: 20,
                bits: u64::MAX,
                joules: 0.1,
            },
        };
        let nowhere = TaskKey {
            request: TaskKey::NO_REQUEST,
            step: TaskKey::NO_STEP,
            layer: TaskKey::NO_LAYER,
            stage: 9,
            device: TaskKey::NO_DEVICE,
            sequence: 0,
        };
        let barrier = Record {
            key: nowhere,
            resource: None,
            kind: Kind::Barrier,
            released_by: None,
            reason: Reason::Input,
            cost: Cost::default(),
            ..compute
        };
        let after = Record {
            kind: Kind::Downlink,
            released_by: Some(nowhere),
            reason: Reason::Barrier,
            cost: Cost {
                joules: -0.0,
                ..compute.cost
            },
            ..compute
        };
        [compute, barrier, after]
    }

    fn written(level: TraceLevel) -> (String, String) {
        let mut trace = CsvTrace::new(level, Vec::new(), STAGES).unwrap();
        for record in records() {
            trace.record(&record).unwrap();
        }
        let (digest, bytes) = trace.finish().unwrap();
        (digest.blake3, String::from_utf8(bytes).unwrap())
    }

    /// Digests of every recorded run depend on these bytes: change them knowingly.
    #[test]
    fn columns_and_number_format_are_pinned() {
        let (_, text) = written(TraceLevel::Full);
        let max = u64::MAX;
        let expected = format!(
            "request,step,layer,stage,device,sequence,resource,kind,ready_ps,start_ps,end_ps,released_by,reason,flops,bytes,bits,joules\n\
             1,2,3,attention,4,5,device4.compute,compute,7,8,{max},1/2/3/norm/4/5,resource,10,20,{max},0.1\n\
             ,,,9,,0,,barrier,7,8,{max},,input,0,0,0,0\n\
             1,2,3,attention,4,5,device4.compute,downlink,7,8,{max},///9//0,barrier,10,20,{max},0\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn digest_is_that_of_the_full_bytes_at_every_level() {
        let (full, text) = written(TraceLevel::Full);
        assert_eq!(full, blake3::hash(text.as_bytes()).to_hex().to_string());
        assert_eq!(written(TraceLevel::Summary).0, full);
        assert_eq!(written(TraceLevel::Off), (full, String::new()));
    }

    #[test]
    fn refuses_stage_names_that_would_break_a_row() {
        for stage in ["", "a,b", "a/b", "a\n"] {
            let error = CsvTrace::new(TraceLevel::Full, Vec::new(), &[stage]).unwrap_err();
            assert!(
                error.to_string().contains("no name for a stage"),
                "{stage:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn joules_read_back_as_the_same_number(bits in any::<u64>()) {
            let joules = f64::from_bits(bits);
            prop_assume!(joules.is_finite() && joules > 0.0);
            let mut text = Vec::new();
            push_joules(&mut text, joules);
            let text = String::from_utf8(text).unwrap();
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
        }
    }
}
