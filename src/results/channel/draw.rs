//! `channel.svg`: what was drawn beside what theory says, one panel per question.
//!
//! Amplitudes are scaled by √(μ² + σ²) of their device, so that devices at different
//! distances lie on top of each other where they follow one distribution. Colours are
//! Okabe and Ito's; theory is dashed and black.

use super::Ensemble;
use super::statistics::{Statistics, sorted_amplitudes};
use crate::radio::{Matrix, Moments};
use plotters::coord::Shift;
use plotters::prelude::*;

const WIDTH: u32 = 1280;
const HEADER: u32 = 34;
const ROW: u32 = 330;

const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(160, 150, 40),
];
const GRID: RGBColor = RGBColor(225, 225, 225);

/// Devices with lines of their own; more would hide each other.
const MOST_LINES: usize = 7;

/// Points of a curve.
const POINTS: usize = 200;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type DrawResult<T = ()> = Result<T, String>;

fn fault(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The SVG text of an ensemble and its statistics.
///
/// # Errors
/// What the backend says if it refuses to draw.
pub fn draw(ensemble: &Ensemble, statistics: &Statistics) -> Result<String, String> {
    let rows = if statistics.lags.is_empty() { 1 } else { 2 };
    let mut svg = String::new();
    {
        let size = (WIDTH, HEADER + rows * ROW);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE).map_err(fault)?;
        let title = ("sans-serif", 17).into_font().color(&BLACK);
        root.draw_text(&ensemble.title, &title, (12, 8))
            .map_err(fault)?;
        let (_, plots) = root.split_vertically(HEADER);
        let panels = if rows == 1 {
            plots.split_evenly((1, 3))
        } else {
            plots.split_evenly((2, 2))
        };
        amplitudes(&panels[0], ensemble)?;
        gains(&panels[1], statistics)?;
        singular_values(&panels[2], ensemble, statistics)?;
        if rows == 2 {
            autocorrelation(&panels[3], statistics)?;
        }
        root.present().map_err(fault)?;
    }
    Ok(svg)
}

