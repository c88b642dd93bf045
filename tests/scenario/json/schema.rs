//! A validator of JSON Schema, as far as the schema of scenarios needs one; a keyword that it
//! does not know fails.

use serde_json::{Map, Value};

/// Keywords that say nothing about whether a value is good.
const ANNOTATIONS: [&str; 9] = [
    "$schema",
    "$defs",
    "title",
    "description",
    "default",
    "examples",
    "format",
    "x-type",
    "x-unit",
];

/// Everything wrong with `value` by `schema`, a part of the schema `whole`.
pub fn faults(whole: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let schema = match schema {
        Value::Bool(true) => return Vec::new(),
        Value::Bool(false) => return vec![format!("{at}: nothing may stand here")],
        Value::Object(schema) => schema,
        other => panic!("{other} is no schema"),
    };
    let mut found = Vec::new();
    for (keyword, argument) in schema {
        if !ANNOTATIONS.contains(&keyword.as_str()) {
            found.extend(keyword_faults(
                whole,
                (keyword, argument),
                schema,
                value,
                at,
            ));
        }
    }
    found
}

fn keyword_faults(
    whole: &Value,
    (keyword, argument): (&str, &Value),
    schema: &Map<String, Value>,
    value: &Value,
    at: &str,
) -> Vec<String> {
    let bad = |why: String| vec![format!("{at}: {why}")];
    let unless = |good: bool, why: &str| match good {
        true => Vec::new(),
        false => bad(format!("{value} is not {why} {argument}")),
    };
    let forms = |argument: &Value| -> Vec<Vec<String>> {
        let forms = argument.as_array().unwrap().iter();
        forms.map(|form| faults(whole, form, value, at)).collect()
    };
    match keyword {
        "$ref" => {
            let name = argument.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
            faults(whole, &whole["$defs"][name], value, at)
        }
        "type" => match argument {
            Value::Array(types) => unless(types.iter().any(|t| is(t, value)), "one of"),
            one => unless(is(one, value), "a"),
        },
        "const" => unless(value == argument, ""),
        "enum" => unless(argument.as_array().unwrap().contains(value), "one of"),
        "oneOf" => match forms(argument)
            .iter()
            .filter(|found| found.is_empty())
            .count()
        {
            1 => Vec::new(),
            0 => bad(format!("no form fits: {:?}", forms(argument).concat())),
            several => bad(format!("{several} forms fit")),
        },
        "anyOf" => match forms(argument).iter().any(Vec::is_empty) {
            true => Vec::new(),
            false => bad(format!("no form fits: {:?}", forms(argument).concat())),
        },
        "required" => {
            let Some(fields) = value.as_object() else {
                return Vec::new();
            };
            let names = argument.as_array().unwrap().iter();
            let missing = names.filter(|name| !fields.contains_key(name.as_str().unwrap()));
            missing
                .flat_map(|name| bad(format!("{name} is missing")))
                .collect()
        }
        "properties" | "patternProperties" | "additionalProperties" => {
            fields(whole, (keyword, argument), schema, value, at)
        }
        "items" => {
            let fixed = schema
                .get("prefixItems")
                .map_or(0, |parts| parts.as_array().unwrap().len());
            let items = value
                .as_array()
                .into_iter()
                .flatten()
                .enumerate()
                .skip(fixed);
            items
                .flat_map(|(n, item)| faults(whole, argument, item, &format!("{at}[{n}]")))
                .collect()
        }
        "prefixItems" => {
            let pairs = argument
                .as_array()
                .unwrap()
                .iter()
                .zip(value.as_array().into_iter().flatten());
            pairs
                .flat_map(|(form, item)| faults(whole, form, item, at))
                .collect()
        }
        "minItems" => {
            let length = value.as_array().map_or(usize::MAX, Vec::len);
            unless(length as u64 >= argument.as_u64().unwrap(), "long enough:")
        }
        "maxItems" => {
            let length = value.as_array().map_or(0, Vec::len);
            unless(length as u64 <= argument.as_u64().unwrap(), "short enough:")
        }
        "minimum" => unless(
            value
                .as_f64()
                .is_none_or(|v| v >= argument.as_f64().unwrap()),
            "at least",
        ),
        "maximum" => unless(
            value
                .as_f64()
                .is_none_or(|v| v <= argument.as_f64().unwrap()),
            "at most",
        ),
        unknown => panic!("{at}: the keyword {unknown} is unknown here"),
    }
}

/// Of a record's three keywords each judges its own fields.
fn fields(
    whole: &Value,
    (keyword, argument): (&str, &Value),
    schema: &Map<String, Value>,
    value: &Value,
    at: &str,
) -> Vec<String> {
    let named = |name: &str| schema.get("properties").and_then(|known| known.get(name));
    // The only pattern that there is: a whole number.
    let numbered = |name: &str| {
        let patterns = schema.get("patternProperties")?.as_object().unwrap();
        let (pattern, form) = patterns.iter().next().unwrap();
        assert_eq!(pattern, "^\\d+$");
        name.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(form)
    };
    let entries = value.as_object().into_iter().flatten();
    entries
        .flat_map(|(name, field)| {
            let form = match (keyword, named(name), numbered(name)) {
                ("properties", Some(form), _) | ("patternProperties", _, Some(form)) => form,
                ("additionalProperties", None, None) => argument,
                _ => return Vec::new(),
            };
            faults(whole, form, field, &format!("{at}.{name}"))
        })
        .collect()
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("{unknown} is no type"),
    }
}
