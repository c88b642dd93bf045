//! What stands below an axis whose values are no numbers: side by side in several lines, or, where
//! a word has no room, turned.

use super::Drawn;
use crate::figures::canvas::Canvas;
use crate::figures::elements::{Words, words};
use crate::figures::font::{self, Weight};
use crate::figures::scene::{Anchor, Text};
use crate::figures::style::{LINE, MARGIN, TEXT};
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use std::convert::Infallible;

/// By how many degrees they are turned that have no room side by side: as little as keeps them
/// apart.
const TURNS: [i32; 4] = [30, 45, 60, 90];

/// How far they keep apart from each other side by side.
const BLANK: i32 = 400;

/// How far they keep from the axis.
const BELOW: i32 = 440;

/// The most that a line of turned words is long where more lines have room.
const SHORT: i32 = 6_000;

/// How often the left end of the axis is moved until turned words reach no further.
const ROUNDS: usize = 24;

/// The words of every category.
#[derive(Debug)]
pub struct Categories {
    lines: Vec<Vec<String>>,
    /// By how many degrees they are turned.
    turn: i32,
    /// How far right of the page's left edge the axis must begin.
    pub left: i32,
    /// How much room they take below the axis.
    pub height: i32,
}

impl Categories {
    /// `names` below an axis from `left` or further right to `right`.
    pub fn new(names: &[String], left: i32, right: i32) -> Self {
        let slot = (right - left) / names.len().max(1) as i32;
        let long = |words: &str| font::width(words, TEXT, Weight::Regular);
        let mut all = names.iter().flat_map(|name| name.split_whitespace());
        if all.any(|word| long(word) > slot - BLANK) {
            return Self::turned(names, left, right);
        }
        let lines = names.iter();
        let lines = lines.map(|name| font::balanced(name, TEXT, Weight::Regular, slot - BLANK));
        let lines: Vec<Vec<String>> = lines.collect();
        let most = lines.iter().map(Vec::len).max().unwrap_or(1);
        Self {
            lines,
            turn: 0,
            left,
            height: BELOW + LINE * most as i32,
        }
    }

    fn turned(names: &[String], mut left: i32, right: i32) -> Self {
        let slot = |left: i32| f64::from(right - left) / names.len().max(1) as f64;
        let keeps_apart = |left: i32, turn: i32| {
            slot(left) * libm::sin(f64::from(turn).to_radians()) >= 1.05 * f64::from(TEXT)
        };
        let mut turn = TURNS[0];
        let long = |words: &str| f64::from(font::width(words, TEXT, Weight::Regular));
        let mut lines: Vec<Vec<String>> = Vec::new();
        for _ in 0..ROUNDS {
            let least = TURNS.into_iter().find(|turn| keeps_apart(left, *turn));
            turn = turn.max(least.unwrap_or(90));
            let (sin, cos) = libm::sincos(f64::from(turn).to_radians());
            // As many lines as find room between two categories.
            let most = ((slot(left) * sin / f64::from(LINE)) as usize).max(1);
            let fitted = names.iter().map(|name| {
                let rooms = (0..).map(|step| SHORT + 1_000 * step);
                let mut tried = rooms.map(|room| font::wrapped(name, TEXT, Weight::Regular, room));
                tried.find(|lines| lines.len() <= most)
            });
            lines = fitted.flatten().collect();
            let reach = lines.iter().enumerate().flat_map(|(place, lines)| {
                let middle = (place as f64 + 0.5) * slot(left);
                let far = lines.iter().enumerate().map(move |(number, line)| {
                    let along = sin * f64::from(LINE) * number as f64;
                    long(line) * cos - middle - along
                });
                far.collect::<Vec<f64>>()
            });
            let reach = reach.fold(0.0, f64::max) as i32;
            let needed = MARGIN + reach + (f64::from(TEXT) * 0.76 * sin) as i32;
            if needed <= left {
                break;
            }
            left = needed;
        }
        let (sin, cos) = libm::sincos(f64::from(turn).to_radians());
        let height = lines.iter().flat_map(|lines| {
            let low = lines
                .iter()
                .enumerate()
                .map(|(number, line)| long(line) * sin + cos * f64::from(LINE) * number as f64);
            low.collect::<Vec<f64>>()
        });
        let height = height.fold(0.0, f64::max) as i32;
        Self {
            lines,
            turn,
            left,
            height: top(turn) + height + TEXT * 40 / 100,
        }
    }

    /// Draws them below `bottom`, each at its place of `across`.
    pub fn draw(
        &self,
        page: &DrawingArea<Canvas<'_>, Shift>,
        across: impl Fn(usize) -> i32,
        bottom: i32,
    ) -> Drawn<Infallible> {
        let (sin, cos) = libm::sincos(f64::from(self.turn).to_radians());
        for (place, lines) in self.lines.iter().enumerate() {
            let x = across(place);
            for (number, line) in lines.iter().enumerate() {
                let down = LINE * number as i32;
                if self.turn == 0 {
                    let foot = bottom + BELOW + TEXT * 76 / 100 + down;
                    page.draw(&words((x, foot), line, TEXT, Anchor::Middle))?;
                    continue;
                }
                let aside = |share: f64| libm::round(share * f64::from(down)) as i32;
                // The middle of the letters' height is below the mark.
                let middle = libm::round(f64::from(TEXT) * (0.15 + 0.21 * sin)) as i32;
                let down = bottom + top(self.turn) + aside(cos);
                let at = (x + middle + aside(sin), down);
                let text = Text::new(line, TEXT, at)
                    .anchored(Anchor::End)
                    .turned(-self.turn);
                page.draw(&Words::at(at, text))?;
            }
        }
        Ok(())
    }
}

/// How far below the axis the base line of words ends that are turned by `turn`.
fn top(turn: i32) -> i32 {
    let (sin, cos) = libm::sincos(f64::from(turn).to_radians());
    libm::round(f64::from(BELOW) * sin + f64::from(TEXT) * cos) as i32
}
