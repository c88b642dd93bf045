//! Scenarios in JSON: the same as in RON, described by their schema.

mod schema;

use crate::files::{every_shipped_scenario, load};
use airloom::scenario::fields::Fields;
use airloom::scenario::{self, Resolved};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// What is wrong with the scenario `text`, a file `x.json` beside a model.
fn load_text(text: &str) -> Result<Resolved, String> {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("config.json"), "{}").unwrap();
    let path = folder.path().join("x.json");
    fs::write(&path, text).unwrap();
    scenario::load(&path, &[]).map_err(|error| {
        let folder = format!("{}/", folder.path().display());
        error.to_string().replace(&folder, "")
    })
}

/// The paths in a scenario that lead to where it was shipped.
fn absolute(json: &mut Value, folder: &str) {
    match json {
        Value::String(text) if text.starts_with("../") => *text = format!("{folder}/{text}"),
        Value::Array(items) => items.iter_mut().for_each(|item| absolute(item, folder)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| absolute(field, folder)),
        _ => {}
    }
}

/// A scenario's text without the folder where it was shipped and without line breaks, which come
/// sooner where the folder's path is longer.
fn without_layout(ron: &str, folder: &str) -> String {
    let mut text = ron.replace(&format!("{folder}/"), "");
    text.retain(|sign| !sign.is_whitespace());
    for close in [")", "]", "}"] {
        text = text.replace(&format!(",{close}"), close);
    }
    text
}

#[test]
fn every_shipped_scenario_is_the_same_in_json_and_fits_the_schema() {
    let fields = Fields::new();
    let schema = fields.schema();
    for path in every_shipped_scenario() {
        let resolved = load(&path, &[]);
        let text = resolved.to_json();
        let mut json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            schema::faults(schema, schema, &json, ""),
            [""; 0],
            "{path:?}"
        );
        let folder = resolved.folder.display().to_string();
        absolute(&mut json, &folder);
        let again =
            load_text(&json.to_string()).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!(
            without_layout(&again.to_ron(), &folder),
            without_layout(&resolved.to_ron(), &folder),
            "{path:?}"
        );
        let labels = |resolved: &Resolved| -> Vec<String> {
            let points = scenario::points(resolved).unwrap();
            points.into_iter().map(|point| point.label).collect()
        };
        assert_eq!(labels(&again), labels(&resolved), "{path:?}");
    }
}

#[test]
fn the_schema_refuses_what_the_decoder_refuses() {
    let fields = Fields::new();
    let schema = fields.schema();
    let good = r#"{"model": {"Folder": "."}, "nodes": {"device": {"count": 2, "except":
        {"1": {"Preset": "raspberry-pi-5"}}}}, "links": {"air": {"Radio": {"downlink": "Ideal",
        "fading": {"Rician": {"mean": 1, "variance": 1e0}}}}}, "replicas": [{"placement":
        {"TensorParallel": {"assignment": {"Fixed": [0.5, 0.5]}, "all_reduce": {"AirComp":
        {"streams": 2}}}}}], "workload": [{"Generate": {"prompt": "\u0041\ud83d\ude00\/\b"}}]}"#;
    let resolved = load_text(good).unwrap();
    let scenario::Request::Generate(request) = &resolved.scenario.workload[0] else {
        panic!("it generates");
    };
    assert_eq!(request.prompt, "A😀/\u{8}");
    let judged = |text: &str| {
        let json: Value = serde_json::from_str(text).unwrap();
        schema::faults(schema, schema, &json, "").is_empty()
    };
    assert!(judged(good));
    for (from, to, fault) in [
        (
            "\"count\": 2",
            "\"cuont\": 2",
            "x.json:1:49: unknown field `cuont`",
        ),
        (
            "\"count\": 2",
            "\"count\": \"2\"",
            "x.json:1:58: expected a whole number, found the text \"2\"",
        ),
        (
            "\"Ideal\"",
            "\"Idael\"",
            "x.json:2:88: `Idael` is not known here",
        ),
        ("{\"Rician\"", "{\"Rice\"", "`Rice` is not known here"),
        (
            "\"1\":",
            "\"one\":",
            "x.json:2:10: expected a whole number, found the text \"one\"",
        ),
        (
            "\"model\": {\"Folder\": \".\"}, ",
            "",
            "x.json:1:1: the field `model` is missing",
        ),
        ("[0.5, 0.5]", "{}", "expected a list in square brackets"),
    ] {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        assert!(!judged(&text), "{text}");
        let error = load_text(&text).unwrap_err();
        assert!(error.contains(fault), "`{fault}` is not in\n{error}");
    }
}

#[test]
fn a_text_that_is_not_json_is_refused_at_the_place() {
    for (text, fault) in [
        (
            "Scenario(seed: 1)",
            "x.json:1:9: `(` has no meaning in JSON",
        ),
        ("{\"seed\": 1", "x.json:1:1: this bracket is never closed"),
        (
            "{\"seed\": 1, \"seed\": 2}",
            "x.json:1:13: the key the text \"seed\" appears twice",
        ),
        ("{\"description\": \"\\ud800\"}", "`\\ud800` is no escape"),
        ("[]", "x.json:1:1: expected fields in parentheses"),
        ("{\"seed\": -1}", "x.json:1:10: -1 must not be negative"),
    ] {
        let error = load_text(text).unwrap_err();
        assert!(error.contains(fault), "`{fault}` is not in\n{error}");
    }
}
