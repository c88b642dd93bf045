//! One metric against another, and which configurations no other beats.

use super::File;
use super::measure::Measure;
use super::sheet::{Cell, Sheet};
use crate::results::curves::{self, Direction, Format, Look, Mark, Plot, Series, with_unit};
use crate::results::outcomes::{Configuration, Estimate, Outcomes};
use crate::scenario::{Better, Heading, Scale, Tradeoff};

/// More labels than that beside marks hide each other.
const MOST_LABELS: usize = 24;

/// Both metrics of one configuration.
#[derive(Debug, Clone, Copy)]
struct Pair {
    x: Estimate,
    y: Estimate,
}

pub(super) fn files(
    tradeoff: &Tradeoff,
    both: &[Measure; 2],
    outcomes: &Outcomes<'_>,
) -> csv::Result<Vec<File>> {
    let pair = |configuration: &Configuration<'_>| {
        Some(Pair {
            x: both[0].estimate(configuration)?,
            y: both[1].estimate(configuration)?,
        })
    };
    let pairs: Vec<Option<Pair>> = outcomes.configurations.iter().map(pair).collect();
    let costs: Vec<Option<(f64, f64)>> = pairs
        .iter()
        .map(|pair| {
            let pair = pair.as_ref()?;
            let x = cost(pair.x.mean, tradeoff.x_better);
            Some((x, cost(pair.y.mean, tradeoff.y_better)))
        })
        .collect();
    let front = front(&costs);
    let svg = curves::draw(&plot(tradeoff, both, outcomes, (&pairs, &front)));
    let sheet = sheet(both, outcomes, (&pairs, &front));
    Ok(vec![
        (format!("{}.svg", tradeoff.file), svg.into_bytes()),
        (format!("{}.csv", tradeoff.file), sheet.csv()?),
    ])
}

/// What is to be small.
fn cost(value: f64, better: Better) -> f64 {
    match better {
        Better::Lower => value,
        Better::Higher => -value,
    }
}

/// Which of the `costs` no other is at most as high as in both and lower than in one.
fn front(costs: &[Option<(f64, f64)>]) -> Vec<bool> {
    let beaten = |own: (f64, f64)| {
        costs.iter().flatten().any(|other| {
            other.0 <= own.0 && other.1 <= own.1 && (other.0 < own.0 || other.1 < own.1)
        })
    };
    costs
        .iter()
        .map(|own| own.is_some_and(|own| !beaten(own)))
        .collect()
}

fn plot(
    tradeoff: &Tradeoff,
    both: &[Measure; 2],
    outcomes: &Outcomes<'_>,
    (pairs, front): (&[Option<Pair>], &[bool]),
) -> Plot {
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
    let direction = |measure: &Measure, label: &Option<String>, scale: Option<Scale>| Direction {
        label: with_unit(label.as_deref().unwrap_or(&measure.words()), &measure.unit),
        scale,
        places: Vec::new(),
        categories: Vec::new(),
        from_zero: false,
    };
    Plot {
        title: tradeoff.title.clone(),
        x: direction(&both[0], &tradeoff.x_label, tradeoff.x_scale),
        y: direction(&both[1], &tradeoff.y_label, tradeoff.y_scale),
        series,
        note: beside
            .filter(|_| labelled)
            .map(|heading| format!("beside marks: {}", heading.name)),
        format: Format::Column,
    }
}

fn sheet(
    both: &[Measure; 2],
    outcomes: &Outcomes<'_>,
    (pairs, front): (&[Option<Pair>], &[bool]),
) -> Sheet {
    let mut sheet = Sheet::default();
    for heading in &outcomes.headings {
        sheet.column(&heading.name, &heading.name);
    }
    let mut configurations = outcomes.configurations.iter();
    let repeated = configurations.any(|configuration| configuration.rows.len() > 1);
    for measure in both {
        let name = measure.metric.stem();
        sheet.column(measure.column(name), name);
        if repeated {
            sheet.column(measure.column(&format!("{name}_ci95")), "± 95 %");
        }
    }
    sheet.column("pareto", "pareto");
    sheet.column("note", "note");
    for ((configuration, pair), on) in outcomes.configurations.iter().zip(pairs).zip(front) {
        let labels = outcomes.labels(configuration);
        let mut row: Vec<Cell> = labels.into_iter().map(Cell::Words).collect();
        for estimate in [pair.map(|pair| pair.x), pair.map(|pair| pair.y)] {
            row.push(Cell::Number(estimate.map(|estimate| estimate.mean)));
            if repeated {
                row.push(Cell::Number(
                    estimate.and_then(|estimate| estimate.half_width),
                ));
            }
        }
        row.push(Cell::Words(if *on { "yes" } else { "no" }.to_owned()));
        let notes = both
            .iter()
            .map(|measure| configuration.note(measure.metric.name));
        let mut notes: Vec<String> = notes.filter(|note| !note.is_empty()).collect();
        notes.dedup();
        row.push(Cell::Words(notes.join("; ")));
        sheet.rows.push(row);
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Walking from the cheapest x on, a configuration is on the front if it undercuts every
        /// y before it.
        #[test]
        fn the_front_is_that_of_a_walk_along_x(
            costs in proptest::collection::vec((0u8..12, 0u8..12), 1..40)
        ) {
            let costs: Vec<(f64, f64)> =
                costs.into_iter().map(|(x, y)| (f64::from(x), f64::from(y))).collect();
            let options: Vec<_> = costs.iter().copied().map(Some).collect();
            let found = front(&options);
            let mut sorted = costs.clone();
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            let mut expected: Vec<(f64, f64)> = Vec::new();
            for cost in sorted {
                if expected.last().is_none_or(|last| cost.1 < last.1) {
                    expected.push(cost);
                }
            }
            for (cost, on) in costs.iter().zip(found) {
                prop_assert_eq!(on, expected.contains(cost));
            }
        }
    }
}
