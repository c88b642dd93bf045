//! The points of a sweep, each checked once, none of them kept.

use super::heading::Heading;
use super::{Axis, Sweep};
use crate::scenario::draft::{Draft, tree_of};
use crate::scenario::fault::{Fault, ScenarioError};
use crate::scenario::literal::Literal;
use crate::scenario::raw::{self, Node, Path};
use crate::scenario::resolved::Resolved;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Of more faults than that only the number is told.
const MOST_FAULTS: usize = 16;

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
    /// The number of the value that it takes on each axis.
    pub choice: Vec<usize>,
    grid: Arc<Grid>,
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

/// Every point of the scenario's sweep, each configuration checked once, in the order of the
/// axes, the last one varying fastest; the runs of a configuration follow each other. A
/// scenario without a sweep is one point.
///
/// # Errors
/// The faults of every point that is no valid scenario, each once; of more than 16 the
/// rest is counted.
pub fn points(resolved: &Resolved) -> Result<Vec<Point>, ScenarioError> {
    let sweep = resolved.scenario.sweep.clone().unwrap_or_default();
    let headings = sweep
        .headings()
        .map_err(|fault| resolved.fault(fault.under("sweep")))?;
    let grid = Arc::new(resolved.grid()?);
    let mut points = Vec::new();
    let mut faults: Vec<Fault> = Vec::new();
    let mut known = BTreeSet::new();
    for choice in Choices::new(grid.axes.iter().map(|fields| fields[0].values.len())) {
        let values = grid.values(&choice);
        let setting = |heading: &Heading| {
            let value = heading.cell(choice[heading.axis]);
            format!("{}={value}", heading.name)
        };
        let settings: Vec<String> = headings.iter().map(setting).collect();
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
        for run in 0..sweep.runs {
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

/// The configurations of a recorded sweep as [`Resolved::configuration`] writes them, in
/// order; the files that they name are not looked at.
#[derive(Debug)]
pub struct Configurations {
    /// The sweep.
    pub sweep: Sweep,
    base: Draft,
    /// For each axis its fields with their values.
    axes: Vec<Vec<(Path, Vec<Literal>)>>,
    choices: Choices,
}

impl Configurations {
    /// Those of the sweep in the resolved scenario `text`, which errors call `label`.
    ///
    /// # Errors
    /// If the text is no scenario or its sweep is wrong.
    pub fn of(text: &str, label: &str) -> Result<Self, ScenarioError> {
        let sweep = super::sweep_of(text, label)?;
        let mut base = Draft::parse(label.to_owned(), text.to_owned())?;
        base.remove("sweep");
        let varied = |axis: &Axis| -> Result<Vec<(Path, Vec<Literal>)>, ScenarioError> {
            let members = axis.members().into_iter().map(|(_, member)| {
                let (path, values) = member.varied().map_err(|fault| base.rule_fault(fault))?;
                Ok((path.clone(), values))
            });
            members.collect()
        };
        let axes: Vec<_> = sweep.axes.iter().map(varied).collect::<Result<_, _>>()?;
        let choices = Choices::new(axes.iter().map(|fields| fields[0].1.len()));
        Ok(Self {
            sweep,
            base,
            axes,
            choices,
        })
    }
}

impl Iterator for Configurations {
    type Item = Result<String, ScenarioError>;

    fn next(&mut self) -> Option<Self::Item> {
        let choice = self.choices.next()?;
        let mut draft = self.base.clone();
        let mut configuration = || {
            for (fields, index) in self.axes.iter().zip(&choice) {
                for (path, values) in fields {
                    let node = values[*index].node();
                    draft.set(path, node.clone(), node.place)?;
                }
            }
            Ok(raw::pretty(&tree_of(&draft.decode()?)))
        };
        Some(configuration())
    }
}

/// Counts through all choices of one value per axis, the last axis fastest.
#[derive(Debug)]
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
