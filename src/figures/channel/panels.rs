//! The panels: distribution of amplitudes, mean gains, singular values, autocorrelation.

use super::{DEVICES, THEORY, line};
use crate::figures::elements::{Line, Marker};
use crate::figures::panel::{Area, Axis, Fault, Frame, curve, panel, time_unit};
use crate::figures::scene::Stroke;
use crate::figures::style;
use crate::radio::{Matrix, Moments};
use crate::results::channel::{Ensemble, Lag, Statistics, sorted_amplitudes};

/// Points of a curve.
const POINTS: usize = 200;

/// The largest amplitude shown, in root mean squares.
const LARGEST: f64 = 3.0;

/// What a panel answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// How |h|/√(μ² + σ²) is distributed.
    Amplitudes,
    /// How strong every device's channel is.
    Gains,
    /// How many streams a channel carries.
    SingularValues,
    /// How fast it changes.
    Autocorrelation,
}

impl Question {
    pub(super) const ALL: [Self; 4] = [
        Self::Amplitudes,
        Self::Gains,
        Self::SingularValues,
        Self::Autocorrelation,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Amplitudes => "Amplitudes",
            Self::Gains => "Mean gains: dots drawn, bars the model's",
            Self::SingularValues => "Singular values of H",
            Self::Autocorrelation => "Autocorrelation (imaginary part dotted)",
        }
    }
}

/// Draws what answers `asked` in `area`.
pub(super) fn question(
    asked: Question,
    area: &Area<'_>,
    (ensemble, statistics): (&Ensemble, &Statistics),
) -> Result<(), Fault> {
    match asked {
        Question::Amplitudes => amplitudes(area, ensemble),
        Question::Gains => gains(area, statistics),
        Question::SingularValues => singular_values(area, ensemble, statistics),
        Question::Autocorrelation => autocorrelation(area, statistics),
    }
}

fn frame<'t>(x: &'t str, y: &'t str) -> Frame<'t> {
    Frame {
        x: Some(x),
        y: Some(y),
        grid: true,
        ..Frame::default()
    }
}

/// How many ticks there is room for.
fn ticks(area: &Area<'_>) -> usize {
    (area.dim_in_pixel().0 / 3_500).clamp(2, 8) as usize
}

/// Distribution of |h|/√(μ² + σ²), drawn and in theory.
fn amplitudes(area: &Area<'_>, ensemble: &Ensemble) -> Result<(), Fault> {
    let axes = (
        Axis::linear(0.0..LARGEST, ticks(area)),
        Axis::linear(0.0..1.0, 5),
    );
    let words = frame(
        "|h| / its root mean square by the model",
        "share of entries below",
    );
    let mut chart = panel(area, axes, words)?;
    let model = ensemble.fading.model();
    let mut drawn: Vec<Moments> = Vec::new();
    let at = |k: usize| LARGEST * k as f64 / POINTS as f64;
    for (place, moments) in ensemble.moments.iter().enumerate().take(DEVICES.len()) {
        let unit = moments.power().sqrt();
        if unit == 0.0 {
            continue;
        }
        let channels: Vec<&Matrix> = ensemble.blocks.iter().map(|block| &block[place]).collect();
        let sorted = sorted_amplitudes(&channels);
        let below = |x: f64| {
            let count = sorted.partition_point(|amplitude| *amplitude <= x * unit);
            count as f64 / sorted.len() as f64
        };
        let points = (0..=POINTS).map(|k| (at(k), below(at(k)))).collect();
        curve(&mut chart, points, line(place))?;
        // Scaled, devices differ by their Rice factor alone.
        let alike = |other: &Moments| {
            let scale = unit / other.power().sqrt();
            (moments.mean - scale * other.mean).abs() < 1e-9 * unit
        };
        if !drawn.iter().any(alike) {
            drawn.push(*moments);
        }
    }
    for moments in drawn {
        let unit = moments.power().sqrt();
        let points = (0..=POINTS).map(|k| (at(k), model.amplitude_cdf(moments, at(k) * unit)));
        curve(&mut chart, points.collect(), THEORY)?;
    }
    Ok(())
}

