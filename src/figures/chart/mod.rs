//! Curves and marks over two axes, with confidence intervals and a legend above.
//!
//! Drawn by plotters: axes are its coordinates, lines and marks its elements. Lines differ in
//! marker, dash and colour, so that a figure survives greyscale and colour blindness.

mod axis;
mod categories;
mod draw;
mod labels;
mod layout;
mod legend;
mod ticks;

pub use axis::{Axis, Direction, Runs};
pub use draw::draw;
pub use ticks::{short, tick_step};

use plotters::drawing::DrawingAreaErrorKind;

/// What plotters says of drawing.
type Drawn<E> = Result<(), DrawingAreaErrorKind<E>>;

/// What a chart shows.
#[derive(Debug, Clone)]
pub struct Plot {
    /// What stands above it, if anything.
    pub title: Option<String>,
    /// To the right.
    pub x: Direction,
    /// Upwards.
    pub y: Direction,
    /// In the order of the legend.
    pub series: Vec<Series>,
    /// What stands small below: what bars, bands and unusual marks are. If anything.
    pub note: Option<String>,
}

/// What is drawn in one style.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its entry in the legend; none if it is empty.
    pub name: String,
    /// Where its marks are.
    pub marks: Vec<Mark>,
    /// How its marks are drawn and joined.
    pub look: Look,
    /// Which marker, dash and colour.
    pub style: usize,
}

/// How marks are drawn and joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Marks on a line.
    Curve,
    /// A line without marks, of many places.
    Line,
    /// Marks alone.
    Dots,
    /// Marks alone, larger and not filled.
    Hollow,
    /// A thin grey line without marks.
    Front,
}

impl Look {
    /// Whether its markers are hollow, if it has markers.
    fn marker(self) -> Option<bool> {
        match self {
            Self::Curve | Self::Dots => Some(false),
            Self::Hollow => Some(true),
            Self::Line | Self::Front => None,
        }
    }
}

/// One mark.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mark {
    /// To the right.
    pub x: f64,
    /// Upwards.
    pub y: f64,
    /// Half the width of the confidence interval of x.
    pub x_half: Option<f64>,
    /// Half the width of the confidence interval of y.
    pub y_half: Option<f64>,
    /// What stands beside it; nothing if empty.
    pub label: String,
}

/// `name (unit)`, without a unit of 1.
pub fn with_unit(name: &str, unit: &str) -> String {
    match unit {
        "1" | "" => name.to_owned(),
        unit => format!("{name} ({unit})"),
    }
}
