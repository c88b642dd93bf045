//! Public traces in columns: a heading, and a request a line.

use super::fault::{RequestTraceError, RowFault};
use super::lines::Lines;
use super::object::Users;
use super::{TracedPrompt, TracedRequest, timestamp};
use crate::serving::lengths::MOST_TOKENS;
use crate::text::Visible;
use std::io::BufRead;
use std::ops::Range;

/// What the columns of a public trace are called.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    name: &'static str,
    time: &'static str,
    prompt: &'static str,
    output: &'static str,
    /// Who asks, where the file says it.
    user: Option<&'static str>,
    clock: Clock,
}

/// How the time is written.
#[derive(Clone, Copy)]
enum Clock {
    Date,
    Seconds,
}

/// What times count from.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    /// A date, in picoseconds since 1970.
    Date(i128),
    Seconds(f64),
}

impl Layout {
    /// The Azure LLM inference traces of 2023 and 2024.
    pub(super) const AZURE: Self = Self {
        name: "Azure",
        time: "TIMESTAMP",
        prompt: "ContextTokens",
        output: "GeneratedTokens",
        user: None,
        clock: Clock::Date,
    };

    /// BurstGPT, with or without sessions.
    pub(super) const BURST_GPT: Self = Self {
        name: "BurstGpt",
        time: "Timestamp",
        prompt: "Request tokens",
        output: "Response tokens",
        user: Some("Session ID"),
        clock: Clock::Seconds,
    };

    /// The layout whose columns the heading has.
    pub(super) fn of(lines: &Lines<'_, impl BufRead>) -> Result<Self, RowFault> {
        let mut cells = Vec::new();
        split(lines.text(), &mut cells);
        let has = |name: &str| cells.iter().any(|cell| &lines.text()[cell.clone()] == name);
        let known = [Self::AZURE, Self::BURST_GPT];
        let found = known
            .into_iter()
            .find(|layout| has(layout.prompt) || has(layout.output));
        found.ok_or_else(|| {
            lines.fault(
                0,
                "it is no trace that is known; begin it with `TIMESTAMP,ContextTokens,\
                 GeneratedTokens` (Azure), with `Timestamp,Model,Request tokens,Response \
                 tokens,Total tokens,Log Type` (BurstGpt), or write JSON objects such as \
                 {\"arrival_s\": 0, \"prompt_tokens\": 100, \"output_tokens\": 20}",
            )
        })
    }
}

/// A file in columns.
pub(super) struct Columns {
    layout: Layout,
    /// How many there are.
    count: usize,
    time: usize,
    prompt: usize,
    output: usize,
    user: Option<usize>,
    /// The cells of the line.
    cells: Vec<Range<usize>>,
    users: Users,
}

impl Columns {
    /// The file whose heading is the line that was read.
    pub(super) fn open(
        layout: Layout,
        lines: &Lines<'_, impl BufRead>,
    ) -> Result<Self, RequestTraceError> {
        let mut cells = Vec::new();
        let text = lines.text();
        split(text, &mut cells);
        let place = |name: &str| cells.iter().position(|cell| &text[cell.clone()] == name);
        let needed = |name: &str| {
            place(name).ok_or_else(|| {
                let message = format!(
                    "there is no column `{name}`; {} has `{}`, `{}` and `{}`",
                    layout.name, layout.time, layout.prompt, layout.output
                );
                lines.fault(0, message)
            })
        };
        Ok(Self {
            layout,
            count: cells.len(),
            time: needed(layout.time)?,
            prompt: needed(layout.prompt)?,
            output: needed(layout.output)?,
            user: layout.user.and_then(place),
            cells,
            users: Users::default(),
        })
    }

