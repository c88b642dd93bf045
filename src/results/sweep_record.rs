//! `sweep.json`: which sweep a folder belongs to, so that shards of it find each other.

use super::bounded::read_text;
use super::folder::{Occupant, Replaceable};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The record's file name.
pub const FILE_NAME: &str = "sweep.json";

/// A sweep, whole or a shard of it: all shards have the same record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepRecord {
    /// Version of airloom.
    pub airloom: String,
    /// The scenario's name.
    pub scenario_name: String,
    /// The resolved scenario with its sweep, as RON text.
    pub scenario: String,
    /// The experiment.
    pub seed: u64,
    /// How many points the whole sweep has.
    pub points: usize,
}

impl SweepRecord {
    /// Reads the record in the sweep's folder.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let text = read_text(&folder.join(FILE_NAME))
            .map_err(|error| format!("cannot read {FILE_NAME}: {error}"))?;
        Self::parse(&text).map_err(|error| format!("{FILE_NAME}: {error}"))
    }

    /// Reads the record's text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The record as text.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("a record has a JSON form") + "\n"
    }

    /// In which part `other` is another experiment, if it is. A sweep that grows stays the
    /// same experiment: scenario and seed keep their names.
    pub fn other_experiment(&self, other: &Self) -> Option<String> {
        let parts = [
            ("scenario", &self.scenario_name, &other.scenario_name),
            ("seed", &self.seed.to_string(), &other.seed.to_string()),
        ];
        let mut parts = parts.into_iter();
        let (name, own, others) = parts.find(|(_, own, others)| own != others)?;
        Some(format!("{name} {others} instead of {own}"))
    }

    /// In which part `other` is another sweep, if it is.
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self.airloom != other.airloom {
            let (own, others) = (&self.airloom, &other.airloom);
            return Some(format!("airloom {others} instead of {own}"));
        }
        if let Some(what) = self.other_experiment(other) {
            return Some(what);
        }
        let mut lines = self.scenario.lines().zip(other.scenario.lines());
        match lines.find(|(own, others)| own != others) {
            Some((own, others)) => Some(format!(
                "`{}` in its scenario instead of `{}`",
                others.trim(),
                own.trim()
            )),
            None => (self != other).then(|| "a scenario of another length".to_owned()),
        }
    }
}

impl Replaceable for SweepRecord {
    fn may_replace(&self, path: &Path) -> Result<(), Occupant> {
        match record_in(path)?.and_then(|other| self.difference(&other)) {
            None => Ok(()),
            Some(what) => Err(Occupant {
                what: format!("another sweep ({what})"),
                yields: true,
            }),
        }
    }
}

/// Whatever sweep a folder holds: for those who asked to overwrite it.
#[derive(Debug, Clone, Copy)]
pub struct AnySweep;

impl Replaceable for AnySweep {
    fn may_replace(&self, path: &Path) -> Result<(), Occupant> {
        record_in(path).map(drop)
    }
}

/// The record in the folder `path`; none if the folder is empty.
fn record_in(path: &Path) -> Result<Option<SweepRecord>, Occupant> {
    if std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none()) {
        return Ok(None);
    }
    match SweepRecord::read(path) {
        Ok(record) => Ok(Some(record)),
        Err(_) => Err("something that is no sweep".into()),
    }
}
