//! A sweep's figures: one metric each, over each numeric axis, a line per setting of the others.
//! Where no axis is numeric, the longest is drawn by label.
//!
//! A point of a line is the mean over the runs of one configuration, with its 95 % confidence
//! interval by Student's t distribution.

mod axis;
mod canvas;
mod labels;
mod plot;

pub use axis::Direction;
pub use plot::{Format, Look, Mark, Plot, Series, draw};

use super::comparison::COLUMNS;
use super::metrics::{DEFINITIONS, Definition};
use super::outcomes::{Configuration, Estimate, Outcomes};
use crate::scenario::{Heading, Scale};
use std::collections::BTreeMap;

/// The note below means with intervals.
pub const INTERVALS: &str = "means over runs; bars: 95 % confidence";

/// For every axis whose values are numbers of one unit that vary, a figure for every metric that
/// the printed table shows too and that some point measured: its name and what it shows.
pub fn figures(outcomes: &Outcomes<'_>) -> Vec<(String, Plot)> {
    let varied = |heading: &&Heading| outcomes.lengths[heading.axis] > 1;
    let headings: Vec<&Heading> = outcomes.headings.iter().filter(varied).collect();
    let numeric: Vec<&Heading> = headings
        .iter()
        .copied()
        .filter(|heading| heading.numbers().is_some_and(|(places, _)| differ(&places)))
        .collect();
    let drawn = match numeric.is_empty() {
        true => {
            let longest = headings.iter().map(|heading| heading.labels.len()).max();
            let longest = headings
                .iter()
                .find(|heading| Some(heading.labels.len()) == longest);
            longest.into_iter().copied().collect()
        }
        false => numeric,
    };
    let metrics = COLUMNS
        .iter()
        .filter_map(|(name, _, _)| DEFINITIONS.iter().find(|metric| metric.name == *name));
    let metrics: Vec<&Definition> = metrics.collect();
    let pairs = drawn
        .iter()
        .flat_map(|heading| metrics.iter().map(move |metric| (*heading, *metric)));
    pairs
        .filter_map(|(heading, metric)| {
            let plot = figure(outcomes, heading, metric)?;
            let axis = match &heading.field {
                Some((path, _)) => path.to_string(),
                None => heading.name.replace(|c: char| !c.is_alphanumeric(), "_"),
            };
            Some((format!("{}_over_{axis}.svg", metric.name), plot))
        })
        .collect()
}

/// The figure of `metric` over `heading`; `None` if no point measured it.
fn figure(outcomes: &Outcomes<'_>, heading: &Heading, metric: &Definition) -> Option<Plot> {
    let estimate = |configuration: &Configuration<'_>| configuration.estimate(metric.name);
    let means = outcomes.configurations.iter().filter_map(estimate);
    let most = means.map(|estimate| estimate.mean).fold(f64::MIN, f64::max);
    let (unit, factor) = readable(metric.unit, most);
    let convert = |value: f64| value * factor;
    let (series, x) = over(outcomes, heading, |configuration| {
        Some(estimate(configuration)?.map(convert))
    });
    if series.is_empty() {
        return None;
    }
    let intervals = series.iter().flat_map(|series| &series.marks);
    let intervals = intervals.filter(|mark| mark.y_half.is_some()).count() > 0;
    Some(Plot {
        title: Some(metric.meaning.to_owned()),
        x: Direction {
            scale: heading
                .logarithmic
                .then_some(Scale::Log)
                .or(Some(Scale::Linear)),
            ..x
        },
        y: Direction {
            label: with_unit(&metric.stem().replace('_', " "), &unit),
            scale: None,
            places: Vec::new(),
            categories: Vec::new(),
            from_zero: true,
        },
        series,
        note: intervals.then(|| INTERVALS.to_owned()),
        format: Format::Screen,
    })
}

/// A series over `heading` for every setting of the other axes, its marks by place, and the
/// direction to the right, spaced linearly.
pub fn over(
    outcomes: &Outcomes<'_>,
    heading: &Heading,
    estimate: impl Fn(&Configuration<'_>) -> Option<Estimate>,
) -> (Vec<Series>, Direction) {
    let numbers = heading.numbers().filter(|(places, _)| differ(places));
    let fixed = [heading.axis];
    let mut found: BTreeMap<Vec<usize>, Series> = BTreeMap::new();
    let mut styles = 0;
    for configuration in &outcomes.configurations {
        let mut others = configuration.choice.clone();
        let at = others.remove(heading.axis);
        let Some(estimate) = estimate(configuration) else {
            continue;
        };
        let series = found.entry(others).or_insert_with(|| {
            styles += 1;
            Series {
                name: outcomes.name(configuration, &fixed),
                marks: Vec::new(),
                look: match numbers {
                    Some(_) => Look::Curve,
                    None => Look::Dots,
                },
                style: styles - 1,
            }
        });
        series.marks.push(Mark {
            x: numbers.as_ref().map_or(at as f64, |(places, _)| places[at]),
            y: estimate.mean,
            y_half: estimate.half_width,
            ..Mark::default()
        });
    }
    // In the order of the sweep.
    let mut series: Vec<Series> = found.into_values().collect();
    series.sort_by_key(|series| series.style);
    let count = series.len() as f64;
    for (index, series) in series.iter_mut().enumerate() {
        if numbers.is_none() {
            // Side by side, lest marks hide each other.
            let aside = (index as f64 + 0.5) / count - 0.5;
            series
                .marks
                .iter_mut()
                .for_each(|mark| mark.x += 0.7 * aside);
        }
        series.marks.sort_by(|a, b| a.x.total_cmp(&b.x));
    }
    let x = match numbers {
        Some((places, unit)) => Direction {
            label: with_unit(&heading.title(), if unit.is_empty() { "1" } else { &unit }),
            scale: Some(Scale::Linear),
            places,
            categories: Vec::new(),
            from_zero: false,
        },
        None => Direction {
            label: heading.title(),
            scale: Some(Scale::Linear),
            places: Vec::new(),
            categories: heading.labels.clone(),
            from_zero: false,
        },
    };
    (series, x)
}

fn differ(places: &[f64]) -> bool {
    places.iter().any(|place| *place != places[0])
}

/// `name (unit)`, without a unit of 1.
pub fn with_unit(name: &str, unit: &str) -> String {
    match unit {
        "1" => name.to_owned(),
        unit => format!("{name} ({unit})"),
    }
}

/// `unit` with the prefix that puts `most` above one, and the factor into it.
fn readable(unit: &str, most: f64) -> (String, f64) {
    let prefixes: &[(&str, f64)] = match unit {
        "s" | "J" => &[("", 1.0), ("m", 1e3), ("µ", 1e6), ("n", 1e9)],
        "B" => &[("G", 1e-9), ("M", 1e-6), ("k", 1e-3)],
        _ => &[],
    };
    let (prefix, factor) = prefixes
        .iter()
        .copied()
        .find(|(_, factor)| most.abs() * factor >= 1.0)
        .unwrap_or(("", 1.0));
    (format!("{prefix}{unit}"), factor)
}
