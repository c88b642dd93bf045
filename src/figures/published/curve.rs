//! One metric over one axis, as a paper prints it, beside what it printed.

use crate::figures::chart::{Direction, Look, Plot, Series, with_unit};
use crate::figures::sweep::{BARS, has_bars, over};
use crate::results::outcomes::{Estimate, Outcomes};
use crate::results::publish::Measure;
use crate::scenario::{Figure, Scale};

/// What `figure` shows.
pub(super) fn plot(figure: &Figure, measure: &Measure, outcomes: &Outcomes<'_>) -> Plot {
    let heading = outcomes
        .heading(&figure.over)
        .expect("the sweep was checked");
    let (mut series, x) = over(outcomes, heading, |configuration| {
        measure.estimate(configuration)
    });
    let published = |index: usize| {
        let mean = figure.published.get(index).copied().flatten()?;
        Some(Estimate {
            mean,
            half_width: None,
        })
    };
    let (papers, _) = over(outcomes, heading, |configuration| {
        published(configuration.index)
    });
    // In the style of the line that they belong to; a setting without ours comes last.
    let styled: Vec<Series> = papers
        .into_iter()
        .map(|paper| {
            let own = series.iter().find(|own| own.name == paper.name);
            Series {
                style: own.map_or(paper.style, |own| own.style),
                name: String::new(),
                look: Look::Hollow,
                ..paper
            }
        })
        .collect();
    let has_papers = !styled.is_empty();
    series.extend(styled);
    let mut notes = Vec::new();
    if has_papers {
        notes.push("filled: ours, hollow: published");
    }
    if has_bars(&series) {
        notes.push(BARS);
    }
    let by_range = if heading.logarithmic {
        Scale::Log
    } else {
        Scale::Linear
    };
    let label = figure.label.clone().unwrap_or(x.label);
    let name = figure
        .metric_label
        .clone()
        .unwrap_or_else(|| measure.metric.label());
    Plot {
        title: figure.title.clone(),
        x: Direction {
            label,
            scale: Some(figure.scale.unwrap_or(by_range)),
            ..x
        },
        y: Direction {
            scale: figure.metric_scale,
            ..Direction::numbers(&with_unit(&name, &measure.unit))
        },
        series,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    }
}
