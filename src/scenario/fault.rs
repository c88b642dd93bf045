//! Faults: what is wrong with a scenario, where, and how to put it right.

use super::overrides::Override;
use super::raw::Place;
use crate::text::{Visible, acts};
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
    /// The sweep's point to which the fault belongs, where the scenario itself is good.
    pub point: Option<String>,
}

impl Fault {
    /// A fault of which nothing is known but what is wrong.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            path: None,
            message: message.into(),
            help: None,
            location: None,
            point: None,
        }
    }
}

/// A place in a text, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file's path, or the override that holds the place.
    pub source: String,
    /// The line, counted from 1; none in an override, which has but one.
    pub line: Option<usize>,
    /// The character in the line, counted from 1.
    pub column: usize,
    /// The line itself, or of a long one what is around the place.
    pub text: String,
    /// Characters of `text` before the place.
    pub indent: usize,
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
        match &self.location {
            Some(Location {
                source,
                line: Some(line),
                column,
                ..
            }) => write!(f, "{}:{line}:{column}: ", Visible(source))?,
            Some(Location { source, .. }) => write!(f, "{}: ", Visible(source))?,
            None => {}
        }
        if let Some(path) = &self.path {
            write!(f, "{}: ", Visible(path))?;
        }
        write!(f, "{}", Visible(&self.message))?;
        if let Some(point) = &self.point {
            write!(f, " (at the sweep's point {})", Visible(point))?;
        }
        let help = self.help.as_deref().map(Visible);
        let Some(at) = &self.location else {
            return match help {
                Some(help) => write!(f, "; {help}"),
                None => Ok(()),
            };
        };
        let number = at.line.map_or(String::new(), |line| line.to_string());
        let margin = " ".repeat(number.len());
        let indent = " ".repeat(at.indent);
        let carets = "^".repeat(at.width);
        write!(f, "\n {margin} |\n {number} | {}", at.text)?;
        write!(f, "\n {margin} | {indent}{carets}")?;
        match help {
            Some(help) => write!(f, " {help}"),
            None => Ok(()),
        }
    }
}

/// A text that places refer to.
#[derive(Debug)]
pub(super) struct SourceText {
    /// The file's path or the override.
    label: String,
    text: String,
    has_lines: bool,
}

/// The longest excerpt of a line that is shown, in characters.
const WIDEST: usize = 120;

impl SourceText {
    /// A scenario's file.
    pub(super) fn file(label: String, text: String) -> Self {
        Self {
            label,
            text,
            has_lines: true,
        }
    }

    /// A change from the command line.
    pub(super) fn change(change: &Override) -> Self {
        Self {
            label: format!("--set {change}"),
            text: change.as_str().to_owned(),
            has_lines: false,
        }
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// `place`, which refers to this text, ready to be shown.
    pub(super) fn location(&self, place: Place) -> Location {
        let text = self.text.as_str();
        // A place always starts at a character; it may end behind the text.
        let start = (place.start as usize).min(text.len());
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[line_start..].lines().next().unwrap_or("");
        let marked = text.get(start..place.end as usize).unwrap_or("");
        let marked = marked.lines().next().unwrap_or("").trim_end();
        let before = text[line_start..start].chars().count();
        // Of a long line, what is around the place.
        let skipped = before.saturating_sub(WIDEST / 2);
        let shown = line.chars().skip(skipped).take(WIDEST);
        Location {
            source: self.label.clone(),
            line: self
                .has_lines
                .then(|| text[..line_start].matches('\n').count() + 1),
            column: before + 1,
            width: marked.chars().count().clamp(1, WIDEST / 2),
            text: shown.map(|c| if acts(c) { ' ' } else { c }).collect(),
            indent: before - skipped,
        }
    }
}
