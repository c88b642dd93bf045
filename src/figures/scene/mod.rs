//! A picture as a list of vector shapes, before it becomes SVG, PDF or PNG.
//!
//! Places and lengths are whole hundredths of a point (1 pt = 1/72 inch), to the right and
//! downwards from the upper left corner. Whole numbers are the same on every machine, so a format
//! need not round, and its bytes depend on nothing below a hundredth of a point.
//!
//! A scene knows how much room each of its texts takes ([`Text::corners`]): by the metrics of the
//! font that PDF and PNG carry and that SVG is held to. Tests ask it whether texts overlap.

mod paint;
mod text;

pub use paint::{Colour, Fill, Hatch, Stroke};
pub use text::{Anchor, Text};

/// Hundredths of a point in a point.
pub const POINT: i32 = 100;

/// A place: to the right and downwards, in hundredths of a point.
pub type Place = (i32, i32);

/// `points` in hundredths, to the nearest.
pub fn points(points: f64) -> i32 {
    libm::round(points * f64::from(POINT)) as i32
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
