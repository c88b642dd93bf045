//! The one font of all figures: DejaVu Sans, which the program carries.
//!
//! PDF embeds the letters that a figure uses, PNG is painted with their outlines, and an SVG says
//! how wide each text is, so that a text takes the same room wherever it is shown. Pairs of
//! letters are not moved together: a text is as wide as the sum of its letters.
//!
//! DejaVu may be used, embedded and passed on freely (licence of Bitstream Vera and Arev).

use std::sync::OnceLock;
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// Its name, for programs that look for it on their machine; Verdana is its nearest relative.
pub const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// How far letters rise above the base line, in sizes: that of `d` and `l`.
pub const ASCENT: f64 = 0.76;

/// How far letters reach below the base line, in sizes: that of `p` and `)`.
pub const DESCENT: f64 = 0.24;

/// How tall a capital letter is, in sizes.
pub const CAPITAL: f64 = 0.73;

/// How strong letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// As text.
    Regular,
    /// As headings.
    Bold,
}

/// Letters that are kept ready: those of Latin and Greek texts with signs and raised figures.
const READY: usize = 0x2300;

/// A weight of the font, read.
struct Letters {
    face: Face<'static>,
    /// Of the first [`READY`] characters.
    advances: Vec<u16>,
}

impl Weight {
    /// The bytes of the font.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::Regular => dejavu::sans::regular(),
            Self::Bold => dejavu::sans::bold(),
        }
    }

    fn letters(self) -> &'static Letters {
        static REGULAR: OnceLock<Letters> = OnceLock::new();
        static BOLD: OnceLock<Letters> = OnceLock::new();
        let known = match self {
            Self::Regular => &REGULAR,
            Self::Bold => &BOLD,
        };
        known.get_or_init(|| {
            let face = Face::parse(self.bytes(), 0).expect("the font is part of the program");
            let advance = |code: usize| {
                let letter = char::from_u32(code as u32).unwrap_or(char::REPLACEMENT_CHARACTER);
                advance(&face, letter)
            };
            let advances = (0..READY).map(advance).collect();
            Letters { face, advances }
        })
    }

    /// The font as its reader shows it.
    pub fn face(self) -> &'static Face<'static> {
        &self.letters().face
    }

    /// The glyph of `letter`; that of a missing one if the font has none.
    pub fn glyph(self, letter: char) -> GlyphId {
        self.face().glyph_index(letter).unwrap_or_default()
    }

    /// How wide `letter` is, in parts of the size of which there are [`units`](Self::units).
    pub fn advance(self, letter: char) -> u16 {
        let letters = self.letters();
        let ready = letters.advances.get(letter as usize).copied();
        ready.unwrap_or_else(|| advance(&letters.face, letter))
    }

    /// Parts of the size in which the font is measured.
    pub fn units(self) -> i32 {
        i32::from(self.face().units_per_em())
    }

    /// Tells `pen` the outline of `letter`, upwards from the base line in the font's parts.
    pub fn outline(self, letter: char, pen: &mut dyn OutlineBuilder) {
        // A blank has none.
        let _ = self.face().outline_glyph(self.glyph(letter), pen);
    }
}

fn advance(face: &Face<'_>, letter: char) -> u16 {
    let glyph = face.glyph_index(letter).unwrap_or_default();
    face.glyph_hor_advance(glyph).unwrap_or(0)
}

/// How wide `words` are at `size`, both in hundredths of a point.
pub fn width(words: &str, size: i32, weight: Weight) -> i32 {
    let advances = words.chars().map(|c| i64::from(weight.advance(c)));
    let parts: i64 = advances.sum::<i64>() * i64::from(size);
    let units = i64::from(weight.units());
    ((parts + units - 1) / units) as i32
}

/// Divides `words` at blanks into lines of at most `room`, as far as its words allow; a no-break
/// space holds a number and its unit together.
pub fn wrapped(words: &str, size: i32, weight: Weight, room: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        if let Some(line) = lines.last_mut() {
            let longer = format!("{line} {word}");
            if width(&longer, size, weight) <= room {
                *line = longer;
                continue;
            }
        }
        lines.push(word.to_owned());
    }
    lines
}

/// As few lines as [`wrapped`] makes, as equally long as they can be.
pub fn balanced(words: &str, size: i32, weight: Weight, room: i32) -> Vec<String> {
    let lines = wrapped(words, size, weight, room);
    let (mut short, mut long) = (0, room);
    // The least room in which there are no more lines.
    while long - short > 1 {
        let middle = short + (long - short) / 2;
        match wrapped(words, size, weight, middle).len() > lines.len() {
            true => short = middle,
            false => long = middle,
        }
    }
    match lines.len() {
        0..=1 => lines,
        _ => wrapped(words, size, weight, long),
    }
}

/// The beginning of `words` that fits into `room`, with an ellipsis if anything is left out.
pub fn shortened(words: &str, size: i32, weight: Weight, room: i32) -> String {
    if width(words, size, weight) <= room {
        return words.to_owned();
    }
    let mut kept: Vec<char> = words.chars().collect();
    while kept.pop().is_some() {
        let short: String = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if width(&short, size, weight) <= room {
            return short;
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Advance widths as the font's own documentation of metrics (DejaVuSans.afm) gives them, in
    /// thousandths of the size.
    #[test]
    fn letters_are_as_wide_as_in_the_published_metrics() {
        for (letter, thousandths) in [(' ', 318), ('0', 636), ('i', 278), ('m', 974), ('W', 989)] {
            let measured = width(&letter.to_string(), 1000 * 100, Weight::Regular);
            assert!(
                (measured - thousandths * 100).abs() <= 60,
                "{letter}: {measured}"
            );
        }
    }

    #[test]
    fn the_boxes_of_texts_hold_the_letters_of_labels() {
        for weight in [Weight::Regular, Weight::Bold] {
            for letter in ('!'..='~').chain("µ²·±⁻⁵–−≤≥÷×ΣσλρηΔ".chars()) {
                assert_ne!(weight.glyph(letter).0, 0, "{letter} is missing");
                if "()[]{}|$@Qj_`".contains(letter) {
                    continue;
                }
                let bounds = weight
                    .face()
                    .glyph_bounding_box(weight.glyph(letter))
                    .unwrap();
                let size = f64::from(weight.units());
                assert!(
                    f64::from(bounds.y_max) <= (ASCENT + 0.01) * size,
                    "{letter}"
                );
                assert!(f64::from(bounds.y_min) >= -DESCENT * size, "{letter}");
            }
        }
    }

    #[test]
    fn words_are_divided_and_shortened_to_the_room_they_have() {
        let lines = wrapped("time to first token", 700, Weight::Regular, 3_500);
        assert!(lines.len() > 1);
        assert_eq!(lines.join(" "), "time to first token");
        for line in &lines {
            assert!(width(line, 700, Weight::Regular) <= 3_500);
        }
        let even = balanced(
            "95th percentile of end-to-end latency (ms)",
            700,
            Weight::Regular,
            13_500,
        );
        assert_eq!(even, ["95th percentile of", "end-to-end latency (ms)"]);
        let unit = wrapped("it takes 17.47\u{a0}ms", 700, Weight::Regular, 5_000);
        assert_eq!(unit, ["it takes", "17.47\u{a0}ms"]);
        let short = shortened("time to first token", 700, Weight::Regular, 3_500);
        assert!(short.ends_with('…') && width(&short, 700, Weight::Regular) <= 3_500);
    }
}
