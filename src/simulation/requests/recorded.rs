//! Streams that are read from a trace.

use super::prompts::{Cutter, Held};
use super::{BETWEEN_CHECKS, Lowering, instant};
use crate::files;
use crate::results::folder::FileDigest;
use crate::scenario::Recorded;
use crate::serving::trace::{
    Extract, RequestTrace, RequestTraceError, TracedPrompt, TracedRequest,
};
use crate::serving::workload::{Arrival, Request, Task};
use crate::simulation::error::RunError;
use crate::units::{Duration, FieldFault, Instant};
use std::io::BufReader;

/// What the name of a trace ends with in a manifest. Its digest is that of what was read of it,
/// which need not be all.
pub(in crate::simulation) const REQUESTS: &str = " (requests)";

impl Lowering<'_> {
    /// Adds the requests of a trace, the entry number `entry`, to `requests`; what was read of
    /// the file.
    pub(super) fn recorded(
        &self,
        entry: usize,
        recorded: &Recorded,
        requests: &mut Vec<Request>,
    ) -> Result<FileDigest, RunError> {
        let path = format!("workload[{entry}]");
        let field = format!("{path}.file");
        let file = self.resolved.path(&recorded.file);
        let name = file.display().to_string();
        let fault = |message: String| FieldFault::new(field.as_str(), message);
        let (opened, _) = files::open(&file).map_err(|error| {
            fault(format!(
                "cannot read {name}: {error}; check its permissions"
            ))
        })?;
        let extract = Extract {
            first: recorded.first,
            count: recorded.count.unwrap_or(u64::MAX),
        };
        let reader = BufReader::new(opened);
        let trace = RequestTrace::read(reader, &name, recorded.format, extract, self.interrupt)
            .map_err(|error| match error {
                RequestTraceError::Interrupted(interrupted) => interrupted.into(),
                error => RunError::from(fault(error.to_string())),
            })?;
        let start = instant(&format!("{path}.start"), recorded.start)?;
        let nodes = self.sources(recorded.from.as_deref());
        let mut texts = Texts {
            field: &field,
            file: &name,
            cutter: self
                .reader
                .as_ref()
                .map(|reader| Cutter::new(reader, &field, entry)),
        };
        let mut held = Held::default();
        requests.reserve(trace.requests.len());
        for (place, traced) in trace.requests.into_iter().enumerate() {
            if place % BETWEEN_CHECKS == 0 {
                self.interrupt.check()?;
            }
            let asker = traced.user.map_or(place, |user| user as usize);
            let arrival = texts.arrival(&traced, recorded.speed, start)?;
            let priority = traced.priority.unwrap_or(recorded.priority);
            let task = texts.task(traced, place as u64)?;
            held.add(&path, &task)?;
            requests.push(Request {
                from: (!nodes.is_empty()).then(|| nodes[asker % nodes.len()]),
                carries: recorded.carries,
                priority,
                tells_output: true,
                prefix_group: entry as u32,
                entry: entry as u32,
                sampling: recorded.sampling,
                ..Request::new(arrival, task)
            });
        }
        Ok(FileDigest {
            name: format!("{}{REQUESTS}", recorded.file),
            bytes: trace.bytes,
            blake3: trace.blake3,
        })
    }
}

/// What makes requests of the lines of a trace.
struct Texts<'a> {
    field: &'a str,
    file: &'a str,
    /// Where the model is computed.
    cutter: Option<Cutter<'a>>,
}

impl Texts<'_> {
    fn fault(&self, line: u64, message: &str) -> FieldFault {
        FieldFault::new(self.field, format!("{}:{line}: {message}", self.file))
    }

    fn arrival(
        &self,
        traced: &TracedRequest,
        speed: f64,
        start: Instant,
    ) -> Result<Arrival, FieldFault> {
        let since_start = Duration::from_seconds(traced.at_s / speed)
            .map_err(|error| self.fault(traced.line, &error.to_string()))?;
        let at = start.checked_add(since_start).ok_or_else(|| {
            let message = "it comes more than 213 days after the start of the run; take fewer \
                           requests, or a higher `speed`";
            self.fault(traced.line, message)
        })?;
        Ok(Arrival::At(at))
    }

    /// What request number `place` of the trace asks.
    fn task(&mut self, traced: TracedRequest, place: u64) -> Result<Task, RunError> {
        let (line, max_tokens) = (traced.line, traced.output);
        let Some(cutter) = &mut self.cutter else {
            return match traced.prompt {
                TracedPrompt::Tokens(prompt) => Ok(Task::Tokens {
                    prompt,
                    generate: max_tokens,
                }),
                TracedPrompt::Text(_) => {
                    let message = "a Shape has no weights to read `prompt` with; write \
                                   `prompt_tokens`, or use a model's Folder";
                    Err(self.fault(line, message).into())
                }
            };
        };
        let reader = cutter.reader();
        let positions = |field: &str, prompt: usize| {
            let needed = prompt + max_tokens as usize - 1;
            let fits = reader.check_positions(field, needed);
            fits.map_err(|fault| {
                let message = format!("{}:{line}: {}", self.file, fault.message);
                FieldFault::new(fault.path, message)
            })
        };
        let prompt = match traced.prompt {
            TracedPrompt::Tokens(count) => {
                positions(self.field, count as usize)?;
                // Whoever checks a scenario needs no more texts than these.
                if place >= reader.most_of_world {
                    Vec::new()
                } else {
                    cutter.cut(count as usize)?
                }
            }
            TracedPrompt::Text(text) => {
                let prompt = reader.prompt(self.field, &text)?;
                positions(self.field, prompt.len())?;
                prompt
            }
        };
        Ok(Task::Generate { prompt, max_tokens })
    }
}
