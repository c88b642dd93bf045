//! One metric at every configuration, beside published numbers.

use super::File;
use super::measure::Measure;
use super::sheet::{Cell, Sheet};
use crate::results::outcomes::Outcomes;
use crate::results::readable::percent;
use crate::scenario::Table;
use crate::text::Markdown;

pub(super) fn files(
    table: &Table,
    measure: &Measure,
    outcomes: &Outcomes<'_>,
) -> csv::Result<Vec<File>> {
    let mut sheet = Sheet::default();
    for heading in &outcomes.headings {
        sheet.column(&heading.name, &heading.name);
    }
    let unit = match measure.unit.as_str() {
        "1" => String::new(),
        unit => format!(" ({unit})"),
    };
    let compared = !table.published.is_empty();
    let mut configurations = outcomes.configurations.iter();
    let repeated = configurations.any(|configuration| configuration.rows.len() > 1);
    if compared {
        sheet.column(measure.column("paper"), format!("paper{unit}"));
    }
    sheet.column(measure.column("ours"), format!("ours{unit}"));
    if repeated {
        sheet.column(measure.column("ours_ci95"), "± 95 %");
    }
    if compared {
        sheet.column("rel_error", "error");
    }
    sheet.column("note", "note");
    let mut errors: Vec<(f64, String)> = Vec::new();
    for configuration in &outcomes.configurations {
        let labels = outcomes.labels(configuration);
        let paper = table.published.get(configuration.index).copied().flatten();
        let ours = measure.estimate(configuration);
        let error = match (paper, ours) {
            (Some(paper), Some(ours)) if paper != 0.0 => Some(ours.mean / paper - 1.0),
            _ => None,
        };
        if let Some(error) = error {
            errors.push((error.abs(), labels.join(", ")));
        }
        let mut row: Vec<Cell> = labels.into_iter().map(Cell::Words).collect();
        if compared {
            row.push(Cell::Number(paper));
        }
        row.push(Cell::Number(ours.map(|ours| ours.mean)));
        if repeated {
            row.push(Cell::Number(ours.and_then(|ours| ours.half_width)));
        }
        if compared {
            row.push(Cell::Share(error));
        }
        row.push(Cell::Words(configuration.note(measure.metric.name)));
        sheet.rows.push(row);
    }
    let mut summary = Vec::new();
    if compared {
        summary.push(agreement(&errors));
    }
    if repeated {
        summary.push("Ours are means over the runs, ± half their 95 % confidence interval.".into());
    }
    let meaning = format!("{}: {}", measure.metric.name, measure.metric.meaning);
    let title = table.title.as_deref().unwrap_or(&meaning);
    Ok(vec![
        (format!("{}.csv", table.file), sheet.csv()?),
        (
            format!("{}.md", table.file),
            sheet.markdown(title, &summary),
        ),
    ])
}

/// How well the compared cells agree.
fn agreement(errors: &[(f64, String)]) -> String {
    let Some((worst, place)) = errors.iter().max_by(|a, b| a.0.total_cmp(&b.0)) else {
        return "No cell has both numbers.".to_owned();
    };
    let mean = errors.iter().map(|(error, _)| error).sum::<f64>() / errors.len() as f64;
    format!(
        "{} cells compared: mean |error| {}, worst {} at {}.",
        errors.len(),
        percent(mean),
        percent(*worst),
        Markdown(place)
    )
}
