//! A scenario's tree as JSON: `{"Radio": {…}}` for a variant with a content, a text for one
//! without.

use super::raw::{Node, Value};
use serde_json::{Map, Number, Value as Json};

/// `node` as JSON.
pub(super) fn json(node: &Node) -> Json {
    match &node.value {
        Value::Word(word) => match word.as_str() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            "None" => Json::Null,
            word => Json::String(word.to_owned()),
        },
        Value::Number(written) => number(written),
        Value::Text(text) => Json::String(text.clone()),
        Value::List(items) => Json::Array(items.iter().map(json).collect()),
        Value::Map(entries) => {
            let entry = |(key, value): &(Node, Node)| {
                let key = match &key.value {
                    Value::Text(text) | Value::Number(text) | Value::Word(text) => text.clone(),
                    _ => super::raw::compact(key),
                };
                (key, json(value))
            };
            Json::Object(entries.iter().map(entry).collect())
        }
        Value::Record(name, fields) => {
            let fields = fields
                .iter()
                .map(|field| (field.name.text.clone(), json(&field.value)));
            under(
                name.as_ref().map(|name| &name.text),
                Json::Object(fields.collect()),
            )
        }
        Value::Tuple(None, items) => Json::Array(items.iter().map(json).collect()),
        Value::Tuple(Some(name), items) => {
            let content = match items.as_slice() {
                [] => Json::Object(Map::new()),
                [only] => json(only),
                several => Json::Array(several.iter().map(json).collect()),
            };
            under(Some(&name.text), content)
        }
    }
}

fn under(name: Option<&String>, content: Json) -> Json {
    match name {
        Some(name) => Json::Object(Map::from_iter([(name.clone(), content)])),
        None => content,
    }
}

/// A number as JSON writes it.
fn number(written: &str) -> Json {
    use super::raw::Whole;
    match super::raw::whole(written) {
        Whole::Value(value) => match (u64::try_from(value), i64::try_from(value)) {
            (Ok(value), _) => Json::from(value),
            (_, Ok(value)) => Json::from(value),
            _ => Json::from(value as f64),
        },
        _ => Number::from_f64(super::raw::float(written)).map_or(Json::Null, Json::Number),
    }
}
