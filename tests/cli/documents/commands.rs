//! Every command that a page or a scenario shows of a shipped scenario is one: the
//! verb takes the options, and the scenario takes the changes.

use super::pages::{cards, comments, pages, root};
use std::path::Path;
use std::process::Command;

/// The shell commands of a text that begin with `airloom` or `cargo run … --`, continued
/// lines joined.
fn commands(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(|line| line.trim().trim_matches('`'));
    let own = lines.map(|line| line.replace("cargo run --release -- ", "airloom "));
    own.filter(|line| line.starts_with("airloom ")).collect()
}

/// `line` so that it does nothing but look: a sweep lists its points, a run is checked.
fn harmless(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(' ')?;
    let (verb, rest) = rest.split_once(' ')?;
    if !rest.contains("scenarios/") {
        return None;
    }
    match verb {
        "sweep" => Some(format!("airloom sweep {rest} --dry-run")),
        "run" | "channel" => {
            let rest = rest.split(" --out ").next()?;
            Some(format!("airloom check {rest}"))
        }
        _ => None,
    }
}

#[test]
fn every_command_shown_of_a_shipped_scenario_is_understood() {
    let program = Path::new(env!("CARGO_BIN_EXE_airloom"));
    let mut tried = 0;
    for (page, content) in [pages(), cards(), comments()].concat() {
        for line in commands(&content).iter().filter_map(|line| harmless(line)) {
            let output = Command::new("/bin/sh")
                .args(["-c", &line])
                .env("PATH", program.parent().unwrap())
                .current_dir(root())
                .output()
                .unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{page}: {line}\n{stderr}");
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}
