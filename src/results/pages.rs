//! The manual's pages of metrics and of columns, written from the lists of both.
//!
//! `airloom list metrics` and `airloom list columns` print them; a test holds the files
//! of the manual to them.

use super::columns::TABLES;
use super::metrics::SUBJECTS;
use crate::trust::{RestsOn, Source};
use std::fmt::Write;

/// Characters in a line of a page.
const WIDTH: usize = 96;

/// The page of metrics.
pub fn metrics() -> String {
    let mut page = String::from("# Metrics\n\n");
    push(
        &mut page,
        "Every key of `metrics.json`, every column of metrics of `points.csv` and every `metric` of \
         `aggregates.csv`, with its symbol, if papers have one, and its unit. What a run did not \
         measure is absent; zero means that zero was measured. What a metric rests on, and how far that \
         is to be trusted, is told in the page of trust.",
        "",
    );
    for subject in SUBJECTS {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {}\n\n", subject.title);
        for metric in subject.definitions {
            let comma = if metric.symbol.is_empty() { "" } else { ", " };
            let entry = format!(
                "- `{}` ({}{comma}{}): {}. Present when: {}. Rests on: {}.",
                metric.name,
                metric.symbol,
                metric.unit,
                metric.meaning,
                metric.present,
                rests_on(metric.rests_on),
            );
            push(&mut page, &entry, "  ");
        }
    }
    page
}

/// The page of columns.
pub fn columns() -> String {
    let mut page = String::from("# Columns\n\n");
    push(
        &mut page,
        "Every column of every table that airloom writes, with its unit. Tables are CSV files whose \
         first line names the columns. Instants are whole picoseconds since the run began (`_ps`), \
         lengths of time seconds (`_s`). An empty cell is a value that was not measured; zero means \
         that zero was measured.",
        "",
    );
    for table in TABLES.iter().copied().flatten() {
        let _ = write!(page, "\n## {}\n\n", table.file);
        let head = format!("A row: {}. Present when: {}.", table.row, table.present);
        push(&mut page, &head, "");
        page.push('\n');
        for column in table.columns {
            let unit = match column.unit {
                "" => String::new(),
                unit => format!(" ({unit})"),
            };
            let entry = format!("- `{}`{unit}: {}.", column.name, column.meaning);
            push(&mut page, &entry, "  ");
        }
    }
    page
}

/// What a metric rests on, in words.
fn rests_on(rests_on: RestsOn) -> String {
    let names: Vec<&str> = rests_on.sources().map(Source::name).collect();
    match names.as_slice() {
        [] => "nothing but the run".to_owned(),
        names => names.join(", "),
    }
}

/// Appends `text`, broken between words, its further lines behind `indent`.
fn push(page: &mut String, text: &str, indent: &str) {
    let mut length = 0;
    for word in text.split_whitespace() {
        let wide = word.chars().count();
        if length > 0 && length + 1 + wide > WIDTH {
            page.push('\n');
            page.push_str(indent);
            length = indent.len();
        } else if length > 0 {
            page.push(' ');
            length += 1;
        }
        page.push_str(word);
        length += wide;
    }
    page.push('\n');
}
