//! How much a metric changes along one axis, beside published changes.

use super::File;
use super::measure::Measure;
use super::sheet::{Cell, Sheet};
use crate::results::outcomes::{Configuration, Outcomes};
use crate::results::readable::percent;
use crate::scenario::{Changes, Publication, Sweep};
use crate::text::Markdown;

/// A comparison along one axis.
#[derive(Debug)]
pub struct Comparison<'a> {
    changes: &'a Changes,
    measure: Measure,
    /// The numbers, not changes, of the table that holds them.
    levels: Option<&'a [Option<f64>]>,
}

/// One cell: ours and the paper's change in per cent.
#[derive(Debug, Clone, Copy, Default)]
struct Pair {
    ours: Option<f64>,
    paper: Option<f64>,
}

impl<'a> Comparison<'a> {
    /// `changes` of `measure` along an axis of `sweep`.
    pub fn of(changes: &'a Changes, measure: Measure, sweep: &'a Sweep) -> Self {
        let levels = sweep.publish.iter().find_map(|entry| match entry {
            Publication::Table(table) if changes.published_in.as_ref() == Some(&table.file) => {
                Some(table.published.as_slice())
            }
            _ => None,
        });
        Self {
            changes,
            measure,
            levels,
        }
    }

    pub(super) fn files(&self, outcomes: &Outcomes<'_>) -> csv::Result<Vec<File>> {
        let changes = self.changes;
        let along = outcomes
            .heading(&changes.along)
            .expect("the sweep was checked");
        let axis = along.axis;
        let from = along.labels.iter().position(|label| *label == changes.from);
        let from = from.expect("the sweep was checked");
        let compared = self.levels.is_some() || !changes.published.is_empty();
        let means = !changes.published_mean.is_empty();

        let mut sheet = Sheet::default();
        for heading in &outcomes.headings {
            sheet.column(&heading.name, &heading.name);
        }
        if compared || means {
            sheet.column("paper_%", "paper (%)");
        }
        sheet.column("ours_%", "ours (%)");
        if compared || means {
            sheet.column("difference_pp", "difference (pp)");
        }
        sheet.column("note", "note");
        let row = |labels: Vec<String>, pair: Pair, note: String| {
            let mut row: Vec<Cell> = labels.into_iter().map(Cell::Words).collect();
            let difference = pair.ours.zip(pair.paper).map(|(ours, paper)| ours - paper);
            if compared || means {
                row.push(Cell::Signed(pair.paper));
            }
            row.push(Cell::Signed(pair.ours));
            if compared || means {
                row.push(Cell::Signed(difference));
            }
            row.push(Cell::Words(note));
            row
        };

        // By label, in the sweep's order.
        let mut cells: Vec<Vec<Pair>> = vec![Vec::new(); along.labels.len()];
        let changed = |choice: &Configuration<'_>| choice.choice[axis] != from;
        let changed = outcomes
            .configurations
            .iter()
            .filter(|choice| changed(choice));
        for (number, configuration) in changed.enumerate() {
            let mut choice = configuration.choice.clone();
            choice[axis] = from;
            let base = outcomes
                .configurations
                .iter()
                .find(|other| other.choice == choice);
            let pair = Pair {
                ours: base.and_then(|base| self.ours(configuration, base)),
                paper: match self.levels {
                    Some(levels) => base
                        .and_then(|base| change(levels[configuration.index]?, levels[base.index]?)),
                    None => changes.published.get(number).copied().flatten(),
                },
            };
            let name = self.measure.metric.name;
            let notes = [Some(configuration), base].into_iter().flatten();
            let note = notes.map(|configuration| configuration.note(name));
            let note = note
                .filter(|note| !note.is_empty())
                .collect::<Vec<_>>()
                .join("; ");
            cells[configuration.choice[axis]].push(pair);
            sheet
                .rows
                .push(row(outcomes.labels(configuration), pair, note));
        }

        let mut summary = Vec::new();
        let labels = (0..along.labels.len()).filter(|label| changes.mean && *label != from);
        for (number, label) in labels.enumerate() {
            let mut pair = mean(&cells[label]);
            if let Some(paper) = changes.published_mean.get(number) {
                pair.paper = *paper;
            }
            let name = |heading: &crate::scenario::Heading| match heading.axis == axis {
                true => heading.labels[label].clone(),
                false => "mean".to_owned(),
            };
            if cells[label].len() > 1 {
                let note = mean_note(&cells[label]);
                sheet.rows.push(row(
                    outcomes.headings.iter().map(name).collect(),
                    pair,
                    note,
                ));
            }
            summary.push(sentence(&along.labels[label], &changes.from, pair));
        }
        let meaning = format!(
            "Change of {} ({}) from {}",
            self.measure.metric.name, self.measure.metric.meaning, changes.from
        );
        let title = changes.title.as_deref().unwrap_or(&meaning);
        Ok(vec![
            (format!("{}.csv", changes.file), sheet.csv()?),
            (
                format!("{}.md", changes.file),
                sheet.markdown(title, &summary),
            ),
        ])
    }

    fn ours(&self, configuration: &Configuration<'_>, base: &Configuration<'_>) -> Option<f64> {
        let new = self.measure.estimate(configuration)?.mean;
        change(new, self.measure.estimate(base)?.mean)
    }
}

/// new/old − 1 in per cent.
fn change(new: f64, old: f64) -> Option<f64> {
    (old != 0.0).then(|| 100.0 * (new / old - 1.0))
}

/// The means over the cells that have both, or over ours where none has.
fn mean(cells: &[Pair]) -> Pair {
    let both: Vec<Pair> = cells
        .iter()
        .copied()
        .filter(|cell| cell.ours.is_some() && cell.paper.is_some())
        .collect();
    let cells = if both.is_empty() { cells } else { &both };
    let of = |number: fn(&Pair) -> Option<f64>| {
        let numbers: Vec<f64> = cells.iter().filter_map(number).collect();
        (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
    };
    Pair {
        ours: of(|cell| cell.ours),
        paper: of(|cell| cell.paper),
    }
}

/// Over how many cells the mean is, where that is not all of them.
fn mean_note(cells: &[Pair]) -> String {
    let both = cells
        .iter()
        .filter(|cell| cell.ours.is_some() && cell.paper.is_some())
        .count();
    let ours = cells.iter().filter(|cell| cell.ours.is_some()).count();
    let used = if both > 0 { both } else { ours };
    match used == cells.len() {
        true => String::new(),
        false => format!("mean of {used} of {} cells", cells.len()),
    }
}

fn sentence(label: &str, from: &str, pair: Pair) -> String {
    let words = |change: f64| match change < 0.0 {
        true => format!("{} less", percent(-change / 100.0)),
        false => format!("{} more", percent(change / 100.0)),
    };
    let ours = pair.ours.map_or("not measured".to_owned(), words);
    let paper = pair.paper.map_or(String::new(), |paper| {
        format!(", in the paper {}", words(paper))
    });
    let (label, from) = (Markdown(label), Markdown(from));
    format!("{label} against {from}: on average {ours}{paper}.")
}
