//! Paths such as `architecture.all_reduce.streams` or `workload[0].text`: how
//! overrides, sweeps and errors name a place in the tree.
//!
//! A path names fields and entries only. It passes through enum variants without
//! naming them: in `all_reduce: AirComp(streams: 4)` the streams are at
//! `all_reduce.streams`. An entry is written `[0]` or `.0`.

use super::{Field, Name, Node, Place, Value, number};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
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
    #[error("`{0}` is not a path; write for example `devices.count` or `workload[0].text`")]
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
            let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.is_empty();
            match name.parse() {
                Ok(entry) => segments.push(Segment::Entry(entry)),
                Err(_) if is_name => segments.push(Segment::Field(name.to_owned())),
                Err(_) => return Err(malformed()),
            }
            while let Some(rest) = entries.strip_prefix('[') {
                let (entry, rest) = rest.split_once(']').ok_or_else(malformed)?;
                segments.push(Segment::Entry(entry.parse().map_err(|_| malformed())?));
                entries = rest;
            }
            if !entries.is_empty() {
                return Err(malformed());
            }
        }
        Ok(Self(segments))
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

impl Path {
    /// This path and one step more.
    pub fn then(&self, segment: Segment) -> Self {
        let mut longer = self.clone();
        longer.0.push(segment);
        longer
    }
}

/// Whether a path goes on inside this value: not a single value.
fn has_inside(node: &Node) -> bool {
    matches!(
        node.value,
        Value::List(_) | Value::Map(_) | Value::Record(..) | Value::Tuple(..)
    )
}

fn is_key(key: &Node, entry: u64) -> bool {
    matches!(&key.value, Value::Number(text) if number::whole(text) == number::Whole::Value(entry.into()))
}

impl Node {
    /// Whether this is `Variant(inner)` with an inner value that has an inside
    /// of its own, so that paths pass straight through.
    fn wraps(&self) -> bool {
        matches!(&self.value, Value::Tuple(Some(_), items) if items.len() == 1 && has_inside(&items[0]))
    }

