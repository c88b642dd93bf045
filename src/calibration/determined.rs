//! Which parameters rows determine.

use super::bounded::MOST_UNKNOWNS;
use super::equation::CACHE_OVER_WEIGHT;
use super::fit::{Observation, Parameter};
use nalgebra::DVector;

/// What is smaller than this part of a row's time is not told from nothing.
const VISIBLE: f64 = 0.02;

/// All that rows could determine, those first that every device has.
pub(super) fn parameters(rows: &[Observation]) -> Vec<Parameter> {
    let mut bits: Vec<f64> = rows.iter().map(|row| row.bits).collect();
    bits.sort_by(f64::total_cmp);
    bits.dedup();
    bits.truncate(MOST_UNKNOWNS - 3);
    let weights = bits.into_iter().map(|bits| Parameter::Weight { bits });
    let others = [Parameter::Replicated, Parameter::Overhead, Parameter::Cache];
    weights.chain(others).collect()
}

/// Whether reading the cache is a visible part of a row's time, at half the rate of weights.
fn cache_shows(row: &Observation) -> bool {
    row.counts.cache_bytes * CACHE_OVER_WEIGHT > VISIBLE * row.counts.own
}

/// Which of `parameters` the rows tell from those before it: what is left of its column, of unit
/// length, apart from theirs is visible.
pub(super) fn determined(rows: &[Observation], parameters: &[Parameter]) -> Vec<bool> {
    let column = |parameter: &Parameter| {
        let entry = |row: &Observation| match parameter {
            Parameter::Weight { bits } if *bits == row.bits => row.counts.own,
            Parameter::Weight { .. } => 0.0,
            Parameter::Replicated => row.counts.others,
            Parameter::Overhead => row.counts.tasks,
            Parameter::Cache => row.counts.cache_bytes,
        };
        DVector::from_fn(rows.len(), |i, _| entry(&rows[i]) / rows[i].measured)
    };
    let mut basis: Vec<DVector<f64>> = Vec::new();
    let mut known = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let column = column(parameter);
        let length = column.norm();
        let mut rest = column;
        // Twice, so that rounding leaves nothing of what is there already.
        for _ in 0..2 {
            for direction in &basis {
                let along = rest.dot(direction);
                rest.axpy(-along, direction, 1.0);
            }
        }
        let matters = *parameter != Parameter::Cache || rows.iter().any(cache_shows);
        let visible = length > 0.0 && matters && rest.norm() > VISIBLE * length;
        if visible {
            basis.push(rest.normalize());
        }
        known.push(visible);
    }
    known
}
