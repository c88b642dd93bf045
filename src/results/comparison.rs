//! The table that `airloom sweep` prints: a row per setting, the mean over its runs.

use super::points;
use super::readable::significant;
use std::collections::BTreeMap;
use std::fmt;

/// The metrics worth a column, with the heading and factor that make them readable.
pub(super) const COLUMNS: &[(&str, &str, f64)] = &[
    ("perplexity", "perplexity", 1.0),
    ("accuracy", "accuracy %", 100.0),
    ("batch_latency_s", "batch ms", 1e3),
    ("waiting_share", "waiting %", 1e2),
    ("expert_visits", "visits", 1.0),
    ("all_reduce_mse", "MSE", 1.0),
    ("all_reduce_analytic_mse", "theory", 1.0),
    ("ttft_s", "TTFT ms", 1e3),
    ("tpot_s", "TPOT ms", 1e3),
    ("pass_compute_s", "compute ms", 1e3),
    ("pass_uplink_s", "uplink ms", 1e3),
    ("energy_radio_j", "radio J", 1.0),
    ("energy_j", "energy J", 1.0),
];

/// Rows of settings with the mean of each metric.
#[derive(Debug)]
pub struct Comparison {
    axes: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    values: Vec<String>,
    runs: usize,
    /// Of each column, over the runs that measured it, and how many these are.
    sums: Vec<(f64, usize)>,
}

impl Comparison {
    /// Groups points by their settings, in the order of first appearance. A point
    /// without metrics is infeasible and keeps its row empty.
    pub fn of(points: &[points::Row]) -> Self {
        let first = points.first().into_iter();
        let axes = first.flat_map(|point| point.settings.iter().map(|(path, _)| path.clone()));
        let mut rows: Vec<Row> = Vec::new();
        let mut known: BTreeMap<&[(String, String)], usize> = BTreeMap::new();
        for point in points {
            let index = *known.entry(&point.settings).or_insert_with(|| {
                rows.push(Row {
                    values: point
                        .settings
                        .iter()
                        .map(|(_, value)| value.clone())
                        .collect(),
                    runs: 0,
                    sums: vec![(0.0, 0); COLUMNS.len()],
                });
                rows.len() - 1
            });
            let Some(metrics) = &point.metrics else {
                continue;
            };
            rows[index].runs += 1;
            for (sum, (name, _, _)) in rows[index].sums.iter_mut().zip(COLUMNS) {
                if let Some(value) = metrics.get(name) {
                    *sum = (sum.0 + value, sum.1 + 1);
                }
            }
        }
        Self {
            axes: axes.collect(),
            rows,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<usize> = (0..COLUMNS.len())
            .filter(|column| self.rows.iter().any(|row| row.sums[*column].1 > 0))
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
        for (path, width) in self.axes.iter().zip(&widths) {
            write!(f, "{path:<width$}  ")?;
        }
        write!(f, "{:>4}", "runs")?;
        for column in &shown {
            write!(f, "{:>12}", COLUMNS[*column].1)?;
        }
        writeln!(f)?;
        for row in &self.rows {
            for (value, width) in row.values.iter().zip(&widths) {
                write!(f, "{value:<width$}  ")?;
            }
            write!(f, "{:>4}", row.runs)?;
            for column in &shown {
                let mean = match row.sums[*column] {
                    (_, 0) => "–".to_owned(),
                    (sum, runs) => significant(sum / runs as f64 * COLUMNS[*column].2),
                };
                write!(f, "{mean:>12}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::metrics::Metrics;

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
            settings: vec![("devices.count".to_owned(), "2".to_owned())],
            status: "done".to_owned(),
            reason: String::new(),
            metrics: Some(metrics),
        });
        let table = Comparison::of(&points).to_string();
        let cells: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(cells, ["2", "3", "5.000", "3.000"], "{table}");
    }
}
