//! Elements for plotters beyond its own: what charts are drawn with on a [`Canvas`].
//!
//! Each takes its places in whatever coordinates the drawing area has, on a chart in those of its
//! axes, and draws at the places on the page that plotters makes of them.

mod marker;

use super::canvas::Canvas;
use super::scene::{Anchor, Fill, Group, Outline, Place, Shape, Stroke, Text};
use super::style;
use plotters::element::{Drawable, PointCollection};
use plotters_backend::DrawingErrorKind;
use std::convert::Infallible;

/// Half the length of the bar at the end of an interval.
const CAP: i32 = 200;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// A line through places, dashed if its stroke is.
#[derive(Debug, Clone)]
pub struct Line<C> {
    /// The places.
    pub places: Vec<C>,
    /// How it is drawn.
    pub stroke: Stroke,
}

/// An area within places.
#[derive(Debug, Clone)]
pub struct Polygon<C> {
    /// Its corners.
    pub corners: Vec<C>,
    /// Its inside.
    pub fill: Fill,
    /// Its edge, if it has one.
    pub stroke: Option<Stroke>,
}

/// A rectangle between two opposite corners.
#[derive(Debug, Clone)]
pub struct Block<C> {
    /// The corners.
    pub corners: [C; 2],
    /// Its inside, plain or hatched.
    pub fill: Option<Fill>,
    /// Its edge, if it has one.
    pub stroke: Option<Stroke>,
}

/// A confidence interval: a line with a bar at both ends.
#[derive(Debug, Clone)]
pub struct Interval<C> {
    /// Its ends, above or beside each other.
    pub ends: [C; 2],
    /// How it is drawn.
    pub stroke: Stroke,
}

/// What marks a place of a curve: disc, square, triangle, diamond, ring or cross.
#[derive(Debug, Clone)]
pub struct Marker<C> {
    /// Its centre.
    pub at: C,
    /// Which, in the order of curves.
    pub number: usize,
    /// Whether it is larger and only an outline.
    pub hollow: bool,
}

/// Words beside a place.
#[derive(Debug, Clone)]
pub struct Words<C> {
    /// The place.
    pub at: C,
    /// How far from it, to the right and downwards, the words' place is.
    pub shift: Place,
    /// The words; their own place is not used.
    pub text: Text,
}

impl<C> Words<C> {
    /// `text` right at `at`.
    pub fn at(at: C, text: Text) -> Self {
        let shift = (0, 0);
        Self { at, shift, text }
    }
}

/// Begins a group, which [`End`] ends.
#[derive(Debug, Clone)]
pub struct Begin(pub Group);

/// Ends the group that was begun last.
#[derive(Debug, Clone, Copy)]
pub struct End;

/// Tells plotters the places of an element, and draws it at what plotters makes of them.
macro_rules! element {
    ($name:ident, $places:expr, $draw:expr) => {
        impl<'a, C: 'a> PointCollection<'a, C> for &'a $name<C> {
            type Point = &'a C;
            type IntoIter = std::slice::Iter<'a, C>;
            fn point_iter(self) -> Self::IntoIter {
                let places: fn(&'a $name<C>) -> &'a [C] = $places;
                places(self).iter()
            }
        }

        impl<C> Drawable<Canvas<'_>> for $name<C> {
            fn draw<I: Iterator<Item = Place>>(
                &self,
                places: I,
                canvas: &mut Canvas<'_>,
                _: (u32, u32),
            ) -> Drawn {
                let draw: fn(&Self, Vec<Place>, &mut Canvas<'_>) = $draw;
                draw(self, places.collect(), canvas);
                Ok(())
            }
        }
    };
}

element!(Line, |line| &line.places, |line, places, canvas| {
    if places.len() > 1 {
        canvas.shape(Shape::line(places, line.stroke));
    }
});

element!(Polygon, |area| &area.corners, |area, places, canvas| {
    canvas.shape(Shape {
        outline: Outline::Path {
            places,
            closed: true,
        },
        fill: Some(area.fill),
        stroke: area.stroke,
    });
});

element!(Block, |block| &block.corners, |block, places, canvas| {
    let &[a, b] = &places[..] else { return };
    canvas.shape(Shape {
        outline: Outline::Rectangle(super::scene::Area::between(a, b)),
        fill: block.fill,
        stroke: block.stroke,
    });
});

element!(
    Interval,
    |interval| &interval.ends,
    |interval, places, canvas| {
        let &[a, b] = &places[..] else { return };
        canvas.shape(Shape::line(vec![a, b], interval.stroke));
        let upright = a.0 == b.0;
        for (x, y) in [a, b] {
            let bar = match upright {
                true => vec![(x - CAP, y), (x + CAP, y)],
                false => vec![(x, y - CAP), (x, y + CAP)],
            };
            canvas.shape(Shape::line(bar, interval.stroke));
        }
    }
);

element!(
    Marker,
    |marker| std::slice::from_ref(&marker.at),
    |marker, places, canvas| {
        for place in places {
            marker::draw(canvas, place, marker.number, marker.hollow);
        }
    }
);

element!(
    Words,
    |words| std::slice::from_ref(&words.at),
    |words, places, canvas| {
        for (x, y) in places {
            let mut text = words.text.clone();
            text.at = (x + words.shift.0, y + words.shift.1);
            canvas.text(text);
        }
    }
);

impl<'a> PointCollection<'a, Place> for &'a Begin {
    type Point = Place;
    type IntoIter = std::iter::Empty<Place>;
    fn point_iter(self) -> Self::IntoIter {
        std::iter::empty()
    }
}

impl Drawable<Canvas<'_>> for Begin {
    fn draw<I: Iterator<Item = Place>>(
        &self,
        _: I,
        canvas: &mut Canvas<'_>,
        _: (u32, u32),
    ) -> Drawn {
        canvas.open(self.0.clone());
        Ok(())
    }
}

impl<'a> PointCollection<'a, Place> for &'a End {
    type Point = Place;
    type IntoIter = std::iter::Empty<Place>;
    fn point_iter(self) -> Self::IntoIter {
        std::iter::empty()
    }
}

impl Drawable<Canvas<'_>> for End {
    fn draw<I: Iterator<Item = Place>>(
        &self,
        _: I,
        canvas: &mut Canvas<'_>,
        _: (u32, u32),
    ) -> Drawn {
        canvas.close();
        Ok(())
    }
}

/// A white diamond with a black edge, which shows on any fill.
pub fn diamond(canvas: &mut Canvas<'_>, (x, y): Place, half: i32) {
    let places = vec![(x - half, y), (x, y - half), (x + half, y), (x, y + half)];
    canvas.shape(Shape {
        outline: Outline::Path {
            places,
            closed: true,
        },
        fill: Some(Fill::Plain(style::WHITE)),
        stroke: Some(Stroke::solid(style::BLACK, 90)),
    });
}

/// Black words of one line at `at`, as plotters draws them on a page.
pub fn words(at: Place, words: &str, size: i32, anchor: Anchor) -> Words<Place> {
    Words::at(at, Text::new(words, size, at).anchored(anchor))
}
