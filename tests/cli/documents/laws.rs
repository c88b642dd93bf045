//! The manual's page of laws and the tests that name them tell the same.

use super::pages::{root, text};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Files under `path`, which is one or a folder of them, that end in `.rs`.
fn sources(path: &Path) -> Vec<std::path::PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.is_dir() || path.extension().is_some_and(|end| end == "rs"))
        .flat_map(|path| sources(&path))
        .collect()
}

/// The laws that a source names: `law_6_…` in the names of its tests, "law 6" in comments.
fn named(source: &str) -> BTreeSet<u32> {
    let lower = source.to_lowercase();
    let mut laws = BTreeSet::new();
    for opening in ["law_", "law "] {
        for rest in lower.split(opening).skip(1) {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            laws.extend(digits.parse::<u32>());
        }
    }
    laws
}

/// The paths that the page has for each law.
fn listed() -> BTreeMap<u32, BTreeSet<String>> {
    let page = text("src/manual/laws.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| {
        let number = row.split(" |").next()?.parse().ok()?;
        let paths = row.split('`').skip(1).step_by(2);
        let paths = paths.filter(|path| path.contains('/'));
        Some((number, paths.map(str::to_owned).collect()))
    })
    .collect()
}

#[test]
fn every_test_of_a_law_is_there_and_names_it() {
    let listed = listed();
    let numbers: Vec<u32> = listed.keys().copied().collect();
    assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>());
    for (law, paths) in listed {
        assert!(!paths.is_empty(), "law {law}");
        for path in paths {
            let there = root().join(&path);
            assert!(there.exists(), "law {law}: there is no {path}");
            let names = sources(&there)
                .iter()
                .any(|file| named(&std::fs::read_to_string(file).unwrap()).contains(&law));
            assert!(names, "{path} does not name law {law}");
        }
    }
}

#[test]
fn every_test_that_names_a_law_is_on_the_page() {
    let listed = listed();
    for file in sources(&root().join("tests")) {
        let path = file.strip_prefix(root()).unwrap().to_str().unwrap();
        // The words here are no claim.
        if path.starts_with("tests/cli/documents") {
            continue;
        }
        for law in named(&std::fs::read_to_string(&file).unwrap()) {
            let paths = listed
                .get(&law)
                .unwrap_or_else(|| panic!("{path}: law {law}"));
            // A folder stands for the files in it.
            let told = paths
                .iter()
                .any(|listed| Path::new(path).starts_with(listed));
            assert!(
                told,
                "{path} names law {law}, and the page does not list it"
            );
        }
    }
}
