//! The table that `airloom sweep` prints: a row per setting, the mean over its runs, and with
//! several runs ± half its 95 % confidence interval by Student's t.

use super::outcomes::{Configuration, Estimate, Outcomes};
use super::readable::{percent, significant};
use super::terminal::Table;
use crate::scenario::Heading;
use std::fmt;

/// The metrics worth a column, with the heading and factor that make them readable.
pub const COLUMNS: &[(&str, &str, f64)] = &[
    ("perplexity", "perplexity", 1.0),
    ("accuracy", "accuracy %", 100.0),
    ("batch_latency_s", "batch ms", 1e3),
    ("waiting_share", "waiting %", 1e2),
    ("expert_visits", "visits", 1.0),
    ("all_reduce_mse", "MSE", 1.0),
    ("all_reduce_analytic_mse", "theory", 1.0),
    ("all_reduce_quantiser_mse", "Δ²/12", 1.0),
    ("ttft_s", "TTFT ms", 1e3),
    ("tpot_s", "TPOT ms", 1e3),
    ("ttft_p95_s", "TTFT95 ms", 1e3),
    ("e2e_latency_p95_s", "E2E95 ms", 1e3),
    ("goodput_per_s", "goodput/s", 1.0),
    ("pass_compute_s", "compute ms", 1e3),
    ("pass_uplink_s", "uplink ms", 1e3),
    ("energy_radio_j", "radio J", 1.0),
    ("energy_j", "energy J", 1.0),
];

/// A value of a column as people read it, without the unit that stands in its heading.
fn cell((_, heading, factor): &(&str, &str, f64), value: f64) -> String {
    match heading.ends_with('%') {
        true => percent(value).trim_end_matches(" %").to_owned(),
        false => significant(value * factor),
    }
}

/// Rows of settings with the mean of each metric.
#[derive(Debug)]
pub struct Comparison {
    axes: Vec<String>,
    rows: Vec<Row>,
    columns: Option<usize>,
}

#[derive(Debug)]
struct Row {
    values: Vec<String>,
    runs: usize,
    /// Of each column, over the runs that measured it, as it is shown.
    means: Vec<Option<String>>,
}

impl Comparison {
    /// A row for each configuration, in the sweep's order; one without metrics is infeasible
    /// and keeps its row empty.
    pub fn of(outcomes: &Outcomes<'_>) -> Self {
        let headings = &outcomes.headings;
        let row = |configuration: &Configuration<'_>| {
            let cell = |heading: &Heading| {
                let value = configuration.choice[heading.axis];
                heading.cell(value).to_owned()
            };
            let done = configuration.rows.iter();
            Row {
                values: headings.iter().map(cell).collect(),
                runs: done.filter(|row| row.metrics.is_some()).count(),
                means: COLUMNS
                    .iter()
                    .map(|column| {
                        let estimate = configuration.estimate(column.0)?;
                        Some(words(column, estimate))
                    })
                    .collect(),
            }
        };
        Self {
            axes: shortened(&headings.iter().map(Heading::title).collect::<Vec<_>>()),
            rows: outcomes.configurations.iter().map(row).collect(),
            columns: None,
        }
    }
}

/// `titles` by their last fields alone, as far as these tell them apart: `count` for
/// `nodes.device.count`.
fn shortened(titles: &[String]) -> Vec<String> {
    let end = |title: &str, fields: usize| -> String {
        let all: Vec<&str> = title.split('.').collect();
        all[all.len().saturating_sub(fields)..].join(".")
    };
    let shorten = |title: &String| {
        if title.contains(' ') {
            return title.clone();
        }
        let fields = title.split('.').count();
        let own = (1..fields).map(|count| (count, end(title, count)));
        let alone = |(count, short): &(usize, String)| {
            titles
                .iter()
                .filter(|other| end(other, *count) == *short)
                .count()
                == 1
        };
        own.into_iter()
            .find(alone)
            .map_or_else(|| title.clone(), |(_, short)| short)
    };
    titles.iter().map(shorten).collect()
}

/// A mean, with its interval if it has one: `5.000 ± 2.5`.
pub fn words(column: &(&str, &str, f64), estimate: Estimate) -> String {
    let mean = cell(column, estimate.mean);
    // Less is the rounding of runs that measured the same.
    let least = 1e-9 * estimate.mean.abs();
    match estimate.half_width.filter(|half| *half > least) {
        None => mean,
        Some(half) => format!("{mean} ± {}", two_digits(half * column.2)),
    }
}

