//! Measured against predicted: a mark for each row, and the line on which they would agree.

use super::Calibration;
use crate::figures::Width;
use crate::figures::chart::{self, Direction, Look, Mark, Plot, Series};
use crate::figures::scene::Scene;

/// The figure of `calibration`: milliseconds per token as measured, to the right, and as fitted and
/// as predicted from the other rows, upwards.
pub fn draw(calibration: &Calibration, width: Width) -> Scene {
    let mark = |x: f64, y: f64| Mark {
        x: x * 1e3,
        y: y * 1e3,
        ..Mark::default()
    };
    let rows = &calibration.compared;
    let fitted = rows.iter().map(|row| mark(row.measured, row.fitted));
    let left_out = rows.iter().filter_map(|row| {
        let left_out = row.left_out.filter(|left_out| left_out.determined)?;
        Some(mark(row.measured, left_out.predicted))
    });
    let largest = rows.iter().map(|row| row.measured.max(row.fitted));
    let largest = largest.fold(0.0, f64::max) * 1.05;
    let series = |name: &str, marks: Vec<Mark>, look: Look, style: usize| Series {
        name: name.to_owned(),
        marks,
        look,
        style,
    };
    let all = [
        series(
            "",
            vec![mark(0.0, 0.0), mark(largest, largest)],
            Look::Front,
            0,
        ),
        series("fitted", fitted.collect(), Look::Dots, 0),
        series("from the other rows", left_out.collect(), Look::Hollow, 1),
    ];
    let plot = Plot {
        title: Some(calibration.calibrated.name.clone()),
        x: Direction::numbers("measured (ms per token)"),
        y: Direction::numbers("predicted (ms per token)"),
        series: all
            .into_iter()
            .filter(|series| !series.marks.is_empty())
            .collect(),
        note: None,
    };
    chart::draw(&plot, width)
}