/// Ranges and words of one panel.
struct Frame<'a> {
    title: &'a str,
    x: (&'a str, std::ops::Range<f64>),
    y: (&'a str, std::ops::Range<f64>),
    /// Whether the x axis counts things.
    counts: bool,
}

type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

fn chart<'a, 'b>(area: &'a Area<'b>, frame: Frame<'_>) -> DrawResult<Chart<'a, 'b>> {
    let mut chart = ChartBuilder::on(area)
        .caption(frame.title, ("sans-serif", 15))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(54)
        .build_cartesian_2d(frame.x.1.clone(), frame.y.1.clone())
        .map_err(fault)?;
    let labels = if frame.counts {
        (frame.x.1.end - frame.x.1.start) as usize + 1
    } else {
        9
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .x_labels(labels.min(11))
        .y_labels(7)
        .x_label_formatter(&|x| {
            if frame.counts {
                format!("{x:.0}")
            } else {
                short(*x)
            }
        })
        .y_label_formatter(&|y| short(*y))
        .x_desc(frame.x.0)
        .y_desc(frame.y.0)
        .label_style(("sans-serif", 12))
        .axis_desc_style(("sans-serif", 13))
        .draw()
        .map_err(fault)?;
    Ok(chart)
}

/// A tick's number without digits that say nothing.
fn short(x: f64) -> String {
    let text = format!("{x:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

fn legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>, position: SeriesLabelPosition) -> DrawResult {
    chart
        .configure_series_labels()
        .position(position)
        .background_style(WHITE.mix(0.8))
        .label_font(("sans-serif", 12))
        .draw()
        .map_err(fault)
}

fn line<'a, 'b: 'a>(
    chart: &mut Chart<'a, 'b>,
    points: impl Iterator<Item = (f64, f64)>,
    colour: RGBColor,
    name: Option<String>,
) -> DrawResult {
    let series = chart
        .draw_series(LineSeries::new(points, colour.stroke_width(2)))
        .map_err(fault)?;
    if let Some(name) = name {
        series
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    Ok(())
}

/// Theory: dashed and black.
fn theory<'a, 'b: 'a>(
    chart: &mut Chart<'a, 'b>,
    points: impl Iterator<Item = (f64, f64)>,
    name: Option<&str>,
) -> DrawResult {
    let points: Vec<(f64, f64)> = points.collect();
    let points = points.into_iter();
    let series = chart
        .draw_series(DashedLineSeries::new(points, 6, 4, BLACK.stroke_width(1)))
        .map_err(fault)?;
    if let Some(name) = name {
        series.label(name).legend(|(x, y)| {
            let dash = |from, to| PathElement::new([(x + from, y), (x + to, y)], BLACK);
            EmptyElement::at((0, 0)) + dash(0, 6) + dash(10, 16)
        });
    }
    Ok(())
}

/// The devices that get lines, with their colours.
fn shown(devices: usize) -> impl Iterator<Item = (usize, RGBColor)> {
    (0..devices.min(MOST_LINES)).zip(COLOURS)
}

fn curve(from: f64, to: f64) -> impl Iterator<Item = f64> {
    (0..=POINTS).map(move |k| from + (to - from) * k as f64 / POINTS as f64)
}

/// Distribution of |h|/√(μ² + σ²), drawn and in theory.
fn amplitudes(area: &Area<'_>, ensemble: &Ensemble) -> DrawResult {
    const LARGEST: f64 = 3.0;
    let mut chart = chart(
        area,
        Frame {
            title: "amplitude, beside the model's distribution",
            x: ("|h| / root mean square of the model", 0.0..LARGEST),
            y: ("share of entries below", 0.0..1.0),
            counts: false,
        },
    )?;
    let devices = ensemble.moments.len();
    for (device, colour) in shown(devices) {
        let unit = ensemble.moments[device].power().sqrt();
        if unit == 0.0 {
            continue;
        }
        let channels: Vec<&Matrix> = ensemble.blocks.iter().map(|block| &block[device]).collect();
        let sorted = sorted_amplitudes(&channels);
        let below =
            |x: f64| sorted.partition_point(|a| *a <= x * unit) as f64 / sorted.len() as f64;
        let points = curve(0.0, LARGEST).map(|x| (x, below(x)));
        line(&mut chart, points, colour, Some(format!("device {device}")))?;
    }
    let model = ensemble.fading.model();
    let mut drawn: Vec<Moments> = Vec::new();
    for (device, _) in shown(devices) {
        // Scaled, devices differ by their Rice factor alone.
        let moments = ensemble.moments[device];
        let unit = moments.power().sqrt();
        let alike = |other: &Moments| {
            let scale = unit / other.power().sqrt();
            (moments.mean - scale * other.mean).abs() < 1e-9 * unit
        };
        if unit > 0.0 && !drawn.iter().any(alike) {
            let points = curve(0.0, LARGEST).map(|x| (x, model.amplitude_cdf(moments, x * unit)));
            theory(&mut chart, points, drawn.is_empty().then_some("theory"))?;
            drawn.push(moments);
        }
    }
    legend(&mut chart, SeriesLabelPosition::LowerRight)
}

/// Mean gain of every device, drawn and in theory.
fn gains(area: &Area<'_>, statistics: &Statistics) -> DrawResult {
    let rows = &statistics.devices;
    let values = rows
        .iter()
        .flat_map(|row| [row.mean_gain_db, row.model_gain_db]);
    let (low, high) = range(values.flatten());
    let mut chart = chart(
        area,
        Frame {
            title: "mean gain of each device",
            x: ("device", -0.5..rows.len() as f64 - 0.5),
            y: ("mean |h|² (dB)", (low - 1.0).floor()..(high + 1.0).ceil()),
            counts: true,
        },
    )?;
    let measured = rows
        .iter()
        .filter_map(|row| Some((row.device, row.mean_gain_db?)));
    chart
        .draw_series(
            measured
                .map(|(device, gain)| Circle::new((device as f64, gain), 4, COLOURS[0].filled())),
        )
        .map_err(fault)?
        .label("drawn")
        .legend(|(x, y)| Circle::new((x + 8, y), 4, COLOURS[0].filled()));
    let expected = rows
        .iter()
        .filter_map(|row| Some((row.device, row.model_gain_db?)));
    chart
        .draw_series(expected.map(|(device, gain)| {
            let at = device as f64;
            PathElement::new([(at - 0.3, gain), (at + 0.3, gain)], BLACK.stroke_width(1))
        }))
        .map_err(fault)?
        .label("model")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], BLACK));
    legend(&mut chart, SeriesLabelPosition::UpperRight)
}

