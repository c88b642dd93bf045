//! Scenarios that are wrong: each error says where, what, and how to put it right.

use airloom::scenario::{self, Override, Resolved, ScenarioError};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder with a model folder in it, as far as scenarios look at one.
struct Desk {
    folder: TempDir,
}

const GOOD: &str = r#"Scenario(
    model: Folder("model"),
    devices: (count: 4),
    radio: (
        bandwidth: "10 MHz",
        device_antennas: 4,
    ),
    architecture: TensorParallel(
        assignment: Fixed([0.4, 0.3, 0.2, 0.1]),
        all_reduce: AirComp(streams: 2),
    ),
    workload: [
        Score(text: World(documents: 8)),
        Generate(prompt: "Mara", max_tokens: 4),
    ],
)
"#;

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("model")).unwrap();
        fs::write(folder.path().join("model/config.json"), "{}").unwrap();
        Self { folder }
    }

    fn file(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("bad.ron");
        fs::write(&path, text).unwrap();
        path
    }

    fn load(&self, text: &str, changes: &[&str]) -> Result<Resolved, ScenarioError> {
        let changes: Vec<Override> = changes.iter().map(|c| c.parse().unwrap()).collect();
        scenario::load(&self.file(text), &changes)
    }

    /// The message about `GOOD` with `from` replaced by `to`, its folder's path left out.
    fn refuse(&self, from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        self.message(&GOOD.replacen(from, to, 1), &[])
    }

    fn message(&self, text: &str, changes: &[&str]) -> String {
        let error = self.load(text, changes).expect_err(text).to_string();
        error.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

#[test]
fn the_good_scenario_is_good() {
    let resolved = Desk::new().load(GOOD, &[]).unwrap();
    assert_eq!(resolved.name, "bad");
    assert_eq!(resolved.shares.as_slice(), [0.4, 0.3, 0.2, 0.1]);
}

#[test]
fn a_wrong_unit_is_shown_with_its_line() {
    assert_eq!(
        Desk::new().refuse("10 MHz", "10 MHzz"),
        r#"bad.ron:5:20: `10 MHzz` is not a frequency: unknown unit `MHzz`; write for example "10 MHz"
   |
 5 |         bandwidth: "10 MHzz",
   |                    ^^^^^^^^^"#
    );
}
