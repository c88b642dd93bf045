//! `airloom new`: what it writes runs.

use crate::desk::Desk;
use airloom::scenario::Template;
use std::fs;

/// The command lines that `airloom new` proposes, one of them by its verb.
fn proposed<'a>(stdout: &'a str, verb: &str) -> Vec<&'a str> {
    let line = stdout
        .lines()
        .filter_map(|line| line.trim().strip_prefix("airloom "))
        .find(|line| line.starts_with(verb));
    line.unwrap().split(' ').collect()
}

#[test]
fn what_it_writes_passes_check_and_runs_and_so_does_what_it_proposes() {
    let desk = Desk::new();
    for (name, arguments) in [
        ("tensor_parallel", &["new"][..]),
        ("experts", &["new", "--placement", "experts"]),
    ] {
        let new = desk.airloom(arguments).good();
        assert_eq!(new.stderr, "");
        let file = format!("{name}.ron");
        let told = format!("written to {file}\n\nNext:\n  airloom run {file}\n");
        assert!(new.stdout.starts_with(&told), "{}", new.stdout);
        let check = desk.airloom(&["check", &file]).good();
        assert_eq!(
            (check.stdout, check.stderr.as_str()),
            (format!("{file}: ok\n"), "")
        );
        desk.airloom(&["run", &file, "--out", name]).good();
        let perplexity = &desk.json(&format!("{name}/metrics.json"))["perplexity"];
        assert!(perplexity.as_f64().unwrap() > 1.0, "{perplexity}");
        let with_change = new
            .stdout
            .lines()
            .find(|line| line.contains("--set"))
            .unwrap();
        let change = with_change.split(' ').next_back().unwrap();
        let change = change.trim_matches('\'');
        desk.airloom(&["check", &file, "--set", change]).good();
        let mut sweep = proposed(&new.stdout, "sweep");
        sweep.push("--dry-run");
        let points = desk.airloom(&sweep).good().stdout;
        assert_eq!(points.lines().count(), 4, "{points}");
        let mut fields = proposed(&new.stdout, "fields");
        fields.insert(0, "--");
        desk.airloom(&fields[1..]).good();
    }
}

/// Lines are short enough to be read beside others.
#[test]
fn what_it_writes_is_no_wider_than_a_page_and_explains_itself() {
    let desk = Desk::new();
    desk.airloom(&["new", "plain"]).good();
    desk.airloom(&["new", "experts", "--placement", "experts"])
        .good();
    for file in ["plain.ron", "experts.ron"] {
        let text = desk.text(file);
        for word in ["MODEL", "ROUTER", "WORKLOAD", "FILE", "PATH"] {
            assert!(!text.contains(word), "{file}: {word}");
        }
        let wide = text.lines().filter(|line| line.chars().count() > 100);
        let wide: Vec<&str> = wide
            .filter(|line| !line.contains("model: Folder"))
            .collect();
        assert!(wide.is_empty(), "{file}: {wide:?}");
        assert!(text.contains(&format!("airloom run {file}")), "{text}");
    }
}

/// Four blanks for every bracket that is open, in every line.
#[test]
fn what_it_writes_is_indented_by_its_brackets() {
    let desk = Desk::new();
    let mut files = Vec::new();
    for placement in ["tensor-parallel", "experts"] {
        let name = format!("{placement}.ron");
        desk.airloom(&["new", &name, "--placement", placement])
            .good();
        files.push((name.clone(), desk.text(&name)));
    }
    for template in [Template::TensorParallel, Template::Experts] {
        files.push((format!("{template:?}"), template.text("x.ron", None)));
    }
    for (file, text) in files {
        // Brackets that open on one line are one step, and close on one line.
        let mut open: Vec<usize> = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let words = line.trim_start();
            // No comment of a template holds half of a pair of brackets.
            let count = |brackets: &[char]| words.matches(brackets).count();
            let closed_first = words.starts_with([')', ']', '}']);
            let depth = open.len() - usize::from(closed_first);
            assert_eq!(line.len() - words.len(), 4 * depth, "{file}: {line:?}");
            let (opened, closed) = (count(&['(', '[', '{']), count(&[')', ']', '}']));
            if opened > closed {
                open.push(opened - closed);
            } else if closed > opened {
                assert_eq!(open.pop(), Some(closed - opened), "{file}: {line:?}");
            }
        }
        assert!(open.is_empty(), "{file}");
    }
}

#[test]
fn a_model_nearby_is_named_by_a_relative_path_and_wherever_the_file_is() {
    let desk = Desk::new();
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/models/tiny-llama");
    fs::create_dir_all(desk.path("models/tiny-llama")).unwrap();
    for entry in fs::read_dir(bundled).unwrap() {
        let path = entry.unwrap().path();
        let copy = desk
            .path("models/tiny-llama")
            .join(path.file_name().unwrap());
        fs::copy(&path, copy).unwrap();
    }
    fs::create_dir_all(desk.path("mine/deep")).unwrap();
    desk.airloom(&["new", "mine/deep/a.ron"]).good();
    let text = desk.text("mine/deep/a.ron");
    assert!(
        text.contains("Folder(\"../../models/tiny-llama\")"),
        "{text}"
    );
    desk.airloom(&["check", "mine/deep/a.ron"]).good();
    // Wherever the command is given, the file is read from where it stands.
    let check = desk
        .command(&["check", "a.ron"])
        .current_dir(desk.path("mine/deep"))
        .output();
    assert!(check.unwrap().status.success());
    // The same model, named.
    let model = ["new", "b", "--model", "models/tiny-llama"];
    desk.airloom(&model).good();
    assert!(desk.text("b.ron").contains("Folder(\"models/tiny-llama\")"));
}

/// The desk is in a temporary folder, with the bundled models not above it.
#[test]
fn a_model_far_away_is_named_by_a_relative_path_too() {
    let desk = Desk::new();
    desk.airloom(&["new", "far"]).good();
    let text = desk.text("far.ron");
    let path = text.split("Folder(\"").nth(1).unwrap();
    let path = path.split('"').next().unwrap();
    assert!(
        path.starts_with("../") && path.ends_with("/models/tiny-llama"),
        "{path}"
    );
    desk.airloom(&["check", "far.ron"]).good();
}

#[test]
fn nothing_is_overwritten_and_no_folder_is_made() {
    let desk = Desk::new();
    let before = desk.text("tiny.ron");
    let refused = desk.airloom(&["new", "tiny"]).refused(2);
    assert!(refused.contains("tiny.ron is there already"), "{refused}");
    assert_eq!(desk.text("tiny.ron"), before);
    let refused = desk.airloom(&["new", "nowhere/a"]).refused(2);
    assert!(refused.contains("no folder nowhere"), "{refused}");
    let refused = desk.airloom(&["new", "a", "--model", "."]).refused(2);
    assert!(refused.contains("no config.json"), "{refused}");
    assert_eq!(desk.names("."), ["tiny.ron"]);
}
