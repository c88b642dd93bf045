//! Published tables and figures: the scenarios of `scenarios/papers` give the committed
//! numbers of `results/papers` again, and these are held to closed forms and to what the
//! papers print. One file per paper. How figures look is no matter of these tests.

mod aircomp;
mod beyond;
mod wdmoe;

use assert_cmd::Command;
use std::path::Path;
use tempfile::TempDir;

/// Runs a scenario's sweep and compares what it publishes with the committed files of
/// that name, byte for byte. The sweep is in the folder's `sweep`.
fn publishes_what_is_committed(scenario: &str, committed: &str, files: &[&str]) -> TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = TempDir::new().unwrap();
    let published = folder.path().join("published");
    Command::new(env!("CARGO_BIN_EXE_airloom"))
        .arg("sweep")
        .arg(root.join("scenarios/papers").join(scenario))
        .arg("--out")
        .arg(folder.path().join("sweep"))
        .arg("--publish")
        .arg(&published)
        .args(["--jobs", "2"])
        .assert()
        .success();
    for file in files {
        let read = |folder: &Path| std::fs::read_to_string(folder.join(file)).unwrap();
        let (now, then) = (read(&published), read(&root.join(committed)));
        let differs = now.lines().zip(then.lines()).find(|(a, b)| a != b);
        assert_eq!(differs, None, "{scenario}: {file}");
        assert_eq!(now.len(), then.len(), "{scenario}: {file}");
    }
    folder
}
