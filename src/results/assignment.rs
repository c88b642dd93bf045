//! `assignment.csv` and `assignment.svg`: how the model came to be divided.
//!
//! The table has a row per device for every iterate of an iterative assignment, for the
//! shares asked for, and for what whole heads and columns made of them. The figure shows
//! how the iterates converge.

use super::folder::{FolderError, Staging};
use super::tables::write_rows;
use crate::architecture::measurement::{AssignmentRecord, DivisionRecord, IterateRecord};
use plotters::prelude::*;
use serde::Serialize;

/// The table's file name.
pub const TABLE: &str = "assignment.csv";

/// The figure's file name.
pub const FIGURE: &str = "assignment.svg";

#[derive(Serialize)]
struct Row {
    stage: &'static str,
    iteration: Option<usize>,
    device: usize,
    share: f64,
    heads_share: Option<f64>,
    columns_share: Option<f64>,
    compute_j: Option<f64>,
    headroom_j: Option<f64>,
    mse: Option<f64>,
    mse_ci95: Option<f64>,
    compute_s: f64,
}

/// Writes the table, and the figure if there are iterates.
///
/// # Errors
/// If a file cannot be written.
pub fn write(staging: &mut Staging, record: &AssignmentRecord) -> Result<(), FolderError> {
    let iterates = record.iterates.iter().enumerate();
    let iterates = iterates.flat_map(|(iteration, step)| of_iterate(iteration, step));
    let asked = of_division("asked", &record.asked);
    let rounded = of_division("rounded", &record.rounded);
    write_rows(staging, TABLE, iterates.chain(asked).chain(rounded))?;
    if record.iterates.is_empty() {
        return Ok(());
    }
    let figure = draw(&record.iterates).map_err(|fault| FolderError::Io {
        path: staging.shown(FIGURE),
        source: std::io::Error::other(fault),
    })?;
    staging.write(FIGURE, figure.as_bytes())
}

fn of_iterate(iteration: usize, step: &IterateRecord) -> impl Iterator<Item = Row> + '_ {
    let shares = step.shares.iter().enumerate();
    shares.map(move |(device, share)| Row {
        stage: "iterate",
        iteration: Some(iteration),
        device,
        share: *share,
        heads_share: None,
        columns_share: None,
        compute_j: None,
        headroom_j: None,
        mse: Some(step.error),
        mse_ci95: None,
        compute_s: step.compute_s,
    })
}

fn of_division<'a>(
    stage: &'static str,
    division: &'a DivisionRecord,
) -> impl Iterator<Item = Row> + 'a {
    let each = |values: &Option<Vec<f64>>, device: usize| values.as_ref().map(|all| all[device]);
    (0..division.weights.len()).map(move |device| Row {
        stage,
        iteration: None,
        device,
        share: division.weights[device],
        heads_share: Some(division.heads[device]),
        columns_share: Some(division.columns[device]),
        compute_j: each(&division.compute_j, device),
        headroom_j: each(&division.headroom_j, device),
        mse: division.error.map(|(mean, _)| mean),
        mse_ci95: division.error.map(|(_, half_width)| half_width),
        compute_s: division.compute_s,
    })
}

/// Okabe–Ito colours, which differ in lightness too.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// More devices than this have no label of their own.
const MOST_LABELS: usize = 10;

/// Error above, shares below, over the iterations.
fn draw(iterates: &[IterateRecord]) -> Result<String, String> {
    let mut svg = String::new();
    plot(iterates, &mut svg).map_err(|error| error.to_string())?;
    Ok(svg)
}

fn plot(iterates: &[IterateRecord], svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let last = iterates.len().max(2) - 1;
    let root = SVGBackend::with_string(svg, (800, 620)).into_drawing_area();
    root.fill(&WHITE)?;
    let (above, below) = root.split_vertically(280);
    let largest = iterates.iter().map(|step| step.error).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(&above)
        .caption("Model assignment: convergence", ("sans-serif", 20))
        .margin(12)
        .margin_right(32)
        .x_label_area_size(24)
        .y_label_area_size(70)
        .build_cartesian_2d(0..last, 0.0..1.08 * largest)?;
    chart
        .configure_mesh()
        .y_desc("error per entry")
        .label_style(("sans-serif", 14))
        .light_line_style(WHITE)
        .draw()?;
    let grey = RGBColor(150, 150, 150);
    let samples = iterates.iter().enumerate();
    let samples = samples.map(|(x, step)| Circle::new((x, step.error), 2, grey.filled()));
    chart
        .draw_series(samples)?
        .label("on the iteration's channel sample")
        .legend(move |(x, y)| Circle::new((x + 12, y), 2, grey.filled()));
    let recent = (0..iterates.len()).map(|x| {
        let window = &iterates[x.saturating_sub(19)..=x];
        let sum: f64 = window.iter().map(|step| step.error).sum();
        (x, sum / window.len() as f64)
    });
    let line = COLOURS[1].stroke_width(2);
    chart
        .draw_series(LineSeries::new(recent, line))?
        .label("mean of the last 20")
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], line));
    legend(&mut chart)?;

    let shares = iterates.iter().flat_map(|step| &step.shares);
    let largest = shares.copied().fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(&below)
        .margin(12)
        .margin_right(32)
        .x_label_area_size(44)
        .y_label_area_size(70)
        .build_cartesian_2d(0..last, 0.0..1.08 * largest)?;
    chart
        .configure_mesh()
        .x_desc("iteration")
        .y_desc("share of the model")
        .label_style(("sans-serif", 14))
        .light_line_style(WHITE)
        .draw()?;
    let devices = iterates.first().map_or(0, |step| step.shares.len());
    for device in 0..devices {
        let line = COLOURS[device % COLOURS.len()].stroke_width(2);
        let path = iterates.iter().map(|step| step.shares[device]).enumerate();
        let series = chart.draw_series(LineSeries::new(path, line))?;
        if devices <= MOST_LABELS {
            series
                .label(format!("device {device}"))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 24, y)], line));
        }
    }
    legend(&mut chart)?;
    root.present()?;
    Ok(())
}

type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordusize, plotters::coord::types::RangedCoordf64>,
>;

fn legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>) -> Result<(), String> {
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .label_font(("sans-serif", 13))
        .margin(6)
        .draw()
        .map_err(|error| error.to_string())
}
