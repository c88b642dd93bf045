//! Whether a point of a sweep is finished: made by this version from what it would read now.

use crate::interrupt::Interrupt;
use crate::results::bounded::read_text;
use crate::results::folder::{FileDigest, Replaceable};
use crate::results::manifest::{Identity, Manifest};
use crate::results::metrics::{FILE_NAME as METRICS, Metrics};
use crate::rng::Streams;
use crate::scenario::{Resolved, raw};
use crate::simulation::prepare::prepare_until;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

/// What there is of a point.
#[derive(Debug)]
pub enum Standing {
    /// Nothing.
    Absent,
    /// Its run folder, whole and up to date, with these metrics.
    Finished(Metrics),
    /// Its run folder, which no longer counts, and why.
    Stale(String),
}

/// The digests of what points read, each model and text read once per sweep.
#[derive(Debug, Default)]
pub(super) struct Inputs<'a> {
    interrupt: Interrupt<'a>,
    known: Mutex<BTreeMap<String, Result<Vec<FileDigest>, String>>>,
}

impl<'a> Inputs<'a> {
    /// None so far; reading them is given up when `interrupt` is raised.
    pub(super) fn until(interrupt: Interrupt<'a>) -> Self {
        Self {
            interrupt,
            ..Self::default()
        }
    }

    /// Those of the run that `resolved` and `streams` name.
    fn of(&self, resolved: &Resolved, streams: Streams) -> Result<Vec<FileDigest>, String> {
        let key = inputs_key(&resolved.configuration());
        let mut known = self.known.lock().expect("nothing panics while it is held");
        let read = || {
            let prepared = prepare_until(resolved, streams, Vec::new(), self.interrupt);
            let inputs = prepared.map(|prepared| prepared.about.inputs);
            inputs.map_err(|error| error.to_string())
        };
        known.entry(key).or_insert_with(read).clone()
    }
}

/// The part of a configuration that decides what a run reads: runs with equal keys have equal
/// inputs while no file changes.
pub(in crate::simulation) fn inputs_key(configuration: &str) -> String {
    let Ok(tree) = raw::parse(configuration, 0) else {
        return configuration.to_owned();
    };
    let at = |path: &str| Some(raw::line(tree.get(&path.parse().ok()?)?));
    let mut parts = vec![at("model"), at("models"), at("workload")];
    let links = tree.field("links").map(raw::Node::keys).unwrap_or_default();
    parts.extend(links.iter().map(|link| at(&format!("links.{link}.fading"))));
    let mut placements: Vec<String> = entries(&tree, "replicas")
        .map(|replica| format!("{replica}.placement"))
        .collect();
    for placement in placements.clone() {
        placements.extend(entries(&tree, &format!("{placement}.stages")));
    }
    parts.extend(entries(&tree, "replicas").map(|replica| at(&format!("{replica}.decoding"))));
    let router = |placement: &String| at(&format!("{placement}.router"));
    parts.extend(placements.iter().map(router));
    parts
        .into_iter()
        .flatten()
        .map(|part| part + "\n")
        .collect()
}

/// The paths of the entries of the list at `path`.
fn entries<'a>(tree: &'a raw::Node, path: &'a str) -> impl Iterator<Item = String> + 'a {
    let paths = (0..).map(move |entry: usize| format!("{path}[{entry}]"));
    paths.take_while(|path| path.parse().is_ok_and(|path| tree.get(&path).is_some()))
}

/// What differs between what a run read and what it would read now.
pub(super) fn changed(read: &[FileDigest], now: &[FileDigest]) -> Option<String> {
    let missing = |from: &[FileDigest], name: &str| !from.iter().any(|file| file.name == name);
    for file in now {
        if missing(read, &file.name) {
            return Some(format!("{} is read anew", file.name));
        }
    }
    for file in read {
        if missing(now, &file.name) {
            return Some(format!("{} is no longer read", file.name));
        }
        if !now.contains(file) {
            return Some(format!("{} has changed", file.name));
        }
    }
    None
}

/// What there is in `target` of the run that `resolved` and `streams` name.
pub(super) fn standing(
    resolved: &Resolved,
    streams: Streams,
    target: &Path,
    inputs: &Inputs<'_>,
) -> Standing {
    let stale = |why: String| Standing::Stale(why);
    if !target.is_dir() {
        return Standing::Absent;
    }
    let identity = Identity::of(&resolved.configuration(), streams.seed, streams.run);
    if let Err(what) = identity.may_replace(target) {
        return stale(format!("it is {}", what.what));
    }
    let Ok(manifest) = Manifest::read(target) else {
        return Standing::Absent;
    };
    if manifest.airloom != env!("CARGO_PKG_VERSION") {
        return stale(format!("it is of airloom {}", manifest.airloom));
    }
    let whole = |file: &&FileDigest| {
        let found = std::fs::metadata(target.join(&file.name));
        found.is_ok_and(|found| found.is_file() && found.len() == file.bytes)
    };
    if let Some(file) = manifest.files.iter().find(|file| !whole(file)) {
        return stale(format!("its {} is damaged", file.name));
    }
    match inputs.of(resolved, streams) {
        Err(fault) => return stale(format!("its inputs cannot be read: {fault}")),
        Ok(now) => {
            if let Some(what) = changed(&manifest.inputs, &now) {
                return stale(what);
            }
        }
    }
    match hashed_metrics(target, &manifest) {
        Some(metrics) => Standing::Finished(metrics),
        None => stale(format!("its {METRICS} is damaged")),
    }
}

/// The metrics of the run folder `folder`, if they are those that its manifest lists.
pub(super) fn hashed_metrics(folder: &Path, manifest: &Manifest) -> Option<Metrics> {
    let text = read_text(&folder.join(METRICS)).ok()?;
    let digest = blake3::hash(text.as_bytes()).to_hex();
    let listed = manifest.files.iter().find(|file| file.name == METRICS)?;
    if listed.blake3 != digest.as_str() {
        return None;
    }
    Metrics::from_json(&text)
}
