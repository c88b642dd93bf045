//! Replay: run again what a manifest describes, and compare.
//!
//! What decides the bits is checked first: version, scenario, inputs. Whatever has
//! changed there is reported, and the run is made all the same, to find where the
//! change first shows: the first event and the first tensor that differ, or, from a
//! bare manifest, the window of rows in which they first differ.

use super::error::RunError;
use super::prepare::prepare;
use super::run::stage;
use crate::architecture::measurement::PassRecord;
use crate::digest::RollingDigest;
use crate::results::folder::{FileDigest, Replaceable, Staging};
use crate::results::manifest::{self, Identity, Manifest};
use crate::results::tensors;
use crate::rng::Streams;
use crate::scenario::{self, Override};
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::Range;
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
    /// What has changed of all that decides the bits.
    pub changes: Vec<String>,
    /// The first difference of the event log.
    pub event: Option<Difference>,
    /// The first difference of the log of tensors.
    pub tensor: Option<Difference>,
    /// Other files that differ.
    pub files: Vec<String>,
    /// Facts about build and machine that differ: name, there, here.
    pub host: Vec<(&'static str, String, String)>,
    /// Events, tensors and digest of the run made here.
    pub made: Made,
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

/// Where two logs part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Both rows are known; `None` where a log has ended.
    Rows {
        /// The row's number, counted from 0.
        number: u64,
        /// The columns' names.
        header: String,
        /// The row of the run that is replayed.
        there: Option<String>,
        /// The row of the replay.
        here: Option<String>,
    },
    /// Only the window is known.
    Window(Range<u64>),
}

impl Replay {
    /// Whether nothing at all differs.
    pub fn is_equal(&self) -> bool {
        self.changes.is_empty()
            && self.event.is_none()
            && self.tensor.is_none()
            && self.files.is_empty()
    }
}

/// Replays the run in the folder, or of the manifest, at `path`.
///
/// # Errors
/// If there is no manifest, its scenario cannot be prepared, or the run fails.
pub fn replay(
    path: &Path,
    options: &ReplayOptions<'_>,
    on_pass: Box<dyn FnMut(&PassRecord)>,
) -> Result<Replay, RunError> {
    let original = Original::open(path)?;
    let then = &original.manifest;
    let base = options
        .base
        .clone()
        .unwrap_or_else(|| then.origin.folder.clone().into());
    let file = base.join(format!("{}.ron", then.scenario_name));
    let resolved = scenario::parse(&then.scenario, &file, &[])?;
    let streams = Streams {
        seed: then.seed,
        run: then.run,
    };
    let prepared = prepare(&resolved, streams, then.origin.overrides.clone())?;
    let mut changes = Vec::new();
    if then.airloom != env!("CARGO_PKG_VERSION") {
        let here = env!("CARGO_PKG_VERSION");
        changes.push(format!(
            "airloom: version {} there, {here} here",
            then.airloom
        ));
    }
    changes.extend(scenario_changes(then, &file));
    changes.extend(input_changes(&then.inputs, &prepared.about.inputs));

    let place = tempfile::tempdir().map_err(|error| RunError::Place {
        path: std::env::temp_dir(),
        fault: format!("cannot hold the replay: {error}"),
    })?;
    let mut staging = Staging::new(&place.path().join("replay"), &Nobody)?;
    let now = stage(prepared, &mut staging, options.interrupt, on_pass)?.manifest;
    let log = |name: &str, then: &RollingDigest, now: &RollingDigest| {
        original.first_difference(name, then, now, staging.path())
    };
    let event = log("events.csv", &then.trace, &now.trace)?;
    let tensor = log(tensors::FILE_NAME, &then.tensors, &now.tensors)?;
    let mut files = differing(&then.files, &now.files);
    files.retain(|name| name != "events.csv" && name != tensors::FILE_NAME);
    files.extend(original.damaged()?);
    Ok(Replay {
        changes,
        event,
        tensor,
        files,
        host: then.host.differences(&now.host),
        made: Made {
            events: now.trace.rows,
            tensors: now.tensors.rows,
            digest: now.digest,
        },
    })
}

struct Nobody;

impl Replaceable for Nobody {
    fn may_replace(&self, _: &Path) -> Result<(), String> {
        Err("an unexpected folder".to_owned())
    }
}

/// The run to be replayed.
struct Original {
    manifest: Manifest,
    /// Its folder, unless only the manifest is there.
    folder: Option<PathBuf>,
}

impl Original {
    fn open(path: &Path) -> Result<Self, RunError> {
        let (file, folder) = if path.is_dir() {
            (path.join(manifest::FILE_NAME), Some(path.to_owned()))
        } else {
            let beside = path.parent().map(Path::to_owned).filter(|folder| {
                path.file_name()
                    .is_some_and(|name| name == manifest::FILE_NAME)
                    && folder.join("metrics.json").is_file()
            });
            (path.to_owned(), beside)
        };
        let place = |fault: String| RunError::Place {
            path: file.clone(),
            fault,
        };
        let text = std::fs::read_to_string(&file).map_err(|error| {
            place(format!(
                "cannot be read ({error}); give a run folder or a manifest.json"
            ))
        })?;
        let manifest = Manifest::parse(&text)
            .map_err(|error| place(format!("is no manifest of this version: {error}")))?;
        Ok(Self { manifest, folder })
    }

