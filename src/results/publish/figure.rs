//! One metric over one axis, as a paper prints it: its table.

use super::File;
use super::measure::Measure;
use super::sheet::{Cell, Sheet};
use crate::results::outcomes::Outcomes;
use crate::scenario::Figure;

pub(super) fn file(
    figure: &Figure,
    measure: &Measure,
    outcomes: &Outcomes<'_>,
) -> csv::Result<File> {
    let sheet = sheet(figure, measure, outcomes).csv()?;
    Ok((format!("{}.csv", figure.file), sheet))
}

fn sheet(figure: &Figure, measure: &Measure, outcomes: &Outcomes<'_>) -> Sheet {
    let mut sheet = Sheet::default();
    for heading in &outcomes.headings {
        sheet.column(&heading.name, &heading.name);
    }
    let mut configurations = outcomes.configurations.iter();
    let repeated = configurations.any(|configuration| configuration.rows.len() > 1);
    let compared = !figure.published.is_empty();
    if compared {
        sheet.column(measure.column("paper"), "paper");
    }
    sheet.column(measure.column("ours"), "ours");
    if repeated {
        sheet.column(measure.column("ours_ci95"), "± 95 %");
    }
    sheet.column("note", "note");
    for configuration in &outcomes.configurations {
        let labels = outcomes.labels(configuration);
        let ours = measure.estimate(configuration);
        let mut row: Vec<Cell> = labels.into_iter().map(Cell::Words).collect();
        if compared {
            row.push(Cell::Number(figure.published[configuration.index]));
        }
        row.push(Cell::Number(ours.map(|ours| ours.mean)));
        if repeated {
            row.push(Cell::Number(ours.and_then(|ours| ours.half_width)));
        }
        row.push(Cell::Words(configuration.note(measure.metric.name)));
        sheet.rows.push(row);
    }
    sheet
}
