//! Publishes a finished sweep: its tables and figures beside the numbers of a paper.

use crate::figures::published::{self, WIDTH};
use crate::results::folder::FolderError;
use crate::results::outcomes::Outcomes;
use crate::results::points::Row;
use crate::results::publish::Plan;
use crate::scenario::{Resolved, ScenarioError, Sweep};
use crate::simulation::error::RunError;
use crate::simulation::plot::Shown;
use crate::units::FieldFault;
use crate::whole::Files;
use std::path::{Path, PathBuf};

/// The folder within a sweep's folder.
pub(super) const PUBLISHED: &str = "published";

/// Checks which metrics and units the scenario's sweep wants to publish.
///
/// # Errors
/// If one does not exist.
pub fn check_publications(resolved: &Resolved) -> Result<(), ScenarioError> {
    match &resolved.scenario.sweep {
        Some(sweep) => Plan::of(sweep)
            .map(|_| ())
            .map_err(|fault| resolved.fault(fault)),
        None => Ok(()),
    }
}

/// Refuses a folder that cannot be published to, before anything is simulated for it.
pub(super) fn check_target(resolved: &Resolved, target: &Path) -> Result<(), RunError> {
    let sweep = resolved.scenario.sweep.as_ref();
    if sweep.is_none_or(|sweep| sweep.publish.is_empty()) {
        let fault = FieldFault::new(
            "sweep.publish",
            "there is nothing to publish; list tables and figures, for example publish: \
             [Table(file: \"table1\", metric: \"tpot_s\", unit: \"ms\")], or leave out --publish",
        );
        return Err(resolved.fault(fault).into());
    }
    match target.ancestors().find(|folder| folder.exists()) {
        Some(file) if !file.is_dir() => Err(RunError::Place {
            path: target.to_owned(),
            fault: format!(
                "{} is a file; choose another folder with --publish",
                file.display()
            ),
        }),
        _ => Ok(()),
    }
}

/// Writes what `sweep` publishes into each of the `folders`, all files of a folder or none, and
/// tells the files' paths.
pub(super) fn publish(
    sweep: &Sweep,
    rows: &[Row],
    folders: &[PathBuf],
    shown: Shown,
) -> Result<Vec<PathBuf>, RunError> {
    let plan = Plan::of(sweep)?;
    let mut written = Vec::new();
    if plan.is_empty() {
        return Ok(written);
    }
    let outcomes = Outcomes::of(sweep, rows)?;
    for folder in folders {
        let files = plan.files(&outcomes);
        let mut files = files.map_err(|error| FolderError::io(folder)(error.into()))?;
        for (name, scene) in published::figures(&plan, &outcomes, shown.options.width) {
            files.push((shown.file_name(&name, WIDTH), shown.format.write(&scene)?));
        }
        let mut published = Files::default();
        for (name, content) in files {
            let staged = published.stage(&folder.join(name), &content);
            staged.map_err(FolderError::from)?;
        }
        written.extend(published.commit().map_err(FolderError::from)?);
    }
    Ok(written)
}
