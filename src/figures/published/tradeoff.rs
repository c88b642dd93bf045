//! One metric against another, and which configurations no other beats.

use crate::figures::chart::{Direction, Look, Mark, Plot, Series, with_unit};
use crate::figures::sweep::{BARS, has_bars};
use crate::results::outcomes::{Configuration, Outcomes};
use crate::results::publish::{Measure, Pair, Pairs};
use crate::scenario::{Heading, Scale, Tradeoff};

/// More labels than that beside marks hide each other.
const MOST_LABELS: usize = 24;

/// What `tradeoff` shows, its metrics being `both`.
pub(super) fn plot(tradeoff: &Tradeoff, both: &[Measure; 2], outcomes: &Outcomes<'_>) -> Plot {
    let Pairs { pairs, front } = &Pairs::of(tradeoff, both, outcomes);
    let by = match &tradeoff.by {
        Some(by) => outcomes.heading(by),
        None => outcomes.headings.first(),
    };
    let mut labels: Vec<&str> = vec![""];
    if let Some(by) = by {
        labels.clear();
        for label in &by.labels {
            // A field of several that advance together may have a label more than once.
            if !labels.contains(&label.as_str()) {
                labels.push(label);
            }
        }
    }
    let varied = |heading: &&Heading| {
        by.is_none_or(|by| by != *heading) && outcomes.lengths[heading.axis] > 1
    };
    let others: Vec<&Heading> = outcomes.headings.iter().filter(varied).collect();
    // One more column needs no name at every mark.
    let beside = match others[..] {
        [only] => Some(only),
        _ => None,
    };
    let words = |configuration: &Configuration<'_>| match beside {
        Some(heading) => heading.labels[configuration.choice[heading.axis]].clone(),
        None => outcomes.words(configuration, &others),
    };
    let labelled = pairs.iter().flatten().count() <= MOST_LABELS;
    let series = labels.iter().enumerate().map(|(style, name)| {
        let own = outcomes
            .configurations
            .iter()
            .zip(pairs)
            .filter(|(configuration, _)| {
                by.is_none_or(|by| by.labels[configuration.choice[by.axis]] == **name)
            });
        let marks = own.filter_map(|(configuration, pair)| {
            let Pair { x, y } = (*pair)?;
            Some(Mark {
                x: x.mean,
                y: y.mean,
                x_half: x.half_width,
                y_half: y.half_width,
                label: match labelled {
                    true => words(configuration),
                    false => String::new(),
                },
            })
        });
        Series {
            name: (*name).to_owned(),
            marks: marks.collect(),
            look: Look::Dots,
            style,
        }
    });
    let mut series: Vec<Series> = series.filter(|series| !series.marks.is_empty()).collect();
    let on_front = pairs.iter().zip(front).filter(|(_, on)| **on);
    let mut marks: Vec<Mark> = on_front
        .filter_map(|(pair, _)| {
            let Pair { x, y } = (*pair)?;
            Some(Mark {
                x: x.mean,
                y: y.mean,
                ..Mark::default()
            })
        })
        .collect();
    marks.sort_by(|a, b| a.x.total_cmp(&b.x));
    // First, so that it lies below the marks.
    series.insert(
        0,
        Series {
            name: "Pareto front".to_owned(),
            marks,
            look: Look::Front,
            style: 0,
        },
    );
    let direction = |measure: &Measure, label: &Option<String>, scale: Option<Scale>| {
        let name = label.clone().unwrap_or_else(|| measure.metric.label());
        Direction {
            scale,
            from_zero: false,
            ..Direction::numbers(&with_unit(&name, &measure.unit))
        }
    };
    let beside = beside.filter(|_| labelled);
    let mut notes: Vec<String> = Vec::new();
    notes.extend(beside.map(|heading| format!("beside marks: {}", heading.name)));
    if has_bars(&series) {
        notes.push(BARS.to_owned());
    }
    Plot {
        title: tradeoff.title.clone(),
        x: direction(&both[0], &tradeoff.x_label, tradeoff.x_scale),
        y: direction(&both[1], &tradeoff.y_label, tradeoff.y_scale),
        note: (!notes.is_empty()).then(|| notes.join("; ")),
        series,
    }
}
