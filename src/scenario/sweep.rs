//! Sweeps: lists of values over paths of a scenario, crossed or side by side, each
//! configuration several times.
//!
//! [`points`] checks every configuration once and keeps none: a [`Point`] knows its
//! values, and [`Point::resolve`] makes the scenario when it is to run.

use super::fault::{Fault, ScenarioError};
use super::literal::Literal;
use super::range::Range;
use super::raw::{Node, Path, Segment};
use super::resolved::Resolved;
use crate::units::FieldFault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// More points than that are a slip of the pen.
const MOST_POINTS: u64 = 100_000;

/// Of more faults than that only the number is told.
const MOST_FAULTS: usize = 16;

/// What a sweep varies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// The axes to cross; the last one varies fastest.
    #[serde(default)]
    pub axes: Vec<Axis>,
    /// Repetitions of every configuration, each with random streams of its own: the seed stays,
    /// and the repetition's number picks the substream. Default 1.
    #[serde(default = "one")]
    pub runs: u32,
}

fn one() -> u32 {
    1
}

/// One field and the values it takes, as a list or a range, or several such that advance
/// together:
///
/// ```text
/// (path: "devices.count", values: [1, 2, 4])
/// (path: "radio.bandwidth", range: (from: "20 MHz", to: "120 MHz", count: 6, scale: Linear))
/// (zip: [(path: …, values: […]), (path: …, values: […])])
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Which field, such as `devices.count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Path>,
    /// Its values, at least one and all different.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Literal>>,
    /// Its values, evenly spaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// In place of all these: axes of equal length that advance together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<Vec<Axis>>,
}

impl Axis {
    /// The fields that advance together, with their paths below the axis.
    pub(super) fn members(&self) -> Vec<(String, &Axis)> {
        match &self.zip {
            Some(axes) => axes
                .iter()
                .enumerate()
                .map(|(index, axis)| (format!(".zip[{index}]"), axis))
                .collect(),
            None => vec![(String::new(), self)],
        }
    }

    /// Path and values of one field.
    fn varied(&self) -> Result<(&Path, Vec<Literal>), FieldFault> {
        let fault = |field: &str, message: &str| Err(FieldFault::new(field, message));
        let Some(path) = &self.path else {
            return fault(
                "path",
                "an axis needs a path, such as `path: \"devices.count\"`, or fields that advance \
                 together, `zip: [(path: …, values: […]), …]`",
            );
        };
        match path.0.first() {
            Some(Segment::Field(name)) if name == "sweep" => {
                return fault("path", "a sweep cannot vary itself");
            }
            Some(Segment::Field(name)) if name == "seed" => {
                return fault(
                    "path",
                    "the seed names the experiment and is the same at all points; use `runs` for \
                     repetitions, or --seed for another experiment",
                );
            }
            _ => {}
        }
        match (&self.values, &self.range) {
            (Some(values), None) if values.is_empty() => {
                fault("values", "the list is empty; give at least one value")
            }
            (Some(values), None) => Ok((path, values.clone())),
            (None, Some(range)) => {
                Ok((path, range.values().map_err(|fault| fault.under("range"))?))
            }
            (Some(_), Some(_)) => fault("range", "there is a list already; keep one of the two"),
            (None, None) => fault(
                "values",
                "an axis needs values; give `values: [1, 2]` or `range: (from: 1, to: 8, count: 8)`",
            ),
        }
    }

    /// How many values it has, as far as that can be said without making them.
    fn length(&self) -> u64 {
        self.members().iter().fold(0, |length, (_, axis)| {
            let listed = axis.values.as_ref().map_or(0, Vec::len) as u64;
            let ranged = axis.range.as_ref().map_or(0, |range| range.count);
            length.max(listed).max(ranged.into())
        })
    }

    /// Checks the axis by itself.
    fn validate(&self) -> Result<(), FieldFault> {
        let fault = |path: String, message: String| Err(FieldFault::new(path, message));
        if let Some(zip) = &self.zip {
            let beside = [
                ("path", self.path.is_some()),
                ("values", self.values.is_some()),
                ("range", self.range.is_some()),
            ];
            if let Some((name, _)) = beside.iter().find(|(_, given)| *given) {
                return fault(
                    (*name).to_owned(),
                    "beside `zip` this has no meaning; put it into the zipped list".into(),
                );
            }
            if zip.is_empty() {
                return fault(
                    "zip".into(),
                    "the list is empty; give two axes or more".into(),
                );
            }
            if let Some(index) = zip.iter().position(|axis| axis.zip.is_some()) {
                return fault(
                    format!("zip[{index}].zip"),
                    "these advance together already; list their axes in the outer `zip`".into(),
                );
            }
        }
        let mut lengths = Vec::new();
        let mut rows: Vec<String> = Vec::new();
        for (below, axis) in self.members() {
            let below = below.trim_start_matches('.');
            let (_, values) = axis.varied().map_err(|fault| match below {
                "" => fault,
                below => fault.under(below),
            })?;
            rows.resize(rows.len().max(values.len()), String::new());
            for (row, value) in rows.iter_mut().zip(&values) {
                row.push_str(value.as_str());
                row.push(',');
            }
            lengths.push(values.len());
        }
        if let Some(index) = lengths.iter().position(|length| *length != lengths[0]) {
            return fault(
                format!("zip[{index}]"),
                format!(
                    "it has {} values, but the first of the zipped axes has {}; zipped axes need \
                     equally many",
                    lengths[index], lengths[0]
                ),
            );
        }
        let mut seen = BTreeSet::new();
        if let Some(index) = rows.iter().position(|row| !seen.insert(row)) {
            let row = rows[index].trim_end_matches(',');
            let path = match (&self.zip, &self.range) {
                (Some(_), _) => format!("zip[0].values[{index}]"),
                (None, None) => format!("values[{index}]"),
                (None, Some(_)) => "range".to_owned(),
            };
            return fault(
                path,
                format!("{row} is there twice; remove one, or use `runs` for repetitions"),
            );
        }
        Ok(())
    }
}

