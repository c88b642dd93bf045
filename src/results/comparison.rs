//! The table that `airloom sweep` prints: a row per setting, the mean over its runs.

use super::metrics::Metrics;
use super::readable::significant;
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

/// Path and value of everything that distinguishes a point.
type Settings = Vec<(String, String)>;

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
    sums: Vec<Option<f64>>,
}

impl Comparison {
    /// Groups points by their settings, in the order of first appearance. A point
    /// without metrics is infeasible and keeps its row empty.
    pub fn of<'a>(points: impl Iterator<Item = (Settings, Option<&'a Metrics>)>) -> Self {
        let mut axes = Vec::new();
        let mut rows: Vec<Row> = Vec::new();
        for (settings, metrics) in points {
            let values: Vec<String>;
            (axes, values) = settings.into_iter().unzip();
            let known = rows.iter().position(|row| row.values == values);
            let index = known.unwrap_or_else(|| {
                rows.push(Row {
                    values,
                    runs: 0,
                    sums: vec![None; COLUMNS.len()],
                });
                rows.len() - 1
            });
            let Some(metrics) = metrics else { continue };
            rows[index].runs += 1;
            for (sum, (name, _, _)) in rows[index].sums.iter_mut().zip(COLUMNS) {
                if let Some(value) = metrics.get(name) {
                    *sum = Some(sum.unwrap_or(0.0) + value);
                }
            }
        }
        Self { axes, rows }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<usize> = (0..COLUMNS.len())
            .filter(|column| self.rows.iter().any(|row| row.sums[*column].is_some()))
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
                let mean = row.sums[*column].map(|sum| sum / row.runs as f64 * COLUMNS[*column].2);
                write!(f, "{:>12}", mean.map_or("–".to_owned(), significant))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
