//! The fluid model against its closed forms and its laws.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const MS: u64 = 1_000_000_000;

/// The same for all, in proportion to the part, for ever.
fn wire(rate: f64) -> impl Rates<u32> {
    move |_: u32, share: f64, _: Instant| {
        Ok(Rate {
            bits_per_second: rate * share,
            until: None,
        })
    }
}

/// B log₂(1 + γ/s) s with γ by transfer, in blocks of 1 ms whose `gains` come again and again.
fn radio(gains: Vec<Vec<f64>>) -> impl Rates<u32> {
    move |transfer: u32, share: f64, at: Instant| {
        let gains = &gains[transfer as usize];
        let block = at.0 / MS;
        let gain = gains[block as usize % gains.len()];
        Ok(Rate {
            bits_per_second: 1e6 * share * (gain / share).ln_1p() / std::f64::consts::LN_2,
            until: (gains.len() > 1).then_some(Instant((block + 1) * MS)),
        })
    }
}

fn ends(band: &Band<u32>, rates: &dyn Rates<u32>) -> Vec<u64> {
    let ends = band.ends(rates).unwrap();
    ends.iter().map(|ending| ending.at.0).collect()
}

fn begun(sharing: Sharing, bits: &[u64], rates: &dyn Rates<u32>) -> Band<u32> {
    let mut band = Band::new(sharing);
    for (id, bits) in bits.iter().enumerate() {
        band.begin(id as u32, *bits, Instant::ZERO, rates).unwrap();
    }
    band
}

#[test]
fn two_equal_transfers_end_together_at_twice_the_time() {
    let rates = wire(1e6);
    let alone = begun(Sharing::Equal, &[4000], &rates);
    assert_eq!(ends(&alone, &rates), [4 * MS]);
    let both = begun(Sharing::Equal, &[4000, 4000], &rates);
    assert_eq!(ends(&both, &rates), [8 * MS; 2]);
    let airtime: Vec<u64> = both
        .ends(&rates)
        .unwrap()
        .iter()
        .map(|e| e.airtime.0)
        .collect();
    assert_eq!(airtime, [8 * MS; 2]);
    let queue = begun(Sharing::Exclusive, &[4000, 4000], &rates);
    assert_eq!(ends(&queue, &rates), [4 * MS, 8 * MS]);
    let airtime: Vec<u64> = queue
        .ends(&rates)
        .unwrap()
        .iter()
        .map(|e| e.airtime.0)
        .collect();
    assert_eq!(airtime, [4 * MS; 2]);
}

/// 4000 bits from 0 ms and 4000 from 2 ms at 1 Mbit/s: by 2 ms 2000 have gone, the other 2000
/// take 4 ms at half the rate, and by 6 ms the second has 2000 left for itself.
#[test]
fn who_comes_later_slows_who_is_there() {
    let rates = wire(1e6);
    let mut band = begun(Sharing::Equal, &[4000], &rates);
    band.begin(1, 4000, Instant(2 * MS), &rates).unwrap();
    assert_eq!(ends(&band, &rates), [6 * MS, 8 * MS]);
    // What is told does not depend on when it is asked for, and ends as told.
    band.advance(Instant(3 * MS + 7), &rates).unwrap();
    assert_eq!(ends(&band, &rates), [6 * MS, 8 * MS]);
    let first = band.end(0, Instant(6 * MS), &rates).unwrap();
    assert_eq!((first.delivered, first.left), (4000, 0));
    assert_eq!(ends(&band, &rates), [8 * MS]);
    let second = band.end(1, Instant(8 * MS), &rates).unwrap();
    assert_eq!((second.delivered, second.airtime), (4000, Duration(6 * MS)));
    assert!(band.is_idle());
}

#[test]
fn who_breaks_off_leaves_the_band_to_others() {
    let rates = wire(1e6);
    let mut band = begun(Sharing::Equal, &[4000, 4000], &rates);
    let lost = band.end(0, Instant(2 * MS), &rates).unwrap();
    assert_eq!((lost.delivered, lost.left), (1000, 3000));
    assert_eq!(ends(&band, &rates), [5 * MS]);
}

/// 2500 bits over blocks of 1 ms with 2, 0 and 1 Mbit/s: 2000 go in the first, none in the second,
/// and 500 in the first half of the third.
#[test]
fn what_outlasts_its_block_goes_on_at_the_next_ones_rate() {
    let blocks = |_: u32, share: f64, at: Instant| {
        let block = at.0 / MS;
        Ok(Rate {
            bits_per_second: [2e6, 0.0, 1e6][block as usize % 3] * share,
            until: Some(Instant((block + 1) * MS)),
        })
    };
    let band = begun(Sharing::Exclusive, &[2500], &blocks);
    assert_eq!(ends(&band, &blocks), [2 * MS + MS / 2]);
    assert_eq!(
        band.ends(&blocks).unwrap()[0].airtime,
        Duration(MS + MS / 2)
    );
    let both = begun(Sharing::Equal, &[1000, 1500], &blocks);
    assert_eq!(ends(&both, &blocks), [MS, 2 * MS + MS / 2]);
}

