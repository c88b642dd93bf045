//! Reads curves from a sweep's table.

use super::{Curves, Estimate, Line};
use crate::results::comparison::COLUMNS;
use crate::results::metrics::DEFINITIONS;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Why a sweep's figures could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CurvesError {
    /// The table cannot be read.
    #[error("cannot read {path}: {reason}; run the sweep again to write it anew")]
    Unreadable {
        /// The table.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The drawing backend refused.
    #[error("cannot draw a figure: {0}")]
    Drawing(String),
}

/// The table of a sweep.
struct Table {
    axes: Vec<String>,
    metrics: Vec<String>,
    /// Settings and metrics of every point that ran.
    rows: Vec<(Vec<String>, Vec<Option<f64>>)>,
    /// Settings of every point, also of those that did not run.
    settings: Vec<Vec<String>>,
}

/// The curves in `points.csv` at `path`: for every axis whose values are all numbers of one
/// unit, at least two of them, a figure for every metric that the printed table shows too and
/// that some point measured.
///
/// # Errors
/// If the file is not the table of a sweep.
pub fn read(path: &Path) -> Result<Vec<Curves>, CurvesError> {
    let table = Table::read(path).map_err(|reason| CurvesError::Unreadable {
        path: path.to_owned(),
        reason,
    })?;
    let axes = 0..table.axes.len();
    Ok(axes.flat_map(|axis| figures(&table, axis)).collect())
}

/// The figures over axis number `axis`.
fn figures(table: &Table, axis: usize) -> Vec<Curves> {
    let Some((unit, positions)) = table.numbers(axis) else {
        return Vec::new();
    };
    let path = &table.axes[axis];
    let label = match unit.as_str() {
        "" => path.clone(),
        unit => format!("{path} ({unit})"),
    };
    let fixed = table.following(axis);
    let names: Vec<String> = table
        .rows
        .iter()
        .map(|(settings, _)| table.name(settings, &fixed))
        .collect();
    let mut distinct: Vec<&String> = Vec::new();
    for name in &names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    let figures = COLUMNS.iter().filter_map(|(name, _, _)| {
        let metric = DEFINITIONS.iter().find(|metric| metric.name == *name)?;
        let column = table.metrics.iter().position(|metric| metric == name)?;
        let line = |name: &&String| {
            let rows = table.rows.iter().zip(&names).zip(&positions);
            let own = rows.filter(|((_, other), _)| other == name);
            let mut measured: Vec<(f64, f64)> = own
                .filter_map(|(((_, metrics), _), at)| Some((*at, metrics[column]?)))
                .collect();
            measured.sort_by(|a, b| a.0.total_cmp(&b.0));
            let runs = measured.chunk_by(|a, b| a.0 == b.0);
            let estimates = runs.map(|runs| {
                let values: Vec<f64> = runs.iter().map(|(_, value)| *value).collect();
                Estimate::of(runs[0].0, &values)
            });
            Line {
                name: (*name).clone(),
                estimates: estimates.collect(),
            }
        };
        let lines = distinct.iter().map(line);
        let lines: Vec<Line> = lines.filter(|line| !line.estimates.is_empty()).collect();
        (!lines.is_empty()).then(|| Curves {
            metric,
            path: path.clone(),
            axis: label.clone(),
            lines,
        })
    });
    figures.collect()
}

