//! Turns a scenario's workload into requests.
//!
//! Entries keep their order, and streams unfold in their place: a request's number is its place
//! in the whole. What is drawn comes from the streams `workload.arrivals`,
//! `workload.prompt_lengths` and `workload.output_lengths`, each numbered by the entry, so that
//! no entry changes another's.

mod drawn;
mod prompts;
mod recorded;
mod texts;

pub(super) use recorded::REQUESTS;
pub(super) use texts::Reader;

use super::error::RunError;
use crate::files;
use crate::interrupt::Interrupt;
use crate::results::folder::FileDigest;
use crate::rng::{NO_DEVICE, Stream, Streams};
use crate::scenario::{self, Resolved};
use crate::serving::Decoding;
use crate::serving::lengths::{LengthSource, Lengths};
use crate::serving::trace::MOST_REQUESTS;
use crate::serving::workload::{Arrival, Request, Task};
use crate::topology::NodeId;
use crate::units::{Duration, FieldFault, Instant, Seconds};

/// What the name of a file of lengths ends with in a manifest.
pub(super) const LENGTHS: &str = " (lengths)";

/// The longest file of lengths, in bytes.
const MOST_LENGTHS: u64 = 64 << 20;

/// Requests that are made before anybody is asked whether to go on.
const BETWEEN_CHECKS: usize = 1 << 10;

/// Makes requests of a workload.
pub(super) struct Lowering<'a> {
    pub(super) resolved: &'a Resolved,
    /// What is drawn from.
    pub(super) streams: Streams,
    /// Who reads texts; `None` where the model is a shape, which reads none.
    pub(super) reader: Option<Reader<'a>>,
    pub(super) interrupt: Interrupt<'a>,
}

impl Lowering<'_> {
    /// The requests of the workload; what was read for them, save texts, goes to `inputs`.
    pub(super) fn requests(&self, inputs: &mut Vec<FileDigest>) -> Result<Vec<Request>, RunError> {
        if let Some(reader) = &self.reader {
            reader.check_tokenizer()?;
        }
        let mut requests = Vec::new();
        for (entry, request) in self.resolved.scenario.workload.iter().enumerate() {
            match request {
                scenario::Request::Arrivals(arrivals) => {
                    self.drawn(entry, arrivals, &mut requests, inputs)?;
                }
                scenario::Request::Trace(recorded) => {
                    inputs.push(self.recorded(entry, recorded, &mut requests)?);
                }
                one => {
                    let number = requests.len() as u32;
                    let request = self.one(entry, number, one)?;
                    match self.cascades() {
                        true => requests.extend(one_by_one(request, number)),
                        false => requests.push(request),
                    }
                }
            }
            if requests.len() as u64 > MOST_REQUESTS {
                let message = format!(
                    "up to here there are {} requests; a workload has at most {MOST_REQUESTS}",
                    requests.len()
                );
                return Err(FieldFault::new(format!("workload[{entry}]"), message).into());
            }
        }
        Ok(requests)
    }

    /// Whether a small model answers before another.
    fn cascades(&self) -> bool {
        let mut replicas = self.resolved.scenario.replicas.iter();
        replicas.any(|replica| matches!(replica.decoding, Decoding::Cascade(_)))
    }

    /// The request of an entry that is no stream.
    fn one(
        &self,
        entry: usize,
        number: u32,
        request: &scenario::Request,
    ) -> Result<Request, RunError> {
        let (task, priority) = match (request, &self.reader) {
            (scenario::Request::Score(score), Some(reader)) => (reader.score(entry, score)?, 0),
            (scenario::Request::Choose(choose), Some(reader)) => (reader.choose(entry, choose)?, 0),
            (scenario::Request::Generate(generate), Some(reader)) => {
                (reader.generate(entry, generate)?, generate.priority)
            }
            (scenario::Request::Tokens(tokens), _) => {
                let task = Task::Tokens {
                    prompt: tokens.prompt,
                    generate: tokens.generate,
                };
                (task, tokens.priority)
            }
            _ => {
                let message = "a Shape has no weights to read text with; use a model's Folder";
                return Err(FieldFault::new(format!("workload[{entry}]"), message).into());
            }
        };
        let arrival = match request.arrival() {
            None | Some(scenario::Arrival::AfterPrevious) => Arrival::after_previous(number),
            Some(scenario::Arrival::At(seconds)) => {
                Arrival::At(instant(&format!("workload[{entry}].arrival"), seconds)?)
            }
        };
        Ok(Request {
            from: self.sources(request.from()).first().copied(),
            carries: request.carries(),
            priority,
            entry: entry as u32,
            sampling: request.sampling(),
            ..Request::new(arrival, task)
        })
    }

    /// The nodes that `from` names; none if it names none.
    fn sources(&self, from: Option<&str>) -> Vec<NodeId> {
        from.map_or_else(Vec::new, |name| self.resolved.topology.named(name))
    }

    /// Opens what the entry draws from for this purpose.
    fn open(&self, purpose: &'static str, entry: usize) -> Stream {
        self.streams.open(purpose, NO_DEVICE, entry as u64)
    }

    /// The lengths of the field `path`, those of a file read.
    fn lengths(
        &self,
        path: &str,
        lengths: &Lengths,
        inputs: &mut Vec<FileDigest>,
    ) -> Result<LengthSource, RunError> {
        let Lengths::Empirical(written) = lengths else {
            return Ok(LengthSource::Drawn(lengths.clone()));
        };
        let file = self.resolved.path(written);
        let fault = |message: String| FieldFault::new(path, message);
        let text = files::read_text(&file, MOST_LENGTHS)
            .map_err(|error| fault(format!("cannot read {}: {error}", file.display())))?;
        inputs.push(FileDigest {
            name: format!("{written}{LENGTHS}"),
            bytes: text.len() as u64,
            blake3: blake3::hash(text.as_bytes()).to_hex().to_string(),
        });
        Ok(LengthSource::parse(&file, &text).map_err(fault)?)
    }
}

/// Request `number`, one for each question if it is several: who answers first is sure of one and
/// not of the next.
fn one_by_one(mut request: Request, number: u32) -> Vec<Request> {
    let Task::Choose { questions } = &mut request.task else {
        return vec![request];
    };
    let questions = std::mem::take(questions);
    let each = (number..).zip(questions).map(|(own, question)| {
        let mut one = request.clone();
        one.task = Task::Choose {
            questions: vec![question],
        };
        if own != number {
            one.arrival = Arrival::after_previous(own);
        }
        one
    });
    each.collect()
}

/// The instant `since_start` after the start of the run, which the field `path` states.
fn instant(path: &str, since_start: Seconds) -> Result<Instant, FieldFault> {
    let since_start = Duration::from_seconds(since_start.0)
        .map_err(|error| FieldFault::new(path, error.to_string()))?;
    Ok(Instant(since_start.0))
}

#[cfg(test)]
mod tests;
