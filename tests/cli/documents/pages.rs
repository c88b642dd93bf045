//! Texts of this repository, and writing what they show anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Set to write what the program says now into the pages that show it.
const REWRITE: &str = "AIRLOOM_REWRITE";

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file, by its path from the root.
pub fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Files in `folder` with this ending, by their paths from the root, with their texts.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == ending));
    paths.sort();
    let from_root = paths.iter().map(|path| path.strip_prefix(root()).unwrap());
    from_root
        .map(|path| (path.to_str().unwrap().to_owned(), text(path)))
        .collect()
}

/// README and manual.
pub fn pages() -> Vec<(String, String)> {
    let mut pages = vec![("README.md".to_owned(), text("README.md"))];
    pages.extend(files("src/manual", "md"));
    pages
}

/// What tells of models and published results, beside them.
pub fn cards() -> Vec<(String, String)> {
    [
        "models/tiny-llama",
        "models/tiny-llama-draft",
        "models/tiny-mixtral",
        "results/papers/aircomp",
        "results/papers/beyond",
        "results/papers/wdmoe",
    ]
    .iter()
    .flat_map(|folder| files(folder, "md"))
    .filter(|(path, _)| path.ends_with("README.md"))
    .collect()
}

/// The comments of every shipped scenario and template.
pub fn comments() -> Vec<(String, String)> {
    ["scenarios", "scenarios/papers", "src/scenario/template"]
        .iter()
        .flat_map(|folder| files(folder, "ron"))
        .map(|(path, text)| {
            let comments = text
                .lines()
                .filter_map(|line| Some(line.split_once("//")?.1));
            (path, comments.collect::<Vec<_>>().join("\n"))
        })
        .collect()
}

/// The fenced blocks of `text` in `language`.
pub fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    let parts = text.split(&opening).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap())
        .collect()
}

/// Whether pages are written anew rather than held to what the program says.
pub fn rewriting() -> bool {
    std::env::var_os(REWRITE).is_some()
}

/// Holds a part of `page` to be what the program says now, or writes it so.
#[track_caller]
pub fn hold(page: &str, shown: &str, now: &str) {
    if shown == now {
        return;
    }
    if rewriting() {
        // Tests of one page run side by side.
        static WRITER: Mutex<()> = Mutex::new(());
        let _writer = WRITER.lock().unwrap();
        let before = text(page);
        assert_eq!(before.matches(shown).count(), 1, "{page}: {shown}");
        fs::write(root().join(page), before.replacen(shown, now, 1)).unwrap();
        return;
    }
    differ(page, shown, now);
}

/// Fails with the first line that differs, and how to mend it.
#[track_caller]
pub fn differ(page: &str, shown: &str, now: &str) -> ! {
    let mut ours = now.lines();
    let mut theirs = shown.lines();
    let (shown, now) = loop {
        match (theirs.next(), ours.next()) {
            (one, other) if one == other && one.is_some() => {}
            (one, other) => break (one.unwrap_or("(ends)"), other.unwrap_or("(ends)")),
        }
    };
    panic!(
        "{page} shows\n{shown}\nand the program says\n{now}\n\
         If that is right: {REWRITE}=1 cargo test --release --test cli documents"
    );
}
