//! What would be wrong with the files of a scenario's runs, before any of them is made.

use super::error::RunError;
use super::prepare;
use super::sweep::inputs_key;
use crate::interrupt::Interrupt;
use crate::scenario::{self, Resolved};
use std::collections::BTreeSet;

/// Checks the files that the run of `resolved` and those of its sweep's points would read:
/// settings, tokenizers and recorded routers whole, weights by their headers, and of texts
/// what the workload takes, but of the world's only the first of each request.
///
/// # Errors
/// What a run would say about the first that is wrong, at the field that names it; and
/// [`RunError::Interrupted`].
pub fn check_inputs(resolved: &Resolved, interrupt: Interrupt<'_>) -> Result<(), RunError> {
    prepare::check(resolved, interrupt)?;
    let mut checked = BTreeSet::from([inputs_key(&resolved.configuration())]);
    if resolved.scenario.sweep.is_none() {
        return Ok(());
    }
    for point in scenario::points(resolved)? {
        let point = point.resolve()?;
        if checked.insert(inputs_key(&point.configuration())) {
            prepare::check(&point, interrupt)?;
        }
    }
    Ok(())
}
