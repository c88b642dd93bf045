//! `events.csv`: one row per task, and the BLAKE3 digest of exactly these bytes.
//!
//! ```text
//! number,batch,layer,stage,node,peer,sequence,resource,kind,ready_ps,start_ps,end_ps,inputs,released_by,reason,flops,bytes,bits,joules
//! 42,0,3,mlp,phone2,,0,phone2.compute,compute,100,100,350,40 41,41,input,1000,64,0,0.25
//! ```
//!
//! `number` is the row, counted from 0: rows come in the order in which tasks ended. The
//! next six columns are the key, nodes by their names; `inputs` and `released_by` are
//! numbers of other rows, inputs with blanks between them. What a task does not have (a
//! layer, a node, a resource, a releaser) is an empty cell. Times are whole picoseconds,
//! joules the shortest decimal that reads back as the same f64. No cell is ever quoted:
//! names are checked beforehand. Lines end with a single line feed.
//!
//! The digest is the trace digest of a run. Later versions compare against it, so
//! columns, order and number format stay as they are; a test pins them.

use std::io::{self, Write};

use crate::digest::{Rolling, RollingDigest};

use super::key::TaskKey;
use super::summary::Summary;
use super::trace::{Record, Trace};

/// The first line of `events.csv`.
pub const HEADER: &str = "number,batch,layer,stage,node,peer,sequence,resource,kind,ready_ps,start_ps,end_ps,inputs,released_by,reason,flops,bytes,bits,joules\n";

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
    nodes: Vec<String>,
    buffer: Vec<u8>,
    digest: Rolling,
    summary: Summary,
}

impl<W: Write> CsvTrace<W> {
    /// Starts a trace into `writer`; `stages[code]` is the name of a stage and
    /// `nodes[number]` that of a node. What lies beyond its table is written as its number.
    ///
    /// # Errors
    /// If a name is unfit for a CSV cell.
    pub fn new(
        level: TraceLevel,
        writer: W,
        stages: &[impl AsRef<str>],
        nodes: &[impl AsRef<str>],
    ) -> io::Result<Self> {
        let stages = names("stage", stages)?;
        let nodes = names("node", nodes)?;
        let mut buffer = Vec::with_capacity(CHUNK + ROW);
        buffer.extend_from_slice(HEADER.as_bytes());
        Ok(Self {
            level,
            writer,
            stages,
            nodes,
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
        push_number(row, record.number);
        let key = &record.key;
        if key.batch != TaskKey::NO_BATCH {
            row.extend_from_slice(itoa::Buffer::new().format(key.batch).as_bytes());
        }
        row.push(b',');
        if key.layer != TaskKey::NO_LAYER {
            row.extend_from_slice(itoa::Buffer::new().format(key.layer).as_bytes());
        }
        row.push(b',');
        push_name(row, key.stage, &self.stages);
        if key.node != TaskKey::NO_NODE {
            push_name(row, key.node, &self.nodes);
        } else {
            row.push(b',');
        }
        if key.peer != TaskKey::NO_PEER {
            push_name(row, key.peer, &self.nodes);
        } else {
            row.push(b',');
        }
        push_number(row, key.sequence.into());
        push_text(row, record.resource.unwrap_or_default());
        push_text(row, record.kind.name());
        push_number(row, record.ready.0);
        push_number(row, record.start.0);
        push_number(row, record.end.0);
        let mut buffer = itoa::Buffer::new();
        for (place, number) in record.inputs.iter().enumerate() {
            if place > 0 {
                row.push(b' ');
            }
            row.extend_from_slice(buffer.format(*number).as_bytes());
        }
        row.push(b',');
        if let Some(number) = record.released_by {
            row.extend_from_slice(buffer.format(number).as_bytes());
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

/// The names as they may stand in a row.
fn names(what: &str, names: &[impl AsRef<str>]) -> io::Result<Vec<String>> {
    let fit = |name: &str| {
        let unfit = name.is_empty() || name.contains([',', '"']) || name.contains(char::is_control);
        if unfit {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "`{name}` is no name for a {what}; use one or more characters, none of them a comma, a quote or a control character"
                ),
            ));
        }
        Ok(name.to_owned())
    };
    names.iter().map(|name| fit(name.as_ref())).collect()
}

fn push_name(row: &mut Vec<u8>, code: u16, names: &[String]) {
    match names.get(usize::from(code)) {
        Some(name) => push_text(row, name),
        None => push_number(row, code.into()),
    }
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
    const NODES: &[&str] = &["phone0", "edge"];

    const KEY: TaskKey = TaskKey {
        batch: 1,
        layer: 3,
        stage: 1,
        node: 0,
        peer: TaskKey::NO_PEER,
        sequence: 5,
    };

    fn records() -> [Record<'static>; 3] {
        let compute = Record {
            number: 0,
            inputs: &[],
            key: KEY,
            resource: Some("phone0.compute"),
            kind: Kind::Compute,
            ready: Instant(7),
            start: Instant(8),
            end: Instant(u64::MAX),
            released_by: Some(4),
            reason: Reason::Resource,
            cost: Cost {
                flops: 10,
                bytes: 20,
                bits: u64::MAX,
                joules: 0.1,
            },
        };
        let nowhere = TaskKey {
            batch: TaskKey::NO_BATCH,
            layer: TaskKey::NO_LAYER,
            stage: 9,
            node: TaskKey::NO_NODE,
            peer: TaskKey::NO_PEER,
            sequence: 0,
        };
        let barrier = Record {
            number: 1,
            inputs: &[0],
            key: nowhere,
            resource: None,
            kind: Kind::Barrier,
            released_by: None,
            reason: Reason::Input,
            cost: Cost::default(),
            ..compute
        };
        let after = Record {
            number: 2,
            inputs: &[0, 1],
            key: TaskKey {
                node: 1,
                peer: 7,
                ..KEY
            },
            kind: Kind::Transfer,
            released_by: Some(1),
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
        let mut trace = CsvTrace::new(level, Vec::new(), STAGES, NODES).unwrap();
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
            "number,batch,layer,stage,node,peer,sequence,resource,kind,ready_ps,start_ps,end_ps,inputs,released_by,reason,flops,bytes,bits,joules\n\
             0,1,3,attention,phone0,,5,phone0.compute,compute,7,8,{max},,4,resource,10,20,{max},0.1\n\
             1,,,9,,,0,,barrier,7,8,{max},0,,input,0,0,0,0\n\
             2,1,3,attention,edge,7,5,phone0.compute,transfer,7,8,{max},0 1,1,barrier,10,20,{max},0\n"
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
    fn refuses_names_that_would_break_a_row() {
        let none: &[&str] = &[];
        for name in ["", "a,b", "a\"b", "a\n"] {
            let refusal = |stages: &[&str], nodes: &[&str]| {
                let trace = CsvTrace::new(TraceLevel::Full, Vec::new(), stages, nodes);
                trace.unwrap_err().to_string()
            };
            assert!(
                refusal(&[name], none).contains("no name for a stage"),
                "{name:?}"
            );
            assert!(
                refusal(none, &[name]).contains("no name for a node"),
                "{name:?}"
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
