//! `manifest.json`: what was run, and the digest of everything it read and wrote.
//!
//! Two parts. The hashed part says what decides the bits and what they were:
//! scenario, seed, run, inputs, outputs; [`Manifest::digest`] is the digest of it.
//! The `host` part says where and how fast it ran, and never enters a digest.

use super::bounded::read_text;
use super::drawn::is_drawn;
use super::folder::{FileDigest, Occupant, Replaceable};
use super::host::Host;
use crate::digest::RollingDigest;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The manifest's file name.
pub const FILE_NAME: &str = "manifest.json";

/// The version of the manifest's layout.
const FORMAT: u32 = 1;

/// The manifest of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout.
    pub format: u32,
    /// Digest of the hashed part: two runs with equal digests are bit-equal.
    pub digest: String,
    /// Version of airloom.
    pub airloom: String,
    /// The scenario's name.
    pub scenario_name: String,
    /// The resolved scenario, as RON text.
    pub scenario: String,
    /// The experiment.
    pub seed: u64,
    /// The repetition.
    pub run: u32,
    /// What a reader should know of it at first sight; not part of any digest.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub headline: String,
    /// BLAKE3 of `scenario`, seed and run: which run this is.
    pub identity: String,
    /// Every input, by role and name.
    pub inputs: Vec<FileDigest>,
    /// The event log, whether or not it was kept.
    pub trace: RollingDigest,
    /// The log of tensors, whether or not it was kept.
    pub tensors: RollingDigest,
    /// BLAKE3 over all logits, in the order in which they were computed.
    pub logits_blake3: String,
    /// Every other file of the folder.
    pub files: Vec<FileDigest>,
    /// Where the scenario came from; not part of any digest.
    pub origin: Origin,
    /// Facts that do not decide a bit; not part of any digest.
    pub host: Host,
}

/// The title of a run of the scenario `name`; older ones have no headline.
pub fn title(name: &str, (seed, run): (u64, u32), headline: &str) -> String {
    let colon = if headline.is_empty() { "" } else { ": " };
    format!("{name} (seed {seed}, run {run}){colon}{headline}")
}

/// What every layout has.
#[derive(Deserialize)]
struct Layout {
    format: u32,
}

/// Where a scenario came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The folder that the scenario's paths are relative to, absolute.
    pub folder: String,
    /// Changes made to the scenario on the command line.
    pub overrides: Vec<String>,
}

/// Which run a folder belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// BLAKE3 of resolved scenario, seed and run, in hexadecimal.
    pub digest: String,
}

impl Identity {
    /// The identity of `run` of `seed` of the resolved scenario text.
    pub fn of(scenario: &str, seed: u64, run: u32) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(&run.to_le_bytes());
        hasher.update(scenario.as_bytes());
        Self {
            digest: hasher.finalize().to_hex().to_string(),
        }
    }

    /// The first digits, to tell folders apart by.
    pub fn short(&self, digits: usize) -> &str {
        &self.digest[..digits]
    }
}

impl Replaceable for Identity {
    fn may_replace(&self, path: &Path) -> Result<(), Occupant> {
        match manifest_in(path)? {
            Some(manifest) if manifest.identity != self.digest => Err(Occupant {
                what: format!(
                    "another run (scenario `{}`, seed {}, run {})",
                    manifest.scenario_name, manifest.seed, manifest.run
                ),
                yields: true,
            }),
            _ => Ok(()),
        }
    }
}

/// Whatever run a folder holds: for those who asked to overwrite it.
#[derive(Debug, Clone, Copy)]
pub struct AnyRun;

impl Replaceable for AnyRun {
    fn may_replace(&self, path: &Path) -> Result<(), Occupant> {
        manifest_in(path).map(drop)
    }
}

/// The manifest in the folder `path`; none if the folder is empty.
fn manifest_in(path: &Path) -> Result<Option<Manifest>, Occupant> {
    if !path.is_dir() {
        return Err("a file that is no run folder".into());
    }
    let text = match read_text(&path.join(FILE_NAME)) {
        Ok(text) => text,
        Err(_) if is_empty(path) => return Ok(None),
        Err(_) => return Err("something that is no run folder".into()),
    };
    match Manifest::parse(&text) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(_) => Err("a run folder of another version of airloom".into()),
    }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

impl Manifest {
    /// The layout that this version writes.
    pub fn format() -> u32 {
        FORMAT
    }

    /// Reads a manifest's text. The names of the files that it lists are plain: nothing that
    /// reads or copies them leaves the folder.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        // Known first: another layout may have other fields.
        let layout: Layout = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if layout.format != FORMAT {
            return Err(format!(
                "its format is {}, and the one known here is {FORMAT}",
                layout.format
            ));
        }
        let manifest: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        manifest.files.iter().try_for_each(FileDigest::check_name)?;
        Ok(manifest)
    }

    /// Reads the manifest of the run folder `folder`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let text = read_text(&folder.join(FILE_NAME)).map_err(|error| error.to_string())?;
        Self::parse(&text)
    }

    /// What of it contradicts itself, if anything does: its digest, or its identity.
    ///
    /// # Errors
    /// Which of both was edited.
    pub fn check_seal(&self) -> Result<(), &'static str> {
        if Identity::of(&self.scenario, self.seed, self.run).digest != self.identity {
            return Err("its scenario, seed or run was edited");
        }
        if self.sealed() != self.digest {
            return Err("what it lists was edited");
        }
        Ok(())
    }

    /// Enters the digest of the hashed part.
    pub fn seal(&mut self) {
        self.digest = self.sealed();
    }

    /// The digest of the hashed part, computed afresh: not [`digest`](Self::digest) if
    /// the manifest was edited.
    pub fn sealed(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.identity.as_bytes());
        for file in self.inputs.iter().chain(&self.files) {
            hasher.update(file.name.as_bytes());
            hasher.update(&file.bytes.to_le_bytes());
            hasher.update(file.blake3.as_bytes());
        }
        for digest in [
            &self.trace.blake3,
            &self.tensors.blake3,
            &self.logits_blake3,
        ] {
            hasher.update(digest.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Refuses a folder in which a file that is no drawing is longer than it was written:
    /// whoever reads it would read what no run wrote, for as long as it lasts.
    ///
    /// # Errors
    /// The first such file, with the fix.
    pub fn check_lengths(&self, folder: &Path) -> Result<(), String> {
        for file in self.files.iter().filter(|file| !is_drawn(&file.name)) {
            let length = std::fs::metadata(folder.join(&file.name)).map(|about| about.len());
            if let Ok(length) = length
                && length > file.bytes
            {
                return Err(format!(
                    "{} has {length} bytes, and the run wrote {}; run the scenario again",
                    file.name, file.bytes
                ));
            }
        }
        Ok(())
    }

    /// The run's title.
    pub fn title(&self) -> String {
        title(&self.scenario_name, (self.seed, self.run), &self.headline)
    }

    /// The manifest as text.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a manifest has a JSON form");
        text.push('\n');
        text
    }
}
