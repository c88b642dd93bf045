//! `assignment`: how the iterates of an assignment converge, drawn from `assignment.csv`.
//!
//! Above is the error of each iterate, below are the nodes' shares of the model.

mod draw;

use super::Width;
use super::catalogue::Figure;
use crate::results::assignment::{ITERATE, TABLE};
use crate::results::tables::{TableError, TableFile, not_negative, not_negative_if_any};
use crate::text::Visible;
use serde::Deserialize;
use std::path::Path;

/// Its line in the catalogue.
pub const FIGURE: Figure = Figure {
    name: "assignment",
    width: Width::Column,
    has_parts: false,
    wanted: |run| Ok(run.has(TABLE) && !read(run.folder)?.is_empty()),
    draw: |run, width, _| Ok(read(run.folder)?.draw(width)),
};

/// A row of the table, as far as the figure shows it.
#[derive(Deserialize)]
struct Row {
    stage: String,
    iteration: Option<usize>,
    node: String,
    #[serde(deserialize_with = "not_negative")]
    share: f64,
    #[serde(deserialize_with = "not_negative_if_any")]
    mse: Option<f64>,
}

/// One iterate.
#[derive(Debug, Clone, Default, PartialEq)]
struct Iterate {
    error: f64,
    shares: Vec<f64>,
}

/// The iterates of an iterative assignment, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Iterates {
    /// The nodes that have the shares.
    nodes: Vec<String>,
    steps: Vec<Iterate>,
}

/// Reads the iterates of the run in `folder`.
///
/// # Errors
/// If the table is missing or damaged.
pub fn read(folder: &Path) -> Result<Iterates, TableError> {
    let mut iterates: Vec<Iterate> = Vec::new();
    let mut nodes: Vec<String> = Vec::new();
    let path = folder.join(TABLE);
    let damaged = |line: u64, fault: String| TableError {
        path: path.clone(),
        line: Some(line),
        fault,
    };
    let mut last = 0;
    for row in TableFile::open(&path)?.rows::<Row>() {
        let (line, row) = row?;
        last = line;
        if row.stage != ITERATE {
            continue;
        }
        let (Some(iteration), Some(error)) = (row.iteration, row.mse) else {
            return Err(damaged(
                line,
                "an iterate has a number and an error".to_owned(),
            ));
        };
        if iteration == iterates.len() {
            check_whole(&iterates).map_err(|fault| damaged(line, fault))?;
            iterates.push(Iterate::default());
        }
        let count = iterates.len();
        match iterates.last_mut() {
            Some(step)
                if iteration + 1 == count
                    && (count == 1 && !nodes.contains(&row.node)
                        || count > 1 && nodes.get(step.shares.len()) == Some(&row.node)) =>
            {
                if count == 1 {
                    nodes.push(row.node);
                }
                step.error = error;
                step.shares.push(row.share);
            }
            _ => {
                let fault = format!(
                    "no row of iteration {iteration}, node {} stands here",
                    Visible(&row.node)
                );
                return Err(damaged(line, fault));
            }
        }
    }
    check_whole(&iterates).map_err(|fault| damaged(last, fault))?;
    Ok(Iterates {
        nodes,
        steps: iterates,
    })
}

/// Checks that the last iterate has as many nodes as the first.
fn check_whole(iterates: &[Iterate]) -> Result<(), String> {
    match iterates {
        [first, .., last] if first.shares.len() != last.shares.len() => Err(format!(
            "before it, iteration {} has {} nodes, and the first has {}",
            iterates.len() - 1,
            last.shares.len(),
            first.shares.len()
        )),
        _ => Ok(()),
    }
}

impl Iterates {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}
