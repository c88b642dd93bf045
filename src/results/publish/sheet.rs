//! A table that is written twice: as CSV for programs, as Markdown for people.

use crate::results::readable::significant;
use crate::text::Markdown;

/// What stands in one place.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Words(String),
    /// In the column's unit; empty if there is none.
    Number(Option<f64>),
    /// A part of one: as it is in CSV, in per cent with its sign in Markdown.
    Share(Option<f64>),
    /// In per cent or percentage points, with its sign in Markdown.
    Signed(Option<f64>),
}

/// Columns with a heading for each form, and rows.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// The heading in CSV and that in Markdown.
    pub columns: Vec<(String, String)>,
    pub rows: Vec<Vec<Cell>>,
}

impl Sheet {
    pub fn column(&mut self, csv: impl Into<String>, markdown: impl Into<String>) {
        self.columns.push((csv.into(), markdown.into()));
    }

    /// With six significant digits; a metric's last bits are in `points.csv`.
    pub fn csv(&self) -> csv::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns.iter().map(|(name, _)| name))?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| match cell {
                Cell::Words(words) => words.clone(),
                Cell::Number(value) | Cell::Share(value) | Cell::Signed(value) => {
                    value.map_or(String::new(), six_digits)
                }
            }))?;
        }
        writer
            .into_inner()
            .map_err(|error| error.into_error().into())
    }

    /// With four significant digits; columns without any content are left out. The sentences of
    /// the `summary` are Markdown already.
    pub fn markdown(&self, title: &str, summary: &[String]) -> Vec<u8> {
        let texts: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(text).collect())
            .collect();
        let shown: Vec<usize> = (0..self.columns.len())
            .filter(|column| texts.iter().any(|row| !row[*column].is_empty()))
            .collect();
        let mut out = format!("## {}\n\n", Markdown(title));
        let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
        let headings: Vec<String> = shown
            .iter()
            .map(|column| Markdown(&self.columns[*column].1).to_string())
            .collect();
        out += &line(headings.iter().map(String::as_str).collect());
        let rule = |column: &usize| {
            let numeric = |row: &Vec<Cell>| !matches!(row[*column], Cell::Words(_));
            if self.rows.iter().any(numeric) {
                "---:"
            } else {
                "---"
            }
        };
        out += &line(shown.iter().map(rule).collect());
        for row in &texts {
            out += &line(shown.iter().map(|column| row[*column].as_str()).collect());
        }
        for sentence in summary {
            out += &format!("\n{sentence}\n");
        }
        out.into_bytes()
    }
}

fn text(cell: &Cell) -> String {
    let signed = |value: f64| format!("{value:+.1}").replace('-', "−");
    match cell {
        Cell::Words(words) => Markdown(words).to_string(),
        Cell::Number(value) => value.map_or(String::new(), significant),
        Cell::Share(value) => value.map_or(String::new(), |value| {
            format!("{} %", signed(100.0 * value))
        }),
        Cell::Signed(value) => value.map_or(String::new(), signed),
    }
}

fn six_digits(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}")
        .parse()
        .expect("a number just written");
    rounded.to_string()
}
