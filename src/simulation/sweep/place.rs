//! The folder of a sweep: what may be in it, and that one sweep at a time works there.

use super::SweepOptions;
use super::plan::{Planned, is_numbered};
use super::publish::PUBLISHED;
use super::tables::FIGURES;
use crate::report::INDEX;
use crate::results::bounded::read_text;
use crate::results::folder::{FolderError, Occupant, check_place};
use crate::results::manifest::Manifest;
use crate::results::points::{AGGREGATES, TABLE};
use crate::results::sweep_record::{self, SweepRecord};
use crate::simulation::error::RunError;
use crate::whole::{self, CreatedFolders, HIDDEN, Lock};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The folder of the points' run folders.
pub(super) const POINTS: &str = "points";

/// The file that a sweep at work holds; it says which sweep that is.
const LOCK: &str = ".airloom-sweep";

/// How often a sweep looks whether another has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// A sweep's folder while it is being worked in.
#[derive(Debug)]
pub(super) struct Held {
    // Declared first: the lock's file must go before the folders.
    _lock: Lock,
    _created: CreatedFolders,
}

/// Makes the sweep's folder and keeps others from working there. While the same sweep is
/// being made there, by another process, it waits for its end, having called `waiting`;
/// what that has finished is finished.
pub(super) fn hold(
    options: &SweepOptions<'_>,
    record: &SweepRecord,
    waiting: &dyn Fn(),
) -> Result<Held, RunError> {
    let out = options.out.as_path();
    let folder = out.join(POINTS);
    let path = out.join(LOCK);
    // Made before any point starts, lest one that fails take it from under another.
    let mut created = CreatedFolders::create(&folder).map_err(FolderError::from)?;
    let mut told = false;
    loop {
        match Lock::take(&path) {
            Ok(Some(mut lock)) => {
                lock.describe(record.to_json().as_bytes())
                    .map_err(FolderError::io(out))?;
                whole::clear(&folder);
                return Ok(Held {
                    _lock: lock,
                    _created: created,
                });
            }
            Ok(None) => {}
            // Whoever was here has left and taken the folder along.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                created.add(&folder).map_err(FolderError::from)?;
                continue;
            }
            Err(error) => return Err(FolderError::io(out)(error).into()),
        }
        refuse_another(out, &path, record)?;
        if options.interrupt.load(Ordering::Relaxed) {
            return Err(RunError::Interrupted {
                kept: "nothing was written",
            });
        }
        if !std::mem::replace(&mut told, true) {
            waiting();
        }
        std::thread::sleep(PAUSE);
    }
}

/// Refuses to wait for a sweep at work that is another one.
fn refuse_another(out: &Path, lock: &Path, record: &SweepRecord) -> Result<(), RunError> {
    let holder = read_text(lock).ok();
    let holder = holder.and_then(|text| SweepRecord::parse(&text).ok());
    match holder.and_then(|holder| record.difference(&holder)) {
        None => Ok(()),
        Some(what) => Err(RunError::Place {
            path: out.to_owned(),
            fault: format!(
                "another sweep is at work there ({what}); wait for its end, or choose another \
                 folder with --out"
            ),
        }),
    }
}

/// Refuses a folder that holds anything but points and tables of this experiment.
pub(super) fn check_folder(
    plan: &[Planned<'_>],
    options: &SweepOptions<'_>,
    record: &SweepRecord,
) -> Result<(), RunError> {
    let out = options.out.as_path();
    check_place(out)?;
    let occupied = |path: &Path, occupant: Occupant| {
        let path = path.to_owned();
        Err(FolderError::Occupied { path, occupant }.into())
    };
    if out.exists() && !out.is_dir() {
        return occupied(out, "a file".into());
    }
    // What is hidden is the lock, or what a killed sweep could not clean up.
    let name = sweep_record::FILE_NAME;
    let files = [POINTS, TABLE, AGGREGATES, FIGURES, PUBLISHED, INDEX, name];
    let known = |name: &str| files.contains(&name) || name.starts_with(HIDDEN);
    if !names(out).iter().all(|name| known(name)) {
        return occupied(out, "something that is no sweep".into());
    }
    if let Ok(found) = SweepRecord::read(out)
        && let Some(what) = record.other_experiment(&found)
    {
        return occupied(out, format!("another sweep ({what})").as_str().into());
    }
    let own: BTreeSet<&str> = plan.iter().map(|planned| planned.name.as_str()).collect();
    let folder = out.join(POINTS);
    for name in names(&folder) {
        if !name.starts_with(HIDDEN) && !own.contains(name.as_str()) {
            let target = folder.join(&name);
            if let Err(what) = other_point(&target, &name, record) {
                return occupied(&target, what.as_str().into());
            }
        }
    }
    Ok(())
}

/// Refuses a point that is none of this sweep, unless it is one of this experiment: from
/// before the sweep was changed.
fn other_point(target: &Path, name: &str, record: &SweepRecord) -> Result<(), String> {
    if is_numbered(name) {
        let what = "a point that is known by its number, as airloom 0.1.0 numbered them";
        return Err(what.to_owned());
    }
    let Ok(manifest) = Manifest::read(target) else {
        return Err("something that is no point".to_owned());
    };
    match (&manifest.scenario_name, manifest.seed) == (&record.scenario_name, record.seed) {
        true => Ok(()),
        false => Err(format!(
            "another run (scenario `{}`, seed {}, run {})",
            manifest.scenario_name, manifest.seed, manifest.run
        )),
    }
}

/// Names of what is in `folder`, none if it is not there.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

impl SweepOptions<'_> {
    /// The run folder of a point of this name.
    pub(super) fn target(&self, name: &str) -> PathBuf {
        self.out.join(POINTS).join(name)
    }
}
