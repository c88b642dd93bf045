//! Finds places for words beside marks.

use crate::figures::font::{self, Weight};
use crate::figures::scene::{Anchor, Area, Place};
use crate::figures::style::SMALL;

/// How far words keep from their mark.
const GAP: i32 = 430;

/// Half the size of a mark.
const MARK: i32 = 300;

/// Half the width of what is kept free along a line.
const LINE: i32 = 70;

/// A place for each of `words` beside the mark in `marks`, within `frame`, that hides no mark, no
/// line and no other words; none where there is no such place or nothing to be written.
pub fn place(
    words: &[&str],
    marks: &[Place],
    lines: &[[Place; 2]],
    frame: Area,
) -> Vec<Option<(Place, Anchor)>> {
    let square =
        |(x, y): Place, half: i32| Area::between((x - half, y - half), (x + half, y + half));
    let mut taken: Vec<Area> = marks.iter().map(|mark| square(*mark, MARK)).collect();
    taken.extend(lines.iter().flat_map(|line| dots(line, &square)));
    let free = |taken: &[Area], own: Area| {
        let inside = own.left >= frame.left
            && own.top >= frame.top
            && own.right <= frame.right
            && own.bottom <= frame.bottom;
        inside && !taken.iter().any(|other| overlap(own, *other))
    };
    let (rise, fall) = (SMALL * 76 / 100, SMALL * 24 / 100);
    let mut found = Vec::new();
    for (words, (x, y)) in words.iter().zip(marks) {
        if words.is_empty() {
            found.push(None);
            continue;
        }
        let width = font::width(words, SMALL, Weight::Regular);
        let candidates = [
            ((x + GAP, y - GAP + 100), Anchor::Start),
            ((x - GAP, y - GAP + 100), Anchor::End),
            ((x + GAP, y + GAP + rise - 100), Anchor::Start),
            ((x - GAP, y + GAP + rise - 100), Anchor::End),
            ((*x, y - GAP - 100), Anchor::Middle),
            ((*x, y + GAP + rise), Anchor::Middle),
            ((x + GAP + 100, y + rise / 2), Anchor::Start),
            ((x - GAP - 100, y + rise / 2), Anchor::End),
        ];
        let place = candidates.into_iter().find_map(|(at, anchor)| {
            let left = match anchor {
                Anchor::Start => at.0,
                Anchor::Middle => at.0 - width / 2,
                Anchor::End => at.0 - width,
            };
            let own = Area::between((left, at.1 - rise), (left + width, at.1 + fall));
            free(&taken, own).then_some((own, (at, anchor)))
        });
        taken.extend(place.map(|(own, _)| own));
        found.push(place.map(|(_, place)| place));
    }
    found
}

/// Small squares along a line.
fn dots([from, to]: &[Place; 2], square: &impl Fn(Place, i32) -> Area) -> Vec<Area> {
    let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
    let count = ((dx * dx + dy * dy).sqrt() / f64::from(2 * LINE)) as usize + 1;
    let dot = |index: usize| {
        let share = index as f64 / count as f64;
        let along = |from: i32, step: f64| from + libm::round(share * step) as i32;
        square((along(from.0, dx), along(from.1, dy)), LINE)
    };
    (0..=count).map(dot).collect()
}

fn overlap(a: Area, b: Area) -> bool {
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_stay_within_the_frame_and_off_marks_and_each_other(
            marks in proptest::collection::vec((0i32..20_000, 0i32..12_000), 1..30)
        ) {
            let words = vec!["8 bit"; marks.len()];
            let width = font::width("8 bit", SMALL, Weight::Regular);
            let frame = Area::between((0, 0), (20_000, 12_000));
            let mut boxes: Vec<Area> = Vec::new();
            for (at, anchor) in place(&words, &marks, &[], frame).into_iter().flatten() {
                let left = match anchor {
                    Anchor::Start => at.0,
                    Anchor::Middle => at.0 - width / 2,
                    Anchor::End => at.0 - width,
                };
                let own = Area::between((left, at.1 - 450), (left + width, at.1));
                prop_assert!(own.left >= 0 && own.top >= 0);
                prop_assert!(own.right <= 20_000 && own.bottom <= 12_000);
                let hides = |(x, y): &Place| {
                    (own.left..own.right).contains(x) && (own.top..own.bottom).contains(y)
                };
                prop_assert!(!marks.iter().any(hides));
                prop_assert!(!boxes.iter().any(|other| overlap(own, *other)));
                boxes.push(own);
            }
        }
    }
}
