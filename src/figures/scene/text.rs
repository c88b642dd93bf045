//! Words in a scene, and the room they take.

use super::{Colour, Place};
use crate::figures::font::{self, Weight};

/// Which part of a text is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// It starts there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// One line of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What is written: no line breaks, no blanks at the ends, one blank between words; no-break
    /// spaces stay.
    pub words: String,
    /// Where its anchor is, on the base line.
    pub at: Place,
    /// The size of its letters.
    pub size: i32,
    /// Which part of it is at its place.
    pub anchor: Anchor,
    /// By how many degrees it is turned clockwise about its place.
    pub turn: i32,
    /// How strong its letters are.
    pub weight: Weight,
    /// Their colour.
    pub colour: Colour,
}

impl Text {
    /// Black words of `size` hundredths of a point that start at `at`.
    pub fn new(words: &str, size: i32, at: Place) -> Self {
        let words: Vec<&str> = words
            .split(|c: char| (c.is_whitespace() && c != '\u{a0}') || c.is_control())
            .filter(|word| !word.is_empty())
            .collect();
        Self {
            words: words.join(" "),
            at,
            size,
            anchor: Anchor::Start,
            turn: 0,
            weight: Weight::Regular,
            colour: Colour::hex(0),
        }
    }

    /// The same with another part at its place.
    #[must_use]
    pub fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    /// The same turned clockwise by `degrees`.
    #[must_use]
    pub fn turned(self, degrees: i32) -> Self {
        Self {
            turn: degrees,
            ..self
        }
    }

    /// The same in bold letters.
    #[must_use]
    pub fn bold(self) -> Self {
        Self {
            weight: Weight::Bold,
            ..self
        }
    }

    /// The same in another colour.
    #[must_use]
    pub fn coloured(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    /// How wide it is, along its base line.
    pub fn width(&self) -> i32 {
        font::width(&self.words, self.size, self.weight)
    }

    /// How far its start is from its place, along its base line.
    pub fn start(&self) -> i32 {
        match self.anchor {
            Anchor::Start => 0,
            Anchor::Middle => -self.width() / 2,
            Anchor::End => -self.width(),
        }
    }

    /// The corners of the box of its letters, from above the tallest to below the deepest.
    pub fn corners(&self) -> [Place; 4] {
        let start = f64::from(self.start());
        let end = start + f64::from(self.width());
        let (top, bottom) = (
            -font::ASCENT * f64::from(self.size),
            font::DESCENT * f64::from(self.size),
        );
        let (sin, cos) = libm::sincos(f64::from(self.turn).to_radians());
        [(start, top), (end, top), (end, bottom), (start, bottom)].map(|(along, across)| {
            (
                self.at.0 + libm::round(along * cos - across * sin) as i32,
                self.at.1 + libm::round(along * sin + across * cos) as i32,
            )
        })
    }
}
