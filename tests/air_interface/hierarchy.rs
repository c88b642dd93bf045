//! Hierarchies: a level more is an error more and a time more, and a level of nobody is nothing.

use crate::{air, config, round, schemes, slices, tensors, unit_tensors};
use airloom::radio::{
    Air, AirComp, Cluster, Clusters, Digital, Distortion, Fading, Hierarchy, LinkBudget, LinkRate,
    RadioConfig, Rician, Scheme, SubchannelPower, Turns,
};
use airloom::units::{Decibels, Instant, Seconds, SpectralEfficiency};
use std::collections::BTreeSet;

pub(super) const OVER_THE_AIR: AirComp = AirComp {
    streams: 4,
    reals_per_symbol: 2,
};

pub(super) fn levels(clusters: Clusters, within: Scheme, between: Scheme) -> Hierarchy {
    Hierarchy {
        clusters,
        within: Box::new(within),
        between: Box::new(between),
        ..Hierarchy::default()
    }
}

pub(super) fn two_levels(clusters: usize) -> Hierarchy {
    levels(
        Clusters::Equal(clusters),
        Scheme::AirComp(OVER_THE_AIR),
        Scheme::AirComp(OVER_THE_AIR),
    )
}

fn exact(parts: &[Vec<f32>]) -> Vec<f64> {
    let entry = |n: usize| parts.iter().map(|part| f64::from(part[n])).sum();
    (0..parts[0].len()).map(entry).collect()
}

/// The largest error over the largest entry.
fn off(sum: &[f32], parts: &[Vec<f32>]) -> f64 {
    let exact = exact(parts);
    let largest = exact.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let errors = sum
        .iter()
        .zip(&exact)
        .map(|(a, b)| (f64::from(*a) - b).abs());
    errors.fold(0.0, f64::max) / largest
}

/// A level at which nobody sends leaves what is above as it is, bit for bit.
#[test]
fn clusters_of_one_are_the_flat_sum() {
    let parts = tensors(6, 512, 0);
    for scheme in schemes() {
        let mut flat = air(config(10.0), scheme.clone(), 6);
        let deep = levels(Clusters::Equal(6), Scheme::default(), scheme.clone());
        let deeper = levels(
            Clusters::Equal(6),
            Scheme::default(),
            Scheme::Hierarchy(deep.clone()),
        );
        for hierarchy in [deep, deeper] {
            let mut levelled = air(config(10.0), Scheme::Hierarchy(hierarchy), 6);
            for index in 0..3 {
                let (sum, felt, plan) = round(&mut flat, index, &parts);
                let (own_sum, own_felt, own_plan) = round(&mut levelled, index, &parts);
                assert_eq!(sum, own_sum, "{scheme:?}");
                assert_eq!(felt, own_felt, "{scheme:?}");
                assert_eq!(plan, own_plan, "{scheme:?}");
                let expected = |air: &mut Air| {
                    let round = air.round(index, Instant::ZERO).unwrap();
                    round.plan(512).unwrap();
                    round.expected(512)
                };
                assert_eq!(expected(&mut flat), expected(&mut levelled));
            }
        }
    }
}

/// The mean of what 24 rounds did, each on channels of its own.
fn felt(hierarchy: &Hierarchy, config: &RadioConfig, parts: &[Vec<f32>]) -> Distortion {
    let scheme = Scheme::Hierarchy(hierarchy.clone());
    let mut air = air(config.clone(), scheme, parts.len());
    let mut mean = Distortion::default();
    const ROUNDS: u64 = 24;
    for index in 0..ROUNDS {
        let (_, one, _) = round(&mut air, index, parts);
        mean.error += one.error / ROUNDS as f64;
        mean.noise += one.noise / ROUNDS as f64;
        mean.misalignment += one.misalignment / ROUNDS as f64;
        mean.analytic += one.analytic / ROUNDS as f64;
    }
    mean
}

/// Law 8 per level: with an exact sum at one level, all of the error is the other's; with none it
/// is the sum of both.
#[test]
fn law_8_the_errors_of_levels_add_up() {
    let parts = unit_tensors(12, 4096, 1);
    let config = config(15.0);
    let of = |within: Scheme, between: Scheme| {
        let hierarchy = Hierarchy {
            head_antennas: Some(12),
            ..levels(Clusters::Equal(3), within, between)
        };
        felt(&hierarchy, &config, &parts)
    };
    let analog = || Scheme::AirComp(OVER_THE_AIR);
    let below = of(analog(), Scheme::Ideal);
    let above = of(Scheme::Ideal, analog());
    let both = of(analog(), analog());
    for felt in [&below, &above, &both] {
        assert!(felt.analytic > 0.0);
        let ratio = felt.error / felt.analytic;
        assert!((ratio - 1.0).abs() < 0.02, "{felt:?}");
    }
    // Heads send what they heard, noise too, so that their scale rises by as much.
    for (one, other, sum) in [
        (below.analytic, above.analytic, both.analytic),
        (below.error, above.error, both.error),
    ] {
        let ratio = sum / (one + other);
        assert!((ratio - 1.0).abs() < 0.03, "{one} + {other} is not {sum}");
    }
}

