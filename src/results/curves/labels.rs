//! Finds places for words beside marks.

use super::canvas::{Place, Side, width_of};

/// Left, top, right and bottom.
type Box4 = [f64; 4];

/// How far words keep from their mark.
const GAP: f64 = 4.5;

/// Half the size of a mark.
const MARK: f64 = 3.0;

/// A place for each of `words` beside the mark in `marks`, within `frame`, that hides no mark, no
/// `line` and no other words; none where there is no such place or nothing to be written.
pub fn place(
    words: &[&str],
    marks: &[Place],
    lines: &[[Place; 2]],
    frame: Box4,
    size: f64,
) -> Vec<Option<(Place, Side)>> {
    let mut taken: Vec<Box4> = marks
        .iter()
        .map(|(x, y)| [x - MARK, y - MARK, x + MARK, y + MARK])
        .collect();
    taken.extend(lines.iter().flat_map(dots));
    let free = |taken: &[Box4], own: Box4| {
        let inside =
            own[0] >= frame[0] && own[1] >= frame[1] && own[2] <= frame[2] && own[3] <= frame[3];
        inside && !taken.iter().any(|other| overlap(own, *other))
    };
    let mut found = Vec::new();
    for (words, (x, y)) in words.iter().zip(marks) {
        if words.is_empty() {
            found.push(None);
            continue;
        }
        let width = width_of(words, size);
        let rise = 0.72 * size;
        let candidates = [
            ((x + GAP, y - GAP + 1.0), Side::Start),
            ((x - GAP, y - GAP + 1.0), Side::End),
            ((x + GAP, y + GAP + rise - 1.0), Side::Start),
            ((x - GAP, y + GAP + rise - 1.0), Side::End),
            ((*x, y - GAP - 1.0), Side::Middle),
            ((*x, y + GAP + rise + 1.0), Side::Middle),
            ((x + GAP + 1.0, y + 0.5 * rise), Side::Start),
            ((x - GAP - 1.0, y + 0.5 * rise), Side::End),
        ];
        let place = candidates.into_iter().find_map(|(at, side)| {
            let left = match side {
                Side::Start => at.0,
                Side::Middle => at.0 - 0.5 * width,
                Side::End => at.0 - width,
            };
            let own = [left, at.1 - rise, left + width, at.1 + 0.5];
            free(&taken, own).then_some((own, (at, side)))
        });
        taken.extend(place.map(|(own, _)| own));
        found.push(place.map(|(_, place)| place));
    }
    found
}

/// Small boxes along a line.
fn dots([from, to]: &[Place; 2]) -> Vec<Box4> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let count = ((dx * dx + dy * dy).sqrt() / 2.0) as usize + 1;
    let dot = |index: usize| {
        let share = index as f64 / count as f64;
        let (x, y) = (from.0 + share * dx, from.1 + share * dy);
        [x - 0.7, y - 0.7, x + 0.7, y + 0.7]
    };
    (0..=count).map(dot).collect()
}

fn overlap(a: Box4, b: Box4) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_stay_within_the_frame_and_off_marks_and_each_other(
            marks in proptest::collection::vec((0.0f64..200.0, 0.0f64..120.0), 1..30)
        ) {
            let words = vec!["8 bit"; marks.len()];
            let width = width_of("8 bit", 7.0);
            let mut boxes: Vec<Box4> = Vec::new();
            for (at, side) in place(&words, &marks, &[], [0.0, 0.0, 200.0, 120.0], 7.0).into_iter().flatten() {
                let left = match side {
                    Side::Start => at.0,
                    Side::Middle => at.0 - width / 2.0,
                    Side::End => at.0 - width,
                };
                let own = [left, at.1 - 5.0, left + width, at.1];
                prop_assert!(own[0] >= 0.0 && own[1] >= 0.0 && own[2] <= 200.0 && own[3] <= 120.0);
                let hides = |(x, y): &Place| (own[0]..own[2]).contains(x) && (own[1]..own[3]).contains(y);
                prop_assert!(!marks.iter().any(hides));
                prop_assert!(!boxes.iter().any(|other| overlap(own, *other)));
                boxes.push(own);
            }
        }
    }
}
