//! The programs in `examples/` run and say something. Cargo builds them before the tests.

use std::path::PathBuf;
use std::process::Command;

fn said_by(name: &str) -> String {
    let test = std::env::current_exe().unwrap();
    let built: PathBuf = [
        test.ancestors().nth(2).unwrap(),
        "examples".as_ref(),
        name.as_ref(),
    ]
    .iter()
    .collect();
    let run = Command::new(&built).output();
    let run = run.unwrap_or_else(|error| panic!("{}: {error}", built.display()));
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{name}: {errors}");
    String::from_utf8(run.stdout).unwrap()
}

#[test]
fn every_example_runs() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["in_memory", "own_medium", "placement_by_hand"]);
    for name in names {
        assert!(said_by(&name).lines().count() >= 3, "{name}");
    }
}

#[test]
fn louder_devices_are_heard_better() {
    let said = said_by("in_memory");
    let perplexities: Vec<f64> = said
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().nth(2).unwrap().parse().unwrap())
        .collect();
    assert!(perplexities.is_sorted(), "{said}");
}
