//! The schema as a scenario's author sees it: records, variants, lists and single values.

use super::Role;
use super::prose::{self, TextBlock};
use super::value::ron;
use serde_json::{Map, Value};

/// What references in the schema begin with.
const DEFINITIONS: &str = "#/$defs/";

/// A JSON schema and the definitions that it refers to.
#[derive(Debug)]
pub(super) struct Shapes {
    schema: Value,
}

/// What a value may have inside.
pub(super) enum Inside<'a> {
    /// Fields or variants.
    Children(Vec<Child<'a>>),
    /// Entries, all of this form.
    Many(&'a Value),
    /// Entries of this form, each under a name that the scenario gives it.
    Named(&'a Value),
    /// Nothing that has a name.
    Nothing,
}

/// A field of a record or a variant of a choice.
pub(super) struct Child<'a> {
    pub name: &'a str,
    pub role: Role,
    pub schema: &'a Value,
}

/// One form that a choice may take: a word alone, or one with a content.
struct Variant<'a> {
    name: &'a str,
    /// The part of the schema that describes it.
    schema: &'a Value,
    content: Option<&'a Value>,
}

impl Shapes {
    pub(super) fn new(schema: Value) -> Self {
        Self { schema }
    }

    pub(super) fn root(&self) -> &Value {
        &self.schema
    }

    /// The name of the type that `schema` refers to.
    pub(super) fn type_name<'a>(&'a self, schema: &'a Value) -> Option<&'a str> {
        let schema = variant_content(schema).unwrap_or(schema);
        let schema = schema.get("items").unwrap_or(schema);
        let schema = keyed(schema).or_else(|| named(schema)).unwrap_or(schema);
        reference(not_null(schema))
    }

    /// `schema` itself, behind references and without the possibility of being absent.
    pub(super) fn resolved<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        loop {
            schema = not_null(schema);
            let Some(name) = reference(schema) else {
                return schema;
            };
            schema = &self.schema["$defs"][name];
        }
    }

    /// What can be named inside a value of `schema`.
    pub(super) fn inside<'a>(&'a self, schema: &'a Value) -> Inside<'a> {
        let schema = match variant_content(schema) {
            Some(content) => self.resolved(content),
            None if schema.get("const").is_some() => return Inside::Nothing,
            None => self.resolved(schema),
        };
        if let Some(entries) = schema.get("items").or_else(|| keyed(schema)) {
            return Inside::Many(entries);
        }
        if let Some(entries) = named(schema) {
            return Inside::Named(entries);
        }
        if let Some(variants) = variants(schema) {
            let child = |variant: Variant<'a>| Child {
                name: variant.name,
                role: Role::Variant,
                schema: variant.schema,
            };
            return Inside::Children(variants.into_iter().map(child).collect());
        }
        match schema.get("properties").and_then(Value::as_object) {
            Some(fields) => Inside::Children(self.fields(schema, fields)),
            None => Inside::Nothing,
        }
    }

    fn fields<'a>(&'a self, record: &'a Value, fields: &'a Map<String, Value>) -> Vec<Child<'a>> {
        let required = record["required"].as_array();
        let role = |name: &str, schema: &'a Value| {
            if required.is_some_and(|names| names.iter().any(|other| other == name)) {
                return Role::Required;
            }
            match schema.get("default") {
                None | Some(Value::Null) => Role::Optional,
                Some(default) => Role::Default(ron(self, default, schema)),
            }
        };
        let child = |(name, schema): (&'a String, &'a Value)| Child {
            name,
            role: role(name, schema),
            schema,
        };
        fields.iter().map(child).collect()
    }

    /// Whether `schema` is a choice between variants.
    pub(super) fn is_choice(&self, schema: &Value) -> bool {
        variants(self.resolved(schema)).is_some()
    }

    /// The content of the variant `name` of the choice `schema`; the inner `None` is a word
    /// alone.
    pub(super) fn variant<'a>(
        &'a self,
        schema: &'a Value,
        name: &str,
    ) -> Option<Option<&'a Value>> {
        let variants = variants(self.resolved(schema))?;
        let variant = variants.into_iter().find(|variant| variant.name == name)?;
        Some(variant.content)
    }

    /// What a value of `schema` is, in words.
    pub(super) fn holds(&self, schema: &Value) -> String {
        if schema.get("const").is_some() {
            return String::new();
        }
        let schema = self.resolved(variant_content(schema).unwrap_or(schema));
        if let Some(variants) = variants(schema) {
            let names: Vec<&str> = variants.iter().map(|variant| variant.name).collect();
            return names.join(" | ");
        }
        if let Some(forms) = schema["anyOf"].as_array() {
            let words: Vec<String> = forms.iter().map(|form| self.holds(form)).collect();
            return words.join(" or ");
        }
        if let Some(name) = schema["x-type"].as_str() {
            return match schema["x-unit"].as_str() {
                Some(unit) => format!("{name} in {unit}"),
                None => name.to_owned(),
            };
        }
        if let Some(entries) = schema.get("items") {
            return match self.holds(entries).as_str() {
                "" => "list of records".to_owned(),
                entries => format!("list of {entries}"),
            };
        }
        if let Some(entries) = keyed(schema) {
            return format!("by number, {}", self.holds(entries));
        }
        if let Some(entries) = named(schema) {
            return match self.holds(entries).as_str() {
                "" => "by name, records".to_owned(),
                entries => format!("by name, {entries}"),
            };
        }
        if let Some(parts) = schema["prefixItems"].as_array() {
            let parts: Vec<String> = parts.iter().map(|part| self.holds(part)).collect();
            return format!("({})", parts.join(", "));
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null"),
            kind => Some(kind),
        };
        match kind.and_then(Value::as_str) {
            Some("integer") => "whole number",
            Some("number") => "number",
            Some("boolean") => "true or false",
            Some("string") => "text",
            _ => "",
        }
        .to_owned()
    }

    /// How a quantity of `schema` is written.
    pub(super) fn example(&self, schema: &Value) -> Option<String> {
        let schema = self.resolved(variant_content(schema).unwrap_or(schema));
        let example = schema["examples"].get(0)?.as_str()?;
        Some(format!("\"{example}\""))
    }

    /// What is said of `schema` where it is used, then what its type says.
    pub(super) fn text(&self, schema: &Value) -> Vec<TextBlock> {
        let own = schema["description"].as_str().unwrap_or_default();
        let content = variant_content(schema).unwrap_or(schema);
        let general = reference(not_null(content))
            .and_then(|name| self.schema["$defs"][name]["description"].as_str())
            // Such types are described by the variant that holds them.
            .filter(|text| !text.starts_with("The fields of "))
            .unwrap_or_default();
        let mut text = prose::blocks(own);
        for block in prose::blocks(general) {
            if !text.contains(&block) {
                text.push(block);
            }
        }
        text
    }
}

