//! The markers of curves.

use crate::figures::canvas::Canvas;
use crate::figures::scene::{Colour, Fill, Outline, Place, Shape, Stroke};
use crate::figures::style;

/// Sizes of a full and of a hollow marker, from the centre to the edge of a disc.
const FULL: i32 = 220;
const HOLLOW: i32 = 340;

/// Marks a place as that of curve `number`: by a disc, square, triangle, diamond, ring or cross.
pub(super) fn draw(canvas: &mut Canvas<'_>, (x, y): Place, number: usize, hollow: bool) {
    let colour = style::CURVES[number % style::CURVES.len()];
    let r = if hollow { HOLLOW } else { FULL };
    let part = |hundredths: i32| r * hundredths / 100;
    let mut put = |outline: Outline, fill: Option<Colour>, width: i32| {
        canvas.shape(Shape {
            outline,
            fill: fill.map(Fill::Plain),
            stroke: Some(Stroke::solid(colour, width)),
        });
    };
    let inside = (!hollow).then_some(colour);
    let closed = |places: Vec<Place>| Outline::Path {
        places,
        closed: true,
    };
    let centre = (x, y);
    match number % style::CURVES.len() {
        0 => put(Outline::Circle { centre, radius: r }, inside, 80),
        1 => {
            let s = part(90);
            let corners = vec![
                (x - s, y - s),
                (x + s, y - s),
                (x + s, y + s),
                (x - s, y + s),
            ];
            put(closed(corners), inside, 80);
        }
        2 => {
            let corners = vec![
                (x, y - part(120)),
                (x + part(110), y + part(80)),
                (x - part(110), y + part(80)),
            ];
            put(closed(corners), inside, 80);
        }
        3 => {
            let s = part(130);
            let corners = vec![(x, y - s), (x + s, y), (x, y + s), (x - s, y)];
            put(closed(corners), inside, 80);
        }
        4 => {
            let radius = part(110);
            let inside = (!hollow).then_some(style::WHITE);
            put(Outline::Circle { centre, radius }, inside, 110);
        }
        _ => {
            for (from, to) in [
                ((x - r, y - r), (x + r, y + r)),
                ((x - r, y + r), (x + r, y - r)),
            ] {
                let places = vec![from, to];
                let closed = false;
                put(Outline::Path { places, closed }, None, 130);
            }
        }
    }
}
