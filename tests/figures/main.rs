//! Every figure can be read in print: its texts are at least 6.5 pt tall, keep apart from each
//! other and stay on the page, in a column of 88 mm and on a page of 180 mm.

mod digests;
mod others;
mod runs;
mod svg;
mod sweeps;
mod timelines;

use std::path::{Path, PathBuf};
use svg::{Picture, Text, overlap};

/// The smallest text that journals print, in points.
const SMALLEST: f64 = 6.5;

/// What two boxes may share: boxes reach from above `d` to below `p`, and no line of words has
/// both at one place.
const TOUCH: f64 = 0.3;

/// What cannot be read in the SVG `text`; empty if all is well.
fn faults(text: &str) -> Vec<String> {
    let picture = Picture::read(text);
    let mut faults = Vec::new();
    let column = 88.0 / 25.4 * 72.0;
    let page = 180.0 / 25.4 * 72.0;
    if ![column, page]
        .iter()
        .any(|width| (picture.width - width).abs() < 0.1)
    {
        faults.push(format!("{:.1} pt wide", picture.width));
    }
    if picture.texts.is_empty() {
        faults.push("no text".to_owned());
    }
    for (number, own) in picture.texts.iter().enumerate() {
        let Text {
            words,
            size,
            corners,
        } = own;
        if *size < SMALLEST - 1e-3 {
            faults.push(format!("{words}: {size:.2} pt"));
        }
        let on_page = |(x, y): &(f64, f64)| {
            (-0.05..=picture.width + 0.05).contains(x)
                && (-0.05..=picture.height + 0.05).contains(y)
        };
        if !corners.iter().all(on_page) {
            faults.push(format!("{words}: cut off at {corners:.1?}"));
        }
        for other in &picture.texts[number + 1..] {
            let shared = overlap(corners, &other.corners);
            if shared > TOUCH {
                faults.push(format!(
                    "{words} and {}: {shared:.2} pt over each other",
                    other.words
                ));
            }
        }
    }
    faults
}

/// The SVG files below `folder`.
fn pictures(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(pictures(&path));
        } else if path.extension().is_some_and(|end| end == "svg") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Panics, naming every fault of every picture below `folder`; tells how many there are.
#[track_caller]
fn assert_legible(folder: &Path) -> usize {
    let pictures = pictures(folder);
    let faults: Vec<String> = pictures
        .iter()
        .flat_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            faults(&text)
                .into_iter()
                .map(move |fault| format!("{name}: {fault}"))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    pictures.len()
}

#[test]
fn published_figures_can_be_read_in_print() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    assert!(assert_legible(&folder) > 20);
}

/// The reader itself: of texts that are too small, over each other, or cut off, each is named.
#[test]
fn what_cannot_be_read_is_found() {
    let picture = |texts: &str| {
        format!("<svg width=\"88mm\" height=\"44mm\" viewBox=\"0 0 249.45 124.72\">\n{texts}</svg>")
    };
    let text = |x: f64, y: f64, size: f64, turn: &str, words: &str| {
        format!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" textLength=\"40\"{turn}>{words}</text>\n"
        )
    };
    let good = text(10.0, 50.0, 7.0, "", "good");
    assert!(faults(&picture(&good)).is_empty());
    let cases = [
        (text(100.0, 50.0, 6.0, "", "small"), "small: 6.00 pt"),
        (text(40.0, 54.0, 7.0, "", "over"), "good and over"),
        (text(220.0, 50.0, 7.0, "", "cut"), "cut: cut off"),
        (
            text(
                30.0,
                60.0,
                7.0,
                " transform=\"rotate(-90 30 60)\"",
                "turned",
            ),
            "good and turned",
        ),
    ];
    for (wrong, fault) in cases {
        let found = faults(&picture(&format!("{good}{wrong}")));
        assert!(found.len() == 1 && found[0].starts_with(fault), "{found:?}");
    }
    // Turned by 45 degrees beside each other: their upright boxes overlap, they do not.
    let turn = |x: f64| format!(" transform=\"rotate(-45 {x} 100)\"");
    let first = text(60.0, 100.0, 7.0, &turn(60.0), "first");
    let second = text(75.0, 100.0, 7.0, &turn(75.0), "second");
    assert!(faults(&picture(&format!("{first}{second}"))).is_empty());
}
