//! The key of a figure: what each fill, line and mark stands for, in as many lines as it takes.

use super::elements::{Block, Line, Marker, words};
use super::font::{self, Weight};
use super::marks::Diamond;
use super::panel::{Area, Fault, LINE};
use super::scene::{Anchor, Fill, Place, Stroke};
use super::style;

/// What is explained.
#[derive(Debug, Clone, Copy)]
pub enum Sample {
    /// A fill.
    Fill(Fill),
    /// A thick bar.
    Bar,
    /// A line, lying.
    Line(Stroke),
    /// A line, standing.
    Upright(Stroke),
    /// The diamond of who held a barrier.
    Diamond,
    /// The marker of this number.
    Marker(usize),
}

impl Sample {
    /// How wide it is.
    fn width(self) -> i32 {
        match self {
            Self::Fill(_) | Self::Bar => 1000,
            Self::Line(_) => 1400,
            Self::Upright(_) => 200,
            Self::Diamond => 600,
            Self::Marker(_) => 500,
        }
    }

    /// Draws it from `x` on beside a text with the base line `y`.
    fn draw(self, area: &Area<'_>, (x, y): Place) -> Result<(), Fault> {
        let middle = y - 250;
        let right = x + self.width();
        match self {
            Self::Fill(fill) => area.draw(&Block {
                corners: [(x, y - 500), (right, y)],
                fill: Some(fill),
                stroke: None,
            }),
            Self::Bar => area.draw(&Block {
                corners: [(x, middle - 80), (right, middle + 80)],
                fill: Some(Fill::Plain(style::BLACK)),
                stroke: None,
            }),
            Self::Line(stroke) => area.draw(&Line {
                places: vec![(x, middle), (right, middle)],
                stroke,
            }),
            Self::Upright(stroke) => area.draw(&Line {
                places: vec![(x + 100, y - 620), (x + 100, y + 100)],
                stroke,
            }),
            Self::Diamond => area.draw(&Diamond {
                at: (x + 300, middle),
                half: 220,
            }),
            Self::Marker(number) => area.draw(&Marker {
                at: (x + 250, middle),
                number,
                hollow: false,
            }),
        }
    }
}

/// Samples with what they stand for.
#[derive(Debug, Clone, Default)]
pub struct Key {
    entries: Vec<(Sample, String)>,
}

/// Between a sample and its words, and between entries.
const INNER: i32 = 250;
const OUTER: i32 = 750;

impl Key {
    /// The key with one entry more.
    #[must_use]
    pub fn with(mut self, sample: Sample, words: &str) -> Self {
        self.entries.push((sample, words.to_owned()));
        self
    }

    /// Where each entry is, in lines of `width`.
    fn places(&self, width: i32) -> Vec<Place> {
        let (mut x, mut line) = (0, 0);
        let mut places = Vec::new();
        for (sample, words) in &self.entries {
            let text = font::width(words, style::SMALL, Weight::Regular);
            let needed = sample.width() + INNER + text;
            if x > 0 && x + needed > width {
                (x, line) = (0, line + 1);
            }
            places.push((x, line * LINE));
            x += needed + OUTER;
        }
        places
    }

    /// How tall it is in lines of `width`.
    pub fn height(&self, width: i32) -> i32 {
        self.places(width).last().map_or(0, |(_, line)| line + LINE)
    }

    /// Draws it in lines of `width`, the first with its base line at `top`.
    ///
    /// # Errors
    /// What plotters says.
    pub fn draw(&self, area: &Area<'_>, (left, top): Place, width: i32) -> Result<(), Fault> {
        for ((sample, text), (x, y)) in self.entries.iter().zip(self.places(width)) {
            let at = (left + x, top + y);
            sample.draw(area, at)?;
            let beside = (at.0 + sample.width() + INNER, at.1);
            area.draw(&words(beside, text, style::SMALL, Anchor::Start))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_key_is_longer_than_the_room_it_has() {
        let key = Key::default()
            .with(Sample::Bar, "critical path")
            .with(Sample::Diamond, "who held it: the last to arrive")
            .with(Sample::Upright(style::BARRIER), "barrier opens");
        for room in [15_000, 20_000, 50_000] {
            for ((sample, words), (x, _)) in key.entries.iter().zip(key.places(room)) {
                let text = font::width(words, style::SMALL, Weight::Regular);
                assert!(x + sample.width() + INNER + text <= room);
            }
            let lines: std::collections::BTreeSet<i32> =
                key.places(room).iter().map(|(_, y)| *y).collect();
            assert_eq!(key.height(room), lines.len() as i32 * LINE);
        }
    }
}
