//! Draws a plot: two axes, lines and marks with confidence intervals, a legend above.
//!
//! Lines differ in marker, dash and Okabe–Ito colour, so that a figure survives greyscale and
//! colour blindness. The legend stands above the data, never over it.

use super::axis::{Axis, Direction};
use super::canvas::{Canvas, Place, Side, Stroke, width_of, wrapped};
use super::labels;

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
    /// A line without marks, of many places.
    Line,
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
    for line in plot
        .title
        .iter()
        .flat_map(|title| wrapped(title, words, layout.width - 16.0))
    {
        canvas.text(
            &line,
            words,
            (layout.width / 2.0, top + words),
            Side::Middle,
            0.0,
        );
        top += 1.35 * words;
    }
    if plot.title.is_some() {
        top += 0.4 * words;
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
    let right = layout.width - 8.0;
    let left = 1.5 * words + widest.fold(0.0, f64::max) + 10.0;
    let left = left.max(room_for_turned(plot, words, right - left));
    let apart = 2.0 * words;
    let across = Axis::new(&plot.x, &xs, (left, right), apart);

    for (entry, place) in legend {
        sample(&mut canvas, entry, place);
        let at = (place.0 + indent(entry), place.1 + 0.34 * words);
        canvas.text(&entry.name, words, at, Side::Start, 0.0);
    }
    grid(&mut canvas, &upwards, (left, right), words);
    let below = marks_below(&mut canvas, &across, bottom, plot, &layout, (left, right));
    let frame = [(left, top), (left, bottom), (right, bottom)];
    canvas.line(&frame, Stroke::solid("#000000", 0.7));
    for series in &plot.series {
        curve(&mut canvas, series, &across, &upwards);
    }
    label(
        &mut canvas,
        plot,
        &across,
        &upwards,
        [left, top, right, bottom],
        small,
    );
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

/// The legend's entries with the place of their sample's left end, and where the legend ends:
/// as many columns as there is room for, filled one after the other.
fn legend<'a>(plot: &'a Plot, layout: &Layout, top: f64) -> (Vec<(&'a Series, Place)>, f64) {
    let named = plot.series.iter().filter(|series| !series.name.is_empty());
    let named: Vec<&Series> = named.collect();
    let room = layout.width - 12.0;
    let widths = |rows: usize| -> Vec<f64> {
        let width = |series: &&Series| indent(series) + width_of(&series.name, layout.words) + 10.0;
        let column = |column: &[&Series]| column.iter().map(width).fold(0.0, f64::max);
        named.chunks(rows).map(column).collect()
    };
    let fits = |rows: &usize| widths(*rows).iter().sum::<f64>() - 10.0 <= room;
    let rows = (1..=named.len()).find(fits).unwrap_or(named.len().max(1));
    let columns = widths(rows);
    let row = 1.45 * layout.words;
    let mut across = 6.0 + ((room - columns.iter().sum::<f64>() + 10.0) / 2.0).max(0.0);
    let mut entries = Vec::new();
    for (column, width) in named.chunks(rows).zip(columns) {
        for (number, series) in column.iter().enumerate() {
            entries.push((*series, (across, top + row * (number as f64 + 0.5))));
        }
        across += width;
    }
    (entries, top + row * rows.min(named.len()) as f64)
}

/// How far a legend's words are from the left end of their sample.
fn indent(series: &Series) -> f64 {
    match series.look {
        Look::Curve | Look::Line | Look::Front => 24.0,
        Look::Dots | Look::Hollow => 9.0,
    }
}

/// What stands beside marks, where it hides least.
fn label(
    canvas: &mut Canvas,
    plot: &Plot,
    across: &Axis,
    upwards: &Axis,
    frame: [f64; 4],
    size: f64,
) {
    let place = |mark: &Mark| (across.pixel(mark.x), upwards.pixel(mark.y));
    let drawn = plot
        .series
        .iter()
        .filter(|series| series.look != Look::Front);
    let marks: Vec<&Mark> = drawn.flat_map(|series| &series.marks).collect();
    let places: Vec<Place> = marks.iter().map(|mark| place(mark)).collect();
    let mut lines: Vec<[Place; 2]> = Vec::new();
    for front in plot
        .series
        .iter()
        .filter(|series| series.look == Look::Front)
    {
        let pairs = front.marks.windows(2);
        lines.extend(pairs.map(|pair| [place(&pair[0]), place(&pair[1])]));
    }
    for (mark, (x, y)) in marks.iter().zip(&places) {
        let (tall, wide) = (mark.y_half.unwrap_or(0.0), mark.x_half.unwrap_or(0.0));
        lines.push([
            (*x, upwards.pixel(mark.y - tall)),
            (*x, upwards.pixel(mark.y + tall)),
        ]);
        lines.push([
            (across.pixel(mark.x - wide), *y),
            (across.pixel(mark.x + wide), *y),
        ]);
    }
    let words: Vec<&str> = marks.iter().map(|mark| mark.label.as_str()).collect();
    for (words, place) in words
        .iter()
        .zip(labels::place(&words, &places, &lines, frame, size))
    {
        if let Some((at, side)) = place {
            canvas.text(words, size, at, side, 0.0);
        }
    }
}

/// What a series looks like, in its legend.
fn sample(canvas: &mut Canvas, series: &Series, (x, y): Place) {
    let ends = [(x, y), (x + 20.0, y)];
    match series.look {
        Look::Curve | Look::Line => canvas.line(&ends, stroke(series.style)),
        Look::Front => canvas.line(&ends, FRONT),
        Look::Dots | Look::Hollow => {}
    }
    mark_at(canvas, series, (x + 0.42 * indent(series), y));
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
    let slot = (right - left) / plot.x.categories.len().max(1) as f64;
    let turned = turned(plot, words, slot);
    let mut lowest = bottom + 1.4 * words;
    for (value, text) in &across.ticks {
        let x = across.pixel(*value);
        if plot.x.categories.is_empty() {
            canvas.line(
                &[(x, bottom), (x, bottom - 4.0)],
                Stroke::solid("#000000", 0.5),
            );
            canvas.text(text, words, (x, bottom + 1.25 * words), Side::Middle, 0.0);
        } else if turned {
            let at = (x + 0.3 * words, bottom + words);
            canvas.text(text, words, at, Side::End, -TURN);
            lowest =
                lowest.max(bottom + words + libm::sin(TURN.to_radians()) * width_of(text, words));
        } else {
            let mut foot = bottom + 0.1 * words;
            for line in wrapped(text, words, slot - 4.0) {
                foot += 1.15 * words;
                canvas.text(&line, words, (x, foot), Side::Middle, 0.0);
            }
            lowest = lowest.max(foot + 0.15 * words);
        }
    }
    lowest
}

/// By how many degrees labels are turned that have no room side by side.
const TURN: f64 = 30.0;

/// Whether a category has a word that is wider than its `slot`.
fn turned(plot: &Plot, words: f64, slot: f64) -> bool {
    let categories = plot.x.categories.iter();
    let mut lines = categories.flat_map(|category| category.split(' '));
    lines.any(|word| width_of(word, words) > slot - 4.0)
}

/// The room that turned categories need left of the plot, `width` wide without it.
fn room_for_turned(plot: &Plot, words: f64, width: f64) -> f64 {
    let slot = width / plot.x.categories.len().max(1) as f64;
    if !turned(plot, words, slot) {
        return 0.0;
    }
    let categories = plot.x.categories.iter().enumerate();
    let reach = categories.map(|(number, category)| {
        let length = libm::cos(TURN.to_radians()) * width_of(category, words);
        length - (number as f64 + 0.5) * 0.85 * slot + 4.0
    });
    reach.fold(0.0, f64::max)
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
        Look::Curve | Look::Line => canvas.line(&places, stroke(series.style)),
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
        Look::Front | Look::Line => return,
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
