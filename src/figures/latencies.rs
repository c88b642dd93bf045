//! `latencies`: how time to first token, time per output token and end-to-end latency are spread
//! over the requests of a run, drawn from `requests.csv`.
//!
//! Each line is the share of requests that took at most so long. At most 201 of its places are
//! drawn, at equal shares.

use super::Width;
use super::catalogue::Figure;
use super::chart::{self, Direction, Look, Mark, Plot, Series, with_unit};
use super::scene::Scene;
use super::sweep::readable;
use crate::results::tables::{Latencies, REQUESTS, read_latencies};

/// Requests from which a spread is worth a figure.
const FEWEST: usize = 5;

/// Steps of a line at most.
const STEPS: usize = 200;

/// Its line in the catalogue.
pub const FIGURE: Figure = Figure {
    name: "latencies",
    width: Width::Column,
    has_parts: false,
    wanted: |run| {
        let known = run.has(REQUESTS);
        Ok(known && read_latencies(run.folder)?.e2e.len() >= FEWEST)
    },
    draw: |run, width, _| Ok(draw(&read_latencies(run.folder)?, width)),
};

/// The places of the line of `values`: for each of equal shares the value that so many are at
/// most.
fn places(values: &[f64]) -> Vec<Mark> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = sorted.len();
    let steps = STEPS.min(count);
    let mut marks: Vec<Mark> = Vec::with_capacity(2 * steps + 1);
    let mut reached = 0.0;
    for step in 1..=steps {
        let rank = (step * count).div_ceil(steps);
        let share = 100.0 * rank as f64 / count as f64;
        let x = sorted[rank - 1];
        for y in [reached, share] {
            marks.push(Mark {
                x,
                y,
                ..Mark::default()
            });
        }
        reached = share;
    }
    marks
}

/// `latencies`, drawn.
fn draw(latencies: &Latencies, width: Width) -> Scene {
    let Latencies { ttft, tpot, e2e } = latencies;
    let lines = [
        ("time to first token TTFT", ttft),
        ("time per output token TPOT", tpot),
        ("end-to-end latency E2EL", e2e),
    ];
    let all = lines.iter().flat_map(|(_, values)| values.iter());
    let (unit, factor) = readable("s", all.copied().fold(0.0, f64::max));
    let lines = lines.into_iter().enumerate();
    let lines = lines.filter(|(_, (_, values))| !values.is_empty());
    let series: Vec<Series> = lines
        .map(|(style, (name, values))| {
            let scaled: Vec<f64> = values.iter().map(|value| value * factor).collect();
            Series {
                name: format!("{name}, {} requests", values.len()),
                marks: places(&scaled),
                look: Look::Line,
                style,
            }
        })
        .collect();
    let plot = Plot {
        title: None,
        x: Direction {
            scale: None,
            ..Direction::numbers(&with_unit("time", &unit))
        },
        y: Direction::numbers("requests that took at most that (%)"),
        series,
        note: None,
    };
    chart::draw(&plot, width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_rises_by_one_request_at_a_time_and_by_two_hundred_steps_at_most() {
        let found: Vec<(f64, f64)> = places(&[3.0, 1.0, 2.0, 2.0])
            .iter()
            .map(|mark| (mark.x, mark.y))
            .collect();
        let expected = [
            (1.0, 0.0),
            (1.0, 25.0),
            (2.0, 25.0),
            (2.0, 50.0),
            (2.0, 50.0),
            (2.0, 75.0),
            (3.0, 75.0),
            (3.0, 100.0),
        ];
        assert_eq!(found, expected);
        let many: Vec<f64> = (0..100_000).map(f64::from).collect();
        let line = places(&many);
        assert_eq!(line.len(), 2 * STEPS);
        for mark in line.iter().skip(1).step_by(2) {
            let share = many.iter().filter(|value| **value <= mark.x).count();
            assert!((mark.y - share as f64 / 1e3).abs() < 1e-9);
        }
    }
}
