//! The tables over a sweep's points: `points.csv` and `aggregates.csv`.
//!
//! Both are tidy: a row per point × run, and a row per setting × metric.

use super::metrics::{DEFINITIONS, Metrics};
use super::student;
use super::tables::{TableError, TableFile};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The table with a row per point.
pub const TABLE: &str = "points.csv";

/// The table with a row per setting and metric.
pub const AGGREGATES: &str = "aggregates.csv";

/// Columns before those of the settings.
const LEADING: usize = 3;

/// The column of the points' run folders.
const FOLDER: &str = "folder";

/// One point of a sweep and what became of it.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its number in the sweep.
    pub point: usize,
    /// The repetition.
    pub run: u32,
    /// Its run folder within the sweep's, empty if it has none.
    pub folder: String,
    /// Column and value of every field that the sweep varies.
    pub settings: Vec<(String, String)>,
    /// `done`, `infeasible` or `failed`.
    pub status: String,
    /// Why it is not done; else empty.
    pub reason: String,
    /// What it measured, if it is done.
    pub metrics: Option<Metrics>,
}

fn axes(rows: &[Row]) -> impl Iterator<Item = &str> {
    let first = rows.first().into_iter();
    first.flat_map(|row| row.settings.iter().map(|(path, _)| path.as_str()))
}

/// The text of `points.csv`. Metrics that no point measured have no column.
///
/// # Errors
/// What the CSV writer says.
pub fn table(rows: &[Row]) -> csv::Result<Vec<u8>> {
    let measured = |name: &str| {
        let mut metrics = rows.iter().filter_map(|row| row.metrics.as_ref());
        metrics.any(|metrics| metrics.measured(name).is_some())
    };
    let names = DEFINITIONS.iter().map(|definition| definition.name);
    let names: Vec<&str> = names.filter(|name| measured(name)).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = ["point", "run", FOLDER].into_iter().chain(axes(rows));
    writer.write_record(
        header
            .chain(["status", "reason"])
            .chain(names.iter().copied()),
    )?;
    for row in rows {
        let mut record = vec![
            row.point.to_string(),
            row.run.to_string(),
            row.folder.clone(),
        ];
        record.extend(row.settings.iter().map(|(_, value)| value.clone()));
        record.extend([row.status.clone(), row.reason.clone()]);
        record.extend(names.iter().map(|name| {
            let value = row.metrics.as_ref();
            let value = value.and_then(|metrics| metrics.measured(name));
            value.map_or(String::new(), |value| value.to_string())
        }));
        writer.write_record(record)?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

/// The text of `aggregates.csv`: for every setting and every metric that one of its runs
/// measured, how many did, their mean, and half the width of the mean's 95 % confidence interval
/// by Student's t distribution, empty with a single run.
///
/// # Errors
/// What the CSV writer says.
pub fn aggregates(rows: &[Row]) -> csv::Result<Vec<u8>> {
    let mut order: Vec<Vec<&Row>> = Vec::new();
    let mut known: BTreeMap<&[(String, String)], usize> = BTreeMap::new();
    for row in rows {
        let group = *known.entry(&row.settings).or_insert_with(|| {
            order.push(Vec::new());
            order.len() - 1
        });
        order[group].push(row);
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns = ["metric", "unit", "count", "mean", "half_width_95"];
    writer.write_record(axes(rows).chain(columns))?;
    for group in order {
        for definition in DEFINITIONS {
            let measured = group.iter().filter_map(|row| row.metrics.as_ref());
            let values: Vec<f64> = measured
                .filter_map(|metrics| metrics.get(definition.name))
                .collect();
            if values.is_empty() {
                continue;
            }
            let half_width = student::half_width(&values);
            let settings = group[0].settings.iter().map(|(_, value)| value.clone());
            let estimate = [
                definition.name.to_owned(),
                definition.unit.to_owned(),
                values.len().to_string(),
                student::mean(&values).to_string(),
                half_width.map_or(String::new(), |half| half.to_string()),
            ];
            writer.write_record(settings.chain(estimate))?;
        }
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

/// Reads `points.csv` at `path`. Numbers are written so that they read back to the same bits.
///
/// # Errors
/// What is wrong with it.
pub fn read(path: &Path) -> Result<Vec<Row>, String> {
    let told = |error: TableError| match error.line {
        Some(line) => format!("line {line}: {}", error.fault),
        None => error.fault,
    };
    let mut table = TableFile::open(path).map_err(told)?;
    let header = table.heading().map_err(told)?;
    let status = header.iter().position(|name| name == "status");
    let first = header.iter().take(LEADING);
    let (Some(status), true) = (status, first.eq(["point", "run", FOLDER])) else {
        return Err("its columns are not those of a sweep of this version".to_owned());
    };
    let read = |record: &csv::StringRecord| -> Result<Row, String> {
        let number = |cell: &str| cell.parse().map_err(|_| format!("`{cell}` is no number"));
        let done = &record[status] == "done";
        let measured = |name: &str| {
            let column = header.iter().skip(status + 2).position(|own| own == name)?;
            record.get(status + 2 + column)?.parse().ok()
        };
        let settings =
            (LEADING..status).map(|column| (header[column].into(), record[column].into()));
        Ok(Row {
            point: number(&record[0])? as usize,
            run: number(&record[1])?,
            folder: record[2].to_owned(),
            settings: settings.collect(),
            status: record[status].to_owned(),
            reason: record.get(status + 1).unwrap_or_default().to_owned(),
            metrics: done.then(|| Metrics::from_values(measured)),
        })
    };
    let mut rows: Vec<Row> = Vec::new();
    let mut known = BTreeSet::new();
    while let Some((line, record)) = table.next_row().map_err(told)? {
        let row = read(record).map_err(|fault| format!("line {line}: {fault}"))?;
        if !known.insert(row.point) {
            return Err(format!("line {line}: point {} is there twice", row.point));
        }
        rows.push(row);
    }
    Ok(rows)
}
