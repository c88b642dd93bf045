//! `airloom fields`: what the fields of a scenario are.

use super::Failure;
use super::output::print;
use super::width;
use crate::results::readable::lines;
use crate::scenario::fields::{Entry, Fields, Role, TextBlock};
use std::fmt::Write;

/// Explain the fields of a scenario: type, unit, default and meaning.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    airloom fields\n  \
    airloom fields links.air.budget\n  \
    airloom fields placement.all_reduce.streams\n  \
    airloom fields --schema")]
pub(super) struct FieldsArgs {
    /// Which field, or which group of them [default: all, in brief]
    path: Option<String>,
    /// Print the JSON Schema of scenarios that are files ending in .json
    #[arg(long, conflicts_with = "path")]
    schema: bool,
}

/// Where meanings begin if there is room beside the names.
const MEANING: usize = 44;

/// With fewer columns meanings stand below the names.
const ROOMY: usize = 80;

/// Defaults longer than that are those of the fields inside.
const LONGEST_DEFAULT: usize = 26;

pub(super) fn fields(args: FieldsArgs) -> Result<(), Failure> {
    let fields = Fields::new();
    if args.schema {
        return print(format_args!("{:#}\n", fields.schema()));
    }
    let width = width::prose();
    let mut text = String::new();
    match args.path {
        None => {
            for entry in fields.all() {
                brief(&mut text, &entry, width);
            }
        }
        Some(path) => {
            let found = fields.find(&path).map_err(Failure::input)?;
            for (index, entries) in found.iter().enumerate() {
                if index > 0 {
                    text.push('\n');
                }
                full(&mut text, &entries[0], width);
                if entries.len() > 1 {
                    text.push('\n');
                }
                for entry in &entries[1..] {
                    brief(&mut text, entry, width);
                }
            }
        }
    }
    print(text)
}

/// Type and default in a few words.
fn form(entry: &Entry) -> String {
    let mut form = entry.holds.clone();
    match &entry.role {
        Role::Variant if !form.is_empty() => form = format!("({form})"),
        Role::Variant => {}
        Role::Required if form.is_empty() => form.push_str("required"),
        Role::Required => form.push_str(", required"),
        Role::Optional if form.is_empty() => form.push_str("optional"),
        Role::Optional => form.push_str(", optional"),
        Role::Default(default) => {
            let head = default.split('(').next().unwrap_or_default();
            let short = if default.chars().count() <= LONGEST_DEFAULT {
                default.clone()
            } else if head.is_empty() || head.len() > LONGEST_DEFAULT {
                return form;
            } else {
                format!("{head}(…)")
            };
            if !form.is_empty() {
                form.push(' ');
            }
            let _ = write!(form, "= {short}");
        }
    }
    form
}

/// One line or two: the name, what it holds, what it means.
fn brief(text: &mut String, entry: &Entry, width: usize) {
    let indent = 2 * entry.depth.saturating_sub(1);
    let mut head = format!("{:indent$}{}", "", entry.name());
    let form = form(entry);
    if !form.is_empty() {
        let _ = write!(head, ": {form}");
    }
    let mut meaning = entry.summary();
    if let Some(path) = &entry.same_as {
        let _ = write!(meaning, ". Inside as in {path}");
    }
    let (column, beside) = if width >= ROOMY {
        (MEANING, head.chars().count() + 2 <= MEANING)
    } else {
        (indent + 4, false)
    };
    let head_lines = lines(&head, width.saturating_sub(indent));
    for line in &head_lines[..head_lines.len() - 1] {
        let _ = writeln!(text, "{:indent$}{line}", "");
    }
    let last = format!("{:indent$}{}", "", head_lines[head_lines.len() - 1]);
    let mut lines = lines(&meaning, width.saturating_sub(column)).into_iter();
    if beside && let Some(first) = lines.next() {
        let _ = writeln!(text, "{last:column$}{first}");
    } else {
        let _ = writeln!(text, "{last}");
    }
    for line in lines {
        let _ = writeln!(text, "{:column$}{line}", "");
    }
}

/// The whole of what is known of one entry.
fn full(text: &mut String, entry: &Entry, width: usize) {
    let _ = writeln!(text, "{}", entry.path);
    let mut facts = entry.holds.clone();
    let mut add = |fact: &str| {
        if !facts.is_empty() {
            facts.push_str("; ");
        }
        facts.push_str(fact);
    };
    match &entry.role {
        Role::Required => add("required"),
        Role::Optional => add("may be left out"),
        // A record's default is told by its fields.
        Role::Default(_) if entry.holds.is_empty() => add("may be left out"),
        Role::Default(default) => add(&format!("default {default}")),
        Role::Variant => {}
    }
    if let Some(example) = &entry.example {
        add(&format!("written for example {example}"));
    }
    for line in lines(&facts, width.saturating_sub(2)) {
        let _ = writeln!(text, "  {line}");
    }
    for block in &entry.text {
        text.push('\n');
        match block {
            TextBlock::Paragraph(words) => {
                for line in lines(words, width.saturating_sub(2)) {
                    let _ = writeln!(text, "  {line}");
                }
            }
            TextBlock::Lines(lines) => {
                for line in lines.lines() {
                    let _ = writeln!(text, "    {line}");
                }
            }
        }
    }
}
