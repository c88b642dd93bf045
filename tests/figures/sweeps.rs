//! The figures of every shipped sweep. What its points measure is made up here: lengths of
//! numbers and spans of axes vary more than in any real sweep, and no sweep takes hours.

use crate::faults;
use airloom::figures::{Width, format::svg, published, sweep};
use airloom::results::comparison::COLUMNS;
use airloom::results::metrics::{DEFINITIONS, Metrics};
use airloom::results::outcomes::Outcomes;
use airloom::results::points::Row;
use airloom::results::publish::Plan;
use airloom::scenario::{self, Sweep};
use std::path::{Path, PathBuf};

/// The shipped scenarios, those of papers too.
pub fn scenarios() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let folders = [root.clone(), root.join("papers")];
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let paths = files.map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "ron"))
        .collect();
    paths.sort();
    paths
}

/// A number between 0 and 1 that looks drawn: the fractional part of a multiple of the golden
/// ratio.
fn drawn(number: usize) -> f64 {
    (number as f64 * 0.618_033_988_749_895).fract()
}

/// Every point done and every metric measured, over `decades` powers of ten.
fn rows(sweep: &Sweep, decades: f64) -> Vec<Row> {
    let names = DEFINITIONS.iter().map(|metric| metric.name);
    let names: Vec<&str> = names.collect();
    let points = sweep.configurations() * sweep.runs.max(1) as usize;
    let row = |point: usize| {
        let value = |metric: usize| {
            let exponent = decades * drawn(7 * metric + 3 * point) - 6.0 * drawn(metric);
            10f64.powf(exponent)
        };
        let metrics = Metrics::from_values(|name| {
            let metric = names.iter().position(|own| *own == name)?;
            Some(value(metric))
        });
        Row {
            point,
            run: (point % sweep.runs.max(1) as usize) as u32,
            folder: String::new(),
            settings: Vec::new(),
            status: "done".to_owned(),
            reason: String::new(),
            metrics: Some(metrics),
        }
    };
    (0..points).map(row).collect()
}

#[test]
fn figures_of_every_shipped_sweep_can_be_read_in_print() {
    let (mut sweeps, mut figures) = (0, 0);
    let mut found = Vec::new();
    for path in scenarios() {
        let resolved = scenario::load(&path, &[]).unwrap();
        let Some(sweep) = &resolved.scenario.sweep else {
            continue;
        };
        sweeps += 1;
        let plan = Plan::of(sweep).unwrap();
        for decades in [0.02, 1.0, 8.0] {
            let rows = rows(sweep, decades);
            let outcomes = Outcomes::of(sweep, &rows).unwrap();
            for width in Width::ALL.map(Some) {
                let mut scenes = sweep::figures(&outcomes, width);
                scenes.extend(published::figures(&plan, &outcomes, width));
                for (name, scene) in scenes {
                    figures += 1;
                    let place = format!("{}, {decades}: {name}, {width:?}", path.display());
                    let faults = faults(&svg::write(&scene)).into_iter();
                    found.extend(faults.map(|fault| format!("{place}: {fault}")));
                }
            }
        }
    }
    assert!(
        sweeps > 20 && figures > 100 * COLUMNS.len(),
        "{sweeps} {figures}"
    );
    assert!(
        found.is_empty(),
        "{} of {figures}:\n{}",
        found.len(),
        found.join("\n")
    );
}
