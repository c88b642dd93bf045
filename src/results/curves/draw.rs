//! Draws curves in pixels: axes, lines with markers and dashes, confidence intervals.
//!
//! Lines differ in marker, dash and Okabe–Ito colour, so the figure survives greyscale and
//! colour blindness. A metric that spans much is drawn on a logarithmic axis, which says so.

use super::{Curves, CurvesError, Estimate, Line};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const WIDTH: i32 = 820;
const PLOT_HEIGHT: i32 = 360;
const LEFT: i32 = 92;
const RIGHT: i32 = WIDTH - 28;
const LEGEND_TOP: i32 = 40;
const LEGEND_ROW: i32 = 20;
const BELOW: i32 = 58;

/// Highest over lowest value from which the axis is logarithmic.
const WIDE: f64 = 30.0;

const GRID: RGBColor = RGBColor(225, 225, 225);
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 0, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
];
/// Dash and gap in pixels; no gap is a solid line.
const DASHES: [(f64, f64); 4] = [(1.0, 0.0), (9.0, 5.0), (2.0, 4.0), (14.0, 3.0)];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type DrawResult = Result<(), String>;
type Pixel = (i32, i32);

/// One direction of the plot: what its values are and where they go.
struct Axis {
    label: String,
    /// Marked values, as drawn, with what is written there.
    ticks: Vec<(f64, String)>,
    from: f64,
    to: f64,
    pixels: Pixel,
    logarithmic: bool,
}