/// What is expected without tensors is what independent entries of unit variance feel, at any depth.
#[test]
fn law_8_what_is_expected_of_levels_is_what_they_do() {
    let parts = unit_tensors(16, 8192, 2);
    let deep = Hierarchy {
        head_antennas: Some(10),
        between: Box::new(Scheme::Hierarchy(Hierarchy {
            head_antennas: Some(10),
            ..two_levels(3)
        })),
        ..two_levels(8)
    };
    let mut air = air(config(20.0), Scheme::Hierarchy(deep), 16);
    for index in 0..4 {
        let (_, felt, _) = round(&mut air, index, &parts);
        let expected = air.round(index, Instant::ZERO).unwrap().expected(8192);
        let expected = expected.unwrap();
        assert_eq!(expected.symbols, felt.symbols);
        let ratio = felt.analytic / expected.error;
        assert!((ratio - 1.0).abs() < 0.05, "{ratio}");
    }
}

#[test]
fn without_noise_any_depth_is_exact() {
    let parts = tensors(13, 777, 3);
    let quiet = config(240.0);
    let three = Hierarchy {
        between: Box::new(Scheme::Hierarchy(two_levels(2))),
        ..two_levels(5)
    };
    let scattered = levels(
        Clusters::Listed(vec![
            cluster(&[12, 0, 7], Some(7)),
            cluster(&[1, 2, 3, 4], None),
            cluster(&[5], None),
            cluster(&[11, 10, 9, 8, 6], Some(6)),
        ]),
        Scheme::AirComp(OVER_THE_AIR),
        Scheme::AirComp(OVER_THE_AIR),
    );
    let ideal = levels(Clusters::Equal(4), Scheme::Ideal, Scheme::Ideal);
    let mixed = levels(
        Clusters::Equal(1),
        Scheme::Digital(Digital {
            bits: 32,
            ..Digital::default()
        }),
        Scheme::AirComp(OVER_THE_AIR),
    );
    for hierarchy in [two_levels(4), three, scattered, ideal, mixed] {
        let mut air = air(quiet.clone(), Scheme::Hierarchy(hierarchy.clone()), 13);
        let (sum, felt, _) = round(&mut air, 0, &parts);
        let off = off(&sum, &parts);
        assert!(off < 1e-6, "{hierarchy:?}: {off}");
        assert!(felt.nmse < 1e-12, "{hierarchy:?}: {}", felt.nmse);
    }
}

pub(super) fn cluster(members: &[usize], head: Option<usize>) -> Cluster {
    Cluster {
        members: members.to_vec(),
        head,
        band: None,
    }
}

/// Who is no head of its level sends once, and sends all that it has: no bit more or less than
/// without levels.
#[test]
fn every_device_sends_once_at_any_depth() {
    let digital = || {
        Scheme::Digital(Digital {
            bits: 6,
            rate: LinkRate::Fixed(SpectralEfficiency(4.0)),
            ..Digital::default()
        })
    };
    let two = levels(Clusters::Equal(4), digital(), digital());
    let three = levels(
        Clusters::Equal(9),
        digital(),
        Scheme::Hierarchy(levels(Clusters::Equal(2), digital(), digital())),
    );
    let mut bits = BTreeSet::new();
    for scheme in [digital(), Scheme::Hierarchy(two), Scheme::Hierarchy(three)] {
        let mut air = air(config(20.0), scheme, 18);
        let plan = air.round(0, Instant::ZERO).unwrap().plan(640).unwrap();
        let sent: Vec<u64> = plan
            .uplink
            .transmissions
            .iter()
            .map(|sent| sent.bits)
            .collect();
        assert_eq!(sent, vec![6 * 640; 18]);
        bits.insert(sent.iter().sum::<u64>());
        let mut senders: Vec<usize> = air.senders().to_vec();
        for cluster in air.levels().iter().flat_map(|level| level.clusters()) {
            assert!(!cluster.senders().contains(&cluster.head()));
            senders.extend(cluster.senders());
        }
        senders.sort_unstable();
        assert_eq!(senders, (0..18).collect::<Vec<_>>());
    }
    assert_eq!(bits.len(), 1);
}