/// Mean gain of every device, drawn and in theory.
fn gains(area: &Area<'_>, statistics: &Statistics) -> Result<(), Fault> {
    let rows = &statistics.devices;
    let values = rows
        .iter()
        .flat_map(|row| [row.mean_gain_db, row.model_gain_db]);
    let (low, high) = range(values.flatten());
    let axes = (
        Axis::counting(-0.5..rows.len() as f64 - 0.5, ticks(area)),
        Axis::linear(libm::floor(low - 1.0)..libm::ceil(high + 1.0), 5),
    );
    let mut chart = panel(area, axes, frame("device", "mean |h|² (dB)"))?;
    let expected = rows.iter().filter_map(|row| {
        let (at, gain) = (row.device as f64, row.model_gain_db?);
        Some(Line {
            places: vec![(at - 0.4, gain), (at + 0.4, gain)],
            stroke: Stroke::solid(style::BLACK, 80),
        })
    });
    chart.draw_series(expected)?;
    let measured = rows.iter().filter_map(|row| {
        Some(Marker {
            at: (row.device as f64, row.mean_gain_db?),
            number: 0,
            hollow: false,
        })
    });
    chart.draw_series(measured)?;
    Ok(())
}

/// Smallest and largest of `values`; a unit range if there is none.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values
        .map(|value| (value, value))
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
        .unwrap_or((0.0, 1.0))
}

/// Root mean square of every singular value over √(μ² + σ²), by rank.
fn singular_values(
    area: &Area<'_>,
    ensemble: &Ensemble,
    statistics: &Statistics,
) -> Result<(), Fault> {
    let decibels = |device: usize, value: f64| {
        let ratio = value / ensemble.moments[device].power().sqrt();
        (ratio > 0.0 && ratio.is_finite()).then(|| 20.0 * libm::log10(ratio))
    };
    let all = statistics.singular_values.iter().enumerate();
    let (low, high) = range(all.flat_map(|(device, values)| {
        let values = values.iter();
        values.filter_map(move |value| decibels(device, *value))
    }));
    let ranks = statistics.singular_values.first().map_or(1, Vec::len);
    let axes = (
        Axis::counting(0.5..ranks as f64 + 0.5, ticks(area)),
        Axis::linear(libm::floor(low - 1.0)..libm::ceil(high + 1.0), 5),
    );
    let words = frame("rank", "RMS (dB of an entry's)");
    let mut chart = panel(area, axes, words)?;
    let shown = statistics.singular_values.iter().take(DEVICES.len());
    for (place, values) in shown.enumerate() {
        let values = values.iter().enumerate();
        let points: Vec<(f64, f64)> = values
            .filter_map(|(rank, value)| Some((rank as f64 + 1.0, decibels(place, *value)?)))
            .collect();
        let markers = points.iter().map(|at| Marker {
            at: *at,
            number: DEVICES[place],
            hollow: false,
        });
        chart.draw_series(markers.collect::<Vec<_>>())?;
        curve(&mut chart, points, line(place))?;
    }
    Ok(())
}

/// The autocorrelation of the scattering beside J₀.
fn autocorrelation(area: &Area<'_>, statistics: &Statistics) -> Result<(), Fault> {
    let lags = &statistics.lags;
    let last = lags.last().map_or(1.0, |lag| lag.lag_s);
    let (unit, seconds) = time_unit(last);
    let name = format!("lag ({unit})");
    let axes = (
        Axis::linear(0.0..(last / seconds).max(f64::MIN_POSITIVE), ticks(area)),
        Axis::linear(-0.6..1.1, 5),
    );
    let mut chart = panel(area, axes, frame(&name, "E g(t) g*(t − τ)"))?;
    let points = |value: fn(&Lag) -> f64| {
        let lags = lags.iter();
        lags.map(|lag| (lag.lag_s / seconds, value(lag))).collect()
    };
    curve(&mut chart, points(|lag| lag.real), line(0))?;
    let dotted = Stroke {
        dash: &[100, 150],
        ..line(1)
    };
    curve(&mut chart, points(|lag| lag.imaginary), dotted)?;
    curve(&mut chart, points(|lag| lag.theory), THEORY)
}