/// Smallest and largest of `values`; a unit range if there is none.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values
        .map(|value| (value, value))
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
        .unwrap_or((0.0, 1.0))
}

/// Root mean square of every singular value over √(μ² + σ²), by rank.
fn singular_values(area: &Area<'_>, ensemble: &Ensemble, statistics: &Statistics) -> DrawResult {
    let decibels = |device: usize, value: f64| {
        let unit = ensemble.moments[device].power().sqrt();
        let ratio = value / unit;
        (ratio > 0.0 && ratio.is_finite()).then(|| 20.0 * libm::log10(ratio))
    };
    let all = statistics.singular_values.iter().enumerate();
    let (low, high) = range(all.flat_map(|(device, values)| {
        values
            .iter()
            .filter_map(move |value| decibels(device, *value))
    }));
    let ranks = statistics.singular_values.first().map_or(1, Vec::len);
    let mut chart = chart(
        area,
        Frame {
            title: "singular values of H",
            x: ("rank", 0.5..ranks as f64 + 0.5),
            y: (
                "root mean square over that of an entry (dB)",
                (low - 1.0).floor()..(high + 1.0).ceil(),
            ),
            counts: true,
        },
    )?;
    for (device, colour) in shown(statistics.singular_values.len()) {
        let values = statistics.singular_values[device].iter().enumerate();
        let points: Vec<(f64, f64)> = values
            .filter_map(|(rank, value)| Some((rank as f64 + 1.0, decibels(device, *value)?)))
            .collect();
        line(
            &mut chart,
            points.iter().copied(),
            colour,
            Some(format!("device {device}")),
        )?;
        chart
            .draw_series(points.iter().map(|at| Circle::new(*at, 3, colour.filled())))
            .map_err(fault)?;
    }
    legend(&mut chart, SeriesLabelPosition::UpperRight)
}

/// Real part of the autocorrelation beside J₀.
fn autocorrelation(area: &Area<'_>, statistics: &Statistics) -> DrawResult {
    let lags = &statistics.lags;
    let last = lags
        .last()
        .map_or(1.0, |lag| lag.lag_s)
        .max(f64::MIN_POSITIVE);
    let (unit, per_unit) = [("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)]
        .into_iter()
        .find(|(_, size)| last >= *size)
        .unwrap_or(("ns", 1e-9));
    let name = format!("lag ({unit})");
    let mut chart = chart(
        area,
        Frame {
            title: "autocorrelation of the scattering",
            x: (&name, 0.0..last / per_unit),
            y: ("E g(t) g*(t − τ)", -0.6..1.1),
            counts: false,
        },
    )?;
    let points = |value: fn(&super::Lag) -> f64| {
        lags.iter()
            .map(move |lag| (lag.lag_s / per_unit, value(lag)))
    };
    line(
        &mut chart,
        points(|lag| lag.real),
        COLOURS[0],
        Some("real part".into()),
    )?;
    line(
        &mut chart,
        points(|lag| lag.imaginary),
        COLOURS[1],
        Some("imaginary part".into()),
    )?;
    theory(&mut chart, points(|lag| lag.theory), Some("J₀(2π f_D τ)"))?;
    legend(&mut chart, SeriesLabelPosition::UpperRight)
}