/// On a part b of the band a cluster takes 1/b as long. At the same energy per symbol nothing else
/// changes; with all power on it, noise is b of what it was.
#[test]
fn parts_of_the_band_take_longer_and_may_be_louder() {
    let parts = unit_tensors(8, 4096, 4);
    let config = RadioConfig {
        round_overhead: Seconds(3e-6),
        ..config(10.0)
    };
    let listed = |bands: [Option<f64>; 2]| {
        let [one, two] = bands;
        Clusters::Listed(vec![
            Cluster {
                band: one,
                ..cluster(&[0, 1, 2, 3], None)
            },
            Cluster {
                band: two,
                ..cluster(&[4, 5, 6, 7], None)
            },
        ])
    };
    let of = |bands, turns, part_power| {
        let hierarchy = Hierarchy {
            turns,
            part_power,
            ..levels(listed(bands), Scheme::AirComp(OVER_THE_AIR), Scheme::Ideal)
        };
        round(
            &mut air(config.clone(), Scheme::Hierarchy(hierarchy), 8),
            0,
            &parts,
        )
    };
    let bands = [Some(0.25), Some(0.5)];
    let (sum, turns, whole) = of([None; 2], Turns::InTurn, SubchannelPower::PerSymbol);
    let (part_sum, _, part) = of(bands, Turns::AtOnce, SubchannelPower::PerSymbol);
    assert_eq!(sum, part_sum);
    for (device, band) in [(1, 0.25), (2, 0.25), (5, 0.5), (7, 0.5)] {
        let [whole, part] = [&whole, &part].map(|plan| plan.uplink.transmissions[device]);
        // 4096 entries are 512 uses at 10 MHz.
        assert_eq!(whole.duration.0, 51_200_000 + 3_000_000);
        assert_eq!(part.duration.0, (51_200_000.0 / band) as u64 + 3_000_000);
        // A part of the watts for as much longer.
        assert!((part.joules.unwrap() / whole.joules.unwrap() - 1.0).abs() < 1e-12);
    }
    let (_, loud, louder) = of([Some(0.25); 2], Turns::AtOnce, SubchannelPower::Whole);
    let ratio = loud.analytic / turns.analytic;
    assert!((ratio - 0.25).abs() < 1e-3, "{ratio}");
    let joules = |device: usize, plan: &airloom::radio::Plan| {
        plan.uplink.transmissions[device].joules.unwrap()
    };
    assert!((joules(1, &louder) / joules(1, &whole) - 4.0).abs() < 1e-2);
    // Without parts of their own they are equal.
    let (_, _, equal) = of([None; 2], Turns::AtOnce, SubchannelPower::PerSymbol);
    assert_eq!(
        equal.uplink.transmissions[1].duration.0,
        102_400_000 + 3_000_000
    );
}

/// Law 11: heads meet at the hub the channels that they have there without levels, and every head
/// has draws of its own.
#[test]
fn law_11_heads_meet_the_weather_of_the_flat_sum() {
    let flat = air(config(10.0), Scheme::default(), 9);
    let levelled = air(config(10.0), Scheme::Hierarchy(two_levels(3)), 9);
    assert_eq!(levelled.senders(), [0, 3, 6]);
    let [all, heads] = [&flat, &levelled].map(|air| air.channels(5, Instant::ZERO).unwrap());
    for (place, head) in levelled.senders().iter().enumerate() {
        assert_eq!(all[*head], heads[place]);
    }
    // Equal parts in all clusters: only channels and noise differ.
    let one = unit_tensors(1, 256, 6).remove(0);
    let silent = vec![0.0; 256];
    let noise = |loud: usize| {
        let only = (0..9).map(|n| {
            if n == loud {
                one.clone()
            } else {
                silent.clone()
            }
        });
        let parts: Vec<Vec<f32>> = only.collect();
        let hierarchy = Hierarchy {
            between: Box::new(Scheme::Ideal),
            ..two_levels(3)
        };
        let (sum, ..) = round(
            &mut air(config(10.0), Scheme::Hierarchy(hierarchy), 9),
            0,
            &parts,
        );
        sum
    };
    let sums = [1, 4, 7].map(noise);
    assert!(sums[0] != sums[1] && sums[1] != sums[2] && sums[0] != sums[2]);
}

/// What a level says of itself holds there alone.
#[test]
fn a_level_has_a_budget_and_channels_of_its_own() {
    let parts = unit_tensors(8, 2048, 7);
    let near = Hierarchy {
        budget: Some(LinkBudget::Normalised {
            snr: Decibels(40.0),
            reference_power: None,
        }),
        fading: Some(Fading::Rician(Rician::default())),
        between: Box::new(Scheme::Ideal),
        ..two_levels(2)
    };
    let far = Hierarchy {
        budget: None,
        ..near.clone()
    };
    let [near, far] = [near, far].map(|hierarchy| felt(&hierarchy, &config(10.0), &parts));
    let ratio = far.analytic / near.analytic;
    assert!((ratio / 1000.0 - 1.0).abs() < 1e-3, "{ratio}");
}

/// Far more devices than a hub's antennas: law 8 holds, and every entry arrives.
#[test]
fn a_thousand_devices_sum() {
    let parts = unit_tensors(1024, 64, 8);
    let hierarchy = Hierarchy {
        head_antennas: Some(8),
        ..Hierarchy::default()
    };
    let mut air = air(config(60.0), Scheme::Hierarchy(hierarchy), 1024);
    assert_eq!(air.levels()[0].clusters().len(), 32);
    let mut sum = vec![0.0; 64];
    let round = air.round(0, Instant::ZERO).unwrap();
    let felt = round.reduce(&slices(&parts), &mut sum).unwrap();
    assert!(felt.nmse < 1e-2, "{felt:?}");
    assert!(felt.error < 3.0 * felt.analytic, "{felt:?}");
}