/// At 0 dB and at 15 dB in the whole band: in parts s and 1 − s both rates follow from the formula,
/// and both times are the same.
#[test]
fn the_last_end_is_soonest_if_all_end_together() {
    let rates = radio(vec![vec![1.0], vec![31.0]]);
    let together = begun(Sharing::MinMax, &[1000, 3000], &rates);
    let found = ends(&together, &rates);
    assert!(found[0].abs_diff(found[1]) <= 2, "{found:?}");
    let seconds = found[0] as f64 * 1e-12;
    let part = |gain: f64, bits: f64| {
        // Bisection on s log₂(1 + γ/s) = bits/(B T).
        let (mut low, mut high) = (0.0f64, 1.0f64);
        for _ in 0..100 {
            let s = 0.5 * (low + high);
            if 1e6 * s * (gain / s).ln_1p() / 2f64.ln() < bits / seconds {
                low = s;
            } else {
                high = s;
            }
        }
        low
    };
    let sum = part(1.0, 1000.0) + part(31.0, 3000.0);
    // A picosecond is 10⁻⁹ of the time.
    assert!((sum - 1.0).abs() < 1e-8, "{sum} {found:?}");
    for sharing in [Sharing::Exclusive, Sharing::Equal, Sharing::Proportional] {
        let other = begun(sharing, &[1000, 3000], &rates);
        let last = *ends(&other, &rates).iter().max().unwrap();
        assert!(last > found[1] + 1_000_000, "{sharing:?}");
    }
}

/// Of one efficiency, parts in proportion to bits end together, as late as one after the other.
#[test]
fn parts_in_proportion_end_alike_transfers_together() {
    let rates = wire(1e6);
    for sharing in [Sharing::Proportional, Sharing::MinMax] {
        let band = begun(sharing, &[1000, 3000, 6000], &rates);
        for end in ends(&band, &rates) {
            assert!(end.abs_diff(10 * MS) <= 2, "{sharing:?} {end}");
        }
    }
}

#[test]
fn what_never_ends_is_an_error_with_a_name() {
    let rates = wire(0.0);
    for sharing in [Sharing::Exclusive, Sharing::Equal, Sharing::MinMax] {
        let band = begun(sharing, &[8, 8], &rates);
        let message = band.ends(&rates).unwrap_err().to_string();
        assert!(message.starts_with("transfer 0 does not end"), "{message}");
    }
    let silence = |_: u32, _: f64, at: Instant| {
        Ok(Rate {
            bits_per_second: 0.0,
            until: Some(Instant(at.0 + 1)),
        })
    };
    let mut band = begun(Sharing::Equal, &[8], &silence);
    assert!(matches!(
        band.ends(&silence),
        Err(FluidError::Silent {
            blocks: MOST_BLOCKS,
            ..
        })
    ));
    let nonsense = wire(f64::NAN);
    let error = begun(Sharing::Equal, &[8], &nonsense)
        .ends(&nonsense)
        .unwrap_err();
    assert!(matches!(error, FluidError::Rate { .. }), "{error}");
    let error = band
        .begin(1, MOST_BITS + 1, Instant::ZERO, &silence)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("one can have 72057594037927936 at most")
    );
}

#[test]
fn nothing_takes_no_time() {
    let rates = wire(1.0);
    let mut band = begun(Sharing::Equal, &[0, 2], &rates);
    assert_eq!(ends(&band, &rates), [0, 2_000_000_000_000]);
    assert_eq!(band.end(0, Instant::ZERO, &rates).unwrap().delivered, 0);
}

#[derive(Debug, Clone)]
struct Load {
    sharing: Sharing,
    /// Gap to the beginning before, and bits.
    arrivals: Vec<(u64, u64)>,
    gains: Vec<Vec<f64>>,
}

fn load() -> impl Strategy<Value = Load> {
    let sharing = prop_oneof![
        Just(Sharing::Exclusive),
        Just(Sharing::Equal),
        Just(Sharing::Proportional),
        Just(Sharing::MinMax)
    ];
    let arrivals = prop::collection::vec((0..3 * MS, 1u64..5000), 1..6);
    let blocks = prop_oneof![Just(1usize), 2usize..4];
    (sharing, arrivals, blocks).prop_flat_map(|(sharing, arrivals, blocks)| {
        let gain = prop_oneof![1 => Just(0.0), 4 => 0.01f64..1000.0];
        let gains = prop::collection::vec(gain, blocks - 1);
        // The last block always carries something.
        let gains = (gains, 0.01f64..1000.0)
            .prop_map(|(gains, last)| gains.into_iter().chain([last]).collect());
        prop::collection::vec(gains, arrivals.len()).prop_map(move |gains| Load {
            sharing,
            arrivals: arrivals.clone(),
            gains,
        })
    })
}

