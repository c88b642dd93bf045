//! Walking over what is written in a tree.

use super::{Node, Path, Segment, Value};

impl Node {
    /// Every text in the tree, with the path that leads to it.
    pub fn texts(&self) -> Vec<(Path, &str)> {
        let mut texts = Vec::new();
        self.collect(&mut Path::default(), &mut texts);
        texts
    }

    /// The texts that are keys of this map.
    pub fn keys(&self) -> Vec<&str> {
        let Value::Map(entries) = &self.value else {
            return Vec::new();
        };
        let keys = entries.iter().filter_map(|(key, _)| match &key.value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        });
        keys.collect()
    }

    fn collect<'a>(&'a self, path: &mut Path, texts: &mut Vec<(Path, &'a str)>) {
        match &self.value {
            Value::Text(text) => texts.push((path.clone(), text)),
            Value::Word(_) | Value::Number(_) => {}
            Value::Tuple(_, items) if self.wraps() => items[0].collect(path, texts),
            Value::List(items) | Value::Tuple(_, items) => {
                for (item, entry) in items.iter().zip(0..) {
                    path.0.push(Segment::Entry(entry));
                    item.collect(path, texts);
                    path.0.pop();
                }
            }
            Value::Record(_, fields) => {
                for field in fields {
                    path.0.push(Segment::Field(field.name.text.clone()));
                    field.value.collect(path, texts);
                    path.0.pop();
                }
            }
            Value::Map(entries) => {
                for (key, value) in entries {
                    let segment = match (key.entry(), &key.value) {
                        (Some(entry), _) => Segment::Entry(entry),
                        (None, Value::Text(name)) => Segment::Field(name.clone()),
                        _ => continue,
                    };
                    path.0.push(segment);
                    value.collect(path, texts);
                    path.0.pop();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::raw::parse;

    #[test]
    fn a_text_is_found_again_by_its_path() {
        let text = r#"S(a: V(b: "1"), w: [T("2"), (c: "3")], e: {3: (m: "5"), "k": "6"}, n: 7)"#;
        let tree = parse(text, 0).unwrap();
        let texts = tree.texts();
        let found: Vec<&str> = texts.iter().map(|(_, text)| *text).collect();
        assert_eq!(found, ["1", "2", "3", "5", "6"]);
        for (path, text) in &texts {
            let there = tree.get(path).unwrap();
            assert_eq!(there.describe(), format!("the text {text:?}"), "{path}");
        }
    }
}
