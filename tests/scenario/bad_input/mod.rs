//! Scenarios that are wrong: each error says where, what, and how to put it right.

mod any_text;
mod hierarchy;
mod replicas;
mod rules;
mod streams;
mod sweeps;
mod syntax;
mod systems;
mod values;

use airloom::placement::Placed;
use airloom::policy::{Assignment, Fixed};
use airloom::scenario::{self, Override, Resolved, ScenarioError};
use std::fs;
use tempfile::TempDir;

const GOOD: &str = r#"Scenario(
    model: Folder("model"),
    nodes: {"device": (count: 4)},
    links: {"air": Radio(
        bandwidth: "10 MHz",
        device_antennas: 4,
    )},
    replicas: [(placement: TensorParallel(
        assignment: Fixed([0.4, 0.3, 0.2, 0.1]),
        all_reduce: AirComp(streams: 2),
    ))],
    workload: [
        Score(text: World(documents: 8)),
        Generate(prompt: "Anna", max_tokens: 4),
    ],
)
"#;

/// A folder with a model folder in it, as far as scenarios look at one.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("model")).unwrap();
        fs::create_dir(folder.path().join("empty")).unwrap();
        fs::write(folder.path().join("model/config.json"), "{}").unwrap();
        fs::write(folder.path().join("text.txt"), "text").unwrap();
        Self { folder }
    }

    fn load(&self, text: &str, changes: &[&str]) -> Result<Resolved, ScenarioError> {
        let changes: Vec<Override> = changes.iter().map(|c| c.parse().unwrap()).collect();
        scenario::parse(text, &self.folder.path().join("bad.ron"), &changes)
    }

    /// The message about `text`, its folder's path left out.
    fn message(&self, text: &str, changes: &[&str]) -> String {
        let error = self.load(text, changes).expect_err(text).to_string();
        error.replace(&format!("{}/", self.folder.path().display()), "")
    }

    /// The message about the good scenario with `from` replaced by `to`.
    fn refuse(&self, from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        self.message(&GOOD.replacen(from, to, 1), &[])
    }
}

/// Asserts that each change of the good scenario gives one fault whose message has the
/// parts.
#[track_caller]
fn refused(cases: &[(&str, &str, &[&str])]) {
    let desk = Desk::new();
    for (from, to, parts) in cases {
        let message = desk.refuse(from, to);
        for part in *parts {
            assert!(message.contains(part), "`{part}` is not in:\n{message}");
        }
        assert_eq!(message.matches("bad.ron:").count(), 1, "{message}");
    }
}

#[test]
fn the_good_scenario_is_good() {
    let resolved = Desk::new().load(GOOD, &[]).unwrap();
    assert_eq!(resolved.name, "bad");
    let Placed::Tensor { fields, .. } = &resolved.replicas[0] else {
        panic!("the scenario is tensor-parallel");
    };
    let listed = Fixed(vec![0.4, 0.3, 0.2, 0.1]);
    assert_eq!(fields.assignment, Assignment::Fixed(listed));
}
