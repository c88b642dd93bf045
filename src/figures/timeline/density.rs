//! How densely narrow stretches cover the columns of a panel.

use super::Stretch;
use std::collections::BTreeMap;

/// How many picoseconds of each of `count` columns of `window` the narrow `stretches` cover.
pub(super) fn densities(stretches: &[Stretch], window: Stretch, count: u64) -> BTreeMap<u64, u64> {
    let length = u128::from(window.length().0.max(1));
    // The first picosecond of a column.
    let edge = |column: u64| (u128::from(column) * length).div_ceil(u128::from(count)) as u64;
    let mut columns: BTreeMap<u64, u64> = BTreeMap::new();
    for stretch in stretches {
        let (mut from, to) = (
            stretch.start.since(window.start).0,
            stretch.end.since(window.start).0,
        );
        while from < to {
            let column = (u128::from(from) * u128::from(count) / length) as u64;
            let until = edge(column + 1).min(to);
            *columns.entry(column).or_default() += until - from;
            from = until;
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Instant;

    #[test]
    fn densities_add_up_to_the_time_that_was_covered() {
        let window = Stretch {
            start: Instant(1000),
            end: Instant(2003),
        };
        let stretches: Vec<Stretch> = (0..97)
            .map(|k| Stretch {
                start: Instant(1000 + 10 * k),
                end: Instant(1000 + 10 * k + k % 11),
            })
            .collect();
        let covered: u64 = stretches.iter().map(|it| it.length().0).sum();
        for count in [1, 7, 100, 1003, 5000] {
            let columns = densities(&stretches, window, count);
            assert_eq!(columns.values().sum::<u64>(), covered, "{count} columns");
            // No column holds more than its own length, rounded up.
            let most = 1003u64.div_ceil(count);
            assert!(
                columns
                    .iter()
                    .all(|(place, held)| *place < count && *held <= most)
            );
        }
    }
}
