//! Sweeps: crossed lists of values over paths of a scenario, each several times.

use super::fault::{Fault, ScenarioError};
use super::literal::Literal;
use super::overrides::Override;
use super::raw::{Path, Segment};
use super::resolved::Resolved;
use crate::units::FieldFault;
use serde::{Deserialize, Serialize};

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
    /// What differs from the scenario, one change per axis, in their order.
    pub overrides: Vec<Override>,
    /// Each axis's path with the point's value, as RON.
    pub values: Vec<(Path, Literal)>,
    /// The repetition, from 0.
    pub run: u32,
    /// For people: `count=4, all_reduce=Ideal, run=2`.
    pub label: String,
    /// The scenario to run: checked, without a sweep.
    pub resolved: Resolved,
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

/// Every point of the scenario's sweep, parsed and checked; all runs of a
/// configuration stand together. A scenario without a sweep is one point.
///
/// # Errors
/// The faults of every point that is no valid scenario.
pub fn points(resolved: &Resolved) -> Result<Vec<Point>, ScenarioError> {
    let none = Sweep {
        axes: Vec::new(),
        runs: 1,
    };
    let sweep = resolved.scenario.sweep.as_ref().unwrap_or(&none);
    let mut points = Vec::new();
    let mut faults: Vec<Fault> = Vec::new();
    for values in combinations(&sweep.axes) {
        let overrides: Vec<Override> = values
            .iter()
            .map(|(path, value)| {
                Override::swept(path, value.as_str()).expect("path and value were read before")
            })
            .collect();
        match resolved.point(&overrides) {
            Ok(resolved) => {
                for run in 0..sweep.runs {
                    points.push(Point {
                        index: points.len(),
                        overrides: overrides.clone(),
                        label: label(&values, run),
                        values: values.clone(),
                        run,
                        resolved: resolved.clone(),
                    });
                }
            }
            Err(error) => {
                for fault in error.faults {
                    if !faults.contains(&fault) {
                        faults.push(fault);
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

fn combinations(axes: &[Axis]) -> Vec<Vec<(Path, Literal)>> {
    axes.iter().fold(vec![Vec::new()], |shorter, axis| {
        let extend = |values: &Vec<(Path, Literal)>| {
            let values = values.clone();
            axis.values.iter().map(move |value| {
                let mut longer = values.clone();
                longer.push((axis.path.clone(), value.clone()));
                longer
            })
        };
        shorter.iter().flat_map(extend).collect()
    })
}

fn label(values: &[(Path, Literal)], run: u32) -> String {
    let mut parts: Vec<String> = values
        .iter()
        .map(|(path, value)| {
            let last = path
                .0
                .last()
                .map_or(String::new(), |segment| match segment {
                    Segment::Field(name) => name.clone(),
                    Segment::Entry(entry) => entry.to_string(),
                });
            format!("{last}={value}")
        })
        .collect();
    parts.push(format!("run={run}"));
    parts.join(", ")
}
