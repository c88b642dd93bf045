//! A picture as a list of vector shapes, before it becomes SVG, PDF or PNG.
//!
//! Places and lengths are whole hundredths of a point (1 pt = 1/72 inch), to the right and
//! downwards from the upper left corner. Whole numbers are the same on every machine, so a format
//! need not round, and its bytes depend on nothing below a hundredth of a point.
//!
//! A scene knows how much room each of its texts takes ([`Text::corners`]): by the metrics of the
//! font that PDF and PNG carry and that SVG is held to. Tests ask it whether texts overlap.

use super::font::{self, Weight};

/// Hundredths of a point in a point.
pub const POINT: i32 = 100;

/// A place: to the right and downwards, in hundredths of a point.
pub type Place = (i32, i32);

/// `points` in hundredths, to the nearest.
pub fn points(points: f64) -> i32 {
    libm::round(points * f64::from(POINT)) as i32
}

/// A colour with the share of what is behind it that it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Colour {
    /// Red, green and blue of sRGB.
    pub rgb: [u8; 3],
    /// In per cent: 100 hides what is behind.
    pub cover: u8,
}

impl Colour {
    /// The opaque colour `0xRRGGBB`.
    pub const fn hex(code: u32) -> Self {
        let [_, red, green, blue] = code.to_be_bytes();
        Self {
            rgb: [red, green, blue],
            cover: 100,
        }
    }

    /// The same, covering `percent` of what is behind.
    #[must_use]
    pub const fn covering(self, percent: u8) -> Self {
        Self {
            cover: percent,
            ..self
        }
    }
}

/// Parallel lines at 45° on a ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hatch {
    /// Behind the lines.
    pub ground: Colour,
    /// The lines.
    pub line: Colour,
    /// How wide they are.
    pub width: i32,
    /// From a line to the next, measured to the right.
    pub gap: i32,
    /// Whether they fall to the right rather than rise.
    pub falling: bool,
}

/// The inside of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// One colour.
    Plain(Colour),
    /// Lines on a colour.
    Hatched(Hatch),
}

/// The line along a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stroke {
    /// Its colour.
    pub colour: Colour,
    /// Its width.
    pub width: i32,
    /// Dashes and gaps in turn; none for a solid line.
    pub dash: &'static [i32],
}

impl Stroke {
    /// A solid line of `width` hundredths of a point.
    pub const fn solid(colour: Colour, width: i32) -> Self {
        Self {
            colour,
            width,
            dash: &[],
        }
    }
}

/// Left, top, right and bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// Its left edge.
    pub left: i32,
    /// Its upper edge.
    pub top: i32,
    /// Its right edge.
    pub right: i32,
    /// Its lower edge.
    pub bottom: i32,
}

impl Area {
    /// The area between two opposite corners.
    pub fn between(a: Place, b: Place) -> Self {
        Self {
            left: a.0.min(b.0),
            top: a.1.min(b.1),
            right: a.0.max(b.0),
            bottom: a.1.max(b.1),
        }
    }

    /// How wide it is.
    pub fn width(&self) -> i32 {
        self.right - self.left
    }

    /// How tall it is.
    pub fn height(&self) -> i32 {
        self.bottom - self.top
    }

    /// Its corners, clockwise from the upper left one.
    pub fn corners(&self) -> [Place; 4] {
        [
            (self.left, self.top),
            (self.right, self.top),
            (self.right, self.bottom),
            (self.left, self.bottom),
        ]
    }
}

/// Where a shape runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outline {
    /// Straight from place to place.
    Path {
        /// The places.
        places: Vec<Place>,
        /// Whether the last is joined to the first.
        closed: bool,
    },
    /// A rectangle with upright sides.
    Rectangle(Area),
    /// A circle.
    Circle {
        /// Its centre.
        centre: Place,
        /// Its radius.
        radius: i32,
    },
}

/// A filled or stroked shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Where it runs.
    pub outline: Outline,
    /// Its inside, if it is filled.
    pub fill: Option<Fill>,
    /// Its line, if it has one.
    pub stroke: Option<Stroke>,
}

impl Shape {
    /// A shape of one fill without a line.
    pub fn filled(outline: Outline, fill: Fill) -> Self {
        Self {
            outline,
            fill: Some(fill),
            stroke: None,
        }
    }

    /// A line through `places`.
    pub fn line(places: Vec<Place>, stroke: Stroke) -> Self {
        Self {
            outline: Outline::Path {
                places,
                closed: false,
            },
            fill: None,
            stroke: Some(stroke),
        }
    }
}

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
    /// What is written: no line breaks, no blanks at the ends, one blank between words.
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
            .split(|c: char| c.is_whitespace() || c.is_control())
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

/// Items that belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Outside of it nothing of them is seen.
    pub clip: Option<Area>,
    /// A name to find them by in an SVG.
    pub id: Option<String>,
    /// What says more about them: shown where a pointer rests on them in an SVG.
    pub note: Option<String>,
    /// Where a click leads, in SVG and PDF.
    pub link: Option<String>,
    /// What is drawn, in this order.
    pub items: Vec<Item>,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A shape.
    Shape(Shape),
    /// A text.
    Text(Text),
    /// Items that belong together.
    Group(Group),
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    /// How wide it is.
    pub width: i32,
    /// How tall it is.
    pub height: i32,
    /// What it shows, in a few words: its name for whoever does not see it.
    pub title: String,
    /// What can be seen in it, in a sentence or two.
    pub description: String,
    /// What is drawn on white, in this order.
    pub items: Vec<Item>,
}

impl Scene {
    /// An empty picture.
    pub fn new(width: i32, height: i32, title: &str) -> Self {
        Self {
            width,
            height,
            title: title.to_owned(),
            description: String::new(),
            items: Vec::new(),
        }
    }

    /// Every text, those of groups too.
    pub fn texts(&self) -> Vec<&Text> {
        let mut found = Vec::new();
        collect(&self.items, &mut found);
        found
    }
}

fn collect<'a>(items: &'a [Item], found: &mut Vec<&'a Text>) {
    for item in items {
        match item {
            Item::Text(text) if !text.words.is_empty() => found.push(text),
            Item::Group(group) => collect(&group.items, found),
            Item::Text(_) | Item::Shape(_) => {}
        }
    }
}
