//! Panels: small charts of plotters' that several figures are put together from.
//!
//! A figure is laid out from top to bottom on a page of its width. Its panels have ticks at round
//! numbers, few enough that their labels do not touch, and are named above rather than beside.

use super::canvas::Canvas;
use super::chart::tick_step;
use super::elements::{Line, Words, words};
use super::font::{self, Weight};
use super::scene::{Anchor, Place, Scene, Stroke, Text};
use super::style;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::style::{BLACK, Color, IntoTextStyle, RGBColor, ShapeStyle};
use std::convert::Infallible;
use std::ops::Range;

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

/// An axis with its ticks.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    ticks: Vec<f64>,
    digits: usize,
    logarithmic: bool,
}

/// Decimals of numbers that are `step` apart.
fn digits_of(step: f64) -> usize {
    (-libm::floor(libm::log10(step) + 1e-9)).max(0.0) as usize
}

impl Axis {
    /// An axis over `range` with at most `most` ticks, or one more.
    pub fn linear(range: Range<f64>, most: usize) -> Self {
        let (low, high) = (range.start, range.end);
        let length = if high > low { high - low } else { 1.0 };
        let step = tick_step(length / most.max(1) as f64);
        let first = libm::ceil(low / step - 1e-9);
        let last = libm::floor((low + length) / step + 1e-9);
        let count = (last - first).max(0.0) as usize;
        Self {
            low,
            high: low + length,
            ticks: (0..=count).map(|k| (first + k as f64) * step).collect(),
            digits: digits_of(step),
            logarithmic: false,
        }
    }

    /// The same with ticks at whole numbers only.
    pub fn counting(range: Range<f64>, most: usize) -> Self {
        let axis = Self::linear(range, most);
        let whole = |tick: &f64| (tick - libm::round(*tick)).abs() < 1e-9;
        Self {
            ticks: axis.ticks.iter().copied().filter(whole).collect(),
            digits: 0,
            ..axis
        }
    }

    /// A logarithmic axis over `range`, which lies above zero, with ticks at 1, 2 and 5 times
    /// powers of ten.
    pub fn logarithmic(range: Range<f64>) -> Self {
        let (low, high) = (range.start, range.end.max(range.start * 1.01));
        let (first, last) = (libm::floor(libm::log10(low)), libm::ceil(libm::log10(high)));
        let decades = (0..=(last - first) as i32).map(|k| libm::pow(10.0, first + f64::from(k)));
        let ticks = decades.flat_map(|power| [power, 2.0 * power, 5.0 * power]);
        let ticks: Vec<f64> = ticks.filter(|it| (low..=high).contains(it)).collect();
        Self {
            low,
            high,
            digits: ticks.first().map_or(0, |tick| digits_of(*tick)),
            ticks,
            logarithmic: true,
        }
    }

    /// An axis without ticks.
    pub fn bare(range: Range<f64>) -> Self {
        Self {
            low: range.start,
            high: range.end,
            ticks: Vec::new(),
            digits: 0,
            logarithmic: false,
        }
    }

    /// Which part of the way along the axis `value` is.
    pub fn part(&self, value: f64) -> f64 {
        let (low, high, value) = match self.logarithmic {
            true => (libm::log(self.low), libm::log(self.high), libm::log(value)),
            false => (self.low, self.high, value),
        };
        (value - low) / (high - low)
    }

    fn label(&self, tick: f64) -> String {
        let digits = match self.logarithmic {
            true => digits_of(tick),
            false => self.digits,
        };
        let text = match tick.abs() {
            large if large >= 1e6 => format!("{tick:.0e}"),
            _ => format!("{tick:.digits$}"),
        };
        match text.strip_prefix('-') {
            Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_owned(),
            Some(rest) => format!("−{rest}"),
            None => text,
        }
    }

    /// The width of its widest label.
    fn widest(&self) -> i32 {
        let labels = self.ticks.iter().map(|tick| self.label(*tick));
        let widths = labels.map(|label| font::width(&label, style::SMALL, Weight::Regular));
        widths.max().unwrap_or(0)
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + libm::round(self.part(*value) * f64::from(to - from)) as i32
    }

    fn key_points<H: KeyPointHint>(&self, hint: H) -> Vec<f64> {
        match hint.weight().allow_light_points() {
            true => Vec::new(),
            false => self.ticks.clone(),
        }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        self.label(*value)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        let axis = Axis::linear(0.0..17.57, 8);
        assert_eq!(axis.ticks, [0.0, 5.0, 10.0, 15.0]);
        let labels: Vec<String> = Axis::linear(-0.6..1.1, 6)
            .ticks
            .iter()
            .map(|tick| Axis::linear(-0.6..1.1, 6).label(*tick))
            .collect();
        assert_eq!(labels, ["−0.5", "0.0", "0.5", "1.0"]);
        for (range, most) in [(0.0..1.0, 3), (3.2..3.21, 5), (-7.0..2e5, 9), (0.0..0.0, 4)] {
            let axis = Axis::linear(range.clone(), most);
            assert!(axis.ticks.len() <= most + 1, "{range:?}: {:?}", axis.ticks);
            assert!(
                axis.ticks
                    .iter()
                    .all(|tick| (axis.low - 1e-9..=axis.high + 1e-9).contains(tick))
            );
        }
    }

    #[test]
    fn whole_numbers_are_counted_without_fractions() {
        assert_eq!(Axis::counting(0.0..3.0, 8).ticks, [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(Axis::counting(0.0..1.04, 3).ticks, [0.0, 1.0]);
    }

    #[test]
    fn a_logarithmic_axis_maps_ratios_to_lengths() {
        let axis = Axis::logarithmic(0.5..8.0);
        assert_eq!(axis.ticks, [0.5, 1.0, 2.0, 5.0]);
        let at = |value: f64| axis.map(&value, (0, 4000));
        assert_eq!([at(0.5), at(1.0), at(2.0), at(8.0)], [0, 1000, 2000, 4000]);
    }
}
