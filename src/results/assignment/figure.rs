//! The figure: how the iterates of an assignment converge, drawn from its table.

use super::{ITERATE, TABLE};
use crate::results::tables::{TableError, TableFile, not_negative, not_negative_if_any};
use crate::text::Visible;
use plotters::prelude::*;
use serde::Deserialize;
use std::path::Path;

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

/// How far above the largest error the upper plot reaches, so that its legend lies on
/// nothing.
const UNDER_LEGEND: f64 = 1.4;

/// Height of a line of labels, in pixels.
const LINE: i32 = 16;

/// More nodes than this have no label of their own.
const MOST_LABELS: usize = 10;

/// A row of the table, as far as the figure shows it.
#[derive(Deserialize)]
struct Row {
    stage: String,
    iteration: Option<usize>,
    node: String,
    #[serde(deserialize_with = "not_negative")]
    share: f64,
    #[serde(deserialize_with = "not_negative_if_any")]
    mse: Option<f64>,
}

/// One iterate.
#[derive(Debug, Clone, Default, PartialEq)]
struct Iterate {
    error: f64,
    shares: Vec<f64>,
}

/// The iterates of an iterative assignment, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Iterates {
    /// The nodes that have the shares.
    nodes: Vec<String>,
    steps: Vec<Iterate>,
}

/// Reads the iterates of the run in `folder`.
///
/// # Errors
/// If the table is missing or damaged.
pub fn read(folder: &Path) -> Result<Iterates, TableError> {
    let mut iterates: Vec<Iterate> = Vec::new();
    let mut nodes: Vec<String> = Vec::new();
    let path = folder.join(TABLE);
    let damaged = |line: u64, fault: String| TableError {
        path: path.clone(),
        line: Some(line),
        fault,
    };
    let mut last = 0;
    for row in TableFile::open(&path)?.rows::<Row>() {
        let (line, row) = row?;
        last = line;
        if row.stage != ITERATE {
            continue;
        }
        let (Some(iteration), Some(error)) = (row.iteration, row.mse) else {
            return Err(damaged(
                line,
                "an iterate has a number and an error".to_owned(),
            ));
        };
        if iteration == iterates.len() {
            check_whole(&iterates).map_err(|fault| damaged(line, fault))?;
            iterates.push(Iterate::default());
        }
        let count = iterates.len();
        match iterates.last_mut() {
            Some(step)
                if iteration + 1 == count
                    && (count == 1 && !nodes.contains(&row.node)
                        || count > 1 && nodes.get(step.shares.len()) == Some(&row.node)) =>
            {
                if count == 1 {
                    nodes.push(row.node);
                }
                step.error = error;
                step.shares.push(row.share);
            }
            _ => {
                let fault = format!(
                    "no row of iteration {iteration}, node {} stands here",
                    Visible(&row.node)
                );
                return Err(damaged(line, fault));
            }
        }
    }
    check_whole(&iterates).map_err(|fault| damaged(last, fault))?;
    Ok(Iterates {
        nodes,
        steps: iterates,
    })
}

/// Checks that the last iterate has as many nodes as the first.
fn check_whole(iterates: &[Iterate]) -> Result<(), String> {
    match iterates {
        [first, .., last] if first.shares.len() != last.shares.len() => Err(format!(
            "before it, iteration {} has {} nodes, and the first has {}",
            iterates.len() - 1,
            last.shares.len(),
            first.shares.len()
        )),
        _ => Ok(()),
    }
}

impl Iterates {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The SVG text: error above, shares below, over the iterations.
    ///
    /// # Errors
    /// What the drawing backend says.
    pub fn draw(&self) -> Result<String, String> {
        let mut svg = String::new();
        plot(self, &mut svg).map_err(|error| error.to_string())?;
        Ok(svg)
    }
}

fn plot(assigned: &Iterates, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let iterates = &assigned.steps[..];
    let last = iterates.len().max(2) - 1;
    let root = SVGBackend::with_string(svg, (800, 620)).into_drawing_area();
    root.fill(&WHITE)?;
    let (above, below) = root.split_vertically(280);
    let largest = iterates.iter().map(|step| step.error).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(&above)
        .caption("Model assignment: convergence", ("sans-serif", 20))
        .margin(12)
        .margin_right(84)
        .x_label_area_size(24)
        .y_label_area_size(70)
        .build_cartesian_2d(0..last, 0.0..UNDER_LEGEND * largest)?;
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
        .margin_right(84)
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
    let mut ends = Vec::new();
    for node in 0..assigned.nodes.len() {
        let line = COLOURS[node % COLOURS.len()].stroke_width(2);
        let path = iterates.iter().map(|step| step.shares[node]).enumerate();
        chart.draw_series(LineSeries::new(path, line))?;
        let end = iterates.last().map_or(0.0, |step| step.shares[node]);
        ends.push((chart.backend_coord(&(last, end)), node));
    }
    if assigned.nodes.len() <= MOST_LABELS {
        name_ends(&root, &assigned.nodes, ends)?;
    }
    root.present()?;
    Ok(())
}

/// Names each curve behind its end, one name a line where ends are close.
fn name_ends(
    root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    names: &[String],
    mut ends: Vec<((i32, i32), usize)>,
) -> Result<(), Box<dyn std::error::Error>> {
    ends.sort_by_key(|((_, y), node)| (*y, *node));
    let mut lowest = i32::MIN;
    for ((x, y), node) in ends {
        let y = y.max(lowest);
        lowest = y + LINE;
        let colour = COLOURS[node % COLOURS.len()];
        let style = ("sans-serif", 14).into_font().color(&colour);
        root.draw_text(&names[node], &style, (x + 6, y - LINE / 2))?;
    }
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
