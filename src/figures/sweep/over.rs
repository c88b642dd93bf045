//! What a sweep measured along one of its axes, as curves.

use crate::figures::chart::{Direction, Look, Mark, Series, with_unit};
use crate::results::outcomes::{Configuration, Estimate, Outcomes};
use crate::scenario::Heading;
use std::collections::BTreeMap;

/// A series over `heading` for every setting of the other axes, its marks by place, and the
/// direction to the right, spaced linearly.
pub fn over(
    outcomes: &Outcomes<'_>,
    heading: &Heading,
    estimate: impl Fn(&Configuration<'_>) -> Option<Estimate>,
) -> (Vec<Series>, Direction) {
    let numbers = heading.numbers().filter(|(places, _)| differ(places));
    // Where fields that advance together bring the same number back, something else differs too,
    // and a line would say that only this one does.
    let joined = numbers
        .as_ref()
        .is_some_and(|(places, _)| all_differ(places));
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
                look: match joined {
                    true => Look::Curve,
                    false => Look::Dots,
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
            places,
            from_zero: false,
            ..Direction::numbers(&with_unit(&called(heading), &unit))
        },
        None => Direction {
            categories: heading.labels.clone(),
            from_zero: false,
            ..Direction::numbers(&called(heading))
        },
    };
    (series, x)
}

fn all_differ(places: &[f64]) -> bool {
    let mut sorted = places.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

pub(super) fn differ(places: &[f64]) -> bool {
    places.iter().any(|place| *place != places[0])
}

/// What the bars are, below means with intervals.
pub const BARS: &str = "bars: 95 % confidence interval of the mean (Student's t)";

/// Whether a mark has an interval.
pub fn has_bars(series: &[Series]) -> bool {
    let mut marks = series.iter().flat_map(|series| &series.marks);
    marks.any(|mark| mark.x_half.is_some() || mark.y_half.is_some())
}

/// What an axis is called: its name, else its field in words.
pub fn called(heading: &Heading) -> String {
    let title = heading.title();
    let is_path = heading
        .field
        .as_ref()
        .is_some_and(|(path, _)| path.to_string() == title);
    if !is_path {
        return title;
    }
    let bare = |field: &str| field.split('[').next().unwrap_or_default().to_owned();
    let fields: Vec<String> = title.split('.').map(bare).collect();
    match &fields.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["nodes", name, "count"] => format!("number of {name} nodes"),
        ["replicas", .., "all_reduce"] => "all-reduce".to_owned(),
        ["links", link, .., "snr"] => format!("signal-to-noise ratio SNR of {link}"),
        ["links", link, .., field] => format!("{} of {link}", field.replace('_', " ")),
        [.., field] => field.replace('_', " "),
        [] => title,
    }
}

/// `unit` with the prefix that puts `most` above one, and the factor into it.
pub fn readable(unit: &str, most: f64) -> (String, f64) {
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
