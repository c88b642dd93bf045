//! A chart's legend: above the data, never over it.

use super::{Look, Series};
use crate::figures::canvas::Canvas;
use crate::figures::elements::{Line, Marker, words};
use crate::figures::font::{self, Weight};
use crate::figures::scene::{Anchor, Place};
use crate::figures::style::{self, TEXT};
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use std::convert::Infallible;

/// Between two columns of entries.
const APART: i32 = 1_000;

/// From the middle of a row to that of the next.
const ROW: i32 = TEXT * 140 / 100;

/// One entry where it stands.
#[derive(Debug)]
struct Entry<'a> {
    series: &'a Series,
    /// The left end of its sample.
    at: Place,
    lines: Vec<String>,
}

/// The entries of a chart.
#[derive(Debug)]
pub struct Legend<'a> {
    entries: Vec<Entry<'a>>,
    /// How tall it is.
    pub height: i32,
}

impl<'a> Legend<'a> {
    /// The entries of the series with names, below `top` of a figure `width` wide: in as many
    /// columns as there is room for, filled one after the other.
    pub fn new(series: &'a [Series], width: i32, top: i32) -> Self {
        let named = series.iter().filter(|series| !series.name.is_empty());
        let named: Vec<&Series> = named.collect();
        let room = width - 2 * style::MARGIN;
        let long = |series: &Series| {
            indent(series.look) + font::width(&series.name, TEXT, Weight::Regular)
        };
        let columns = |rows: usize| -> Vec<i32> {
            let widest = |column: &[&Series]| column.iter().map(|series| long(series)).max();
            named.chunks(rows).filter_map(widest).collect()
        };
        let total = |columns: &[i32]| {
            columns.iter().sum::<i32>() + APART * (columns.len() as i32 - 1).max(0)
        };
        let fits = |rows: &usize| total(&columns(*rows)) <= room;
        let rows = (1..=named.len()).find(fits).unwrap_or(named.len().max(1));
        let columns = columns(rows);
        let mut across = style::MARGIN + ((room - total(&columns)) / 2).max(0);
        let mut entries = Vec::new();
        let mut height = 0;
        for (column, width) in named.chunks(rows).zip(columns) {
            let mut down = 0;
            for series in column {
                let left = room - indent(series.look);
                let lines = font::wrapped(&series.name, TEXT, Weight::Regular, left);
                let lines = lines
                    .iter()
                    .map(|line| font::shortened(line, TEXT, Weight::Regular, left));
                let lines: Vec<String> = lines.collect();
                let tall = ROW * lines.len() as i32;
                entries.push(Entry {
                    series,
                    at: (across, top + down + ROW / 2),
                    lines,
                });
                down += tall;
            }
            height = height.max(down);
            across += width + APART;
        }
        Self { entries, height }
    }

    /// Draws it.
    pub fn draw(&self, page: &DrawingArea<Canvas<'_>, Shift>) -> super::Drawn<Infallible> {
        for entry in &self.entries {
            let (x, y) = entry.at;
            let stroke = match entry.series.look {
                Look::Curve | Look::Line => Some(style::curve(entry.series.style)),
                Look::Front => Some(style::FRONT),
                Look::Dots | Look::Hollow => None,
            };
            if let Some(stroke) = stroke {
                let places = vec![(x, y), (x + SAMPLE, y)];
                page.draw(&Line { places, stroke })?;
            }
            if let Some(hollow) = entry.series.look.marker() {
                let at = match stroke {
                    Some(_) => (x + SAMPLE / 2, y),
                    None => (x + 300, y),
                };
                let number = entry.series.style;
                page.draw(&Marker { at, number, hollow })?;
            }
            for (number, line) in entry.lines.iter().enumerate() {
                let foot = y + TEXT * 36 / 100 + ROW * number as i32;
                let at = (x + indent(entry.series.look), foot);
                page.draw(&words(at, line, TEXT, Anchor::Start))?;
            }
        }
        Ok(())
    }
}

/// How long the sample of a line is.
const SAMPLE: i32 = 2_200;

/// How far an entry's words are from the left end of its sample.
fn indent(look: Look) -> i32 {
    match look {
        Look::Curve | Look::Line | Look::Front => SAMPLE + 350,
        Look::Dots | Look::Hollow => 900,
    }
}
