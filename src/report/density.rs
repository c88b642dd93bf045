//! How much of each stretch of time a lane was busy: the overview of a run of any length.
//!
//! The run is cut into equal bins; a lane's bin holds the picoseconds of it that were busy. Pairs
//! of bins are merged as lanes come, so that all lanes together never have more than [`MOST`]; sums
//! of whole numbers are the same in whatever order that happens.

use crate::units::Instant;

/// Bins of all lanes together.
const MOST: usize = 1 << 19;

/// Bins of one lane: more than any screen has columns.
const MOST_OF_A_LANE: usize = 1 << 14;

/// The busy time in each bin of each lane.
#[derive(Debug)]
pub(super) struct Density {
    /// The length of a bin in picoseconds.
    width: u64,
    bins: usize,
    lanes: Vec<Vec<u64>>,
}

impl Density {
    /// No lane yet, of a run that takes `makespan`.
    pub(super) fn new(makespan: Instant) -> Self {
        Self {
            width: makespan.0.div_ceil(MOST_OF_A_LANE as u64).max(1),
            bins: MOST_OF_A_LANE,
            lanes: Vec::new(),
        }
    }

    /// The length of a bin in picoseconds.
    pub(super) fn width(&self) -> u64 {
        self.width
    }

    /// Makes room for lane `lane`.
    pub(super) fn enter(&mut self, lane: usize) {
        while self.lanes.len() <= lane {
            self.lanes.push(vec![0; self.bins]);
            while self.lanes.len() * self.bins > MOST && self.bins > 1 {
                self.width *= 2;
                self.bins = self.bins.div_ceil(2);
                for bins in &mut self.lanes {
                    *bins = bins.chunks(2).map(|pair| pair.iter().sum()).collect();
                }
            }
        }
    }

    /// Adds that `lane` was busy from `start` to `end`, which no earlier call said.
    pub(super) fn add(&mut self, lane: usize, start: Instant, end: Instant) {
        self.enter(lane);
        let (mut from, bins) = (start.0, &mut self.lanes[lane]);
        while from < end.0 {
            let bin = (from / self.width) as usize;
            let to = ((bin as u64 + 1) * self.width).min(end.0);
            if let Some(busy) = bins.get_mut(bin) {
                *busy += to - from;
            }
            from = to;
        }
    }

    /// The share of each bin of `lane` that was busy, from 0 to `whole`, to the nearest; what was
    /// busy at all is at least one.
    pub(super) fn shares(&self, lane: usize, whole: u64) -> impl Iterator<Item = u64> + '_ {
        let width = u128::from(self.width);
        let bins = self.lanes.get(lane).into_iter().flatten();
        bins.map(move |busy| {
            let share = (u128::from(*busy) * u128::from(whole) + width / 2) / width;
            (share as u64).max(u64::from(*busy > 0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_bins_hold_all_of_the_busy_time(
            makespan in 1_u64..1_000_000_000,
            ends in prop::collection::vec((0_usize..40, 0.0..1.0_f64, 0.0..1.0_f64), 1..60),
        ) {
            let mut density = Density::new(Instant(makespan));
            let mut busy = [0_u64; 40];
            for (lane, a, b) in ends {
                let at = |share: f64| (share * makespan as f64) as u64;
                let (start, end) = (at(a.min(b)), at(a.max(b)));
                density.add(lane, Instant(start), Instant(end));
                busy[lane] += end - start;
            }
            prop_assert!(density.lanes.len() * density.bins <= MOST);
            prop_assert!(density.width as u128 * density.bins as u128 >= u128::from(makespan));
            for (lane, bins) in density.lanes.iter().enumerate() {
                prop_assert_eq!(bins.iter().sum::<u64>(), busy[lane]);
            }
        }
    }

    #[test]
    fn a_share_is_that_of_its_bin_and_never_hides_what_happened() {
        let mut density = Density::new(Instant(1000 << 14));
        density.add(0, Instant(1000), Instant(1040));
        density.add(0, Instant(2000), Instant(3500));
        density.add(0, Instant(4000), Instant(4001));
        let shares: Vec<u64> = density.shares(0, 100).take(6).collect();
        assert_eq!(shares, [0, 4, 100, 50, 1, 0]);
        assert_eq!(density.shares(7, 100).count(), 0);
    }
}