impl Table {
    fn read(path: &Path) -> Result<Self, String> {
        let mut reader = csv::Reader::from_path(path).map_err(|error| error.to_string())?;
        let header: Vec<String> = reader
            .headers()
            .map_err(|error| error.to_string())?
            .iter()
            .map(str::to_owned)
            .collect();
        let [point, run, ..] = &header[..] else {
            return Err("it has no columns".to_owned());
        };
        let status = header.iter().position(|name| name == "status");
        let (Some(status), "point", "run") = (status, point.as_str(), run.as_str()) else {
            return Err("its columns are not those of a sweep".to_owned());
        };
        let mut rows = Vec::new();
        let mut all = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            let settings = record.iter().take(status).skip(2).map(str::to_owned);
            let settings: Vec<String> = settings.collect();
            all.push(settings.clone());
            if &record[status] != "done" {
                continue;
            }
            let metrics = record.iter().skip(status + 2);
            // An empty cell is what the point did not measure.
            let metrics = metrics.map(|cell| cell.parse().ok().filter(|x: &f64| x.is_finite()));
            rows.push((settings, metrics.collect()));
        }
        Ok(Self {
            axes: header[2..status].to_vec(),
            metrics: header.get(status + 2..).unwrap_or_default().to_vec(),
            rows,
            settings: all,
        })
    }

    /// The unit of an axis and every row's number, if its values are numbers of one unit and
    /// vary.
    fn numbers(&self, axis: usize) -> Option<(String, Vec<f64>)> {
        let values = self
            .rows
            .iter()
            .map(|(settings, _)| number(&settings[axis]));
        let values: Vec<(f64, &str)> = values.collect::<Option<_>>()?;
        let (first, unit) = *values.first()?;
        let one_unit = values.iter().all(|(_, other)| *other == unit);
        let vary = values.iter().any(|(value, _)| *value != first);
        let numbers = values.iter().map(|(value, _)| *value).collect();
        (one_unit && vary).then(|| (unit.to_owned(), numbers))
    }

    /// The axes that do not tell lines over `axis` apart: it, and those that advance with it.
    fn following(&self, axis: usize) -> Vec<usize> {
        let follows = |other: usize| {
            let mut known: BTreeMap<&str, &str> = BTreeMap::new();
            let agree = self.settings.iter().all(|settings| {
                let value = settings[other].as_str();
                *known.entry(&settings[axis]).or_insert(value) == value
            });
            let first = self.settings.first().map(|settings| &settings[other]);
            let vary = self.settings.iter().any(|row| Some(&row[other]) != first);
            agree && vary
        };
        (0..self.axes.len())
            .filter(|other| *other == axis || follows(*other))
            .collect()
    }

    /// What distinguishes a row beside its place on the axis.
    fn name(&self, settings: &[String], fixed: &[usize]) -> String {
        let others = self.axes.iter().zip(settings).enumerate();
        let others = others.filter(|(index, _)| !fixed.contains(index));
        let named = others.map(|(_, (path, value))| {
            let field = path.rsplit('.').next().unwrap_or(path);
            // A scheme or a design speaks for itself; a number does not.
            match value.starts_with(char::is_uppercase) {
                true => value.clone(),
                false => format!("{field} {}", value.trim_matches('"')),
            }
        });
        named.collect::<Vec<_>>().join(", ")
    }
}

/// The number that a RON value is, and its unit: `8`, `"10 dB"`.
fn number(value: &str) -> Option<(f64, &str)> {
    let text = value.trim_matches('"').trim();
    let split = text
        .find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c)))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().ok()?;
    Some((number, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves(table: &str) -> Vec<Curves> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), table).unwrap();
        read(file.path()).unwrap()
    }

    #[test]
    fn lines_are_the_other_settings_and_points_the_means_of_runs() {
        let found = curves(
            "point,run,scheme,count,status,reason,perplexity,all_reduces\n\
             0,0,Ideal,2,done,,3,1\n\
             1,1,Ideal,2,done,,5,1\n\
             2,0,Ideal,1,done,,1,1\n\
             3,0,\"Digital(bits: 8)\",2,done,,7,1\n\
             4,0,\"Digital(bits: 8)\",9,infeasible,no,,\n",
        );
        // Of the two metrics the printed table shows one.
        let [figure] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(
            (figure.metric.name, figure.axis.as_str()),
            ("perplexity", "count")
        );
        let names: Vec<&str> = figure.lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["Ideal", "Digital(bits: 8)"]);
        let ideal: Vec<(f64, f64)> = figure.lines[0]
            .estimates
            .iter()
            .map(|estimate| (estimate.at, estimate.mean))
            .collect();
        assert_eq!(ideal, [(1.0, 1.0), (2.0, 4.0)]);
        assert_eq!(figure.lines[0].estimates[0].half_width, None);
    }

    #[test]
    fn an_axis_may_have_a_unit_and_a_line_a_number() {
        let found = curves(
            "point,run,radio.budget.snr,streams,status,reason,ttft_s\n\
             0,0,\"\"\"0 dB\"\"\",4,done,,1\n\
             1,0,\"\"\"10 dB\"\"\",4,done,,2\n",
        );
        assert_eq!(found[0].axis, "radio.budget.snr (dB)");
        assert_eq!(found[0].lines[0].name, "streams 4");
        assert_eq!(found[0].lines[0].estimates[1].at, 10.0);
    }

    #[test]
    fn without_a_numeric_axis_there_is_no_figure() {
        let table = "point,run,scheme,status,reason,ttft_s\n0,0,Ideal,done,,1\n";
        assert!(curves(table).is_empty());
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a,b\n1,2\n").unwrap();
        let error = read(file.path()).unwrap_err().to_string();
        assert!(error.contains("not those of a sweep"), "{error}");
    }
}
