//! An SVG being written: the few shapes that pictures of tasks are made of.
//!
//! Fills are Okabe–Ito colours whose lightness differs too, and waiting is hatched, so
//! that a picture survives greyscale and colour blindness.

use crate::text::Markup;
use std::fmt::Write;

/// The fill of compute.
pub const COMPUTE: &str = "#0072B2";
/// The fill of uplinks and slots on a shared air.
pub const UPLINK: &str = "#E69F00";
/// The fill of downlinks.
pub const DOWNLINK: &str = "#009E73";
/// Colour of transfers over wires.
pub const TRANSFER: &str = "#CC79A7";
/// The fill of waiting: a hatch.
pub const WAITING: &str = "url(#waiting)";
/// The hatch from afar.
pub const WAITING_GREY: &str = "#C8C8C8";
/// Barriers.
pub const BARRIER: &str = "#464646";

/// Where a text begins, or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// A picture being written.
#[derive(Debug, Clone)]
pub struct Svg {
    text: String,
}

// Writing to a String cannot fail.
impl Svg {
    /// An empty white picture.
    pub fn new(width: f64, height: f64) -> Self {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <defs><pattern id=\"waiting\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">\
             <rect width=\"6\" height=\"6\" fill=\"#EEEEEE\"/>\
             <path d=\"M-1,1 L1,-1 M0,6 L6,0 M5,7 L7,5\" stroke=\"#8C8C8C\" stroke-width=\"1\"/>\
             </pattern></defs>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>"
        );
        Self { text }
    }

    /// A box with its left upper corner at `(x, y)`.
    pub fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), fill: &str) {
        let _ = writeln!(
            self.text,
            "<rect x=\"{x:.2}\" y=\"{y:.1}\" width=\"{width:.2}\" height=\"{height:.1}\" fill=\"{fill}\"/>"
        );
    }

    /// A box of which `opacity` covers what is behind.
    pub fn faint_rect(
        &mut self,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        (fill, opacity): (&str, f64),
    ) {
        let _ = writeln!(
            self.text,
            "<rect x=\"{x:.2}\" y=\"{y:.1}\" width=\"{width:.2}\" height=\"{height:.1}\" fill=\"{fill}\" fill-opacity=\"{opacity:.2}\"/>"
        );
    }

    /// Words of `size` whose base line is at `y`.
    pub fn text(&mut self, (x, y): (f64, f64), size: f64, anchor: Anchor, words: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let words = Markup(words);
        let _ = writeln!(
            self.text,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\"{anchor}>{words}</text>"
        );
    }

    /// Lines along `path`, in SVG's own notation.
    pub fn lines(&mut self, path: &str, colour: &str, width: f64) {
        let _ = writeln!(
            self.text,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>"
        );
    }

    /// The area within `path`, in SVG's own notation.
    pub fn area(&mut self, path: &str, fill: &str) {
        let _ = writeln!(self.text, "<path d=\"{path}\" fill=\"{fill}\"/>");
    }

    /// A dashed upright line.
    pub fn dashed(&mut self, x: f64, (top, bottom): (f64, f64)) {
        let _ = writeln!(
            self.text,
            "<path d=\"M{x:.2},{top:.1} V{bottom:.1}\" stroke=\"{BARRIER}\" stroke-width=\"1.2\" \
             stroke-dasharray=\"4 3\"/>"
        );
    }

    /// A white diamond with a black edge, which shows on any fill.
    pub fn diamond(&mut self, (x, y): (f64, f64), half: f64) {
        let _ = writeln!(
            self.text,
            "<path d=\"M{:.2},{y:.1} l{half},{half} l{half},-{half} l-{half},-{half} z\" fill=\"white\" \
             stroke=\"black\" stroke-width=\"1.3\"/>",
            x - half
        );
    }

    /// The picture's text.
    pub fn finish(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }
}

/// A step of 1, 2 or 5 times a power of ten that is at least `least`.
pub fn tick_step(least: f64) -> f64 {
    let magnitude = libm::pow(10.0, libm::floor(libm::log10(least)));
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * magnitude >= least);
    factor.unwrap_or(10.0) * magnitude
}

/// A time axis from `left` to `right` at `y` over `seconds`, in the largest unit that keeps
/// its end above one; `name` is what is counted. With `ticks` of them or somewhat fewer.
pub fn time_axis(
    svg: &mut Svg,
    (left, right, y): (f64, f64, f64),
    seconds: f64,
    ticks: f64,
    name: &str,
) {
    if seconds <= 0.0 {
        return;
    }
    let units = [("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)];
    let unit = units.into_iter().find(|(_, unit)| seconds >= *unit);
    let (unit, scale) = unit.unwrap_or(("ps", 1e-12));
    let length = seconds / scale;
    let step = tick_step(length / ticks);
    let digits = (-libm::floor(libm::log10(step))).max(0.0) as usize;
    let mut path = format!("M{left:.1},{y:.1} H{right:.1}");
    let mut count = 0;
    while f64::from(count) * step <= length * (1.0 + 1e-9) {
        let tick = f64::from(count) * step;
        let x = left + tick / length * (right - left);
        let _ = write!(path, " M{x:.1},{y:.1} v5");
        svg.text(
            (x, y + 18.0),
            12.0,
            Anchor::Middle,
            &format!("{tick:.digits$}"),
        );
        count += 1;
    }
    svg.lines(&path, "black", 1.0);
    let name = format!("{name} ({unit})");
    svg.text(
        ((left + right) / 2.0, y + 34.0),
        12.0,
        Anchor::Middle,
        &name,
    );
}
