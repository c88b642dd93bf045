//! `assignment.csv`: how the model came to be divided.
//!
//! It has a row per node for every iterate of an iterative assignment, for the shares asked
//! for, and for what whole heads and columns made of them.

use super::folder::{FolderError, Staging};
use super::tables::write_rows;
use crate::measurement::{AssignmentRecord, DivisionRecord, IterateRecord};
use serde::Serialize;

/// The table's file name.
pub const TABLE: &str = "assignment.csv";

/// The stage of the rows of iterates.
pub const ITERATE: &str = "iterate";

#[derive(Serialize)]
struct Row<'a> {
    stage: &'static str,
    iteration: Option<usize>,
    node: &'a str,
    share: f64,
    heads_share: Option<f64>,
    columns_share: Option<f64>,
    compute_j: Option<f64>,
    headroom_j: Option<f64>,
    mse: Option<f64>,
    mse_ci95: Option<f64>,
    compute_s: f64,
}

/// Writes the table.
///
/// # Errors
/// If the file cannot be written.
pub fn write(
    staging: &mut Staging,
    record: &AssignmentRecord,
    nodes: &[String],
) -> Result<(), FolderError> {
    let names: Vec<&str> = record
        .nodes
        .iter()
        .map(|node| nodes[*node as usize].as_str())
        .collect();
    let iterates = record.iterates.iter().enumerate();
    let iterates = iterates.flat_map(|(iteration, step)| of_iterate(iteration, step, &names));
    let asked = of_division("asked", &record.asked, &names);
    let rounded = of_division("rounded", &record.rounded, &names);
    write_rows(staging, TABLE, iterates.chain(asked).chain(rounded))
}

fn of_iterate<'a>(
    iteration: usize,
    step: &'a IterateRecord,
    names: &'a [&'a str],
) -> impl Iterator<Item = Row<'a>> + 'a {
    let shares = names.iter().zip(&step.shares);
    shares.map(move |(node, share)| Row {
        stage: ITERATE,
        iteration: Some(iteration),
        node,
        share: *share,
        heads_share: None,
        columns_share: None,
        compute_j: None,
        headroom_j: None,
        mse: Some(step.error),
        mse_ci95: None,
        compute_s: step.compute_s,
    })
}

fn of_division<'a>(
    stage: &'static str,
    division: &'a DivisionRecord,
    names: &'a [&'a str],
) -> impl Iterator<Item = Row<'a>> + 'a {
    let each = |values: &Option<Vec<f64>>, place: usize| values.as_ref().map(|all| all[place]);
    names.iter().enumerate().map(move |(place, node)| Row {
        stage,
        iteration: None,
        node,
        share: division.weights[place],
        heads_share: Some(division.heads[place]),
        columns_share: Some(division.columns[place]),
        compute_j: each(&division.compute_j, place),
        headroom_j: each(&division.headroom_j, place),
        mse: division.error.map(|(mean, _)| mean),
        mse_ci95: division.error.map(|(_, half_width)| half_width),
        compute_s: division.compute_s,
    })
}
