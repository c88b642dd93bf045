//! Replay: run again what a manifest describes, and compare.
//!
//! What decides the bits is checked first: the manifest itself, version, scenario,
//! inputs. Whatever has changed there is reported, and the run is made all the same, if it
//! can be, to find where the change first shows: the first event and the first tensor that
//! differ, or, from a bare manifest, the window of rows in which they first differ.

mod changes;
mod original;
mod report;

pub use crate::results::parting::Difference;

use super::error::RunError;
use super::prepare::{Prepared, prepare_until};
use super::recorded::{self, base_of};
use super::run::{Staged, stage};
use crate::digest::RollingDigest;
use crate::results::drawn::{EVENTS, is_drawn};
use crate::results::folder::{Occupant, Replaceable, Staging};
use crate::results::manifest::Manifest;
use crate::results::metrics;
use crate::results::tensors;
use crate::rng::Streams;
use crate::scenario::Resolved;
use changes::ScenarioFile;
use original::Original;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// How a replay is to be made.
#[derive(Debug, Clone)]
pub struct ReplayOptions<'a> {
    /// The folder that the scenario's paths are relative to, if it is not where the
    /// manifest says.
    pub base: Option<PathBuf>,
    /// Ends the replay when it becomes true.
    pub interrupt: &'a AtomicBool,
}

/// What a replay found.
#[derive(Debug)]
pub struct Replay {
    /// What a reader should know, though it is no difference.
    pub notes: Vec<String>,
    /// What has changed of all that decides the bits.
    pub changes: Vec<String>,
    /// The first difference of the event log.
    pub event: Option<Difference>,
    /// The first difference of the log of tensors.
    pub tensor: Option<Difference>,
    /// The digests of all logits, there and here, if they differ.
    pub logits: Option<(String, String)>,
    /// Other files that differ.
    pub files: Vec<String>,
    /// Figures and whatever else is drawn from the other files that another commit of
    /// airloom drew differently, or one of both did not draw: no difference of the runs.
    pub figures: Vec<String>,
    /// Facts about build and machine that differ: name, there, here.
    pub host: Vec<(&'static str, String, String)>,
    /// The run made here, or why none can be made of what has changed.
    pub made: Result<Made, RunError>,
}

/// Size and digest of the run that a replay made.
#[derive(Debug)]
pub struct Made {
    /// Events.
    pub events: u64,
    /// Tensors.
    pub tensors: u64,
    /// The manifest's digest.
    pub digest: String,
}

impl Replay {
    /// Whether nothing differs but how figures are drawn.
    pub fn is_equal(&self) -> bool {
        self.made.is_ok()
            && self.changes.is_empty()
            && self.event.is_none()
            && self.tensor.is_none()
            && self.logits.is_none()
            && self.files.is_empty()
    }

    /// A replay that cannot go on, because of what has changed.
    fn stopped(notes: Vec<String>, changes: Vec<String>, error: RunError) -> Self {
        Self {
            notes,
            changes,
            event: None,
            tensor: None,
            logits: None,
            files: Vec::new(),
            figures: Vec::new(),
            host: Vec::new(),
            made: Err(error),
        }
    }
}

/// Replays the run in the folder, or of the manifest, at `path`.
///
/// # Errors
/// If there is no manifest or its format is unknown, it is interrupted, or, although
/// nothing has changed, the run cannot be made.
pub fn replay(path: &Path, options: &ReplayOptions<'_>) -> Result<Replay, RunError> {
    let original = Original::open(path)?;
    let then = &original.manifest;
    let base = base_of(then, options.base.as_deref());
    let file = base.join(format!("{}.ron", then.scenario_name));
    let own = recorded::resolve(then, &then.scenario, &base, original.here(), &[]);
    let mut notes = Vec::new();
    let mut changes = changes::of_manifest(then);
    match changes::of_scenario(then, &file, &own) {
        ScenarioFile::Read(lines) => changes.extend(lines),
        ScenarioFile::Absent => notes.push(format!(
            "scenario: {} cannot be read here; replaying the manifest's own copy",
            file.display()
        )),
    }
    let stop = |notes, changes: Vec<String>, error| match error {
        error if changes.is_empty() && error.is_input() && options.base.is_none() => {
            Err(RunError::Elsewhere {
                base: base.clone(),
                fault: Box::new(error),
            })
        }
        error if changes.is_empty() => Err(error),
        error @ RunError::Interrupted { .. } => Err(error),
        error => Ok(Replay::stopped(notes, changes, error)),
    };
    let prepared = match own.as_ref().map_err(|error| error.clone().into()) {
        Ok(resolved) => prepared(then, resolved, options.interrupt),
        Err(error) => Err(error),
    };
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            let resolved = own.as_ref().ok();
            changes.extend(changes::of_input_files(&then.inputs, &base, resolved));
            return stop(notes, changes, error);
        }
    };
    changes.extend(changes::of_inputs(&then.inputs, &prepared.about.inputs));

    // Never committed: it goes when it has been compared.
    let mut staging = Staging::new(&std::env::temp_dir().join(REPLAY), Nobody)?;
    let staged = match stage(prepared, &mut staging, options.interrupt, &mut ()) {
        Ok(staged) => staged,
        Err(error) => return stop(notes, changes, error),
    };
    let found = compare(&original, staged, staging.path())?;
    Ok(Replay {
        notes,
        changes,
        ..found
    })
}

fn prepared(
    then: &Manifest,
    resolved: &Resolved,
    interrupt: &AtomicBool,
) -> Result<Prepared, RunError> {
    let streams = Streams {
        seed: then.seed,
        run: then.run,
    };
    let overrides = then.origin.overrides.clone();
    prepare_until(resolved, streams, overrides, interrupt.into())
}

/// Compares the `original` to the run that was made and lies in the folder `here`.
fn compare(original: &Original, staged: Staged, here: &Path) -> Result<Replay, RunError> {
    let (then, now) = (&original.manifest, staged.manifest);
    let log = |name: &str, then: &RollingDigest, now: &RollingDigest| {
        original.first_difference(name, then, now, here)
    };
    let event = log(EVENTS, &then.trace, &now.trace)?;
    let tensor = log(tensors::FILE_NAME, &then.tensors, &now.tensors)?;
    let mut files = changes::differing(&then.files, &now.files);
    files.retain(|name| name != EVENTS && name != tensors::FILE_NAME);
    let mut figures = Vec::new();
    if then.host.commit != now.host.commit {
        (figures, files) = files.into_iter().partition(|name| is_drawn(name));
    }
    if original.has_metrics_of(here) {
        files.retain(|name| name != metrics::FILE_NAME);
    }
    files.extend(original.damaged());
    Ok(Replay {
        notes: Vec::new(),
        changes: Vec::new(),
        event,
        tensor,
        logits: (then.logits_blake3 != now.logits_blake3)
            .then(|| (then.logits_blake3.clone(), now.logits_blake3.clone())),
        files,
        figures,
        host: then.host.differences(&now.host),
        made: Ok(Made {
            events: now.trace.rows,
            tensors: now.tensors.rows,
            digest: now.digest,
        }),
    })
}

/// What the folder of a replay would be called.
const REPLAY: &str = "airloom-replay";

#[derive(Debug)]
struct Nobody;

impl Replaceable for Nobody {
    fn may_replace(&self, _: &Path) -> Result<(), Occupant> {
        Ok(())
    }
}
