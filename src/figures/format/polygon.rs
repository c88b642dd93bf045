//! Outlines as polygons, and the lines of hatches within them, for formats that know neither
//! circles nor patterns as SVG does.

use crate::figures::scene::{Area, Hatch, Item, Outline, Place};

/// A place that need not be whole.
pub type Point = (f64, f64);

/// How far a cubic curve's handles are from the ends of a quarter of a circle, in radii:
/// 4/3 · (√2 − 1).
pub const QUARTER: f64 = 0.552_284_749_830_793_4;

/// Sides of a circle that is hatched.
const SIDES: i32 = 64;

/// The corners of `outline`.
pub fn corners(outline: &Outline) -> Vec<Point> {
    let real = |(x, y): Place| (f64::from(x), f64::from(y));
    match outline {
        Outline::Path { places, .. } => places.iter().copied().map(real).collect(),
        Outline::Rectangle(area) => area.corners().map(real).to_vec(),
        Outline::Circle { centre, radius } => {
            let centre = real(*centre);
            let radius = f64::from(*radius);
            let side = |number: i32| {
                let turn = std::f64::consts::TAU * f64::from(number) / f64::from(SIDES);
                let (sin, cos) = libm::sincos(turn);
                (centre.0 + radius * cos, centre.1 + radius * sin)
            };
            (0..SIDES).map(side).collect()
        }
    }
}

/// The lines of `hatch` within `outline`, each as a polygon. Lines go through places whose sum
/// (rising) or difference (falling) is a multiple of the gap, so that those of shapes side by side
/// continue each other.
pub fn lines(outline: &Outline, hatch: &Hatch) -> Vec<Vec<Point>> {
    let corners = corners(outline);
    let across = |(x, y): Point| if hatch.falling { x - y } else { x + y };
    let least = corners.iter().copied().map(across).fold(f64::MAX, f64::min);
    let most = corners.iter().copied().map(across).fold(f64::MIN, f64::max);
    if least >= most || hatch.gap <= 0 {
        return Vec::new();
    }
    let gap = f64::from(hatch.gap);
    // Measured to the right, half a line is √2 times as wide.
    let half = f64::from(hatch.width) * std::f64::consts::FRAC_1_SQRT_2;
    let first = libm::ceil((least - half) / gap) as i64;
    let last = libm::floor((most + half) / gap) as i64;
    (first..=last)
        .map(|number| {
            let middle = number as f64 * gap;
            let above = cut(&corners, |point| across(point) - (middle - half));
            cut(&above, |point| (middle + half) - across(point))
        })
        .filter(|line| line.len() > 2)
        .collect()
}

/// The part of a polygon where `inside` is not negative (Sutherland and Hodgman, 1974).
fn cut(corners: &[Point], inside: impl Fn(Point) -> f64) -> Vec<Point> {
    let mut kept = Vec::new();
    for (number, corner) in corners.iter().enumerate() {
        let before = corners[(number + corners.len() - 1) % corners.len()];
        let (from, to) = (inside(before), inside(*corner));
        if (from < 0.0) != (to < 0.0) {
            let share = from / (from - to);
            kept.push((
                before.0 + share * (corner.0 - before.0),
                before.1 + share * (corner.1 - before.1),
            ));
        }
        if to >= 0.0 {
            kept.push(*corner);
        }
    }
    kept
}

/// The area that `items` take, if they take any.
pub fn bounds(items: &[Item]) -> Option<Area> {
    let mut found: Option<Area> = None;
    let mut enter = |place: Place| {
        let own = Area::between(place, place);
        found = Some(found.map_or(own, |area| Area {
            left: area.left.min(own.left),
            top: area.top.min(own.top),
            right: area.right.max(own.right),
            bottom: area.bottom.max(own.bottom),
        }));
    };
    for item in items {
        match item {
            Item::Shape(shape) => {
                for (x, y) in corners(&shape.outline) {
                    enter((libm::round(x) as i32, libm::round(y) as i32));
                }
            }
            Item::Text(text) => text.corners().into_iter().for_each(&mut enter),
            Item::Group(group) => {
                if let Some(area) = bounds(&group.items) {
                    enter((area.left, area.top));
                    enter((area.right, area.bottom));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::style::WAITING;

    fn area(polygon: &[Point]) -> f64 {
        let next = polygon.iter().cycle().skip(1);
        let crossed = polygon.iter().zip(next).map(|(a, b)| a.0 * b.1 - b.0 * a.1);
        0.5 * crossed.sum::<f64>().abs()
    }

    /// Lines of width w every g to the right cover the share √2·w/g of a large area.
    #[test]
    fn a_hatch_covers_the_share_of_a_shape_that_its_lines_are_wide() {
        let share = f64::from(WAITING.width) * std::f64::consts::SQRT_2 / f64::from(WAITING.gap);
        let square = Outline::Rectangle(Area::between((0, 0), (60_000, 60_000)));
        let circle = Outline::Circle {
            centre: (5, 7),
            radius: 40_000,
        };
        for outline in [square, circle] {
            for falling in [false, true] {
                let hatch = Hatch { falling, ..WAITING };
                let covered: f64 = lines(&outline, &hatch).iter().map(|line| area(line)).sum();
                let whole = area(&corners(&outline));
                assert!(
                    (covered / whole - share).abs() < 0.01 * share,
                    "{}",
                    covered / whole
                );
            }
        }
    }

    #[test]
    fn lines_stay_within_their_shape() {
        let own = Area::between((130, 250), (900, 700));
        for line in lines(&Outline::Rectangle(own), &WAITING) {
            for (x, y) in line {
                assert!((129.999..=900.001).contains(&x) && (249.999..=700.001).contains(&y));
            }
        }
    }
}