impl Axis {
    fn pixel(&self, value: f64) -> i32 {
        let place = if self.logarithmic {
            libm::log10(value)
        } else {
            value
        };
        let share = ((place - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        let (start, end) = (f64::from(self.pixels.0), f64::from(self.pixels.1));
        (start + share * (end - start)).round() as i32
    }
}

/// The SVG text of `curves`.
///
/// # Errors
/// If the backend refuses to draw.
pub fn draw(curves: &Curves) -> Result<String, CurvesError> {
    render(curves).map_err(CurvesError::Drawing)
}

fn render(curves: &Curves) -> Result<String, String> {
    let top = LEGEND_TOP + LEGEND_ROW * curves.lines.len() as i32 + 14;
    let bottom = top + PLOT_HEIGHT;
    let across = positions(curves);
    let (upwards, factor) = values(curves, (bottom, top));
    let mut svg = String::new();
    {
        let size = (WIDTH as u32, (bottom + BELOW) as u32);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE).map_err(fault)?;
        put(&root, curves.metric.meaning, 14, (12, 12), HPos::Left)?;
        frame(&root, &across, &upwards, (top, bottom))?;
        for (index, line) in curves.lines.iter().enumerate() {
            let y = LEGEND_TOP + LEGEND_ROW * index as i32 + 8;
            stroke(&root, index, &[(LEFT, y), (LEFT + 44, y)])?;
            marker(&root, index, (LEFT + 22, y))?;
            let name = if line.name.is_empty() {
                curves.metric.name
            } else {
                &line.name
            };
            put(&root, name, 13, (LEFT + 54, y - 7), HPos::Left)?;
            curve(&root, index, line, &across, &upwards, factor)?;
        }
        let estimates = || curves.lines.iter().flat_map(|line| &line.estimates);
        if estimates().any(|estimate| estimate.half_width.is_some()) {
            let words = "means over runs; bars: 95 % confidence";
            put(&root, words, 11, (RIGHT, bottom + 32), HPos::Right)?;
        }
        root.present().map_err(fault)?;
    }
    Ok(svg)
}

fn positions(curves: &Curves) -> Axis {
    let estimates = curves.lines.iter().flat_map(|line| &line.estimates);
    let mut places: Vec<f64> = estimates.map(|estimate| estimate.at).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let (least, most) = (places[0], places[places.len() - 1]);
    let margin = if most > least {
        0.04 * (most - least)
    } else {
        1.0
    };
    let (from, to) = (least - margin, most + margin);
    // Few places are marked where they are.
    let ticks = if places.len() <= 12 {
        places.iter().map(|x| (*x, x.to_string())).collect()
    } else {
        linear_ticks(from, to)
    };
    Axis {
        label: curves.axis.clone(),
        ticks,
        from,
        to,
        pixels: (LEFT, RIGHT),
        logarithmic: false,
    }
}

/// The upward axis, and the factor that brings values into its unit.
fn values(curves: &Curves, pixels: Pixel) -> (Axis, f64) {
    let estimates = || curves.lines.iter().flat_map(|line| &line.estimates);
    let means = || estimates().map(|estimate| estimate.mean);
    let most = means().fold(f64::MIN, f64::max);
    let (unit, factor) = readable(curves.metric.unit, most);
    let least = means().fold(f64::MAX, f64::min);
    let logarithmic = least > 0.0 && most > WIDE * least;
    let highest = estimates()
        .map(|estimate| estimate.interval().1)
        .fold(f64::MIN, f64::max)
        * factor;
    let (from, to, ticks) = if logarithmic {
        let from = libm::floor(libm::log10(least * factor));
        let to = libm::ceil(libm::log10(highest));
        let decades = from as i32..=to as i32;
        let ticks = decades.map(|decade| {
            let value = libm::pow(10.0, f64::from(decade));
            let far = !(-3..=4).contains(&decade);
            (
                value,
                if far {
                    format!("{value:e}")
                } else {
                    value.to_string()
                },
            )
        });
        (from, to, ticks.collect())
    } else {
        let lowest = estimates()
            .map(|estimate| estimate.interval().0)
            .fold(f64::MAX, f64::min)
            * factor;
        // From zero, unless everything happens far above it.
        let from = if lowest > 0.6 * highest {
            lowest - 0.1 * (highest - lowest).max(1e-3 * highest.abs())
        } else {
            lowest.min(0.0)
        };
        let to = highest + 0.06 * (highest - from).max(f64::MIN_POSITIVE);
        (from, to, linear_ticks(from, to))
    };
    let scale = if logarithmic { ", logarithmic" } else { "" };
    let unit = match (unit.as_str(), scale) {
        ("1", "") => String::new(),
        ("1", _) => " (logarithmic)".to_owned(),
        (unit, scale) => format!(" ({unit}{scale})"),
    };
    let axis = Axis {
        label: format!("{}{unit}", curves.metric.name),
        ticks,
        from,
        to: if to > from { to } else { from + 1.0 },
        pixels,
        logarithmic,
    };
    (axis, factor)
}

/// `unit` with the prefix that puts `most` above one, and the factor into it.
fn readable(unit: &str, most: f64) -> (String, f64) {
    if !matches!(unit, "s" | "J") {
        return (unit.to_owned(), 1.0);
    }
    let (prefix, factor) = [("", 1.0), ("m", 1e3), ("µ", 1e6), ("n", 1e9)]
        .into_iter()
        .find(|(_, factor)| most.abs() * factor >= 1.0)
        .unwrap_or(("", 1.0));
    (format!("{prefix}{unit}"), factor)
}

/// Multiples of 1, 2 or 5 times a power of ten, about six of them.
fn linear_ticks(from: f64, to: f64) -> Vec<(f64, String)> {
    let raw = (to - from) / 6.0;
    if raw.is_nan() || raw <= 0.0 {
        return vec![(from, from.to_string())];
    }
    let magnitude = libm::floor(libm::log10(raw));
    let power = libm::pow(10.0, magnitude);
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|factor| factor * power >= raw)
        .unwrap_or(10.0);
    let digits = (-(magnitude as i32)).max(0) as usize;
    let step = factor * power;
    let first = libm::ceil(from / step) as i64;
    let last = libm::floor(to / step) as i64;
    (first..=last)
        .map(|k| {
            let value = k as f64 * step;
            (value, format!("{value:.digits$}"))
        })
        .collect()
}

fn frame(root: &Area, across: &Axis, upwards: &Axis, (top, bottom): Pixel) -> DrawResult {
    for (value, words) in &upwards.ticks {
        let y = upwards.pixel(*value);
        path(root, &[(LEFT, y), (RIGHT, y)], GRID, 1)?;
        put(root, words, 12, (LEFT - 8, y - 7), HPos::Right)?;
    }
    for (value, words) in &across.ticks {
        let x = across.pixel(*value);
        path(root, &[(x, bottom), (x, bottom + 5)], BLACK, 1)?;
        put(root, words, 12, (x, bottom + 8), HPos::Center)?;
    }
    let corners = [(LEFT, top), (LEFT, bottom), (RIGHT, bottom)];
    path(root, &corners, BLACK, 1)?;
    let middle = (LEFT + RIGHT) / 2;
    put(root, &across.label, 13, (middle, bottom + 30), HPos::Center)?;
    let style = ("sans-serif", 13)
        .into_font()
        .transform(FontTransform::Rotate270)
        .color(&BLACK)
        .pos(Pos::new(HPos::Center, VPos::Top));
    root.draw_text(&upwards.label, &style, (14, (top + bottom) / 2))
        .map_err(fault)
}

