//! Draws a plot: two axes, lines and marks with confidence intervals, a legend above.
//!
//! Lines differ in marker, dash and Okabe–Ito colour, so that a figure survives greyscale and
//! colour blindness. The legend stands above the data, never over it.

use super::axis::{Axis, Direction};
use super::canvas::{Canvas, Place, Side, Stroke, width_of};

const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#000000", "#009e73", "#cc79a7", "#56b4e9",
];
const GRID: &str = "#dddddd";
const FRONT: Stroke = Stroke {
    colour: "#888888",
    width: 1.0,
    dash: &[],
};
/// Dashes and gaps.
const DASHES: [&[f64]; 5] = [
    &[],
    &[5.0, 2.5],
    &[1.2, 2.0],
    &[7.0, 2.0, 1.2, 2.0],
    &[2.5, 1.5],
];

/// How large a plot is and where it is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One column of a paper: 88 mm.
    Column,
    /// A screen.
    Screen,
}

/// What a plot shows.
#[derive(Debug, Clone)]
pub struct Plot {
    /// What stands above it, if anything.
    pub title: Option<String>,
    /// To the right.
    pub x: Direction,
    /// Upwards.
    pub y: Direction,
    /// In the order of the legend.
    pub series: Vec<Series>,
    /// What stands small below, if anything.
    pub note: Option<String>,
    /// Its size.
    pub format: Format,
}

/// What is drawn in one style.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its entry in the legend; none if it is empty.
    pub name: String,
    /// Where its marks are.
    pub marks: Vec<Mark>,
    /// How its marks are drawn and joined.
    pub look: Look,
    /// Which marker, dash and colour.
    pub style: usize,
}

/// How marks are drawn and joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Marks on a line.
    Curve,
    /// Marks alone.
    Dots,
    /// Marks alone, larger and not filled.
    Hollow,
    /// A thin grey line without marks.
    Front,
}

/// One mark.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mark {
    /// To the right.
    pub x: f64,
    /// Upwards.
    pub y: f64,
    /// Half the width of the confidence interval of x.
    pub x_half: Option<f64>,
    /// Half the width of the confidence interval of y.
    pub y_half: Option<f64>,
    /// What stands beside it; nothing if empty.
    pub label: String,
}