    fn step(&self, segment: &Segment) -> Option<&Node> {
        match (&self.value, segment) {
            (Value::Tuple(_, items), _) if self.wraps() => items[0].step(segment),
            (Value::Record(..), Segment::Field(name)) => self.field(name),
            (Value::List(items) | Value::Tuple(_, items), Segment::Entry(entry)) => {
                items.get(usize::try_from(*entry).ok()?)
            }
            (Value::Map(entries), Segment::Entry(entry)) => entries
                .iter()
                .find(|(key, _)| is_key(key, *entry))
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value at `path`, or the last one on the way to it that exists.
    pub fn at(&self, path: &Path) -> &Node {
        let mut node = self;
        for segment in &path.0 {
            match node.step(segment) {
                Some(inner) => node = inner,
                None => break,
            }
        }
        node
    }

    /// The value at `path`, if it was written.
    pub fn get(&self, path: &Path) -> Option<&Node> {
        path.0
            .iter()
            .try_fold(self, |node, segment| node.step(segment))
    }

    /// Puts `value` at `path`, adding fields that are not there yet; `place` is
    /// where the path was written. Whether such fields exist is for
    /// [`decode`](super::decode) to say.
    ///
    /// # Errors
    /// If the path leads into a single value or beyond a list's end.
    pub fn set(&mut self, path: &Path, value: Node, place: Place) -> Result<(), PathError> {
        let mut node = self;
        for (index, segment) in path.0.iter().enumerate() {
            let walked = Path(path.0[..index].to_vec());
            node = node.step_or_add(segment, place, walked)?;
        }
        *node = value;
        Ok(())
    }

    /// Takes away what stands at `path`; nothing happens when there is nothing.
    pub(crate) fn remove(&mut self, path: &Path) {
        let Some((last, parents)) = path.0.split_last() else {
            return;
        };
        let mut node = self;
        for segment in parents {
            match node.step_mut(segment) {
                Some(inner) => node = inner,
                None => return,
            }
        }
        while node.wraps() {
            let Value::Tuple(_, items) = &mut node.value else {
                return;
            };
            node = &mut items[0];
        }
        match (&mut node.value, last) {
            (Value::Record(_, fields), Segment::Field(name)) => {
                fields.retain(|field| field.name.text != *name);
            }
            (Value::List(items) | Value::Tuple(_, items), Segment::Entry(entry)) => {
                if let Ok(entry) = usize::try_from(*entry)
                    && entry < items.len()
                {
                    items.remove(entry);
                }
            }
            (Value::Map(entries), Segment::Entry(entry)) => {
                entries.retain(|(key, _)| !is_key(key, *entry));
            }
            _ => {}
        }
    }

    fn step_mut(&mut self, segment: &Segment) -> Option<&mut Node> {
        if self.wraps() {
            let Value::Tuple(_, items) = &mut self.value else {
                return None;
            };
            return items[0].step_mut(segment);
        }
        match (&mut self.value, segment) {
            (Value::Record(_, fields), Segment::Field(name)) => fields
                .iter_mut()
                .find(|field| field.name.text == *name)
                .map(|field| &mut field.value),
            (Value::List(items) | Value::Tuple(_, items), Segment::Entry(entry)) => {
                items.get_mut(usize::try_from(*entry).ok()?)
            }
            (Value::Map(entries), Segment::Entry(entry)) => entries
                .iter_mut()
                .find(|(key, _)| is_key(key, *entry))
                .map(|(_, value)| value),
            _ => None,
        }
    }

    fn step_or_add(
        &mut self,
        segment: &Segment,
        place: Place,
        walked: Path,
    ) -> Result<&mut Node, PathError> {
        if self.step(segment).is_none() {
            self.add(segment, place, walked)?;
        }
        Ok(self
            .step_mut(segment)
            .expect("it was there or has just been added"))
    }

    fn add(&mut self, segment: &Segment, place: Place, walked: Path) -> Result<(), PathError> {
        if self.wraps() {
            let Value::Tuple(_, items) = &mut self.value else {
                unreachable!("only a tuple wraps")
            };
            return items[0].add(segment, place, walked);
        }
        let empty = Node {
            place,
            value: Value::Tuple(None, Vec::new()),
        };
        let found = self.describe();
        match (&mut self.value, segment) {
            (Value::Record(_, fields), Segment::Field(name)) => {
                fields.push(field(name, place, empty));
                return Ok(());
            }
            (Value::Map(entries), Segment::Entry(entry)) => {
                let key = Node {
                    place,
                    value: Value::Number(entry.to_string()),
                };
                entries.push((key, empty));
                return Ok(());
            }
            (Value::Tuple(name, items), Segment::Field(step)) if items.is_empty() => {
                self.value = Value::Record(name.take(), vec![field(step, place, empty)]);
                return Ok(());
            }
            (Value::Word(word), Segment::Field(step)) if !is_value_word(word) => {
                let name = (word != "None").then(|| Name {
                    text: std::mem::take(word),
                    place: self.place,
                });
                self.value = Value::Record(name, vec![field(step, place, empty)]);
                return Ok(());
            }
            (Value::List(items) | Value::Tuple(_, items), Segment::Entry(entry)) => {
                return Err(PathError::NoEntry {
                    path: walked,
                    length: items.len(),
                    entry: *entry,
                });
            }
            _ => {}
        }
        Err(PathError::NoInside {
            path: walked,
            found,
            step: match segment {
                Segment::Field(name) => name.clone(),
                Segment::Entry(entry) => entry.to_string(),
            },
        })
    }
}

fn is_value_word(word: &str) -> bool {
    matches!(word, "true" | "false" | "NaN" | "inf")
}

fn field(name: &str, place: Place, value: Node) -> Field {
    Field {
        name: Name {
            text: name.to_owned(),
            place,
        },
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::raw::{compact, parse};
    use proptest::prelude::*;

    fn set(text: &str, path: &str, value: &str) -> Result<String, PathError> {
        let mut tree = parse(text, 0).unwrap();
        let value = parse(value, 1).unwrap();
        let place = value.place;
        tree.set(&path.parse()?, value, place)?;
        Ok(compact(&tree))
    }

    #[test]
    fn passes_through_variants_and_lists() {
        let text =
            r#"S(a: V(b: 1), w: [Score(text: World(n: 2)), Wrapped((c: 3))], e: {3: (m: 1)})"#;
        for (path, expected) in [
            (
                "a.b",
                r#"S(a:V(b:9),w:[Score(text:World(n:2)),Wrapped((c:3))],e:{3:(m:1)})"#,
            ),
            (
                "w[0].text.n",
                r#"S(a:V(b:1),w:[Score(text:World(n:9)),Wrapped((c:3))],e:{3:(m:1)})"#,
            ),
            (
                "w.1.c",
                r#"S(a:V(b:1),w:[Score(text:World(n:2)),Wrapped((c:9))],e:{3:(m:1)})"#,
            ),
            (
                "e.3.m",
                r#"S(a:V(b:1),w:[Score(text:World(n:2)),Wrapped((c:3))],e:{3:(m:9)})"#,
            ),
        ] {
            assert_eq!(set(text, path, "9").unwrap(), expected, "{path}");
        }
        assert_eq!(
            set("(a: 1)", "a", "Digital(bits: 8)").unwrap(),
            "(a:Digital(bits:8))"
        );
    }

    #[test]
    fn adds_fields_that_are_not_there() {
        assert_eq!(set("(a: 1)", "b.c", "2").unwrap(), "(a:1,b:(c:2))");
        assert_eq!(set("(a: Ideal)", "a.c", "2").unwrap(), "(a:Ideal(c:2))");
        assert_eq!(set("(a: None)", "a.c", "2").unwrap(), "(a:(c:2))");
        assert_eq!(set("(a: {})", "a[7]", "2").unwrap(), "(a:{7:2})");
        assert_eq!(set("()", "a", "2").unwrap(), "(a:2)");
    }

    #[test]
    fn says_where_a_path_ends() {
        let error = |text, path| set(text, path, "9").unwrap_err().to_string();
        assert_eq!(
            error("(a: 1)", "a.b"),
            "`a` is the number 1: it has no `b` inside"
        );
        assert_eq!(
            error("(a: [1, 2])", "a[2]"),
            "`a` has 2 entries, counted from 0, so there is no entry 2"
        );
        for path in ["", "a..b", "a[", "a[x]", "a[1]b", "a b", "[0]"] {
            assert!(error("(a: 1)", path).contains("is not a path"), "{path}");
        }
    }

    proptest! {
        #[test]
        fn a_path_reads_back_as_written(names in prop::collection::vec("[a-z_]{1,8}", 1..5), entry in 0u64..100) {
            let mut path = Path(names.into_iter().map(Segment::Field).collect());
            path = path.then(Segment::Entry(entry));
            prop_assert_eq!(path.to_string().parse::<Path>().unwrap(), path);
        }

        #[test]
        fn no_path_text_panics(text in "\\PC*") {
            let _ = text.parse::<Path>();
        }
    }
}
