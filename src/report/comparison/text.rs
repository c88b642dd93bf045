//! A comparison as text for people, and the words that its page shares.

use super::{FirstEvent, Pair, RunComparison};
use crate::results::readable::{bytes, joules, lines, percent, seconds, seconds_of, significant};
use crate::results::terminal::Table;
use std::fmt;

/// Settings that are told; a scenario of more differences is another scenario.
pub(super) const MOST_SETTINGS: usize = 12;

/// Cells longer than this are cut: the inputs of a barrier are many.
const LONGEST_CELL: usize = 28;

/// A value of `pair` as people read it, beside runs that take `whole` seconds.
pub(super) fn value(pair: &Pair, value: Option<f64>, whole: f64) -> String {
    match (value, pair.definition.unit) {
        (None, _) => "–".to_owned(),
        (Some(value), "s") => seconds_of(value, whole),
        (Some(value), "J") => joules(value),
        (Some(value), "B") => bytes(value as u64),
        (Some(value), _) if value == value.trunc() && value.abs() < 1e7 => value.to_string(),
        (Some(value), _) => significant(value),
    }
}

/// `B − A` as people read it.
pub(super) fn difference(pair: &Pair) -> String {
    let Some(difference) = pair.difference() else {
        return "–".to_owned();
    };
    let sign = if difference > 0.0 { "+" } else { "" };
    // Beside the numbers that it lies between: what is rounding there is rounding here.
    let size = pair.a.unwrap_or_default().abs();
    let size = size.max(pair.b.unwrap_or_default().abs());
    if difference == 0.0 {
        return "0".to_owned();
    }
    if difference.abs() < 1e-9 * size {
        return "≈ 0".to_owned();
    }
    let text = match pair.definition.unit {
        "s" => seconds(difference),
        "J" => joules(difference),
        _ if difference == difference.trunc() && size < 1e7 => difference.to_string(),
        _ => significant(difference),
    };
    format!("{sign}{text}")
}

/// `(B − A) / |A|` in percent.
pub(super) fn change(pair: &Pair) -> String {
    match pair.change() {
        None => "–".to_owned(),
        Some(change) if change.abs() < 1e-4 => percent(change.abs()),
        Some(change) if change > 0.0 => format!("+{}", percent(change)),
        Some(change) => percent(change),
    }
}

/// A cell of a row, cut where it is long.
pub(super) fn short(cell: &str) -> String {
    match cell.chars().count() {
        0 => "–".to_owned(),
        length if length <= LONGEST_CELL => cell.to_owned(),
        _ => cell.chars().take(LONGEST_CELL - 1).chain(['…']).collect(),
    }
}

impl RunComparison {
    /// Where the logs part, in a sentence.
    pub(super) fn parting(&self) -> String {
        match &self.event {
            None => "The event logs are equal, bit for bit.".to_owned(),
            Some(FirstEvent::Row { number, what, .. }) => {
                let what = if what.is_empty() {
                    "another task"
                } else {
                    what
                };
                format!("The first event that differs is number {number}: {what}.")
            }
            Some(FirstEvent::End { number, in_b }) => {
                let (long, short) = if *in_b { ("B", "A") } else { ("A", "B") };
                format!(
                    "The first {number} events are equal; there {short} ends and {long} goes on."
                )
            }
            Some(FirstEvent::Among(rows)) => format!(
                "The first event that differs is among numbers {} to {}: only digests of the logs are at hand; run both with --set trace=Full to see it.",
                rows.start,
                rows.end.saturating_sub(1)
            ),
        }
    }

    /// How the scenarios differ, in a sentence.
    pub(super) fn scenarios(&self) -> String {
        let (a, b) = (&self.a.manifest, &self.b.manifest);
        let streams = match (a.seed, a.run) == (b.seed, b.run) {
            true => "",
            false => " Seed or run differ.",
        };
        let told = match &self.settings {
            None => "The scenarios have little in common.".to_owned(),
            Some(settings) => match settings.len() {
                0 => "The scenarios are equal.".to_owned(),
                1 => "One line of the scenarios differs:".to_owned(),
                count => format!("{count} lines of the scenarios differ:"),
            },
        };
        match streams {
            "" => told,
            streams => format!("{}{told}", streams.trim_start().to_owned() + " "),
        }
    }
}

impl fmt::Display for RunComparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prose = |f: &mut fmt::Formatter<'_>, text: &str| {
            let width = self.columns.unwrap_or(usize::MAX);
            lines(text, width)
                .iter()
                .try_for_each(|line| writeln!(f, "{line}"))
        };
        for (name, side) in [("A", &self.a), ("B", &self.b)] {
            let title = side.manifest.title();
            prose(f, &format!("{name}: {}: {title}", side.folder.display()))?;
        }
        writeln!(f)?;
        prose(f, &self.scenarios())?;
        let settings = self.settings.as_deref().unwrap_or_default();
        for (a, b) in settings.iter().take(MOST_SETTINGS) {
            let side = |line: &Option<String>| line.clone().unwrap_or_else(|| "–".to_owned());
            writeln!(f, "  A  {}\n  B  {}", side(a), side(b))?;
        }
        if settings.len() > MOST_SETTINGS {
            writeln!(f, "  and {} more", settings.len() - MOST_SETTINGS)?;
        }
        writeln!(f)?;
        let differing: Vec<&Pair> = self
            .metrics
            .iter()
            .filter(|pair| !pair.is_equal())
            .collect();
        if !differing.is_empty() {
            let names = differing.iter().map(|pair| pair.definition.name.len());
            let name = names.max().unwrap_or(0) + 2;
            let mut table = Table::new(2, 1, vec![name, 12, 12, 13, 11]);
            let heading = ["metric", "A", "B", "B − A", "change"];
            table.push(heading.map(str::to_owned).to_vec());
            let whole = self.longer();
            for pair in &differing {
                table.push(vec![
                    pair.definition.name.to_owned(),
                    value(pair, pair.a, whole),
                    value(pair, pair.b, whole),
                    difference(pair),
                    change(pair),
                ]);
            }
            f.write_str(&table.text(self.columns))?;
        }
        let equal = self.metrics.len() - differing.len();
        prose(
            f,
            &format!("{equal} of {} metrics are equal.", self.metrics.len()),
        )?;
        writeln!(f)?;
        prose(f, &self.parting())?;
        if let Some(FirstEvent::Row { cells, .. }) = &self.event {
            let widest = |cell: &dyn Fn(&(String, String, String)) -> usize| {
                cells.iter().map(cell).max().unwrap_or(0) + 2
            };
            let wide = |text: &str| short(text).chars().count();
            let widths = vec![
                widest(&|(name, _, _)| name.len()).max(10),
                widest(&|(_, a, _)| wide(a)).max(10),
                widest(&|(_, _, b)| wide(b)).max(10),
            ];
            let mut table = Table::new(2, 1, widths);
            table.push(["column", "A", "B"].map(str::to_owned).to_vec());
            for (name, a, b) in cells {
                table.push(vec![name.clone(), short(a), short(b)]);
            }
            f.write_str(&table.text(self.columns))?;
        }
        Ok(())
    }
}