/// Two significant digits: more of an interval says nothing.
fn two_digits(value: f64) -> String {
    let rounded: f64 = format!("{value:.1e}").parse().unwrap_or(value);
    if rounded == 0.0 || !rounded.is_finite() {
        return rounded.to_string();
    }
    let magnitude = libm::floor(libm::log10(rounded)) as i32;
    if !(-4..7).contains(&magnitude) {
        return format!("{value:.1e}");
    }
    let decimals = (1 - magnitude).max(0) as usize;
    format!("{rounded:.decimals$}")
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<usize> = (0..COLUMNS.len())
            .filter(|column| self.rows.iter().any(|row| row.means[*column].is_some()))
            .collect();
        let widths: Vec<usize> = self
            .axes
            .iter()
            .enumerate()
            .map(|(axis, path)| {
                let values = self.rows.iter().map(|row| row.values[axis].chars().count());
                values.max().unwrap_or(0).max(path.chars().count())
            })
            .collect();
        let mut widths: Vec<usize> = widths.into_iter().map(|width| width + 2).collect();
        widths.push(4);
        widths.extend(shown.iter().map(|column| {
            let cells = self.rows.iter();
            let cells = cells.filter_map(|row| row.means[*column].as_ref());
            let widest = cells.map(|cell| cell.chars().count()).max();
            // Two blanks before the widest.
            12.max(widest.unwrap_or(0) + 2)
        }));
        let mut table = Table::new(0, self.axes.len(), widths);
        let headings = shown.iter().map(|column| COLUMNS[*column].1.to_owned());
        let axes = self.axes.iter().cloned();
        table.push(axes.chain(["runs".to_owned()]).chain(headings).collect());
        for row in &self.rows {
            let means = shown.iter().map(|column| match &row.means[*column] {
                None => "–".to_owned(),
                Some(words) => words.clone(),
            });
            let values = row.values.iter().cloned();
            table.push(values.chain([row.runs.to_string()]).chain(means).collect());
        }
        f.write_str(&table.text(self.columns))?;
        let intervals = self.rows.iter().flat_map(|row| row.means.iter().flatten());
        match intervals.filter(|words| words.contains('±')).count() {
            0 => Ok(()),
            _ => f.write_str("±: half the 95 % confidence interval of the mean (Student's t)\n"),
        }
    }
}

impl Comparison {
    /// The same for a terminal of so many columns, if there is one: what finds no room
    /// stands below.
    #[must_use]
    pub fn within(mut self, columns: Option<usize>) -> Self {
        self.columns = columns;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_as_short_as_tells_them_apart() {
        let titles = [
            "nodes.device.count",
            "nodes.phone.count",
            "links.air.budget.snr",
            "Band (5.0 MHz)",
        ];
        assert_eq!(
            shortened(&titles.map(str::to_owned)),
            ["device.count", "phone.count", "snr", "Band (5.0 MHz)"]
        );
    }
    use crate::results::metrics::Metrics;
    use crate::results::points;
    use crate::scenario::Sweep;

    #[test]
    fn a_mean_is_over_the_runs_that_measured_it() {
        let of = |json: &str| Metrics::from_json(json).unwrap();
        let runs = [
            of(r#"{"tpot_s": 0.004, "energy_j": 1.0}"#),
            of(r#"{"energy_j": 2.0}"#),
            of(r#"{"tpot_s": 0.006, "energy_j": 6.0}"#),
        ];
        let points = runs.map(|metrics| points::Row {
            point: 0,
            run: 0,
            folder: String::new(),
            settings: Vec::new(),
            status: "done".to_owned(),
            reason: String::new(),
            metrics: Some(metrics),
        });
        let sweep = Sweep {
            runs: 3,
            ..Sweep::default()
        };
        let outcomes = Outcomes::of(&sweep, &points).unwrap();
        let table = Comparison::of(&outcomes).to_string();
        let cells: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
        // Of 4 and 6: s = √2, t = 12.706 with one degree of freedom; of 1, 2 and 6: s = √7,
        // t = 4.303 with two.
        assert_eq!(
            cells,
            ["3", "5.000", "±", "13", "3.000", "±", "6.6"],
            "{table}"
        );
        assert!(table.ends_with("(Student's t)\n"), "{table}");
    }
}
