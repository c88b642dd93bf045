//! Xue et al., "WDMoE": the published numbers, the constants behind them, and how far from
//! the paper's they may be.

mod computed;
mod simulated;
mod testbed;

use std::path::Path;

const COMMITTED: &str = "results/papers/wdmoe";

/// The rows of a committed table whose first columns are `labels`: their other numbers.
fn row(file: &str, labels: &[&str]) -> Vec<f64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(COMMITTED)
        .join(file);
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let row = rows
        .iter()
        .find(|row| row.iter().zip(labels).all(|(cell, label)| cell == *label));
    let row = row.unwrap_or_else(|| panic!("{file} has no row {labels:?}"));
    let cells = row.iter().skip(labels.len());
    cells.filter_map(|cell| cell.parse().ok()).collect()
}
