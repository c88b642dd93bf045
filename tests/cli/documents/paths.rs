//! What pages and comments name is there.

use super::pages::{cards, comments, pages, root, text};
use airloom::results::metrics::DEFINITIONS;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// Folders whose files are part of the repository, so that a path into them is a claim.
const KEPT: [&str; 9] = [
    "src/",
    "tests/",
    "benches/",
    "scenarios/",
    "models/",
    "results/papers/",
    "results/example/",
    ".ci/",
    ".cargo/",
];

/// Words after which a path is one to be written.
const WRITTEN: [&str; 5] = ["--out", "--publish", "--model", ">", "new"];

/// The words of a text that may be names of files, each with the word before it.
fn words(text: &str) -> Vec<(&str, &str)> {
    let outside = |c: char| c.is_whitespace() || "`'\"()[]|,;=".contains(c);
    let words = text.split(outside).filter(|word| !word.is_empty());
    let words: Vec<&str> = words
        .map(|word| word.trim_end_matches(['.', ':', '…']))
        .collect();
    let before = std::iter::once("").chain(words.iter().copied());
    before.zip(words.iter().copied()).collect()
}

fn everything() -> Vec<(String, String)> {
    [pages(), cards(), comments()].concat()
}

#[test]
fn paths_into_the_repository_lead_somewhere() {
    for (page, content) in everything() {
        for (before, word) in words(&content) {
            let claims = KEPT.iter().any(|folder| word.starts_with(folder));
            // A pattern or a place for a name is no path.
            if claims && !WRITTEN.contains(&before) && !word.contains(['*', '<', '$']) {
                assert!(root().join(word).exists(), "{page} names {word}");
            }
        }
    }
}

#[test]
fn links_lead_to_files() {
    for (page, content) in [pages(), cards()].concat() {
        let folder = Path::new(&page).parent().unwrap();
        let inline = content
            .split("](")
            .skip(1)
            .map(|rest| rest.split(')').next().unwrap());
        let below = content.lines().filter(|line| line.starts_with('['));
        let below = below.filter_map(|line| Some(line.split_once("]: ")?.1));
        for link in inline.chain(below).filter(|link| !link.contains("://")) {
            assert!(
                root().join(folder).join(link).exists(),
                "{page} links {link}"
            );
        }
    }
}

/// A scenario named alone stands beside what names it, or in one of the two folders.
#[test]
fn scenarios_named_without_a_folder_are_there() {
    for (page, content) in everything() {
        // What a page tells to write it may name.
        let made: BTreeSet<String> = words(&content)
            .iter()
            .filter(|(before, _)| WRITTEN.contains(before))
            .map(|(_, word)| format!("{}.ron", word.trim_end_matches(".ron")))
            .collect();
        for (_, word) in words(&content) {
            // S.ron stands for any, and every run folder holds a scenario.ron.
            let anywhere = ["S.ron", "scenario.ron"].contains(&word);
            let named = word.ends_with(".ron") && !word.contains('/') && !anywhere;
            if named && !made.contains(word) {
                let folders = ["scenarios", "scenarios/papers"].map(|folder| root().join(folder));
                let there = folders.iter().any(|folder| folder.join(word).exists());
                assert!(there, "{page} names {word}");
            }
        }
    }
}

/// The manual's page of columns has every table that airloom writes.
#[test]
fn tables_named_are_written_or_committed() {
    let columns = text("src/manual/columns.md");
    let known: BTreeSet<&str> = columns
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    for (page, content) in everything() {
        let beside = root().join(&page);
        let beside = beside.parent().unwrap();
        for (_, word) in words(&content) {
            let Some(stem) = word.strip_suffix(".csv").filter(|stem| !stem.contains('/')) else {
                continue;
            };
            // The user's own router; its columns are told where it is named.
            let input = stem == "gate";
            let there = known.contains(word) || beside.join(word).exists() || input;
            assert!(there, "{page} names {word}");
        }
    }
}

/// A sweep's figures are called by metric and axis.
#[test]
fn figures_that_comments_name_are_drawn() {
    for (page, content) in comments() {
        let scenario = text(&page);
        for (_, word) in words(&content) {
            let Some(name) = word.strip_prefix("figures/") else {
                continue;
            };
            let (metric, axis) = name
                .strip_suffix(".svg")
                .and_then(|name| name.split_once("_over_"))
                .unwrap_or_else(|| panic!("{page} names {word}, which is no metric over an axis"));
            let metric_known = DEFINITIONS
                .iter()
                .any(|definition| definition.name == metric);
            assert!(metric_known, "{page} names {word}");
            assert!(
                scenario
                    .replace("[0]", ".0")
                    .contains(&format!("path: {axis:?}")),
                "{page} names {word}"
            );
        }
    }
}

/// Rust files speak of tests and pages too; a comment that leads nowhere is found here.
#[test]
fn paths_in_sources_lead_somewhere() {
    let mut folders: Vec<PathBuf> = ["src", "tests", "benches"].map(|f| root().join(f)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|end| end != "rs") {
                continue;
            }
            let content = std::fs::read_to_string(&path).unwrap();
            let comments = content
                .lines()
                .filter_map(|line| Some(line.split_once("//")?.1));
            for (before, word) in comments.flat_map(words) {
                let claims = [
                    "src/",
                    "tests/",
                    "benches/",
                    "scenarios/",
                    "results/papers/",
                ];
                let claims = claims.iter().any(|folder| word.starts_with(folder));
                let plain = Path::new(word)
                    .components()
                    .all(|part| matches!(part, Component::Normal(_)));
                if claims && plain && !WRITTEN.contains(&before) && !word.contains(['*', '<', '{'])
                {
                    assert!(
                        root().join(word).exists(),
                        "{} names {word}",
                        path.display()
                    );
                }
            }
        }
    }
}
