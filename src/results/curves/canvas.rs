//! Writes SVG: lines, shapes and words at places in points (1/72 inch).
//!
//! Numbers are written with two decimals, so that a drawing's bytes depend on nothing below a
//! hundredth of a point.

use crate::text::Markup;
use std::fmt::Write;

/// A place, to the right and downwards from the upper left corner.
pub type Place = (f64, f64);

/// Which end of a text is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It starts there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Stroke {
    /// Its colour.
    pub colour: &'static str,
    /// Its width.
    pub width: f64,
    /// Dashes and gaps in turn; none for a solid line.
    pub dash: &'static [f64],
}

impl Stroke {
    /// A solid line.
    pub const fn solid(colour: &'static str, width: f64) -> Self {
        Self {
            colour,
            width,
            dash: &[],
        }
    }
}

/// An SVG text in the making.
#[derive(Debug, Default)]
pub struct Canvas {
    body: String,
}

/// Divides `words` at blanks into lines of at most `room`, as far as its words allow.
pub fn wrapped(words: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split(' ') {
        match lines.last_mut() {
            Some(line) if width_of(line, size) + width_of(word, size) + size <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// About how wide `words` are: a little more in most sans-serif fonts, so that nothing is cut.
pub fn width_of(words: &str, size: f64) -> f64 {
    let letter = |c: char| match c {
        'i' | 'j' | 'l' | ' ' | '.' | ',' | ':' | ';' | '|' | '\'' => 0.31,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' | 'I' => 0.4,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '−' | '±' => 0.88,
        c if c.is_uppercase() => 0.69,
        '⁰'..='⁹' | '¹' | '²' | '³' | '⁻' => 0.4,
        _ => 0.6,
    };
    size * words.chars().map(letter).sum::<f64>()
}

impl Canvas {
    /// A line through `places`.
    pub fn line(&mut self, places: &[Place], stroke: Stroke) {
        if places.len() < 2 {
            return;
        }
        let places = written(places);
        let dash = dashes(stroke);
        self.put(format_args!(
            "<polyline points=\"{places}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{dash}/>",
            stroke.colour, stroke.width
        ));
    }

    /// A polygon, its inside in `fill`.
    pub fn polygon(&mut self, corners: &[Place], fill: &str, stroke: Stroke) {
        let corners = written(corners);
        self.put(format_args!(
            "<polygon points=\"{corners}\" fill=\"{fill}\" stroke=\"{}\" stroke-width=\"{}\"/>",
            stroke.colour, stroke.width
        ));
    }

    /// A circle, its inside in `fill`.
    pub fn circle(&mut self, (x, y): Place, radius: f64, fill: &str, stroke: Stroke) {
        self.put(format_args!(
            "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius:.2}\" fill=\"{fill}\" stroke=\"{}\" \
             stroke-width=\"{}\"/>",
            stroke.colour, stroke.width
        ));
    }

    /// Words on a line, whose foot is at the place, turned by `degrees` clockwise.
    pub fn text(&mut self, words: &str, size: f64, (x, y): Place, side: Side, degrees: f64) {
        let anchor = match side {
            Side::Start => "start",
            Side::Middle => "middle",
            Side::End => "end",
        };
        let turn = match degrees {
            0.0 => String::new(),
            degrees => format!(" transform=\"rotate({degrees} {x:.2} {y:.2})\""),
        };
        let words = Markup(words);
        self.put(format_args!(
            "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size}\" text-anchor=\"{anchor}\"{turn}>\
             {words}</text>"
        ));
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.body, "{element}").expect("a string takes everything");
    }

    /// The whole text of a drawing of this size, which is shown `shown` wide, such as `88mm`.
    pub fn finish(self, (width, height): Place, shown: (f64, &str)) -> String {
        let (across, unit) = shown;
        let up = across * height / width;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{across}{unit}\" \
             height=\"{up:.2}{unit}\" viewBox=\"0 0 {width:.2} {height:.2}\" \
             font-family=\"Helvetica, Arial, sans-serif\" stroke-linejoin=\"round\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{}</svg>\n",
            self.body
        )
    }
}

fn written(places: &[Place]) -> String {
    let places = places.iter().map(|(x, y)| format!("{x:.2},{y:.2}"));
    places.collect::<Vec<_>>().join(" ")
}

fn dashes(stroke: Stroke) -> String {
    if stroke.dash.is_empty() {
        return String::new();
    }
    let dashes: Vec<String> = stroke.dash.iter().map(f64::to_string).collect();
    format!(" stroke-dasharray=\"{}\"", dashes.join(" "))
}