    /// Files of the folder that no longer are what the manifest says.
    fn damaged(&self) -> Result<Vec<String>, RunError> {
        let Some(folder) = &self.folder else {
            return Ok(Vec::new());
        };
        let mut damaged = Vec::new();
        for file in &self.manifest.files {
            let mut hasher = blake3::Hasher::new();
            let content = File::open(folder.join(&file.name))
                .and_then(|content| hasher.update_reader(content).map(drop));
            match content {
                Ok(()) if hasher.finalize().to_hex().as_str() == file.blake3 => {}
                Ok(()) => damaged.push(format!("{} was changed after the run", file.name)),
                Err(error) => damaged.push(format!("{} cannot be read: {error}", file.name)),
            }
        }
        Ok(damaged)
    }

    fn first_difference(
        &self,
        name: &str,
        then: &RollingDigest,
        now: &RollingDigest,
        here: &Path,
    ) -> Result<Option<Difference>, RunError> {
        let there = self.folder.as_ref().map(|folder| folder.join(name));
        // The file itself is compared, not its digest in the manifest, so that an
        // edited row is found too.
        if let Some(there) = there.filter(|path| path.is_file()) {
            let rows = first_row(&there, &here.join(name)).map_err(|error| RunError::Place {
                path: there.clone(),
                fault: format!("cannot be compared: {error}"),
            })?;
            if rows.is_some() {
                return Ok(rows);
            }
        }
        Ok(then.first_difference(now).map(Difference::Window))
    }
}

/// The first row in which two files differ.
fn first_row(there: &Path, here: &Path) -> std::io::Result<Option<Difference>> {
    let mut there = BufReader::new(File::open(there)?).lines();
    let mut here = BufReader::new(File::open(here)?).lines();
    let mut number = 0;
    let mut header = None;
    loop {
        match (there.next().transpose()?, here.next().transpose()?) {
            (None, None) => return Ok(None),
            (a, b) if a == b => match header {
                None => header = a,
                Some(_) => number += 1,
            },
            (a, b) => {
                return Ok(Some(Difference::Rows {
                    number,
                    header: header.unwrap_or_default(),
                    there: a,
                    here: b,
                }));
            }
        }
    }
}

/// How the scenario has changed: the manifest's own text, or the file it came from.
fn scenario_changes(then: &Manifest, file: &Path) -> Option<String> {
    let identity = Identity::of(&then.scenario, then.seed, then.run);
    if identity.digest != then.identity {
        return Some("scenario: the manifest's scenario, seed or run was edited".to_owned());
    }
    let overrides: Result<Vec<Override>, _> = then
        .origin
        .overrides
        .iter()
        .map(|text| text.parse())
        .collect();
    let now = scenario::load(file, &overrides.ok()?).ok()?.configuration();
    if now == then.scenario {
        return None;
    }
    let line = then.scenario.lines().zip(now.lines()).find(|(a, b)| a != b);
    let (a, b) = line.unwrap_or(("", ""));
    Some(format!(
        "scenario: {} now says `{}` where the run had `{}` (the replay uses the run's)",
        file.display(),
        b.trim(),
        a.trim()
    ))
}

fn input_changes(then: &[FileDigest], now: &[FileDigest]) -> Vec<String> {
    let mut changes = Vec::new();
    for file in then {
        match now.iter().find(|other| other.name == file.name) {
            None => changes.push(format!("input {}: no longer there", file.name)),
            Some(other) if other.blake3 != file.blake3 => changes.push(format!(
                "input {}: BLAKE3 {}… there, {}… here",
                file.name,
                &file.blake3[..12],
                &other.blake3[..12]
            )),
            Some(_) => {}
        }
    }
    let known = |name: &str| then.iter().any(|file| file.name == name);
    let new = now.iter().filter(|file| !known(&file.name));
    changes.extend(new.map(|file| format!("input {}: was not there before", file.name)));
    changes
}

/// Names of files that are not the same in both lists.
fn differing(then: &[FileDigest], now: &[FileDigest]) -> Vec<String> {
    let mut names: Vec<String> = then
        .iter()
        .filter(|file| !now.contains(file))
        .chain(now.iter().filter(|file| !then.contains(file)))
        .map(|file| file.name.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window(window) => write!(
                f,
                "among rows {} to {} (only digests are at hand)",
                window.start,
                window.end.saturating_sub(1)
            ),
            Self::Rows {
                number,
                header,
                there,
                here,
            } => {
                let shown = |row: &Option<String>| row.clone().unwrap_or("(no more rows)".into());
                write!(
                    f,
                    "row {number}\n    columns  {header}\n    there    {}\n    here     {}",
                    shown(there),
                    shown(here)
                )
            }
        }
    }
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "changed  {change}")?;
        }
        if let Some(event) = &self.event {
            writeln!(f, "first event that differs: {event}")?;
        }
        if let Some(tensor) = &self.tensor {
            writeln!(f, "first tensor that differs: {tensor}")?;
        }
        for file in &self.files {
            writeln!(f, "differs  {file}")?;
        }
        let Made {
            events,
            tensors,
            digest,
        } = &self.made;
        if self.is_equal() {
            writeln!(
                f,
                "bit-equal: {events} events, {tensors} tensors, digest {digest}"
            )?;
        } else if self.event.is_none() && self.tensor.is_none() {
            writeln!(
                f,
                "events and tensors are equal: {events} events, {tensors} tensors"
            )?;
        }
        for (fact, there, here) in &self.host {
            writeln!(f, "machine  {fact}: {there} there, {here} here")?;
        }
        Ok(())
    }
}