    /// The request of the line.
    pub(super) fn read(
        &mut self,
        lines: &Lines<'_, impl BufRead>,
        origin: &mut Option<Origin>,
    ) -> Result<TracedRequest, RowFault> {
        let text = lines.text();
        split(text, &mut self.cells);
        if self.cells.len() != self.count {
            let message = format!("{} cells; the heading has {}", self.cells.len(), self.count);
            return Err(lines.fault(0, message));
        }
        let at_s = self.time(lines, origin)?;
        let tokens = |column: usize, name: &str| {
            let cell = &self.cells[column];
            match text[cell.clone()].parse() {
                Ok(count @ 1..=MOST_TOKENS) => Ok(count),
                _ => {
                    let message = format!(
                        "{name} is `{}`; write 1 to {MOST_TOKENS}, or take the line out",
                        quoted(&text[cell.clone()])
                    );
                    Err(lines.fault(cell.start, message))
                }
            }
        };
        let prompt = TracedPrompt::Tokens(tokens(self.prompt, self.layout.prompt)?);
        let output = tokens(self.output, self.layout.output)?;
        let user = self.user.map(|column| &text[self.cells[column].clone()]);
        Ok(TracedRequest {
            line: lines.number(),
            at_s,
            prompt,
            output,
            user: user
                .filter(|user| !user.is_empty())
                .map(|user| self.users.number(user)),
            priority: None,
        })
    }

    fn time(
        &self,
        lines: &Lines<'_, impl BufRead>,
        origin: &mut Option<Origin>,
    ) -> Result<f64, RowFault> {
        let cell = self.cells[self.time].clone();
        let text = &lines.text()[cell.clone()];
        let fault = |fix: &str| {
            let message = format!("{} is `{}`; {fix}", self.layout.time, quoted(text));
            lines.fault(cell.start, message)
        };
        match self.layout.clock {
            Clock::Date => {
                let now = timestamp::parse(text).ok_or_else(|| {
                    fault("write it like `2023-11-16 18:17:03.9799600`, in UTC or with `+01:00`")
                })?;
                Ok(match origin.get_or_insert(Origin::Date(now)) {
                    Origin::Date(origin) => (now - *origin) as f64 / 1e12,
                    Origin::Seconds(_) => 0.0,
                })
            }
            Clock::Seconds => {
                let now = text.parse().ok().filter(|now: &f64| now.is_finite());
                let now = now.ok_or_else(|| fault("write a number of seconds"))?;
                Ok(match origin.get_or_insert(Origin::Seconds(now)) {
                    Origin::Seconds(origin) => now - *origin,
                    Origin::Date(_) => 0.0,
                })
            }
        }
    }

    /// Where in the line that was read the time stands.
    pub(super) fn time_at(&self) -> usize {
        self.cells[self.time].start
    }
}

/// More characters of a cell are not quoted.
const LONGEST_QUOTE: usize = 40;

/// A cell as a message shows it.
pub(super) fn quoted(cell: &str) -> String {
    let start: String = cell.chars().take(LONGEST_QUOTE).collect();
    Visible(&start).to_string()
}

/// The cells of `line`, without the blanks and quotation marks around them.
fn split(line: &str, cells: &mut Vec<Range<usize>>) {
    cells.clear();
    let mut start = 0;
    let mut within = false;
    let mut push = |from: usize, to: usize| {
        let cell = &line[from..to];
        let begin = from + (cell.len() - cell.trim_start().len());
        let cell = cell.trim();
        let inner = cell
            .strip_prefix('"')
            .and_then(|cell| cell.strip_suffix('"'));
        cells.push(match inner {
            Some(inner) => begin + 1..begin + 1 + inner.len(),
            None => begin..begin + cell.len(),
        });
    };
    for (place, byte) in line.bytes().enumerate() {
        match byte {
            b'"' => within = !within,
            b',' if !within => {
                push(start, place);
                start = place + 1;
            }
            _ => {}
        }
    }
    push(start, line.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_between_commas_that_are_not_quoted() {
        let cells = |line: &str| -> Vec<String> {
            let mut cells = Vec::new();
            split(line, &mut cells);
            cells
                .into_iter()
                .map(|cell| line[cell].to_owned())
                .collect()
        };
        assert_eq!(cells("a, b ,,c"), ["a", "b", "", "c"]);
        assert_eq!(cells(r#""a,b", "c" ,"#), ["a,b", "c", ""]);
        assert_eq!(cells(r#"""#), ["\""]);
        assert_eq!(cells("ä,\"ß\""), ["ä", "ß"]);
        assert_eq!(cells("   "), [""]);
    }
}
