//! Sweeps: crossed lists of values over paths of a scenario, each several times.

use super::fault::{Fault, ScenarioError};
use super::literal::Literal;
use super::raw::{Path, Segment};
use super::resolved::Resolved;
use crate::units::FieldFault;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// More points than that are a slip of the pen.
const MOST_POINTS: u64 = 100_000;

/// What a sweep varies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// The lists to cross; the last one varies fastest.
    #[serde(default)]
    pub axes: Vec<Axis>,
    /// Repetitions of every point, each with random streams of its own. Default 1.
    #[serde(default = "one")]
    pub runs: u32,
}

fn one() -> u32 {
    1
}

/// One field and the values it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Which field, such as `devices.count`.
    pub path: Path,
    /// Its values, at least one.
    pub values: Vec<Literal>,
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
    /// The scenario to run: checked, without a sweep.
    pub resolved: Arc<Resolved>,
}

impl Sweep {
    /// Checks that the lists can be crossed.
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
        for (index, axis) in self.axes.iter().enumerate() {
            let path = format!("axes[{index}].path");
            if matches!(axis.path.0.first(), Some(Segment::Field(name)) if name == "sweep") {
                return fault(path, "a sweep cannot vary itself".into());
            }
            if self.axes[..index]
                .iter()
                .any(|other| other.path == axis.path)
            {
                return fault(
                    path,
                    format!("`{}` is varied twice; join the two lists", axis.path),
                );
            }
            if axis.values.is_empty() {
                return fault(
                    format!("axes[{index}].values"),
                    "the list is empty; give at least one value".into(),
                );
            }
        }
        let points = self.axes.iter().fold(u64::from(self.runs), |points, axis| {
            points.saturating_mul(axis.values.len() as u64)
        });
        if points > MOST_POINTS {
            return fault(
                "axes".into(),
                format!("{points} points; use shorter lists or fewer runs, at most {MOST_POINTS}"),
            );
        }
        Ok(())
    }
}

/// Every point of the scenario's sweep, parsed and checked, in the order of the lists,
/// the last one varying fastest; the runs of a configuration follow each other. A
/// scenario without a sweep is one point.
///
/// # Errors
/// The faults of every point that is no valid scenario, each once.
pub fn points(resolved: &Resolved) -> Result<Vec<Point>, ScenarioError> {
    let none = Sweep {
        axes: Vec::new(),
        runs: 1,
    };
    let sweep = resolved.scenario.sweep.as_ref().unwrap_or(&none);
    let mut points = Vec::new();
    let mut faults: Vec<Fault> = Vec::new();
    for choice in Choices::new(&sweep.axes) {
        let values: Vec<(Path, Literal)> = choice
            .iter()
            .zip(&sweep.axes)
            .map(|(value, axis)| (axis.path.clone(), axis.values[*value].clone()))
            .collect();
        let settings: Vec<String> = values
            .iter()
            .map(|(path, value)| format!("{}={value}", last_name(path)))
            .collect();
        match resolved.point(&choice) {
            Ok(resolved) => {
                let resolved = Arc::new(resolved);
                for run in 0..sweep.runs {
                    let mut label = settings.clone();
                    label.push(format!("run={run}"));
                    points.push(Point {
                        index: points.len(),
                        values: values.clone(),
                        run,
                        label: label.join(", "),
                        resolved: Arc::clone(&resolved),
                    });
                }
            }
            Err(error) => {
                for fault in error.faults {
                    let same = |other: &Fault| {
                        (&other.message, &other.location) == (&fault.message, &fault.location)
                    };
                    if !faults.iter().any(same) {
                        faults.push(Fault {
                            point: Some(settings.join(", ")),
                            ..fault
                        });
                    }
                }
            }
        }
    }
    if faults.is_empty() {
        Ok(points)
    } else {
        Err(ScenarioError { faults })
    }
}

/// Counts through all choices of one value per axis, the last axis fastest.
struct Choices {
    lengths: Vec<usize>,
    next: Option<Vec<usize>>,
}

impl Choices {
    fn new(axes: &[Axis]) -> Self {
        Self {
            lengths: axes.iter().map(|axis| axis.values.len()).collect(),
            next: Some(vec![0; axes.len()]),
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
