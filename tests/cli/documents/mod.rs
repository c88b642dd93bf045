//! README, manual and scenarios' comments: what they show is what the program does, and
//! what they name is there.
//!
//! An output that is out of date is told with what it should be, and
//!
//! ```sh
//! AIRLOOM_REWRITE=1 cargo test --release --test cli documents
//! ```
//!
//! writes it into its page.

mod commands;
mod laws;
mod outputs;
mod pages;
mod paths;

use crate::desk::Desk;
use pages::{blocks, pages, text};

#[test]
fn the_manuals_scenario_is_one() {
    let desk = Desk::new();
    let page = text("src/manual/scenarios.md");
    let scenario = blocks(&page, "ron")[0].replace("../models/tiny-llama", "MODEL");
    desk.write("manual.ron", &scenario);
    desk.write("my.txt", &"Clara went to the mill. ".repeat(128));
    desk.airloom(&["check", "manual.ron"]).good();
}

#[test]
fn every_page_is_in_the_readmes_map_and_in_the_librarys() {
    let readme = text("README.md");
    let library = text("src/manual/mod.rs");
    for (page, _) in pages() {
        if let Some(name) = page.strip_prefix("src/manual/") {
            assert!(readme.contains(&format!("({page})")), "{page}");
            assert!(library.contains(&format!("{name:?};")), "{page}");
        }
    }
}

/// Five minutes' reading.
#[test]
fn the_readme_stays_short() {
    assert!(text("README.md").lines().count() < 150);
}

#[test]
fn what_tells_of_versions_tells_of_this_one() {
    let version = env!("CARGO_PKG_VERSION");
    let citation = text("CITATION.cff");
    assert!(
        citation.contains(&format!("\nversion: {version}\n")),
        "{citation}"
    );
    let changes = text("CHANGELOG.md");
    assert!(changes.contains(&format!("\n## {version}\n")), "{changes}");
}
