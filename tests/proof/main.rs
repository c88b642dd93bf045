//! Law 1: same scenario, same seed, same bits, wherever the run is made.
//!
//! Every shipped scenario runs in a small variant: twice in one process and in two, with
//! other thread counts, on every path of the kernels, in another build, and on emulated
//! CPUs: one that has neither AVX nor FMA, one that has AVX2 alone. The bits are pinned in `pins.csv`; a change of a pin needs a
//! reason. New pins:
//!
//! ```text
//! AIRLOOM_PRINT_PINS=1 cargo test --release --test proof pinned -- --nocapture
//! ```
//!
//! prints the file between two lines of dashes.

mod outcome;
mod perturbation;
mod site;
mod variant;

use airloom::rng::Streams;
use airloom::scenario::{self, Override};
use airloom::simulation::{RunOptions, prepare, run};
use outcome::Outcome;
use site::Site;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;
use variant::{VARIANTS, Variant};

const PINS: &str = include_str!("pins.csv");
const HEADER: &str = "variant;what;count;blake3";

/// Most multiply–adds of a variant: what the shortest question with two choices takes; the
/// others take a third of it.
const MOST_MULTIPLY_ADDS: u64 = 300_000_000;

/// Runs a variant in this process.
fn here(variant: &Variant) -> Outcome {
    let file = format!("scenarios/{}.ron", variant.scenario);
    let overrides: Vec<Override> = variant
        .overrides
        .iter()
        .map(|change| change.parse().expect("an override"))
        .collect();
    let resolved = scenario::load(Path::new(&file), &overrides).expect("a scenario");
    let streams = Streams {
        seed: resolved.seed(),
        run: 0,
    };
    let folder = TempDir::new().expect("a temporary folder");
    let options = RunOptions {
        out: folder.path().join("run"),
        interrupt: &AtomicBool::new(false),
    };
    let prepared = prepare(&resolved, streams, Vec::new()).expect("a run");
    run(prepared, &options, &mut ()).expect("a result");
    Outcome::read(folder, options.out)
}

fn assert_equal(variant: &Variant, site: &str, outcome: &Outcome, expected: &Outcome) {
    if let Some(difference) = expected.difference(outcome) {
        panic!("{}: native and {site} differ: {difference}", variant.name);
    }
}

#[test]
fn law_1_same_bits_twice_in_one_process_and_wherever_a_run_is_made() {
    for variant in VARIANTS {
        let sites = if variant.everywhere {
            Site::all()
        } else {
            Site::few()
        };
        let expected = here(variant);
        if variant.everywhere {
            assert_equal(
                variant,
                "a second run in this process",
                &here(variant),
                &expected,
            );
        }
        for site in sites {
            assert_equal(variant, &site.name, &site.run(variant), &expected);
        }
    }
}

#[test]
fn law_1_bits_are_the_pinned_ones() {
    let mut lines = vec![HEADER.to_owned()];
    for variant in VARIANTS {
        for (what, count, digest) in Site::native().run(variant).pins() {
            lines.push(format!("{};{what};{count};{digest}", variant.name));
        }
    }
    if std::env::var_os("AIRLOOM_PRINT_PINS").is_some() {
        println!("-----\n{}\n-----", lines.join("\n"));
        return;
    }
    let pinned: Vec<&str> = PINS.lines().collect();
    let mut changed = pinned.iter().zip(&lines).filter(|(old, new)| *old != new);
    if let Some((old, new)) = changed.next() {
        panic!("the first pin that no longer holds:\n  {old}\n  {new}");
    }
    assert_eq!(pinned.len(), lines.len(), "a pin for everything");
}

#[test]
fn every_shipped_scenario_is_proved() {
    let proved: BTreeSet<&str> = VARIANTS.iter().map(|variant| variant.scenario).collect();
    for entry in std::fs::read_dir("scenarios").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "ron") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            assert!(proved.contains(name.as_str()), "{name} has no variant");
        }
    }
}

#[test]
fn variants_are_small() {
    for variant in VARIANTS {
        let outcome = here(variant);
        if !outcome.text("tensors.digest").contains("logits") {
            // Timed, not computed: nobody carried its operations out.
            continue;
        }
        let events = outcome.text("events.csv");
        let mut reader = csv::Reader::from_reader(events.as_bytes());
        let column = reader
            .headers()
            .unwrap()
            .iter()
            .position(|name| name == "flops");
        let column = column.expect("a column of operations");
        let flops: u64 = reader
            .records()
            .map(|row| row.unwrap()[column].parse::<u64>().unwrap_or(0))
            .sum();
        let name = variant.name;
        assert!(flops > 0, "{name} computes nothing");
        assert!(
            flops / 2 <= MOST_MULTIPLY_ADDS,
            "{name}: {flops} operations"
        );
    }
}
