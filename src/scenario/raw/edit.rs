//! Finding and changing values in the tree by their paths.

use super::{Field, Name, Node, Path, PathError, Place, Segment, Value, number};

/// Whether a path goes on inside this value: not a single value.
fn has_inside(node: &Node) -> bool {
    matches!(
        node.value,
        Value::List(_) | Value::Map(_) | Value::Record(..) | Value::Tuple(..)
    )
}

/// Whether `key` of a map is what `segment` names.
fn is_key(key: &Node, segment: &Segment) -> bool {
    match (segment, &key.value) {
        (Segment::Entry(entry), _) => key.entry() == Some(*entry),
        (Segment::Field(name), Value::Text(text)) => name == text,
        (Segment::Field(_), _) => false,
    }
}

impl Node {
    /// Whether this is `Variant(inner)` with an inner value that has an inside
    /// of its own, so that paths pass straight through.
    pub(super) fn wraps(&self) -> bool {
        matches!(&self.value, Value::Tuple(Some(_), items) if items.len() == 1 && has_inside(&items[0]))
    }

    /// The entry of a map whose key this is.
    pub(super) fn entry(&self) -> Option<u64> {
        let Value::Number(text) = &self.value else {
            return None;
        };
        match number::whole(text) {
            number::Whole::Value(value) => value.try_into().ok(),
            _ => None,
        }
    }

    fn step(&self, segment: &Segment) -> Option<&Node> {
        match (&self.value, segment) {
            (Value::Tuple(_, items), _) if self.wraps() => items[0].step(segment),
            (Value::Record(..), Segment::Field(name)) => self.field(name),
            (Value::List(items) | Value::Tuple(_, items), Segment::Entry(entry)) => {
                items.get(usize::try_from(*entry).ok()?)
            }
            (Value::Map(entries), segment) => entries
                .iter()
                .find(|(key, _)| is_key(key, segment))
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
            (Value::Map(entries), segment) => entries
                .iter_mut()
                .find(|(key, _)| is_key(key, segment))
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
            (Value::Map(entries), segment) => {
                let key = Node {
                    place,
                    value: match segment {
                        Segment::Entry(entry) => Value::Number(entry.to_string()),
                        Segment::Field(name) => Value::Text(name.clone()),
                    },
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
        assert_eq!(set("(a: {})", "a.b.c", "2").unwrap(), r#"(a:{"b":(c:2)})"#);
        assert_eq!(
            set(r#"(a: {"b": V(c: 1)})"#, "a.b.c", "2").unwrap(),
            r#"(a:{"b":V(c:2)})"#
        );
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
    }
}