/// The name of the type that is referred to.
fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(DEFINITIONS)
}

/// Of a choice between something and null that something.
fn not_null(schema: &Value) -> &Value {
    let Some(forms) = schema["anyOf"].as_array() else {
        return schema;
    };
    let mut there = forms.iter().filter(|form| form["type"] != "null");
    match (there.next(), there.next()) {
        (Some(only), None) => only,
        _ => schema,
    }
}

/// What a map from numbers holds.
fn keyed(schema: &Value) -> Option<&Value> {
    let patterns = schema.get("patternProperties")?.as_object()?;
    patterns.values().next()
}

/// What a map from names holds.
fn named(schema: &Value) -> Option<&Value> {
    let entries = schema.get("additionalProperties")?;
    entries.is_object().then_some(entries)
}

/// The content of a variant, if `schema` is one with a content: an object with one field,
/// which is required and has a name of its own kind.
fn variant_content(schema: &Value) -> Option<&Value> {
    let fields = schema.get("properties")?.as_object()?;
    let (name, content) = fields.iter().next()?;
    (fields.len() == 1 && name.starts_with(char::is_uppercase)).then_some(content)
}

/// The forms of a choice; `None` if `schema` is none.
fn variants(schema: &Value) -> Option<Vec<Variant<'_>>> {
    if let Some(words) = schema["enum"].as_array() {
        let words = words.iter().filter_map(Value::as_str);
        let variants = words.map(|name| Variant {
            name,
            schema: &Value::Null,
            content: None,
        });
        return Some(variants.collect());
    }
    let mut variants = Vec::new();
    for form in schema["oneOf"].as_array()? {
        if let Some(content) = variant_content(form) {
            let name = form["properties"].as_object()?.keys().next()?;
            variants.push(Variant {
                name,
                schema: form,
                content: Some(content),
            });
        } else if let Some(name) = form["const"].as_str() {
            variants.push(Variant {
                name,
                schema: form,
                content: None,
            });
        } else {
            variants.extend(self::variants(form)?);
        }
    }
    Some(variants)
}