fn curve(
    root: &Area,
    index: usize,
    line: &Line,
    across: &Axis,
    upwards: &Axis,
    factor: f64,
) -> DrawResult {
    let place = |estimate: &Estimate| {
        let (x, y) = (estimate.at, estimate.mean * factor);
        (across.pixel(x), upwards.pixel(y))
    };
    let places: Vec<Pixel> = line.estimates.iter().map(place).collect();
    stroke(root, index, &places)?;
    for (estimate, at) in line.estimates.iter().zip(&places) {
        if estimate.half_width.is_some() {
            let (low, high) = estimate.interval();
            // Below zero a logarithmic axis has no place; the bar then ends at its foot.
            let foot = if upwards.logarithmic && low <= 0.0 {
                upwards.pixels.0
            } else {
                upwards.pixel(low * factor)
            };
            let head = upwards.pixel(high * factor);
            let colour = COLOURS[index % COLOURS.len()];
            path(root, &[(at.0, foot), (at.0, head)], colour, 1)?;
            for y in [foot, head] {
                path(root, &[(at.0 - 4, y), (at.0 + 4, y)], colour, 1)?;
            }
        }
        marker(root, index, *at)?;
    }
    Ok(())
}

/// A line through `points` in the dash of curve `index`.
fn stroke(root: &Area, index: usize, points: &[Pixel]) -> DrawResult {
    let colour = COLOURS[index % COLOURS.len()];
    let (dash, gap) = DASHES[index % DASHES.len()];
    if gap == 0.0 {
        return path(root, points, colour, 2);
    }
    // Where in the pattern the last segment ended.
    let mut phase = 0.0;
    for pair in points.windows(2) {
        let (dx, dy) = (
            f64::from(pair[1].0 - pair[0].0),
            f64::from(pair[1].1 - pair[0].1),
        );
        let length = (dx * dx + dy * dy).sqrt();
        if length == 0.0 {
            continue;
        }
        let at = |along: f64| {
            let share = along.clamp(0.0, length) / length;
            let x = f64::from(pair[0].0) + share * dx;
            let y = f64::from(pair[0].1) + share * dy;
            (x.round() as i32, y.round() as i32)
        };
        let mut along = -phase;
        while along < length {
            if along + dash > 0.0 {
                path(root, &[at(along), at(along + dash)], colour, 2)?;
            }
            along += dash + gap;
        }
        phase = length - (along - dash - gap);
    }
    Ok(())
}

/// The marker of curve `index`: disc, square, triangle, diamond, ring, cross.
fn marker(root: &Area, index: usize, (x, y): Pixel) -> DrawResult {
    let colour = COLOURS[index % COLOURS.len()];
    let solid = |corners: Vec<Pixel>| {
        root.draw(&Polygon::new(corners, colour.filled()))
            .map_err(fault)
    };
    match index % 6 {
        0 => root
            .draw(&Circle::new((x, y), 4, colour.filled()))
            .map_err(fault),
        1 => solid(vec![
            (x - 4, y - 4),
            (x + 4, y - 4),
            (x + 4, y + 4),
            (x - 4, y + 4),
        ]),
        2 => solid(vec![(x, y - 6), (x + 5, y + 4), (x - 5, y + 4)]),
        3 => solid(vec![(x, y - 6), (x + 6, y), (x, y + 6), (x - 6, y)]),
        4 => {
            root.draw(&Circle::new((x, y), 5, WHITE.filled()))
                .map_err(fault)?;
            root.draw(&Circle::new((x, y), 5, colour.stroke_width(2)))
                .map_err(fault)
        }
        _ => {
            path(root, &[(x - 4, y - 4), (x + 4, y + 4)], colour, 2)?;
            path(root, &[(x - 4, y + 4), (x + 4, y - 4)], colour, 2)
        }
    }
}

fn path(root: &Area, points: &[Pixel], colour: RGBColor, width: u32) -> DrawResult {
    root.draw(&PathElement::new(
        points.to_vec(),
        colour.stroke_width(width),
    ))
    .map_err(fault)
}

fn put(root: &Area, words: &str, size: i32, at: Pixel, side: HPos) -> DrawResult {
    let style = ("sans-serif", size)
        .into_font()
        .color(&BLACK)
        .pos(Pos::new(side, VPos::Top));
    root.draw_text(words, &style, at).map_err(fault)
}

fn fault(error: impl std::fmt::Display) -> String {
    error.to_string()
}
