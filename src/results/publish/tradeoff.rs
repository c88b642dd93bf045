//! One metric against another, and which configurations no other beats: its table.

use super::File;
use super::measure::Measure;
use super::sheet::{Cell, Sheet};
use crate::results::outcomes::{Configuration, Estimate, Outcomes};
use crate::scenario::{Better, Tradeoff};

/// Both metrics of one configuration.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// That to the right.
    pub x: Estimate,
    /// That upwards.
    pub y: Estimate,
}

/// What a trade-off tells of every configuration.
#[derive(Debug)]
pub struct Pairs {
    /// Both metrics, by place among the configurations.
    pub pairs: Vec<Option<Pair>>,
    /// Which of them no other beats.
    pub front: Vec<bool>,
}

impl Pairs {
    /// What `tradeoff` tells of `outcomes`, its metrics being `both`.
    pub fn of(tradeoff: &Tradeoff, both: &[Measure; 2], outcomes: &Outcomes<'_>) -> Self {
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
        Self { pairs, front }
    }
}

pub(super) fn file(
    tradeoff: &Tradeoff,
    both: &[Measure; 2],
    outcomes: &Outcomes<'_>,
) -> csv::Result<File> {
    let sheet = sheet(both, outcomes, &Pairs::of(tradeoff, both, outcomes));
    Ok((format!("{}.csv", tradeoff.file), sheet.csv()?))
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

fn sheet(both: &[Measure; 2], outcomes: &Outcomes<'_>, Pairs { pairs, front }: &Pairs) -> Sheet {
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
