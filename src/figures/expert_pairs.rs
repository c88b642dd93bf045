//! `expert_pairs`: how many of each layer's tokens visit the two experts that are visited together
//! most often, drawn from `expert_pairs.csv`: a line per kind of text over the layers, and what
//! would be if all pairs were equally frequent.

use super::Width;
use super::catalogue::Figure;
use super::chart::{self, Direction, Look, Mark, Plot, Series};
use super::scene::Scene;
use crate::results::expert_pairs::{Row, TABLE, read};

/// Its line in the catalogue.
pub const FIGURE: Figure = Figure {
    name: "expert_pairs",
    width: Width::Column,
    has_parts: false,
    wanted: |run| Ok(run.has(TABLE)),
    draw: |run, width, _| Ok(draw(&read(run.folder)?, width)),
};

/// `rows`, drawn.
fn draw(rows: &[Row], width: Width) -> Scene {
    let mut series: Vec<Series> = Vec::new();
    for row in rows {
        let known = series.iter().position(|series| series.name == row.texts);
        let place = known.unwrap_or_else(|| {
            series.push(Series {
                name: row.texts.clone(),
                marks: Vec::new(),
                look: Look::Curve,
                style: series.len(),
            });
            series.len() - 1
        });
        series[place].marks.push(mark(row, row.share));
    }
    let longest = series.iter().map(|series| series.marks.len()).max();
    let layers: Vec<f64> = (0..longest.unwrap_or(0))
        .map(|layer| layer as f64)
        .collect();
    let even = rows.iter().take(layers.len());
    series.push(Series {
        name: "if all pairs were equally frequent".to_owned(),
        marks: even.map(|row| mark(row, row.share_if_even)).collect(),
        look: Look::Front,
        style: series.len(),
    });
    let plot = Plot {
        title: None,
        x: Direction {
            places: layers,
            from_zero: false,
            ..Direction::numbers("layer")
        },
        y: Direction::numbers("tokens of the most frequent pair of experts (%)"),
        series,
        note: None,
    };
    chart::draw(&plot, width)
}

fn mark(row: &Row, share: f64) -> Mark {
    Mark {
        x: f64::from(row.layer),
        y: 100.0 * share,
        ..Mark::default()
    }
}
