//! The documented fields against two other routes to them: what the decoder says it
//! knows, and what resolved scenarios contain.

use super::*;
use crate::scenario::draft::tree_of;
use crate::scenario::raw::{self, Node};
use crate::scenario::{load, points};
use std::collections::BTreeSet;

/// Every record and every choice by its path, with the fields or variants inside.
fn insides(fields: &Fields) -> BTreeMap<String, Vec<Entry>> {
    let mut insides: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for entry in fields.listing(&fields.root(), true) {
        if !entry.path.is_empty() {
            let outer = entry.path.rsplit_once('.').map_or("", |(outer, _)| outer);
            insides.entry(outer.to_owned()).or_default().push(entry);
        }
    }
    insides
}

fn descend<'a>(fields: &'a Fields, path: &[&str]) -> Place<'a> {
    let parts = path.iter().filter(|part| **part != "*");
    parts.fold(fields.root(), |place, part| {
        let mut inside = fields.inside(&place).into_iter();
        let name = prose::last_name(part);
        inside
            .find(|inner| prose::last_name(&inner.path) == name)
            .unwrap()
    })
}

/// A scenario with `inner` at `path`: with everything that has to stand around it if
/// `whole`, else with nothing after it.
fn around(fields: &Fields, path: &str, inner: String, whole: bool) -> Node {
    let parts: Vec<&str> = path.split('.').filter(|part| !part.is_empty()).collect();
    let mut text = inner;
    for (index, part) in parts.iter().enumerate().rev() {
        if *part == "*" {
            text = format!("{{\"x\": {text}}}");
            continue;
        }
        let place = descend(fields, &parts[..=index]);
        for _ in part.matches("[]") {
            let keyed = fields.shapes.holds(place.schema).starts_with("by number");
            text = if keyed {
                format!("{{0: {text}}}")
            } else {
                format!("[{text}]")
            };
        }
        let name = prose::last_name(part);
        text = if place.role == Role::Variant {
            named(name, &text)
        } else {
            let outer = descend(fields, &parts[..index]);
            let others = required(fields, &outer, name);
            let others = if whole { others.as_str() } else { "" };
            format!("({name}: {text}, {others})")
        };
    }
    raw::parse(&text, 0).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn named(name: &str, content: &str) -> String {
    match content {
        "" => name.to_owned(),
        content if content.starts_with('(') => format!("{name}{content}"),
        content => format!("{name}({content})"),
    }
}

/// `name: value, ` for every field that has to be in `record`, but for `except`.
fn required(fields: &Fields, record: &Place<'_>, except: &str) -> String {
    let inside = fields.inside(record).into_iter();
    inside
        .filter(|inner| inner.role == Role::Required)
        .map(|inner| (prose::last_name(&inner.path).to_owned(), inner))
        .filter(|(name, _)| name != except)
        .map(|(name, inner)| format!("{name}: {}, ", sample(fields, &inner)))
        .collect()
}

/// A value that `place` may have, with nothing in it that may be left out.
fn sample(fields: &Fields, place: &Place<'_>) -> String {
    if let Some(example) = fields.shapes.example(place.schema) {
        return example;
    }
    let inside = fields.inside(place);
    let holds = fields.shapes.holds(place.schema);
    match holds.as_str() {
        holds if holds.starts_with("list of ") => "[]".to_owned(),
        holds if holds.starts_with("by name, ") => "{}".to_owned(),
        "(text, text)" => "(\"x\", \"y\")".to_owned(),
        "whole number" | "any value" => "1".to_owned(),
        "number" => "0.5".to_owned(),
        "text" => "\"x\"".to_owned(),
        holds if holds.starts_with("length in m or") => "\"5 m\"".to_owned(),
        _ => match inside.first() {
            None => String::new(),
            Some(first) if first.role == Role::Variant => {
                named(prose::last_name(&first.path), &sample(fields, first))
            }
            Some(_) => format!("({})", required(fields, place, "")),
        },
    }
}

/// The names in `known are a, b, c`.
fn known(help: &str) -> BTreeSet<&str> {
    let (_, names) = help.split_once("known ").expect(help);
    let names = names
        .trim_start_matches("is only ")
        .trim_start_matches("are ");
    names.split(", ").collect()
}

#[test]
fn the_decoder_knows_exactly_the_fields_that_are_documented() {
    let fields = Fields::new();
    let insides = insides(&fields);
    for (path, entries) in &insides {
        let unknown = match entries[0].role {
            Role::Variant => "zzz",
            _ => "(zzz: 0)",
        };
        let scenario = around(&fields, path, unknown.to_owned(), false);
        let error = raw::decode::<Scenario>(&scenario).unwrap_err();
        let help = error.help.expect(path);
        let documented: BTreeSet<&str> = entries.iter().map(Entry::name).collect();
        assert_eq!(known(&help), documented, "{path}");
    }
    assert!(insides.len() > 60, "{}", insides.len());
}

#[test]
fn documented_defaults_are_those_of_resolved_scenarios() {
    let fields = Fields::new();
    for (path, entries) in insides(&fields) {
        if entries[0].role == Role::Variant {
            continue;
        }
        let parts: Vec<&str> = path.split('.').filter(|part| !part.is_empty()).collect();
        let record = required(&fields, &descend(&fields, &parts), "");
        let node = around(&fields, &path, format!("({record})"), true);
        let scenario: Scenario = raw::decode(&node)
            .unwrap_or_else(|error| panic!("{path}: {error}: {}", raw::line(&node)));
        let resolved = tree_of(&scenario);
        for entry in entries {
            let mut at: raw::Path = entry
                .path
                .replace("[]", "[0]")
                .replace('*', "x")
                .parse()
                .unwrap();
            at.0.retain(|segment| match segment {
                raw::Segment::Field(name) => !name.starts_with(char::is_uppercase),
                raw::Segment::Entry(_) => true,
            });
            let value = resolved.get(&at).map(raw::line);
            match &entry.role {
                Role::Default(default) => {
                    let default = raw::line(&raw::parse(default, 0).unwrap());
                    assert_eq!(value, Some(default), "{}", entry.path);
                }
                Role::Optional => {
                    assert_eq!(value.as_deref().unwrap_or("None"), "None", "{}", entry.path);
                }
                Role::Required | Role::Variant => assert!(value.is_some(), "{}", entry.path),
            }
        }
    }
}

/// Paths of everything inside `node`, with variants.
fn paths(node: &Node, path: &str, found: &mut Vec<String>) {
    let under = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match &node.value {
        raw::Value::Record(name, fields) => {
            let path = match name {
                Some(name) if !path.is_empty() => under(&name.text),
                _ => path.to_owned(),
            };
            for field in fields {
                let inner = match path.as_str() {
                    "" => field.name.text.clone(),
                    path => format!("{path}.{}", field.name.text),
                };
                found.push(inner.clone());
                paths(&field.value, &inner, found);
            }
        }
        raw::Value::Tuple(Some(name), items) => {
            found.push(under(&name.text));
            for item in items {
                paths(item, &under(&name.text), found);
            }
        }
        raw::Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                paths(item, &format!("{path}[{index}]"), found);
            }
        }
        raw::Value::Map(entries) => {
            for (key, item) in entries {
                let inner = match &key.value {
                    raw::Value::Text(name) => format!("{path}.{name}"),
                    _ => format!("{path}[{}]", raw::line(key)),
                };
                paths(item, &inner, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_field_of_every_shipped_scenario_is_documented() {
    let fields = Fields::new();
    let mut files = Vec::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "ron") {
                files.push(path);
            }
        }
    }
    assert!(files.len() >= 8);
    let mut seen = BTreeSet::new();
    for file in files {
        let resolved = load(&file, &[]).unwrap();
        points(&resolved).unwrap();
        let mut found = Vec::new();
        paths(&raw::parse(&resolved.to_ron(), 0).unwrap(), "", &mut found);
        seen.extend(found);
    }
    for path in seen {
        // What a sweep puts in place has the form of the field it varies.
        if path.contains(".values[") {
            continue;
        }
        let found = fields.find(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(found.len(), 1, "{path}");
        assert_ne!(found[0][0].summary(), "", "{path}");
    }
}

#[test]
fn everything_is_described() {
    let fields = Fields::new();
    for entry in &fields.listing(&fields.root(), true)[1..] {
        assert_ne!(entry.summary(), "", "{}", entry.path);
    }
}

#[test]
fn variants_and_entries_may_be_left_out_of_a_path() {
    let fields = Fields::new();
    let path = |found: &[Vec<Entry>]| -> Vec<String> {
        found
            .iter()
            .map(|entries| entries[0].path.clone())
            .collect()
    };
    let find = |text: &str| path(&fields.find(text).unwrap());
    assert_eq!(
        find("links.air.budget.snr"),
        ["links.*.Radio.budget.Normalised.snr"]
    );
    assert_eq!(find("workload[2].text"), ["workload[].Score.text"]);
    assert_eq!(
        find("replicas[0].placement.all_reduce.streams"),
        [
            "replicas[].placement.TensorParallel.all_reduce.AirComp.streams",
            "replicas[].placement.TensorParallel.all_reduce.UncodedFdma.streams"
        ]
    );
    assert_eq!(
        find("nodes.server.profile.peak"),
        ["nodes.*.profile.Custom.peak"]
    );
    assert_eq!(find("sweep.axes[0].zip[1].range.from").len(), 1);
}

#[test]
fn a_wrong_path_is_told_what_is_near() {
    let fields = Fields::new();
    let told = |path: &str| fields.find(path).unwrap_err().to_string();
    assert_eq!(
        told("links.air.bandwith"),
        "a scenario has no field `links.air.bandwith`; did you mean links.*.Radio.bandwidth or \
         replicas[].placement.Experts.bandwidth or \
         replicas[].placement.TensorParallel.all_reduce.Hierarchy.clusters.Listed[].band?"
    );
    assert!(told("snrr").contains("links.*.Radio.budget.Normalised.snr"));
    assert_eq!(
        told("radio.budget"),
        "a scenario has no field `radio.budget`; it is `links.air.budget` now"
    );
    assert!(told("xyzzy").ends_with("`airloom fields` lists them all"));
}
