//! Panels: small charts of plotters' that several figures are put together from.
//!
//! A figure is laid out from top to bottom on a page of its width. Its panels have ticks at round
//! numbers, few enough that their labels do not touch, and are named above rather than beside.

use super::canvas::Canvas;
use super::elements::{Line, Words, words};
use super::scene::{Anchor, Place, Scene, Stroke, Text};
use super::style;

pub use super::ticks::Axis;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::style::{BLACK, Color, IntoTextStyle, RGBColor, ShapeStyle};
use std::convert::Infallible;

/// A part of a page.
pub type Area<'a> = DrawingArea<Canvas<'a>, Shift>;

/// A chart on it.
pub type Panel<'a> = ChartContext<'a, Canvas<'a>, Cartesian2d<Axis, Axis>>;

/// What plotters says where it cannot draw.
pub type Fault = DrawingAreaErrorKind<Infallible>;

/// From the base line of a line of text to the next.
pub const LINE: i32 = 900;

/// Length of the marks at ticks.
const TICK: i32 = 210;

/// Room below a panel for the labels of its ticks, and for the name of its axis below them.
pub const LABELS: i32 = 2 * TICK + 700;
/// Room for the name of an axis.
pub const NAME: i32 = 850;

/// The picture of `size` that `draw` puts on an empty page.
pub fn page(
    (width, height): Place,
    title: &str,
    draw: impl FnOnce(&Area<'_>) -> Result<(), Fault>,
) -> Scene {
    let mut scene = Scene::new(width, height, title);
    let area = Canvas::new(&mut scene).into_drawing_area();
    let drawn = draw(&area);
    drop(area);
    drawn.expect("a scene takes everything");
    scene
}

/// The unit in which `seconds` are above one, and how many seconds it is.
pub fn time_unit(seconds: f64) -> (&'static str, f64) {
    let units = [("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)];
    let unit = units.into_iter().find(|(_, unit)| seconds >= *unit);
    unit.unwrap_or(("ps", 1e-12))
}

/// A line style of plotters'.
pub fn shape_style(stroke: Stroke) -> ShapeStyle {
    let [red, green, blue] = stroke.colour.rgb;
    let colour = RGBColor(red, green, blue).mix(f64::from(stroke.colour.cover) / 100.0);
    colour.stroke_width(stroke.width as u32)
}

/// Which axes of a panel are drawn, and what is written at them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Frame<'t> {
    /// Below the labels of the horizontal axis; without it, that has no labels.
    pub x: Option<&'t str>,
    /// Whether the horizontal axis has labels, but no name.
    pub x_labels: bool,
    /// Beside the labels of the vertical axis, if anything.
    pub y: Option<&'t str>,
    /// Whether lines lead from the ticks of the vertical axis across the panel.
    pub grid: bool,
    /// Where the inside begins, from the area's left edge; by default right of the labels.
    pub inside: Option<i32>,
}

/// A chart in `area`, its axes drawn.
///
/// # Errors
/// If plotters finds no room.
pub fn panel<'a>(
    area: &Area<'a>,
    (x, y): (Axis, Axis),
    frame: Frame<'_>,
) -> Result<Panel<'a>, Fault> {
    let has_labels = frame.x.is_some() || frame.x_labels;
    let below = match (has_labels, frame.x) {
        (false, _) => 0,
        (true, None) => LABELS,
        (true, Some(_)) => LABELS + NAME,
    };
    let named = if frame.y.is_some() { NAME } else { 0 };
    let beside = frame.inside.unwrap_or_else(|| beside(&y) + named);
    let labels = ("sans-serif", f64::from(style::SMALL))
        .into_text_style(area)
        .color(&BLACK);
    let mut builder = ChartBuilder::on(area);
    builder.x_label_area_size(below).y_label_area_size(beside);
    let mut chart = builder.build_cartesian_2d(x, y)?;
    let mut mesh = chart.configure_mesh();
    mesh.axis_style(shape_style(style::AXIS))
        .bold_line_style(shape_style(style::GRID))
        .disable_x_mesh()
        .label_style(labels.clone())
        .axis_desc_style(labels)
        .set_all_tick_mark_size(TICK);
    if !frame.grid {
        mesh.disable_y_mesh();
    }
    if !has_labels {
        mesh.disable_x_axis();
    }
    if let Some(name) = frame.x {
        mesh.x_desc(name);
    }
    if let Some(name) = frame.y {
        mesh.y_desc(name);
    }
    mesh.draw()?;
    Ok(chart)
}

/// The room that the labels of a vertical axis take.
pub fn beside(y: &Axis) -> i32 {
    match y.ticks.is_empty() {
        true => 0,
        false => y.widest() + 2 * TICK + 20,
    }
}

/// Lines of text, one below the other from the base line `top` on; the base line of what comes
/// next.
///
/// # Errors
/// What plotters says.
pub fn lines(
    area: &Area<'_>,
    (left, top): Place,
    size: i32,
    lines: &[String],
) -> Result<i32, Fault> {
    let mut y = top;
    for line in lines {
        area.draw(&words((left, y), line, size, Anchor::Start))?;
        y += LINE;
    }
    Ok(y)
}

/// A heading of a panel, in bold.
///
/// # Errors
/// What plotters says.
pub fn heading(area: &Area<'_>, at: Place, text: &str) -> Result<(), Fault> {
    area.draw(&Words::at(at, Text::new(text, style::TEXT, at).bold()))
}

/// A curve through `points` on a chart.
///
/// # Errors
/// What plotters says.
pub fn curve(chart: &mut Panel<'_>, points: Vec<(f64, f64)>, stroke: Stroke) -> Result<(), Fault> {
    let line = Line {
        places: points,
        stroke,
    };
    chart.draw_series(std::iter::once(line))?;
    Ok(())
}
