//! `sweep.json`: which sweep a folder belongs to, so that shards of it find each other.

use super::bounded::read_text;
use super::folder::Replaceable;
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
        serde_json::from_str(&text).map_err(|error| format!("{FILE_NAME}: {error}"))
    }

    /// The record as text.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("a record has a JSON form") + "\n"
    }

    /// In which part `other` is another sweep, if it is.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let parts = [
            ("airloom", &self.airloom, &other.airloom),
            ("scenario", &self.scenario_name, &other.scenario_name),
            ("seed", &self.seed.to_string(), &other.seed.to_string()),
        ];
        for (name, own, others) in parts {
            if own != others {
                return Some(format!("{name} {others} instead of {own}"));
            }
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
    fn may_replace(&self, path: &Path) -> Result<(), String> {
        let empty = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        if empty {
            return Ok(());
        }
        match Self::read(path) {
            Err(_) => Err("something that is no sweep".to_owned()),
            Ok(other) => match self.difference(&other) {
                None => Ok(()),
                Some(what) => Err(format!("another sweep ({what})")),
            },
        }
    }
}
