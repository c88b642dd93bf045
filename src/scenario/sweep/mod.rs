//! Sweeps: lists of values over paths of a scenario, crossed or side by side, each
//! configuration several times, and what is to be published of them.
//!
//! [`points`] checks every configuration once and keeps none: a [`Point`] knows its
//! values, and [`Point::resolve`] makes the scenario when it is to run.

mod axis;
mod column;
mod heading;
mod point;
mod publish;
mod publishable;

pub use axis::Axis;
pub use column::Column;
pub use heading::Heading;
pub use point::{Configurations, Point, points};
pub use publish::{Better, Changes, Figure, LoadCurve, Publication, SpeedUp, Table, Tradeoff};

use super::draft::Draft;
use super::fault::ScenarioError;
use super::raw::Path;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// More points than that are a slip of the pen.
const MOST_POINTS: u64 = 100_000;

/// What a sweep varies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// The axes to cross; the last one varies fastest.
    #[serde(default)]
    pub axes: Vec<Axis>,
    /// Repetitions of every configuration, each with random streams of its own: the seed stays,
    /// and the repetition's number picks the substream. Default 1.
    #[serde(default = "one")]
    pub runs: u32,
    /// Tables and figures made of the finished sweep, beside published numbers. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<Publication>,
}

fn one() -> u32 {
    1
}

impl Default for Sweep {
    /// One point.
    fn default() -> Self {
        Self {
            axes: Vec::new(),
            runs: one(),
            publish: Vec::new(),
        }
    }
}

/// The sweep in the resolved scenario `text`, which errors call `label`; one point if it has
/// none. The files that the scenario names are not looked at.
///
/// # Errors
/// If the text is no scenario or its sweep is wrong.
pub fn sweep_of(text: &str, label: &str) -> Result<Sweep, ScenarioError> {
    let draft = Draft::parse(label.to_owned(), text.to_owned())?;
    let sweep = draft.decode()?.sweep.unwrap_or_default();
    sweep
        .validate()
        .map_err(|fault| draft.rule_fault(fault.under("sweep")))?;
    Ok(sweep)
}

impl Sweep {
    /// Checks that the axes can be crossed.
    ///
    /// # Errors
    /// The first list or number that makes no sweep.
    pub(in crate::scenario) fn validate(&self) -> Result<(), FieldFault> {
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
        self.validate_names()?;
        self.validate_publications()
    }

    /// Refuses two columns of one name where somebody named one of them.
    fn validate_names(&self) -> Result<(), FieldFault> {
        let headings = self.headings()?;
        for (index, axis) in self.axes.iter().enumerate() {
            let own = [(String::new(), axis)];
            let fields = axis.members().into_iter().filter(|_| axis.zip.is_some());
            for (below, named) in own.into_iter().chain(fields) {
                let Some(name) = &named.name else { continue };
                let same = headings.iter().filter(|heading| heading.name == *name);
                if same.count() > 1 {
                    return Err(FieldFault::new(
                        format!("axes[{index}]{below}.name"),
                        format!("two axes are called `{name}`; names must tell axes apart"),
                    ));
                }
            }
        }
        Ok(())
    }
}