/// Lengths in points.
struct Layout {
    width: f64,
    plot_height: f64,
    words: f64,
    small: f64,
    shown: (f64, &'static str),
}

impl Format {
    fn layout(self) -> Layout {
        match self {
            Self::Column => Layout {
                width: 250.0,
                plot_height: 145.0,
                words: 8.0,
                small: 7.0,
                shown: (88.0, "mm"),
            },
            Self::Screen => Layout {
                width: 440.0,
                plot_height: 215.0,
                words: 8.5,
                small: 7.0,
                shown: (836.0, "px"),
            },
        }
    }
}

/// The SVG text of `plot`.
pub fn draw(plot: &Plot) -> String {
    let layout = plot.format.layout();
    let (words, small) = (layout.words, layout.small);
    let mut canvas = Canvas::default();
    let mut top = 6.0;
    if let Some(title) = &plot.title {
        canvas.text(
            title,
            words + 0.5,
            (layout.width / 2.0, top + words),
            Side::Middle,
            0.0,
        );
        top += 1.7 * words;
    }
    let (legend, below_legend) = legend(plot, &layout, top);
    let top = below_legend + 5.0;
    let bottom = top + layout.plot_height;
    let values = |of: fn(&Mark) -> [f64; 3]| -> Vec<f64> {
        let marks = plot.series.iter().flat_map(|series| &series.marks);
        marks
            .flat_map(of)
            .filter(|value| value.is_finite())
            .collect()
    };
    let ys = spread(plot.y.scale, values(|mark| ends(mark.y, mark.y_half)));
    let xs = spread(plot.x.scale, values(|mark| ends(mark.x, mark.x_half)));
    let upwards = Axis::new(&plot.y, &ys, (bottom, top), 1.5 * words);
    let widest = upwards.ticks.iter().map(|(_, tick)| width_of(tick, words));
    let left = 1.5 * words + widest.fold(0.0, f64::max) + 10.0;
    let right = layout.width - 8.0;
    let apart = 2.0 * words;
    let across = Axis::new(&plot.x, &xs, (left, right), apart);

    for (entry, place) in legend {
        sample(&mut canvas, entry, place);
        let at = (place.0 + 24.0, place.1 + 0.34 * words);
        canvas.text(&entry.name, words, at, Side::Start, 0.0);
    }
    grid(&mut canvas, &upwards, (left, right), words);
    let below = marks_below(&mut canvas, &across, bottom, plot, &layout, (left, right));
    let frame = [(left, top), (left, bottom), (right, bottom)];
    canvas.line(&frame, Stroke::solid("#000000", 0.7));
    for series in &plot.series {
        curve(&mut canvas, series, &across, &upwards);
    }
    for mark in plot.series.iter().flat_map(|series| &series.marks) {
        if !mark.label.is_empty() {
            let at = (across.pixel(mark.x) + 5.0, upwards.pixel(mark.y) - 4.0);
            canvas.text(&mark.label, small, at, Side::Start, 0.0);
        }
    }
    let mut foot = below + words + 3.0;
    canvas.text(
        &plot.x.label,
        words,
        ((left + right) / 2.0, foot),
        Side::Middle,
        0.0,
    );
    let middle = (words + 1.0, (top + bottom) / 2.0);
    canvas.text(&plot.y.label, words, middle, Side::Middle, -90.0);
    if let Some(note) = &plot.note {
        foot += 1.4 * small;
        canvas.text(note, small, (right, foot), Side::End, 0.0);
    }
    canvas.finish((layout.width, foot + 5.0), layout.shown)
}

fn ends(value: f64, half: Option<f64>) -> [f64; 3] {
    let half = half.unwrap_or(0.0);
    [value - half, value, value + half]
}

/// The values that a scale must show: on a logarithmic one an interval may reach zero, and is
/// cut where its mean alone would be far above the foot.
fn spread(scale: Option<crate::scenario::Scale>, values: Vec<f64>) -> Vec<f64> {
    if scale == Some(crate::scenario::Scale::Linear) {
        return values;
    }
    let means: Vec<f64> = values.chunks(3).map(|mark| mark[1]).collect();
    let least = means.iter().copied().fold(f64::MAX, f64::min);
    if least <= 0.0 {
        return values;
    }
    values
        .into_iter()
        .map(|value| value.max(0.3 * least))
        .collect()
}

/// The legend's entries with the place of their sample's left end, and where the legend ends.
fn legend<'a>(plot: &'a Plot, layout: &Layout, top: f64) -> (Vec<(&'a Series, Place)>, f64) {
    let named: Vec<&Series> = plot
        .series
        .iter()
        .filter(|series| !series.name.is_empty())
        .collect();
    let widest = named
        .iter()
        .map(|series| width_of(&series.name, layout.words));
    let column = 24.0 + widest.fold(0.0, f64::max) + 12.0;
    let room = layout.width - 16.0;
    let columns = ((room / column) as usize).clamp(1, named.len().max(1));
    let row = 1.45 * layout.words;
    let rows = named.len().div_ceil(columns);
    let start = 12.0 + ((room - columns as f64 * column) / 2.0).max(0.0);
    let place = |index: usize| {
        let across = start + (index / rows) as f64 * column;
        (across, top + row * ((index % rows) as f64 + 0.5))
    };
    let entries = named.into_iter().enumerate();
    let entries = entries.map(|(index, series)| (series, place(index)));
    (entries.collect(), top + row * rows as f64)
}

/// What a series looks like, in its legend.
fn sample(canvas: &mut Canvas, series: &Series, (x, y): Place) {
    let ends = [(x, y), (x + 20.0, y)];
    match series.look {
        Look::Curve => canvas.line(&ends, stroke(series.style)),
        Look::Front => canvas.line(&ends, FRONT),
        Look::Dots | Look::Hollow => {}
    }
    mark_at(canvas, series, (x + 10.0, y));
}

fn grid(canvas: &mut Canvas, upwards: &Axis, (left, right): (f64, f64), words: f64) {
    for value in &upwards.minor {
        let y = upwards.pixel(*value);
        canvas.line(&[(left, y), (left + 2.5, y)], Stroke::solid("#000000", 0.5));
    }
    for (value, text) in &upwards.ticks {
        let y = upwards.pixel(*value);
        canvas.line(&[(left, y), (right, y)], Stroke::solid(GRID, 0.5));
        canvas.line(&[(left, y), (left + 4.0, y)], Stroke::solid("#000000", 0.5));
        canvas.text(text, words, (left - 3.5, y + 0.35 * words), Side::End, 0.0);
    }
}

/// Draws the marks below the plot and returns where they end.
fn marks_below(
    canvas: &mut Canvas,
    across: &Axis,
    bottom: f64,
    plot: &Plot,
    layout: &Layout,
    (left, right): (f64, f64),
) -> f64 {
    let words = layout.words;
    for value in &across.minor {
        let x = across.pixel(*value);
        canvas.line(
            &[(x, bottom), (x, bottom - 2.5)],
            Stroke::solid("#000000", 0.5),
        );
    }
    let widest = across.ticks.iter().map(|(_, text)| width_of(text, words));
    let widest = widest.fold(0.0, f64::max);
    let slot = (right - left) / plot.x.categories.len().max(1) as f64;
    let turned = !plot.x.categories.is_empty() && widest > slot - 4.0;
    for (value, text) in &across.ticks {
        let x = across.pixel(*value);
        if plot.x.categories.is_empty() {
            canvas.line(
                &[(x, bottom), (x, bottom - 4.0)],
                Stroke::solid("#000000", 0.5),
            );
        }
        if turned {
            let at = (x + 0.3 * words, bottom + words);
            canvas.text(text, words, at, Side::End, -30.0);
        } else {
            canvas.text(text, words, (x, bottom + 1.25 * words), Side::Middle, 0.0);
        }
    }
    match turned {
        true => bottom + words + 0.5 * widest,
        false => bottom + 1.4 * words,
    }
}

fn stroke(style: usize) -> Stroke {
    Stroke {
        colour: COLOURS[style % COLOURS.len()],
        width: 1.2,
        dash: DASHES[style % DASHES.len()],
    }
}

fn curve(canvas: &mut Canvas, series: &Series, across: &Axis, upwards: &Axis) {
    let place = |mark: &Mark| (across.pixel(mark.x), upwards.pixel(mark.y));
    let places: Vec<Place> = series.marks.iter().map(place).collect();
    match series.look {
        Look::Curve => canvas.line(&places, stroke(series.style)),
        Look::Front => canvas.line(&places, FRONT),
        Look::Dots | Look::Hollow => {}
    }
    let thin = Stroke::solid(COLOURS[series.style % COLOURS.len()], 0.8);
    for (mark, (x, y)) in series.marks.iter().zip(&places) {
        if let Some(half) = mark.y_half {
            let (low, high) = (upwards.pixel(mark.y - half), upwards.pixel(mark.y + half));
            canvas.line(&[(*x, low), (*x, high)], thin);
            for end in [low, high] {
                canvas.line(&[(x - 2.2, end), (x + 2.2, end)], thin);
            }
        }
        if let Some(half) = mark.x_half {
            let (low, high) = (across.pixel(mark.x - half), across.pixel(mark.x + half));
            canvas.line(&[(low, *y), (high, *y)], thin);
            for end in [low, high] {
                canvas.line(&[(end, y - 2.2), (end, y + 2.2)], thin);
            }
        }
        mark_at(canvas, series, (*x, *y));
    }
}

/// The marker of a series: disc, square, triangle, diamond, ring, cross.
fn mark_at(canvas: &mut Canvas, series: &Series, (x, y): Place) {
    let colour = COLOURS[series.style % COLOURS.len()];
    let (fill, r) = match series.look {
        Look::Front => return,
        Look::Hollow => ("none", 3.6),
        Look::Curve | Look::Dots => (colour, 2.4),
    };
    let outline = Stroke::solid(colour, 0.8);
    match series.style % COLOURS.len() {
        0 => canvas.circle((x, y), r, fill, outline),
        1 => {
            let s = 0.9 * r;
            let corners = [
                (x - s, y - s),
                (x + s, y - s),
                (x + s, y + s),
                (x - s, y + s),
            ];
            canvas.polygon(&corners, fill, outline);
        }
        2 => {
            let corners = [
                (x, y - 1.2 * r),
                (x + 1.1 * r, y + 0.8 * r),
                (x - 1.1 * r, y + 0.8 * r),
            ];
            canvas.polygon(&corners, fill, outline);
        }
        3 => {
            let s = 1.3 * r;
            let corners = [(x, y - s), (x + s, y), (x, y + s), (x - s, y)];
            canvas.polygon(&corners, fill, outline);
        }
        4 => {
            let inside = if fill == "none" { "none" } else { "white" };
            canvas.circle((x, y), 1.1 * r, inside, Stroke::solid(colour, 1.1));
        }
        _ => {
            let thick = Stroke::solid(colour, 1.3);
            canvas.line(&[(x - r, y - r), (x + r, y + r)], thick);
            canvas.line(&[(x - r, y + r), (x + r, y - r)], thick);
        }
    }
}