/// Lets events happen in order of time; between them asks at the `odd` instants too.
fn simulate(load: &Load, rates: &dyn Rates<u32>, odd: Option<u64>) -> BTreeMap<u32, (u64, Moved)> {
    let mut band = Band::new(load.sharing);
    let mut arrivals = Vec::new();
    let mut time = 0;
    for (id, (gap, bits)) in load.arrivals.iter().enumerate() {
        time += gap;
        arrivals.push((time, id as u32, *bits));
    }
    let mut arrivals = arrivals.into_iter().peekable();
    let mut moved = BTreeMap::new();
    loop {
        let ending = band
            .ends(rates)
            .unwrap()
            .into_iter()
            .min_by_key(|ending| ending.at);
        let next = ending.map(|ending| ending.at.0);
        match arrivals.peek().copied() {
            Some((at, id, bits)) if next.is_none_or(|next| at <= next) => {
                arrivals.next();
                band.begin(id, bits, Instant(at), rates).unwrap();
            }
            _ => {
                let Some(Ending { id, at, .. }) = ending else {
                    return moved;
                };
                if let Some(odd) = odd {
                    let early = Instant(band.now.0 + (at.0 - band.now.0) / odd);
                    band.advance(early, rates).unwrap();
                    assert_eq!(band.clone().ends(rates).unwrap(), band.ends(rates).unwrap());
                }
                moved.insert(id, (at.0, band.end(id, at, rates).unwrap()));
            }
        }
    }
}

proptest! {
    /// Whatever interleaves, what is asked for arrives, no matter who looks on in between.
    #[test]
    fn bits_are_conserved(load in load(), odd in 2u64..9) {
        let rates = radio(load.gains.clone());
        let moved = simulate(&load, &rates, None);
        prop_assert_eq!(moved.len(), load.arrivals.len());
        for (id, (_, moved)) in &moved {
            prop_assert_eq!(moved.delivered, load.arrivals[*id as usize].1);
            prop_assert_eq!(moved.left, 0);
        }
        prop_assert_eq!(simulate(&load, &rates, Some(odd)), moved);
    }

    /// On a wire the band is never idle while something is under way: the last end of a busy
    /// spell is the same however the band is shared, but for a picosecond per rounding.
    #[test]
    fn work_is_conserved(load in load()) {
        let rates = wire(1e6);
        let ends = |sharing| {
            let load = Load { sharing, ..load.clone() };
            let mut ends: Vec<(u64, u32)> = simulate(&load, &rates, None)
                .iter().map(|(id, (at, _))| (*at, *id)).collect();
            ends.sort_unstable();
            ends
        };
        let queue = ends(Sharing::Exclusive);
        // In the order of beginnings, each after the one before and its own bits.
        let (mut time, mut free) = (0, 0);
        for (id, (gap, bits)) in load.arrivals.iter().enumerate() {
            time += gap;
            free = free.max(time) + bits * 1_000_000;
            prop_assert_eq!(queue[id], (free, id as u32));
        }
        for sharing in [Sharing::Equal, Sharing::Proportional, Sharing::MinMax] {
            let last = ends(sharing).last().unwrap().0;
            prop_assert!(last.abs_diff(free) <= 64, "{sharing:?} {last} {free}");
        }
    }

    /// Nobody's division ends the last of a batch sooner than the one that makes all end together.
    #[test]
    fn together_is_the_soonest_end_of_the_last(
        bits in prop::collection::vec(1u64..5000, 1..6),
        gains in prop::collection::vec(0.001f64..1e4, 6),
    ) {
        let rates = radio(gains.into_iter().map(|gain| vec![gain]).collect());
        let last = |sharing| *ends(&begun(sharing, &bits, &rates), &rates).iter().max().unwrap();
        let best = last(Sharing::MinMax);
        let all = ends(&begun(Sharing::MinMax, &bits, &rates), &rates);
        let spread = all.iter().max().unwrap() - all.iter().min().unwrap();
        prop_assert!(spread as f64 <= 2.0 + 1e-9 * best as f64, "{all:?}");
        for sharing in [Sharing::Exclusive, Sharing::Equal, Sharing::Proportional] {
            prop_assert!(last(sharing) as f64 >= best as f64 * (1.0 - 1e-9), "{sharing:?}");
        }
    }
}

proptest! {
    /// The quotient in exact numbers, rounded up; and what a band takes that carries nothing else.
    #[test]
    fn a_steady_rate_is_a_quotient_rounded_up(bits in 0u64..1 << 40, rate in 1u64..1 << 40) {
        let exact = (u128::from(bits) * 1_000_000_000_000).div_ceil(u128::from(rate));
        let rates = wire(rate as f64);
        match steady(bits, rate as f64) {
            Ok(found) => {
                prop_assert_eq!(u128::from(found.0), exact);
                prop_assert_eq!(ends(&begun(Sharing::Equal, &[bits], &rates), &rates), [found.0]);
            }
            Err(_) => prop_assert!(exact > u128::from(u64::MAX)),
        }
    }
}

#[test]
fn no_rate_is_no_time_that_could_be_told() {
    assert!(steady(1, 0.0).is_err() && steady(MOST_BITS + 1, 1e30).is_err());
    assert_eq!(steady(0, 0.0), Ok(Duration::ZERO));
    assert_eq!(steady(1, f64::INFINITY), Ok(Duration(1)));
}