/// One configuration of a sweep and one repetition of it.
#[derive(Debug, Clone)]
pub struct Point {
    /// Its number in the sweep's order, from 0.
    pub index: usize,
    /// Each axis's path with the point's value: what differs from the scenario.
    pub values: Vec<(Path, Literal)>,
    /// The repetition, from 0.
    pub run: u32,
    /// For people: `count=4, all_reduce=Ideal, run=2`.
    pub label: String,
    grid: Arc<Grid>,
    choice: Vec<usize>,
}

impl Point {
    /// The scenario to run: checked, without a sweep.
    ///
    /// # Errors
    /// If a file that the scenario names has gone since the sweep was expanded.
    pub fn resolve(&self) -> Result<Resolved, ScenarioError> {
        self.grid.resolve(&self.choice)
    }
}

/// A scenario without its sweep, and what the sweep puts in place.
#[derive(Debug)]
struct Grid {
    base: Resolved,
    /// For each axis its fields, each with its values as they were written.
    axes: Vec<Vec<Field>>,
}

/// One field that the sweep varies.
#[derive(Debug)]
struct Field {
    path: Path,
    /// Its values, decoded and as they were written.
    values: Vec<(Literal, Node)>,
}

impl Grid {
    fn resolve(&self, choice: &[usize]) -> Result<Resolved, ScenarioError> {
        let chosen = self.axes.iter().zip(choice).flat_map(|(fields, index)| {
            fields
                .iter()
                .map(move |field| (&field.path, &field.values[*index].1))
        });
        self.base.with(chosen)
    }

    fn values(&self, choice: &[usize]) -> Vec<(Path, Literal)> {
        let chosen = self.axes.iter().zip(choice).flat_map(|(fields, index)| {
            let value = |field: &Field| field.values[*index].0.clone();
            fields
                .iter()
                .map(move |field| (field.path.clone(), value(field)))
        });
        chosen.collect()
    }
}

impl Sweep {
    /// Checks that the axes can be crossed.
    ///
    /// # Errors
    /// The first list or number that makes no sweep.
    pub(super) fn validate(&self) -> Result<(), FieldFault> {
        let fault = |path: String, message: String| Err(FieldFault::new(path, message));
        if self.runs == 0 {
            return fault(
                "runs".into(),
                "0 runs measure nothing; use 1 or more".into(),
            );
        }
        let points = self.axes.iter().fold(u64::from(self.runs), |points, axis| {
            points.saturating_mul(axis.length().max(1))
        });
        if points > MOST_POINTS {
            return fault(
                "axes".into(),
                format!("{points} points; use shorter lists or fewer runs, at most {MOST_POINTS}"),
            );
        }
        let mut paths: Vec<&Path> = Vec::new();
        for (index, axis) in self.axes.iter().enumerate() {
            axis.validate()
                .map_err(|fault| fault.under(&format!("axes[{index}]")))?;
            for (below, member) in axis.members() {
                let Some(path) = &member.path else { continue };
                let place = format!("axes[{index}]{below}.path");
                if paths.contains(&path) {
                    return fault(
                        place,
                        format!("`{path}` is varied twice; join the two lists"),
                    );
                }
                if let Some(inner) = paths.iter().find(|other| other.0.starts_with(&path.0)) {
                    return fault(
                        place,
                        format!("it would overwrite `{inner}`, which is set before; put it first"),
                    );
                }
                paths.push(path);
            }
        }
        Ok(())
    }
}

