//! Paths such as `links.air.bandwidth` or `workload[0].text`: how
//! overrides, sweeps and errors name a place in the tree.
//!
//! A path names fields and entries only. It passes through enum variants without
//! naming them: in `all_reduce: AirComp(streams: 4)` the streams are at
//! `all_reduce.streams`. An entry is written `[0]` or `.0`.

use super::MAX_DEPTH;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// A field of a record.
    Field(String),
    /// An entry of a list, or a whole-number key of a map.
    Entry(u64),
}

/// Where in the tree; empty for the whole of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Path(pub Vec<Segment>);

/// A path that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The text is no path at all.
    #[error("`{0}` is not a path; write for example `nodes.device.count` or `workload[0].text`")]
    Malformed(String),
    /// A list is shorter than the path assumes.
    #[error("`{path}` has {length} entries, counted from 0, so there is no entry {entry}")]
    NoEntry {
        /// The list.
        path: Path,
        /// How many entries it has.
        length: usize,
        /// The entry asked for.
        entry: u64,
    },
    /// A single value has nothing inside.
    #[error("`{path}` is {found}: it has no `{step}` inside")]
    NoInside {
        /// The value.
        path: Path,
        /// What it is.
        found: String,
        /// What was looked for in it.
        step: String,
    },
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("scenario");
        }
        for (index, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if index == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Entry(entry) => write!(f, "[{entry}]")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let malformed = || PathError::Malformed(text.to_owned());
        let mut segments = Vec::new();
        for part in text.trim().split('.') {
            let (name, mut entries) = part.split_at(part.find('[').unwrap_or(part.len()));
            let allowed = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
            let is_name = name.chars().all(allowed) && !name.is_empty() && !name.starts_with('-');
            match name.parse() {
                // The whole of a scenario is no list.
                Ok(_) if segments.is_empty() => return Err(malformed()),
                Ok(entry) => segments.push(Segment::Entry(entry)),
                Err(_) if is_name => segments.push(Segment::Field(name.to_owned())),
                Err(_) => return Err(malformed()),
            }
            while let Some(rest) = entries.strip_prefix('[') {
                let (entry, rest) = rest.split_once(']').ok_or_else(malformed)?;
                segments.push(Segment::Entry(entry.parse().map_err(|_| malformed())?));
                entries = rest;
            }
            if !entries.is_empty() || segments.len() > MAX_DEPTH {
                return Err(malformed());
            }
        }
        Ok(Self(segments))
    }
}

impl JsonSchema for Path {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Path".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "x-type": "path of a field",
            "examples": ["nodes.device.count"],
        })
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_texts_are_no_paths() {
        let deep = "a.".repeat(100) + "a";
        for text in [
            "", "a..b", "a[", "a[x]", "a[1]b", "a b", "[0]", "0", "0.a", &deep,
        ] {
            let error = text.parse::<Path>().unwrap_err().to_string();
            assert!(error.contains("is not a path"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_path_reads_back_as_written(names in prop::collection::vec("[a-z_]{1,8}", 1..5), entry in 0u64..100) {
            let mut path = Path(names.into_iter().map(Segment::Field).collect());
            path.0.push(Segment::Entry(entry));
            prop_assert_eq!(path.to_string().parse::<Path>().unwrap(), path);
        }

        #[test]
        fn no_path_text_panics(text in "\\PC*") {
            let _ = text.parse::<Path>();
        }
    }
}
