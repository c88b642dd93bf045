//! One metric over one axis, as a paper prints it.

use super::File;
use super::measure::Measure;
use super::sheet::{Cell, Sheet};
use crate::results::curves::{self, Direction, Format, Look, Plot, Series, with_unit};
use crate::results::outcomes::{Estimate, Outcomes};
use crate::scenario::{Figure, Scale};

pub(super) fn files(
    figure: &Figure,
    measure: &Measure,
    outcomes: &Outcomes<'_>,
) -> csv::Result<Vec<File>> {
    let svg = curves::draw(&plot(figure, measure, outcomes));
    Ok(vec![
        (format!("{}.svg", figure.file), svg.into_bytes()),
        (
            format!("{}.csv", figure.file),
            sheet(figure, measure, outcomes).csv()?,
        ),
    ])
}

fn plot(figure: &Figure, measure: &Measure, outcomes: &Outcomes<'_>) -> Plot {
    let over = outcomes
        .heading(&figure.over)
        .expect("the sweep was checked");
    let (mut series, x) = curves::over(outcomes, over, |configuration| {
        measure.estimate(configuration)
    });
    let published = |index: usize| {
        let mean = figure.published.get(index).copied().flatten()?;
        Some(Estimate {
            mean,
            half_width: None,
        })
    };
    let (papers, _) = curves::over(outcomes, over, |configuration| {
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
    let marks = || series.iter().flat_map(|series| &series.marks);
    let mut notes = Vec::new();
    if has_papers {
        notes.push("filled: ours, hollow: published");
    }
    if marks().any(|mark| mark.y_half.is_some()) {
        notes.push("bars: 95 % confidence");
    }
    let by_range = if over.logarithmic {
        Scale::Log
    } else {
        Scale::Linear
    };
    let label = figure.label.clone().unwrap_or(x.label);
    let name = figure
        .metric_label
        .clone()
        .unwrap_or_else(|| measure.words());
    Plot {
        title: figure.title.clone(),
        x: Direction {
            label,
            scale: Some(figure.scale.unwrap_or(by_range)),
            ..x
        },
        y: Direction {
            label: with_unit(&name, &measure.unit),
            scale: figure.metric_scale,
            places: Vec::new(),
            categories: Vec::new(),
            from_zero: true,
        },
        series,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
        format: Format::Column,
    }
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
