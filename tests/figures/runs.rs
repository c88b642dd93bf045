//! The figures of a run of every shipped scenario, at both widths.

use crate::assert_legible;
use airloom::figures::format::Format;
use airloom::figures::{Width, catalogue::Options};
use airloom::rng::Streams;
use airloom::scenario::{self, Override};
use airloom::simulation::{Drawing, RunOptions, Shown, plot, prepare, run};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

/// What each scenario does less of, so that its run takes no minute; its system is as shipped.
const SMALLER: &[(&str, &str)] = &[
    ("serving.ron", "workload[0].count=12"),
    ("serving_load.ron", "workload[0].count=12"),
    (
        "multiple_choice.ron",
        "workload=[Choose(suite: Pairs, questions: 3)]",
    ),
    ("wdmoe_simulated.ron", "workload=[Tokens(prompt: 9)]"),
    ("wdmoe_testbed.ron", "workload=[Tokens(prompt: 9)]"),
    (
        "model_assignment.ron",
        "replicas[0].placement.assignment=StochasticSca(iterations: 3)",
    ),
];

/// A few tokens of text for the rest.
const SHORT: &str = "workload=[Score(text: World(documents: 1)), \
                     Generate(prompt: \"Once Clara was\", max_tokens: 5)]";

#[test]
fn figures_of_a_run_of_every_shipped_scenario_can_be_read_in_print() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut names: Vec<String> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".ron"))
        .collect();
    names.sort();
    let place = TempDir::new().unwrap();
    static IDLE: AtomicBool = AtomicBool::new(false);
    for name in &names {
        let smaller = SMALLER.iter().find(|(own, _)| own == name);
        let smaller = smaller.map_or(SHORT, |(_, change)| change);
        let overrides: Vec<Override> = ["trace=Full", smaller]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let resolved = scenario::load(&root.join(name), &overrides).unwrap();
        let streams = Streams { seed: 1, run: 0 };
        let prepared = prepare(&resolved, streams, Vec::new()).unwrap();
        let out = place.path().join(name);
        let options = RunOptions {
            out: out.clone(),
            interrupt: &IDLE,
        };
        run(prepared, &options, &mut ()).unwrap();
        for width in Width::ALL {
            let options = Options {
                width: Some(width),
                part: None,
            };
            let format = Format::Svg;
            plot(&out, Drawing::Figures(Shown { format, options })).unwrap();
        }
    }
    // At least the timeline of each, at both widths.
    assert!(assert_legible(place.path()) >= 2 * names.len());
}
