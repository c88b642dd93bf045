//! Percentiles: by linear interpolation between the two nearest of the sorted values, as NumPy's
//! default has it; and those of durations that are many but of few lengths.

use crate::units::Duration;
use std::collections::BTreeMap;

/// The percentiles that are told, as shares.
pub(super) const SHARES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

/// Between `low` and `high`, `part` of the way: NumPy's `_lerp`, bit for bit.
fn between(low: f64, high: f64, part: f64) -> f64 {
    let span = high - low;
    if part >= 0.5 {
        high - span * (1.0 - part)
    } else {
        low + span * part
    }
}

/// The value below which `share` of `count` values lie, of which `at` tells the one in any place
/// of their order.
fn quantile(count: u64, share: f64, at: impl Fn(u64) -> f64) -> Option<f64> {
    let last = count.checked_sub(1)?;
    let place = share * last as f64;
    let low = place.floor();
    let next = (low as u64 + 1).min(last);
    Some(between(at(low as u64), at(next), place - low))
}

/// The [`SHARES`] of `values`, in any order; `None` of nothing.
pub(super) fn percentiles(mut values: Vec<f64>) -> Option<[f64; 4]> {
    values.sort_unstable_by(f64::total_cmp);
    let of = |share| quantile(values.len() as u64, share, |place| values[place as usize]);
    let [a, b, c, d] = SHARES.map(of);
    Some([a?, b?, c?, d?])
}

/// Distinct lengths that are counted exactly.
const DISTINCT: usize = 1 << 17;

/// Leading bits of a length that are kept where there are more.
const KEPT: u32 = 13;

/// Durations counted by their length, so that any number of them takes little memory. More than
/// 131 072 distinct ones lose all but their 13 leading bits: then percentiles are exact to one
/// part in 8192. Sums never lose anything.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    lengths: BTreeMap<u64, u64>,
    count: u64,
    sum: u128,
    coarse: bool,
}

fn leading(length: u64) -> u64 {
    let shift = (u64::BITS - length.leading_zeros()).saturating_sub(KEPT);
    length >> shift << shift
}

impl Counted {
    pub(super) fn add(&mut self, length: Duration) {
        let key = if self.coarse {
            leading(length.0)
        } else {
            length.0
        };
        *self.lengths.entry(key).or_insert(0) += 1;
        self.count += 1;
        self.sum += u128::from(length.0);
        if !self.coarse && self.lengths.len() > DISTINCT {
            self.coarse = true;
            for (length, count) in std::mem::take(&mut self.lengths) {
                *self.lengths.entry(leading(length)).or_insert(0) += count;
            }
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The mean, in seconds.
    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64 * 1e-12)
    }

    /// The [`SHARES`], in seconds.
    pub(super) fn percentiles(&self) -> Option<[f64; 4]> {
        let at = |place: u64| {
            let mut before = 0;
            let found = self.lengths.iter().find(|(_, count)| {
                before += **count;
                before > place
            });
            found.map_or(0.0, |(length, _)| Duration(*length).as_seconds())
        };
        let [a, b, c, d] = SHARES.map(|share| quantile(self.count, share, at));
        Some([a?, b?, c?, d?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // numpy.percentile([...], [50, 90, 95, 99]), NumPy 2.
    #[test]
    fn percentiles_are_those_of_numpy_to_the_last_bit() {
        for (values, expected) in NUMPY {
            assert_eq!(
                percentiles(values.to_vec()).unwrap(),
                *expected,
                "{values:?}"
            );
        }
        assert_eq!(percentiles(Vec::new()), None);
    }

    const NUMPY: &[(&[f64], [f64; 4])] = &[
        (&[3.0], [3.0, 3.0, 3.0, 3.0]),
        (&[1.0, 2.0], [1.5, 1.9, 1.95, 1.99]),
        (&[0.1, 0.7, 0.2], [0.2, 0.6, 0.6499999999999999, 0.69]),
        (
            &[0.001, 2.5, 7000.0, 4.2, 4.2],
            [4.2, 4201.68, 5600.839999999998, 6720.168],
        ),
        (
            &[0.31, 0.07, 1.9, 0.55, 12.25, 3.3, 0.017],
            [
                0.55,
                6.880000000000003,
                9.564999999999994,
                11.712999999999996,
            ],
        ),
    ];

    #[test]
    fn counted_lengths_have_the_percentiles_of_the_lengths_themselves() {
        let mut counted = Counted::default();
        let mut plain = Vec::new();
        let mut state = 1u64;
        for _ in 0..5000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let length = Duration((state >> 33) % 700 * 1_000_003);
            counted.add(length);
            plain.push(length.as_seconds());
        }
        let mean = plain.iter().sum::<f64>() / 5000.0;
        assert!((counted.mean().unwrap() / mean - 1.0).abs() < 1e-12);
        assert_eq!(counted.percentiles(), percentiles(plain));
        assert!(counted.lengths.len() <= 700);
    }

    #[test]
    fn more_lengths_than_are_counted_are_known_to_one_part_in_8192() {
        let mut counted = Counted::default();
        let mut plain = Vec::new();
        for number in 0..200_000u64 {
            let length = Duration(1_000_000_000 + number * 77_777_777);
            counted.add(length);
            plain.push(length.as_seconds());
        }
        assert!(
            counted.lengths.len() < DISTINCT,
            "{}",
            counted.lengths.len()
        );
        let exact = percentiles(plain).unwrap();
        for (found, exact) in counted.percentiles().unwrap().into_iter().zip(exact) {
            assert!(
                (found / exact - 1.0).abs() < 1.0 / 4096.0,
                "{found} {exact}"
            );
        }
        assert_eq!(counted.count(), 200_000);
    }
}
