//! Recorded requests: files that tell when which request came, how long its prompt was and how
//! many tokens it got.
//!
//! ```text
//! {"arrival_s": 0.52, "prompt_tokens": 812, "output_tokens": 120, "user": "ann", "priority": 1}
//!
//! TIMESTAMP,ContextTokens,GeneratedTokens
//! 2023-11-16 18:17:03.9799600,4808,10
//!
//! Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
//! 5,ChatGPT,472,18,490,Conversation log
//! ```
//!
//! A file is read line by line: of its lines only those that are asked for are kept, and none
//! is longer than a megabyte. Its requests come in the order of time. The first line that is no
//! request ends the reading, with its place.

mod columns;
mod fault;
mod lines;
mod object;
mod timestamp;

pub use fault::{RequestTraceError, RowFault};

use crate::interrupt::Interrupt;
use columns::{Columns, Layout};
use lines::Lines;
use object::Users;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::BufRead;

/// How a trace is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum TraceFormat {
    /// A JSON object a line: `arrival_s`, `prompt_tokens` or `prompt`, `output_tokens`, and if
    /// it is known `user` and `priority`.
    Jsonl,
    /// The columns of the Azure LLM inference traces: `TIMESTAMP`, `ContextTokens`,
    /// `GeneratedTokens`.
    Azure,
    /// The columns of BurstGPT: `Timestamp`, `Request tokens`, `Response tokens` among others.
    BurstGpt,
}

/// Which requests of a trace are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extract {
    /// How many are left out before them.
    pub first: u64,
    /// How many are taken at most.
    pub count: u64,
}

/// A prompt of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TracedPrompt {
    /// So many tokens.
    Tokens(u32),
    /// This text.
    Text(String),
}

/// A request of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct TracedRequest {
    /// Its line, counted from 1.
    pub line: u64,
    /// When it came, in seconds: of [`TraceFormat::Jsonl`] as written if no request is left out
    /// before, else from the first request that is taken on.
    pub at_s: f64,
    /// Its prompt.
    pub prompt: TracedPrompt,
    /// The tokens that it got, at least 1.
    pub output: u32,
    /// Whose it is, users numbered as they appear.
    pub user: Option<u32>,
    /// Its class.
    pub priority: Option<u32>,
}

/// What was taken from a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestTrace {
    /// The requests in the order of time, at least one.
    pub requests: Vec<TracedRequest>,
    /// How many bytes of the file were read for them.
    pub bytes: u64,
    /// BLAKE3 of these bytes.
    pub blake3: String,
}

/// More requests are not taken from one file.
pub const MOST_REQUESTS: u64 = 10_000_000;

/// More bytes of prompts are not held.
const MOST_TEXT: usize = 256 << 20;

/// Requests that are read before anybody is asked whether to go on.
const BETWEEN_CHECKS: u64 = 1 << 12;

impl RequestTrace {
    /// Takes the requests of `extract` from `reader`, a file that errors call `file`; without a
    /// `format` the first line says which it is.
    ///
    /// # Errors
    /// The first line that is no request, with what is wrong and the fix; if there is none to
    /// take, or they are too many; if the file cannot be read; when `interrupt` is raised.
    pub fn read(
        reader: impl BufRead,
        file: &str,
        format: Option<TraceFormat>,
        extract: Extract,
        interrupt: Interrupt<'_>,
    ) -> Result<Self, RequestTraceError> {
        let mut lines = Lines::new(reader, file);
        let mut rows = Rows::open(&mut lines, format)?;
        let mut requests: Vec<TracedRequest> = Vec::new();
        let (mut seen, mut text) = (0, 0);
        let mut last = f64::NEG_INFINITY;
        let mut origin = None;
        while (requests.len() as u64) < extract.count && rows.advance(&mut lines)? {
            if seen % BETWEEN_CHECKS == 0 {
                interrupt.check()?;
            }
            seen += 1;
            if seen <= extract.first {
                continue;
            }
            if requests.len() as u64 == MOST_REQUESTS {
                let message =
                    format!("more than {MOST_REQUESTS} requests; take fewer of them with `count`");
                return Err(lines.fault(0, message).into());
            }
            let mut request = rows.read(&lines, &mut origin, extract.first > 0)?;
            if request.at_s < last {
                let message = "it comes before the one above; sort the lines by time";
                return Err(lines.fault(rows.time_at(&lines), message).into());
            }
            last = request.at_s;
            if let TracedPrompt::Text(prompt) = &mut request.prompt {
                text += prompt.len();
                prompt.shrink_to_fit();
                if text > MOST_TEXT {
                    let message = format!(
                        "prompts of more than {MOST_TEXT} bytes; take fewer of them with `count`"
                    );
                    return Err(lines.fault(0, message).into());
                }
            }
            requests.push(request);
        }
        if requests.is_empty() {
            let file = file.to_owned();
            return Err(match seen {
                0 => RequestTraceError::Empty { file },
                requests => RequestTraceError::Nothing { file, requests },
            });
        }
        let (bytes, blake3) = lines.digest();
        Ok(Self {
            requests,
            bytes,
            blake3,
        })
    }
}

/// A reader of rows, one for each way of writing.
enum Rows {
    Columns(Columns),
    Objects {
        users: Users,
        /// Whether the line that is read already is the first request.
        begun: bool,
    },
}

impl Rows {
    /// Reads the first line of a file, which tells the format or has to fit the given one.
    fn open(
        lines: &mut Lines<'_, impl BufRead>,
        format: Option<TraceFormat>,
    ) -> Result<Self, RequestTraceError> {
        if !lines.advance()? {
            let file = lines.file().to_owned();
            return Err(RequestTraceError::Empty { file });
        }
        let layout = match format {
            Some(TraceFormat::Azure) => Some(Layout::AZURE),
            Some(TraceFormat::BurstGpt) => Some(Layout::BURST_GPT),
            Some(TraceFormat::Jsonl) => None,
            None if lines.text().trim_start().starts_with('{') => None,
            None => Some(Layout::of(lines)?),
        };
        Ok(match layout {
            Some(layout) => Self::Columns(Columns::open(layout, lines)?),
            None => Self::Objects {
                users: Users::default(),
                begun: true,
            },
        })
    }

    /// Goes to the next row; whether there is one.
    fn advance(&mut self, lines: &mut Lines<'_, impl BufRead>) -> Result<bool, RequestTraceError> {
        if let Self::Objects { begun, .. } = self
            && std::mem::take(begun)
        {
            return Ok(true);
        }
        lines.advance()
    }

    /// The request of the row; `origin` is that of times once it is known.
    fn read(
        &mut self,
        lines: &Lines<'_, impl BufRead>,
        origin: &mut Option<columns::Origin>,
        from_first: bool,
    ) -> Result<TracedRequest, RowFault> {
        match self {
            Self::Columns(columns) => columns.read(lines, origin),
            Self::Objects { users, .. } => object::read(lines, users, origin, from_first),
        }
    }

    /// Where in the line the time stands.
    fn time_at(&self, lines: &Lines<'_, impl BufRead>) -> usize {
        match self {
            Self::Columns(columns) => columns.time_at(),
            Self::Objects { .. } => object::place_of(lines.text(), "arrival_s"),
        }
    }
}

#[cfg(test)]
mod tests;
