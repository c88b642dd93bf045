//! `expert_pairs.csv` and `expert_pairs.svg`: the two experts that each layer's tokens visit
//! together most often, and how many of the tokens do.

use super::curves::{self, Direction, Format, Look, Mark, Plot, Series};
use super::folder::{FolderError, Staging};
use super::tables::{TableError, not_negative, read_rows, write_rows};
use crate::measurement::PairRecord;
use crate::scenario::Scale;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The table's file name: a row per kind of text and layer.
pub const TABLE: &str = "expert_pairs.csv";

/// The figure's file name.
pub const FIGURE: &str = "expert_pairs.svg";

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    texts: String,
    layer: u32,
    tokens: u64,
    first: u32,
    second: u32,
    together: u64,
    #[serde(deserialize_with = "not_negative")]
    share: f64,
    #[serde(deserialize_with = "not_negative")]
    share_if_even: f64,
}

impl From<&PairRecord> for Row {
    fn from(record: &PairRecord) -> Self {
        Self {
            texts: record.texts.to_owned(),
            layer: record.layer,
            tokens: record.tokens,
            first: record.first,
            second: record.second,
            together: record.together,
            share: record.share(),
            share_if_even: record.share_if_even(),
        }
    }
}

/// Writes the table.
///
/// # Errors
/// If the file system refuses.
pub fn write(staging: &mut Staging, records: &[PairRecord]) -> Result<(), FolderError> {
    write_rows(staging, TABLE, records.iter().map(Row::from))
}

/// Reads the table of the run in `folder`.
///
/// # Errors
/// If it is missing or damaged.
pub fn read(folder: &Path) -> Result<Vec<Row>, TableError> {
    read_rows(folder, TABLE)?.collect()
}

/// The SVG text of `rows`: a line per kind of text over the layers, and what would be if all
/// pairs were equally frequent.
pub fn draw(rows: &[Row]) -> String {
    let mut series: Vec<Series> = Vec::new();
    for row in rows {
        let known = series.iter().position(|series| series.name == row.texts);
        let place = known.unwrap_or_else(|| {
            series.push(Series {
                name: row.texts.clone(),
                marks: Vec::new(),
                look: Look::Curve,
                style: series.len(),
            });
            series.len() - 1
        });
        series[place].marks.push(mark(row, row.share));
    }
    let longest = series.iter().map(|series| series.marks.len()).max();
    let layers: Vec<f64> = (0..longest.unwrap_or(0))
        .map(|layer| layer as f64)
        .collect();
    let even = rows.iter().take(layers.len());
    series.push(Series {
        name: "all pairs alike".to_owned(),
        marks: even.map(|row| mark(row, row.share_if_even)).collect(),
        look: Look::Front,
        style: series.len(),
    });
    curves::draw(&Plot {
        title: None,
        x: Direction {
            label: "layer".to_owned(),
            scale: Some(Scale::Linear),
            places: layers,
            categories: Vec::new(),
            from_zero: false,
        },
        y: Direction {
            label: "tokens of the most frequent pair (%)".to_owned(),
            scale: Some(Scale::Linear),
            places: Vec::new(),
            categories: Vec::new(),
            from_zero: true,
        },
        series,
        note: None,
        format: Format::Column,
    })
}

fn mark(row: &Row, share: f64) -> Mark {
    Mark {
        x: f64::from(row.layer),
        y: 100.0 * share,
        ..Mark::default()
    }
}
