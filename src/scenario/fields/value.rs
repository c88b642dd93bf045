//! A default value of the schema, written as RON.

use super::shape::{Inside, Shapes};
use serde_json::Value;

/// `value`, which has the form `schema`.
pub(super) fn ron(shapes: &Shapes, value: &Value, schema: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(text) => match shapes.variant(schema, text) {
            Some(_) => text.clone(),
            None => format!("{text:?}"),
        },
        Value::Array(items) => {
            let form = shapes.resolved(schema).get("items");
            let item = |item| ron(shapes, item, form.unwrap_or(&Value::Null));
            let items: Vec<String> = items.iter().map(item).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let first = fields.iter().next();
            if let Some((name, content)) = first
                && let Some(Some(form)) = shapes.variant(schema, name)
            {
                let content = ron(shapes, content, form);
                return if content.starts_with('(') {
                    format!("{name}{content}")
                } else {
                    format!("{name}({content})")
                };
            }
            if let Inside::Many(form) = shapes.inside(schema) {
                let entry = |(key, entry): (&String, &Value)| {
                    format!("{key}: {}", ron(shapes, entry, form))
                };
                let entries: Vec<String> = fields.iter().map(entry).collect();
                return format!("{{{}}}", entries.join(", "));
            }
            if let Inside::Named(form) = shapes.inside(schema) {
                let entry = |(key, entry): (&String, &Value)| {
                    format!("{key:?}: {}", ron(shapes, entry, form))
                };
                let entries: Vec<String> = fields.iter().map(entry).collect();
                return format!("{{{}}}", entries.join(", "));
            }
            let forms = shapes.resolved(schema).get("properties");
            let field = |(name, field): (&String, &Value)| {
                let form = forms.and_then(|forms| forms.get(name));
                format!(
                    "{name}: {}",
                    ron(shapes, field, form.unwrap_or(&Value::Null))
                )
            };
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("({})", fields.join(", "))
        }
    }
}
