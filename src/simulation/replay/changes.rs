//! What has changed since the run of all that decides its bits: the manifest itself, the
//! version, the scenario's file and the inputs.

use crate::digest::shortened;
use crate::files;
use crate::results::folder::{FileDigest, hash_of};
use crate::results::manifest::{Identity, Manifest};
use crate::results::parting::differing_lines;
use crate::scenario::{self, Override, Resolved, ScenarioError};
use crate::simulation::channel_trace::CHANNELS;
use crate::simulation::prepare::{MODEL_FILE, TEXT};
use crate::simulation::requests::{LENGTHS, REQUESTS};
use std::path::{Path, PathBuf};

/// The most lines of a scenario that are shown as changed.
const MOST_LINES: usize = 8;

/// What of the manifest `then` contradicts itself, and whether its version is another.
pub(super) fn of_manifest(then: &Manifest) -> Vec<String> {
    let mut changes = Vec::new();
    let sealed = then.sealed();
    if sealed != then.digest {
        changes.push(format!(
            "manifest: it was edited: it says digest {}…, and what it lists has {}…",
            shortened(&then.digest),
            shortened(&sealed)
        ));
    }
    if Identity::of(&then.scenario, then.seed, then.run).digest != then.identity {
        changes.push("scenario: the manifest's scenario, seed or run was edited".to_owned());
    }
    let here = env!("CARGO_PKG_VERSION");
    if then.airloom != here {
        changes.push(format!(
            "airloom: version {} there, {here} here",
            then.airloom
        ));
    }
    changes
}

/// How the scenario's file compares to the manifest's copy.
pub(super) enum ScenarioFile {
    /// It cannot be read here.
    Absent,
    /// It can, and this has changed.
    Read(Vec<String>),
}

/// Compares the scenario's `file` to the manifest's copy, which resolves to `own`.
pub(super) fn of_scenario(
    then: &Manifest,
    file: &Path,
    own: &Result<Resolved, ScenarioError>,
) -> ScenarioFile {
    if files::open(file).is_err() {
        return ScenarioFile::Absent;
    }
    let overrides: Result<Vec<Override>, _> = then
        .origin
        .overrides
        .iter()
        .map(|text| text.parse())
        .collect();
    let overrides = match overrides {
        Ok(overrides) => overrides,
        Err(error) => {
            return ScenarioFile::Read(vec![format!(
                "scenario: the manifest's overrides: {error}"
            )]);
        }
    };
    ScenarioFile::Read(match (scenario::load(file, &overrides), own) {
        (Ok(now), _) => changed_lines(file, &then.scenario, &now.configuration()),
        // The files that both name are at fault, not the scenario.
        (Err(now), Err(own)) if messages(&now).eq(messages(own)) => Vec::new(),
        (Err(error), _) => vec![format!("scenario: its file has a fault now\n{error}")],
    })
}

fn messages(error: &ScenarioError) -> impl Iterator<Item = &String> {
    error.faults.iter().map(|fault| &fault.message)
}

fn changed_lines(file: &Path, then: &str, now: &str) -> Vec<String> {
    let file = file.display();
    let Some(lines) = differing_lines(then, now) else {
        return vec![format!("scenario: {file} is another one than the run had")];
    };
    let more = lines.len().saturating_sub(MOST_LINES);
    let shown = lines.iter().take(MOST_LINES);
    let mut changes: Vec<String> = shown
        .map(|line| match line {
            (Some(then), Some(now)) => {
                format!("scenario: {file} now says `{now}` where the run had `{then}`")
            }
            (Some(then), None) => format!("scenario: {file} no longer says `{then}`"),
            (None, now) => format!("scenario: {file} now adds `{}`", now.unwrap_or_default()),
        })
        .collect();
    if more > 0 {
        changes.push(format!("scenario: {more} more lines of {file}"));
    }
    changes
}

/// How the inputs that a run read `now` differ from those it read `then`.
pub(super) fn of_inputs(then: &[FileDigest], now: &[FileDigest]) -> Vec<String> {
    let mut changes = Vec::new();
    for file in then {
        match now.iter().find(|other| other.name == file.name) {
            None => changes.push(format!("input {}: no longer there", file.name)),
            Some(other) => changes.extend(of_input(file, &other.blake3)),
        }
    }
    let known = |name: &str| then.iter().any(|file| file.name == name);
    let new = now.iter().filter(|file| !known(&file.name));
    changes.extend(new.map(|file| format!("input {}: was not there before", file.name)));
    changes
}

/// The files among the inputs that are there and not what they were, for a run that cannot
/// be prepared; `base` is the scenario's folder.
pub(super) fn of_input_files(
    then: &[FileDigest],
    base: &Path,
    resolved: Option<&Resolved>,
) -> Vec<String> {
    let change = |file: &FileDigest| {
        let path = input_path(&file.name, base, resolved)?;
        of_input(file, &hash_of(&path).ok()?)
    };
    then.iter().filter_map(change).collect()
}

/// Where the input `name` of a manifest lies; `None` of what is no file, or if that cannot
/// be known.
fn input_path(name: &str, base: &Path, resolved: Option<&Resolved>) -> Option<PathBuf> {
    if let Some(trace) = name.strip_suffix(CHANNELS) {
        return Some(base.join(trace));
    }
    if let Some(lengths) = name.strip_suffix(LENGTHS) {
        return Some(base.join(lengths));
    }
    if name == TEXT || name.ends_with(REQUESTS) {
        return None;
    }
    if let Some((other, file)) = name.split_once(MODEL_FILE) {
        let folder = resolved?.other_model_folder(other)?;
        return Some(folder.join(file));
    }
    let folder = resolved?.model_folder();
    Some(folder.as_deref().unwrap_or(base).join(name))
}

fn of_input(then: &FileDigest, now: &str) -> Option<String> {
    (then.blake3 != now).then(|| {
        format!(
            "input {}: BLAKE3 {}… there, {}… here",
            then.name,
            shortened(&then.blake3),
            shortened(now)
        )
    })
}

/// Names of files that are not the same in both lists.
pub(super) fn differing(then: &[FileDigest], now: &[FileDigest]) -> Vec<String> {
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
