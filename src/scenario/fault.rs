//! Faults: what is wrong with a scenario, where, and how to put it right.

use super::raw::Place;
use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field's path, for rules that span fields.
    pub path: Option<String>,
    /// What is wrong, and where it is short the fix.
    pub message: String,
    /// How to put it right, where the message does not say.
    pub help: Option<String>,
    /// Where it was written.
    pub location: Option<Location>,
}

/// A place in a text, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file's path, or the override that holds the place.
    pub source: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The character in the line, counted from 1.
    pub column: usize,
    /// The line itself.
    pub text: String,
    /// How many characters of it are meant, at least 1.
    pub width: usize,
}

/// Everything wrong with a scenario that could be found at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    /// At least one.
    pub faults: Vec<Fault>,
}

impl std::error::Error for ScenarioError {}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl From<Fault> for ScenarioError {
    fn from(fault: Fault) -> Self {
        Self {
            faults: vec![fault],
        }
    }
}

impl fmt::Display for Fault {
    /// `file:line:column: path: message`, then the line with a caret below.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.location {
            write!(f, "{}:{}:{}: ", at.source, at.line, at.column)?;
        }
        if let Some(path) = &self.path {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.message)?;
        let Some(at) = &self.location else {
            return match &self.help {
                Some(help) => write!(f, "; {help}"),
                None => Ok(()),
            };
        };
        let margin = " ".repeat(at.line.to_string().len());
        let indent = " ".repeat(at.column - 1);
        let carets = "^".repeat(at.width);
        write!(f, "\n {margin} |\n {} | {}", at.line, at.text)?;
        write!(f, "\n {margin} | {indent}{carets}")?;
        match &self.help {
            Some(help) => write!(f, " {help}"),
            None => Ok(()),
        }
    }
}

/// A text that places refer to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Source {
    /// The file's path or the override.
    pub(super) label: String,
    pub(super) text: String,
}

/// The longest excerpt of a line that is shown, in characters.
const WIDEST: usize = 160;

impl Source {
    /// The place in words.
    pub(super) fn location(&self, place: Place) -> Location {
        let clamp = |at: u32| {
            let mut at = (at as usize).min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (start, end) = (clamp(place.start), clamp(place.end));
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let rest = &self.text[line_start..];
        let line_text = rest.split(['\n', '\r']).next().unwrap_or("");
        let column = self.text[line_start..start].chars().count();
        let line_length = line_text.chars().count();
        let marked = self.text[start..end.max(start)]
            .split('\n')
            .next()
            .unwrap_or("")
            .trim_end()
            .chars()
            .count();
        let shown: String = line_text
            .chars()
            .take(WIDEST)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        Location {
            source: self.label.clone(),
            line: self.text[..line_start].matches('\n').count() + 1,
            column: column.min(line_length) + 1,
            width: marked.clamp(1, WIDEST),
            text: shown,
        }
    }
}