/// Every point of the scenario's sweep, each configuration checked once, in the order of the
/// axes, the last one varying fastest; the runs of a configuration follow each other. A
/// scenario without a sweep is one point.
///
/// # Errors
/// The faults of every point that is no valid scenario, each once; of more than 16 the
/// rest is counted.
pub fn points(resolved: &Resolved) -> Result<Vec<Point>, ScenarioError> {
    let runs = resolved
        .scenario
        .sweep
        .as_ref()
        .map_or(1, |sweep| sweep.runs);
    let grid = Arc::new(resolved.grid()?);
    let mut points = Vec::new();
    let mut faults: Vec<Fault> = Vec::new();
    let mut known = BTreeSet::new();
    for choice in Choices::new(grid.axes.iter().map(|fields| fields[0].values.len())) {
        let values = grid.values(&choice);
        let settings: Vec<String> = values
            .iter()
            .map(|(path, value)| format!("{}={value}", last_name(path)))
            .collect();
        if let Err(error) = grid.resolve(&choice) {
            for fault in error.faults {
                let place = fault.location.as_ref();
                let place = place.map(|at| (at.source.clone(), at.line, at.column));
                if known.insert((fault.message.clone(), place)) && faults.len() < MOST_FAULTS {
                    faults.push(Fault {
                        point: Some(settings.join(", ")),
                        ..fault
                    });
                }
            }
            continue;
        }
        for run in 0..runs {
            let mut label = settings.clone();
            label.push(format!("run={run}"));
            points.push(Point {
                index: points.len(),
                values: values.clone(),
                run,
                label: label.join(", "),
                grid: Arc::clone(&grid),
                choice: choice.clone(),
            });
        }
    }
    if faults.is_empty() {
        return Ok(points);
    }
    if known.len() > faults.len() {
        let more = known.len() - faults.len();
        faults.push(Fault::new(format!(
            "and {more} more faults at other points"
        )));
    }
    Err(ScenarioError { faults })
}

impl Resolved {
    /// This scenario's sweep, taken apart.
    fn grid(&self) -> Result<Grid, ScenarioError> {
        let axes = self.scenario.sweep.iter().flat_map(|sweep| &sweep.axes);
        let mut taken = Vec::new();
        for (index, axis) in axes.enumerate() {
            let mut fields = Vec::new();
            for (below, member) in axis.members() {
                let place = format!("sweep.axes[{index}]{below}");
                let (path, values) = member
                    .varied()
                    .map_err(|fault| self.fault(fault.under(&place)))?;
                let values = values.into_iter().enumerate().map(|(number, value)| {
                    // The written value knows its place; a decoded one does not.
                    let mut node = value.node();
                    if member.range.is_some() {
                        if let Some(written) = self.written(&format!("{place}.range")) {
                            node.relocate(written.place);
                        }
                    } else if let Some(written) = self.written(&format!("{place}.values[{number}]"))
                    {
                        node = written.clone();
                    }
                    (value, node)
                });
                fields.push(Field {
                    path: path.clone(),
                    values: values.collect(),
                });
            }
            taken.push(fields);
        }
        Ok(Grid {
            base: self.alone(),
            axes: taken,
        })
    }
}

/// Counts through all choices of one value per axis, the last axis fastest.
struct Choices {
    lengths: Vec<usize>,
    next: Option<Vec<usize>>,
}

impl Choices {
    fn new(lengths: impl Iterator<Item = usize>) -> Self {
        let lengths: Vec<usize> = lengths.collect();
        Self {
            next: Some(vec![0; lengths.len()]),
            lengths,
        }
    }
}

impl Iterator for Choices {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        let current = self.next.take()?;
        let mut following = current.clone();
        for axis in (0..following.len()).rev() {
            following[axis] += 1;
            if following[axis] < self.lengths[axis] {
                self.next = Some(following);
                break;
            }
            following[axis] = 0;
        }
        Some(current)
    }
}

/// The field that a path leads to, with its entry where it leads to one.
fn last_name(path: &Path) -> String {
    let field = |segment: &Segment| matches!(segment, Segment::Field(_));
    let start = path.0.iter().rposition(field).unwrap_or(0);
    Path(path.0[start..].to_vec()).to_string()
}
