//! What README and manual show is what the program does.

use crate::desk::Desk;
use std::fs;
use std::path::Path;

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The fenced blocks of `text` in `language`.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    let parts = text.split(&opening).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap())
        .collect()
}

/// The README's first command, run from where it stands: bits do not depend on the
/// machine, so neither does what is printed.
#[test]
fn the_first_run_prints_what_the_readme_shows() {
    let desk = Desk::new();
    let readme = text("README.md");
    let shown = blocks(&readme, "text")[0];
    let scenario = "scenarios/aircomp_tensor_parallel.ron";
    assert!(readme.contains(&format!("-- run {scenario}\n")));
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join(scenario);
    let run = desk.airloom(&["run", scenario.to_str().unwrap()]).good();
    // The README cuts long lines short.
    let same = |(shown, printed): (&str, &str)| match shown.strip_suffix(" …") {
        Some(start) => printed.starts_with(start),
        None => printed == shown,
    };
    assert!(
        shown.lines().count() == run.stdout.lines().count()
            && shown.lines().zip(run.stdout.lines()).all(same),
        "{}",
        run.stdout
    );
}

#[test]
fn the_manuals_scenario_is_one() {
    let desk = Desk::new();
    let page = text("src/manual/scenarios.md");
    let scenario = blocks(&page, "ron")[0].replace("../models/tiny-llama", "MODEL");
    desk.write("manual.ron", &scenario);
    desk.write("my.txt", "Clara went to the mill.");
    desk.airloom(&["check", "manual.ron"]).good();
}

#[test]
fn every_page_is_in_the_readmes_map() {
    let readme = text("README.md");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/manual");
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let linked = readme.contains(&format!("(src/manual/{name})"));
        assert!(linked || !name.ends_with(".md"), "{name}");
    }
}
