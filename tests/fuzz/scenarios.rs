//! Scenarios, and changes to them.

use crate::campaign::{Target, check_message};
use airloom::scenario::fields::{Fields, Role};
use airloom::scenario::{self, Override, Resolved, ScenarioError};
use airloom::simulation::check_publications;
use std::fs;
use std::path::{Path, PathBuf};

const WORDS: &[&str] = &[
    "Some(",
    "None",
    "true",
    "inf",
    "NaN",
    "()",
    "[]",
    "{}",
    "r#\"",
    "\"10 MHz\"",
    "\"0 Hz\"",
    "\"-3 dB\"",
    "\"1e308 m\"",
    "\"40 mHz\"",
    "\"20 μs\"",
    "Equal",
    "Fixed([1, 0])",
    "Ideal",
    "AirComp(streams: 0)",
    "UncodedFdma(streams: 0)",
    "Digital(bits: 0)",
    "Digital(subchannels: 0)",
    "Experts()",
    "TensorParallel()",
    "StochasticSca(iterations: 0)",
    "Static",
    "Rayleigh(carrier: \"0 Hz\", distance: \"0 m\")",
    "EnergyPerVector",
    "PowerPerUse",
    "Tokens(prompt: 1)",
    "Score(text: World(documents: 4294967295, first: 4294967295))",
    "Generate(prompt: \"\\u{1b}\\n\\0\")",
    "Arrivals(process: Poisson(rate: \"2 /s\"), count: 4, prompt: Tokens(Fixed(9)), output: Fixed(1))",
    "Trace(file: \"azure.csv\", speed: 1e-300)",
    "ClosedLoop(users: 4294967295, think: \"1 h\")",
    "OnOff(rate: \"1e300 /s\", on: \"1 ps\", off: \"1e7 s\")",
    "LogNormal(median: 1e9, sigma: 9, most: 1)",
    "goals: (ttft: \"0 s\")",
    "sweep",
    "axes",
    "zip",
    "range",
    "path",
    "values",
    "labels",
    "publish",
    "count",
    "streams",
    "/*",
    "*/",
    "//",
    "#![enable(implicit_some)]",
];

/// The shipped scenarios, which find their models and texts where they are.
fn shipped() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut folders = vec![root];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "ron") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().display().to_string()
}

/// What `check`, `check --resolved` and the start of `sweep` ask of a scenario.
fn check(loaded: Result<Resolved, ScenarioError>) {
    let resolved = match loaded {
        Ok(resolved) => resolved,
        Err(error) => return check_message(&error.to_string()),
    };
    for warning in resolved.warnings() {
        check_message(&warning.to_string());
    }
    let text = resolved.to_ron();
    let path = resolved.folder.join("again.ron");
    let again =
        scenario::parse(&text, &path, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(
        again.to_ron(),
        text,
        "a resolved scenario resolves to itself"
    );
    for checked in [
        scenario::points(&resolved).map(drop),
        check_publications(&resolved),
    ] {
        if let Err(error) = checked {
            check_message(&error.to_string());
        }
    }
}

#[test]
fn scenarios() {
    // All as if they lay in one folder, from which they find their models and texts.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let near = |text: String| text.replace("\"../../", "\"../").into_bytes();
    let mut seeds: Vec<Vec<u8>> = shipped().into_iter().map(|(_, text)| near(text)).collect();
    // Long ones, of which each costs a moment only if time grows with their length alone.
    for (start, piece, count, end) in [
        ("[", "(),", 349_000, "]"),
        ("[", " ", 1_000_000, "()]"),
        ("(seed: ", "[", 1_000_000, ""),
        ("r", "#", 1_000_000, "\""),
        ("/*", "/*", 500_000, ""),
        ("(a: \"", "\\u{1}", 200_000, "\")"),
        (
            "Scenario(model: Shape(\"llama-2-7b\"), nodes: {\"device\": (count: 2)}, workload: [",
            "Tokens(prompt:1),",
            21_000,
            "])",
        ),
    ] {
        seeds.push(format!("{start}{}{end}", piece.repeat(count)).into());
    }
    Target {
        name: "scenarios",
        words: WORDS,
        seeds,
        inputs: 3_000,
        read: &|input| {
            let text = String::from_utf8_lossy(input);
            check(scenario::parse(&text, &folder.join("damaged.ron"), &[]));
        },
    }
    .run();
}

/// An input names a shipped scenario on its first line, and has a change on each further one.
#[test]
fn overrides() {
    let bases = shipped();
    let mut seeds = Vec::new();
    let fields = Fields::new().all();
    let fields = fields.iter().filter(|entry| entry.role != Role::Variant);
    for (number, entry) in fields.enumerate() {
        let is_field = |part: &&str| !part.starts_with(char::is_uppercase);
        let path: Vec<&str> = entry.path.split('.').filter(is_field).collect();
        let path = path.join(".").replace("[]", "[0]");
        let value = entry.example.clone().unwrap_or_else(|| "0".to_owned());
        for value in [value.as_str(), "0", "18446744073709551615"] {
            let base = stem(&bases[number % bases.len()].0);
            seeds.push(format!("{base}\n{path}={value}").into_bytes());
        }
    }
    Target {
        name: "overrides",
        words: WORDS,
        seeds,
        inputs: 3_000,
        read: &|input| {
            let text = String::from_utf8_lossy(input);
            let (base, changes) = text.split_once('\n').unwrap_or(("", &text));
            let named = bases.iter().position(|(path, _)| stem(path) == base);
            let base = named.unwrap_or(input.len() % bases.len());
            let mut parsed = Vec::new();
            for change in changes.lines() {
                match change.parse::<Override>() {
                    Ok(change) => parsed.push(change),
                    // The command line shows it on one line.
                    Err(error) => assert!(!error.to_string().is_empty()),
                }
            }
            let (path, text) = &bases[base];
            check(scenario::parse(text, path, &parsed));
        },
    }
    .run();
}
