//! A scenario that is JSON, as the tree that the same scenario in RON has.
//!
//! JSON has one kind of braces: the schema tells which of them hold a record, which a map, and
//! which a variant with its content, `{"Radio": {…}}`. What the schema does not know stays as it
//! is, for decoding to refuse.

use super::Fields;
use super::shape::Inside;
use crate::scenario::raw::{Field, Name, Node, Path, Segment, Value};
use serde_json::Value as Schema;

/// What is known of a value that may be anything.
const UNKNOWN: &Schema = &Schema::Null;

impl Fields {
    /// `tree`, which was read from JSON, as RON would have it.
    pub(in crate::scenario) fn typed(&self, tree: Node) -> Node {
        self.form(tree, self.shapes.root(), UNKNOWN)
    }

    /// `node`, which has the form `schema`; what a sweep puts in place inside has the form
    /// `swept`.
    fn form(&self, node: Node, schema: &Schema, swept: &Schema) -> Node {
        let Node { place, value } = node;
        let schema = match schema["x-type"].as_str() {
            Some("any value") => swept,
            _ => schema,
        };
        let choice = self.shapes.is_choice(schema);
        let value = match value {
            Value::Word(word) if word == "null" => Value::Word("None".to_owned()),
            Value::Text(text) if choice && is_word(&text) => Value::Word(text),
            Value::Map(entries) if choice => return self.variant(place, entries, schema, swept),
            Value::Map(entries) => self.braces(entries, schema, swept),
            Value::List(items) => {
                let resolved = self.shapes.resolved(schema);
                let of = |index: usize| {
                    let parts = resolved["prefixItems"].get(index);
                    parts.or(resolved.get("items")).unwrap_or(UNKNOWN)
                };
                let items = items.into_iter().enumerate();
                let items = items.map(|(index, item)| self.form(item, of(index), swept));
                Value::List(items.collect())
            }
            value => value,
        };
        Node { place, value }
    }

    /// `{"Radio": {…}}` as `Radio(…)`.
    fn variant(
        &self,
        place: crate::scenario::raw::Place,
        mut entries: Vec<(Node, Node)>,
        schema: &Schema,
        swept: &Schema,
    ) -> Node {
        let value = match entries.pop() {
            Some((key, content)) if entries.is_empty() && matches!(key.value, Value::Text(_)) => {
                let Value::Text(text) = key.value else {
                    unreachable!("matched just above")
                };
                let form = self.shapes.variant(schema, &text).flatten();
                let content = self.form(content, form.unwrap_or(UNKNOWN), swept);
                let name = Some(Name {
                    text,
                    place: key.place,
                });
                match content.value {
                    Value::Record(None, fields) => Value::Record(name, fields),
                    Value::Tuple(None, items) if items.is_empty() => Value::Tuple(name, items),
                    value => Value::Tuple(name, vec![Node { value, ..content }]),
                }
            }
            Some(last) => {
                entries.push(last);
                Value::Map(entries)
            }
            None => Value::Map(entries),
        };
        Node { place, value }
    }

    /// Braces that hold a record or a map.
    fn braces(&self, entries: Vec<(Node, Node)>, schema: &Schema, swept: &Schema) -> Value {
        let entry = match self.shapes.inside(schema) {
            Inside::Many(form) | Inside::Named(form) => form,
            Inside::Children(_) => return self.record(entries, schema, swept),
            Inside::Nothing => UNKNOWN,
        };
        let entries = entries.into_iter().map(|(mut key, value)| {
            if let (Inside::Many(_), Value::Text(text)) = (self.shapes.inside(schema), &key.value)
                && text.bytes().all(|byte| byte.is_ascii_digit())
                && !text.is_empty()
            {
                key.value = Value::Number(text.clone());
            }
            (key, self.form(value, entry, swept))
        });
        Value::Map(entries.collect())
    }

    fn record(&self, entries: Vec<(Node, Node)>, schema: &Schema, swept: &Schema) -> Value {
        let forms = &self.shapes.resolved(schema)["properties"];
        let path = entries
            .iter()
            .find_map(|(key, value)| match (&key.value, &value.value) {
                (Value::Text(name), Value::Text(path)) if name == "path" => path.parse().ok(),
                _ => None,
            });
        let own = path.and_then(|path| self.form_at(&path));
        let swept = own.unwrap_or(swept);
        let mut fields = Vec::new();
        for (key, value) in entries {
            let Value::Text(text) = key.value else {
                continue;
            };
            let value = self.form(value, forms.get(&text).unwrap_or(UNKNOWN), swept);
            let place = key.place;
            let name = Name { text, place };
            fields.push(Field { name, value });
        }
        match fields.is_empty() {
            true => Value::Tuple(None, Vec::new()),
            false => Value::Record(None, fields),
        }
    }

    /// The form of what stands at `path`.
    fn form_at(&self, path: &Path) -> Option<&Schema> {
        let places = self.walk(vec![self.root()], &path.to_string(), true);
        let schema = places.first()?.schema;
        match (path.0.last()?, self.shapes.inside(schema)) {
            (Segment::Entry(_), Inside::Many(entry)) => Some(entry),
            _ => Some(schema),
        }
    }
}

/// Whether a text can be the name of a variant.
fn is_word(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_alphabetic());
    starts && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}
