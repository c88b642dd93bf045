//! 3GPP TR 38.901 against its tables: path losses worked by hand, the laws that its
//! formulas obey, and what is drawn for a device against the stated distributions.

use airloom::radio::{
    Distance, Environment, Fading, FadingModel, Geometry, LargeScale, Sight, Tr38901,
};
use airloom::rng::Streams;
use airloom::units::{Decibels, Hertz, Meters};
use num_complex::Complex;
use proptest::prelude::*;

use Environment::{InHMixedOffice, InHOpenOffice, UMa, UMiStreetCanyon};

const SEEDS: Streams = Streams { seed: 11, run: 0 };
const ALL: [Environment; 4] = [UMiStreetCanyon, UMa, InHMixedOffice, InHOpenOffice];

fn geometry(gigahertz: f64, distance: f64, device_height: f64) -> Geometry {
    Geometry {
        carrier: Hertz(gigahertz * 1e9),
        distance: Meters(distance),
        device_height: Meters(device_height),
        environment_height: Meters(1.0),
    }
}

#[track_caller]
fn holds(found: f64, by_hand: f64) {
    assert!(
        (found - by_hand).abs() < 0.05,
        "{found} dB, not {by_hand} dB"
    );
}

/// Line of sight in a street canyon, h_BS = 10 m, h_UT = 1.5 m, h_E = 1 m, f = 3.5 GHz:
/// d'_BP = 4 · 9 · 0.5 · 3.5e9/3e8 = 210 m; 20 log 3.5 = 10.881.
#[test]
fn street_canyon_with_line_of_sight() {
    let near = geometry(3.5, 100.0, 1.5);
    assert!((UMiStreetCanyon.breakpoint(&near) - 210.0).abs() < 1e-9);
    // d_3D = √(100² + 8.5²) = 100.361, log 2.00156: 32.4 + 42.033 + 10.881.
    holds(UMiStreetCanyon.path_loss_db(true, &near), 85.314);
    // d_3D = 500.072, log 2.69903: 32.4 + 107.961 + 10.881 − 9.5 log(210² + 8.5²) =
    // 151.242 − 9.5 · 4.64515 = 151.242 − 44.129.
    let far = geometry(3.5, 500.0, 1.5);
    holds(UMiStreetCanyon.path_loss_db(true, &far), 107.114);
}

#[test]
fn street_canyon_without_line_of_sight() {
    // 22.4 + 35.3 · 2.00156 + 21.3 log 3.5 (0.544068) = 22.4 + 70.655 + 11.589.
    let low = geometry(3.5, 100.0, 1.5);
    holds(UMiStreetCanyon.path_loss_db(false, &low), 104.644);
    // 28 GHz, 200 m, h_UT = 10.5 m: d_3D = 200.001, log 2.30103, log 28 = 1.44716:
    // 22.4 + 81.226 + 30.824 − 0.3 · 9.
    let high = geometry(28.0, 200.0, 10.5);
    holds(UMiStreetCanyon.path_loss_db(false, &high), 131.751);
}

#[test]
fn macro_cell_with_line_of_sight() {
    // d'_BP = 4 · 24 · 0.5 · 3.5e9/3e8 = 560 m; d_3D = √(200² + 23.5²) = 201.376,
    // log 2.30401: 28 + 50.688 + 10.881.
    let near = geometry(3.5, 200.0, 1.5);
    assert!((UMa.breakpoint(&near) - 560.0).abs() < 1e-9);
    holds(UMa.path_loss_db(true, &near), 89.570);
    // 2 GHz: d'_BP = 320 m; d_3D = 1000.276, log 3.00012; 20 log 2 = 6.0206:
    // 28 + 120.005 + 6.021 − 9 log(320² + 23.5²) = 154.025 − 9 · 5.01263.
    let far = geometry(2.0, 1000.0, 1.5);
    holds(UMa.path_loss_db(true, &far), 108.912);
}

/// With h_E = 15 m a device at 21.5 m is only 6.5 m above its surroundings:
/// d'_BP = 4 · 10 · 6.5 · 6e9/3e8 = 5200 m, not 4 · 24 · 20.5 · 20 = 39 360 m.
#[test]
fn effective_environment_height_moves_the_breakpoint() {
    let open = geometry(6.0, 1000.0, 21.5);
    assert!((UMa.breakpoint(&open) - 39_360.0).abs() < 1e-6);
    let built = Geometry {
        environment_height: Meters(15.0),
        ..open
    };
    assert!((UMa.breakpoint(&built) - 5200.0).abs() < 1e-6);
}

#[test]
fn macro_cell_without_line_of_sight() {
    // d_3D = √(500² + 23.5²) = 500.552, log 2.69945: 13.54 + 105.495 + 10.881.
    let low = geometry(3.5, 500.0, 1.5);
    holds(UMa.path_loss_db(false, &low), 129.916);
    // 6 GHz, 1 km, h_UT = 21.5 m: log d_3D = 3.0000; 20 log 6 = 15.563:
    // 13.54 + 117.240 + 15.563 − 0.6 · 20.
    let high = geometry(6.0, 1000.0, 21.5);
    holds(UMa.path_loss_db(false, &high), 134.343);
}

#[test]
fn offices() {
    for office in [InHMixedOffice, InHOpenOffice] {
        // d_3D = √(10² + 2²) = 10.198, log 1.00852; 20 log 5 = 13.979:
        // 32.4 + 17.447 + 13.979.
        holds(office.path_loss_db(true, &geometry(5.0, 10.0, 1.0)), 63.827);
        // d_3D = 40.050, log 1.60260: 17.3 + 61.380 + 24.9 · 0.69897 (17.404).
        holds(
            office.path_loss_db(false, &geometry(5.0, 40.0, 1.0)),
            96.084,
        );
        // At 0.5 GHz and 2.236 m the formula without sight gives 17.3 + 13.385 − 7.496 =
        // 23.189 dB, less than with sight, 32.4 + 6.046 − 6.021: the larger one counts.
        holds(office.path_loss_db(false, &geometry(0.5, 1.0, 1.0)), 32.425);
    }
}

/// Table 7.4.1-1's σ_SF and Table 7.4.2-1's probabilities, by hand.
#[test]
fn line_of_sight_probabilities() {
    let probability = |environment: Environment, distance, height| {
        environment.line_of_sight_probability(Meters(distance), Meters(height))
    };
    for (environment, distance, height, by_hand) in [
        (UMiStreetCanyon, 18.0, 1.5, 1.0),
        // 0.18 + e^(−2.77778) · 0.82 = 0.18 + 0.062177 · 0.82.
        (UMiStreetCanyon, 100.0, 1.5, 0.230_985),
        // 0.18 + e^(−1.58730) · 0.82 = 0.18 + 0.204477 · 0.82.
        (UMa, 100.0, 1.5, 0.347_671),
        // C' = 1 at 23 m; × (1 + 1.25 e^(−0.66667)) = 1.641771.
        (UMa, 100.0, 23.0, 0.570_797),
        (InHMixedOffice, 1.2, 1.0, 1.0),
        // e^(−2.8/4.7) and 0.32 e^(−1).
        (InHMixedOffice, 4.0, 1.0, 0.551_152),
        (InHMixedOffice, 39.1, 1.0, 0.117_721),
        (InHOpenOffice, 5.0, 1.0, 1.0),
        // e^(−35/70.8) and 0.54 e^(−51/211.7).
        (InHOpenOffice, 40.0, 1.0, 0.609_967),
        (InHOpenOffice, 100.0, 1.0, 0.424_394),
    ] {
        let found = probability(environment, distance, height);
        assert!(
            (found - by_hand).abs() < 2e-6,
            "{environment:?} {distance} m: {found}"
        );
    }
}

fn model(environment: Environment, distance: f64) -> Tr38901 {
    Tr38901 {
        environment,
        carrier: Hertz(3.5e9),
        distance: Distance::All(Meters(distance)),
        device_height: None,
        sight: Sight::Drawn,
        shadowing: true,
        rice_factor: None,
    }
}

fn links(model: &Tr38901, devices: usize) -> Vec<LargeScale> {
    (0..devices).map(|n| model.link(SEEDS, n)).collect()
}

/// Φ(x) by Simpson's rule on 400 intervals from −10.
fn normal_cdf(x: f64) -> f64 {
    let x = x.clamp(-10.0, 10.0);
    let step = (x + 10.0) / 400.0;
    let density = |k: i32| {
        let at = -10.0 + f64::from(k) * step;
        (-at * at / 2.0).exp()
    };
    let inner: f64 = (1..400)
        .map(|k| if k % 2 == 1 { 4.0 } else { 2.0 } * density(k))
        .sum();
    (density(0) + inner + density(400)) * step / 3.0 / std::f64::consts::TAU.sqrt()
}

#[test]
fn devices_see_the_server_as_often_as_the_table_says() {
    let devices = 20_000;
    for (environment, distance) in [(UMiStreetCanyon, 60.0), (UMa, 150.0), (InHOpenOffice, 60.0)] {
        let model = model(environment, distance);
        let height = environment.device_height();
        let expected = environment.line_of_sight_probability(Meters(distance), height);
        let seen = links(&model, devices)
            .iter()
            .filter(|l| l.line_of_sight)
            .count();
        let deviation = (expected * (1.0 - expected) / devices as f64).sqrt();
        let found = seen as f64 / devices as f64;
        assert!(
            (found - expected).abs() < 4.0 * deviation,
            "{environment:?}: {found}"
        );
    }
}

/// σ_SF of Table 7.4.1-1; the distance of Kolmogorov and Smirnov stays below 1.95/√n in
/// 999 of 1000 cases.
#[test]
fn shadowing_is_normal_with_the_tables_deviation() {
    for (environment, sight, deviation) in [
        (UMiStreetCanyon, Sight::LineOfSight, 4.0),
        (UMiStreetCanyon, Sight::NonLineOfSight, 7.82),
        (UMa, Sight::LineOfSight, 4.0),
        (UMa, Sight::NonLineOfSight, 6.0),
        (InHMixedOffice, Sight::LineOfSight, 3.0),
        (InHOpenOffice, Sight::NonLineOfSight, 8.03),
    ] {
        let model = Tr38901 {
            sight,
            ..model(environment, 50.0)
        };
        let mut decibels: Vec<f64> = links(&model, 10_000)
            .iter()
            .map(|l| l.shadowing_db)
            .collect();
        decibels.sort_by(f64::total_cmp);
        let n = decibels.len() as f64;
        let distance = decibels
            .iter()
            .enumerate()
            .map(|(i, x)| (normal_cdf(x / deviation) - (i as f64 + 0.5) / n).abs())
            .fold(0.0, f64::max);
        assert!(
            distance < 1.95 / n.sqrt(),
            "{environment:?} {sight:?}: {distance}"
        );
    }
}

/// At 22.5 m and 300 m: C = 0.95^1.5 · 1.25 · 27 e^(−2) = 4.229317, so h_E = 1 m for
/// 1/5.229317 = 19.12 % of the devices, and 12, 15, 18 or 21 m for 20.22 % each. The
/// path loss tells which: beyond d'_BP = 280 (24 · 21.5 → 24080 m … 4 · 1.5 → 280 m at
/// 21 m) only the last has its breakpoint before 300 m.
#[test]
fn effective_environment_heights_are_as_frequent_as_note_1_says() {
    let model = Tr38901 {
        device_height: Some(Meters(22.5)),
        sight: Sight::LineOfSight,
        ..model(UMa, 300.0)
    };
    let devices = 20_000;
    let losses = links(&model, devices);
    let geometry = geometry(3.5, 300.0, 22.5);
    let beyond = UMa.path_loss_db(
        true,
        &Geometry {
            environment_height: Meters(21.0),
            ..geometry
        },
    );
    let before = UMa.path_loss_db(true, &geometry);
    assert!(beyond > before + 0.1);
    let turned = losses.iter().filter(|l| l.path_loss_db == beyond).count();
    assert!(
        losses
            .iter()
            .all(|l| l.path_loss_db == beyond || l.path_loss_db == before)
    );
    let expected = (1.0 - 1.0 / 5.229_317) / 4.0;
    let found = turned as f64 / devices as f64;
    assert!(
        (found - expected).abs() < 4.0 * (expected / devices as f64).sqrt(),
        "{found}"
    );
}

/// g = 10^(−(PL + SF)/10) reaches the entries, K of it through the mean.
#[test]
fn entries_have_the_power_and_rice_factor_of_their_link() {
    let tr38901 = Tr38901 {
        sight: Sight::LineOfSight,
        rice_factor: Some(Decibels(6.0)),
        ..model(UMiStreetCanyon, 80.0)
    };
    let link = tr38901.link(SEEDS, 3);
    let fading = Fading::Tr38901(tr38901);
    let channel = fading.draw(SEEDS, 3, 0, 300, 300);
    let n = channel.len() as f64;
    let mean = channel.iter().sum::<Complex<f64>>() / n;
    let scattered = channel.iter().map(|h| (h - mean).norm_sqr()).sum::<f64>() / n;
    let power = mean.norm_sqr() + scattered;
    let expected = -link.path_loss_db - link.shadowing_db;
    assert!((10.0 * power.log10() - expected).abs() < 0.03);
    assert!((10.0 * (mean.norm_sqr() / scattered).log10() - 6.0).abs() < 0.06);
}

/// What is drawn for one device depends on nothing else.
#[test]
fn law_6_a_link_is_named_by_seed_and_device() {
    let with = model(UMa, 150.0);
    let without = Tr38901 {
        shadowing: false,
        ..with.clone()
    };
    for n in 0..50 {
        let (a, b) = (with.link(SEEDS, n), without.link(SEEDS, n));
        assert_eq!(a, with.link(SEEDS, n));
        assert_eq!(b.shadowing_db, 0.0);
        assert_eq!(
            (a.line_of_sight, a.path_loss_db),
            (b.line_of_sight, b.path_loss_db)
        );
    }
    let other = Streams { seed: 12, run: 0 };
    assert_ne!(
        with.link(SEEDS, 0).shadowing_db,
        with.link(other, 0).shadowing_db
    );
    assert_ne!(
        with.link(SEEDS, 0).shadowing_db,
        with.link(SEEDS, 1).shadowing_db
    );
}

#[test]
fn what_the_tables_do_not_cover_is_refused_by_path() {
    let refuse = |model: Tr38901| {
        let fault = Fading::Tr38901(model).validate(2).unwrap_err();
        (fault.path, fault.message)
    };
    for (carrier, refused) in [
        (0.49e9, true),
        (0.5e9, false),
        (100e9, false),
        (101e9, true),
        (f64::NAN, true),
    ] {
        let model = Tr38901 {
            carrier: Hertz(carrier),
            ..model(UMa, 100.0)
        };
        if refused {
            let (path, message) = refuse(model);
            assert_eq!(path, "carrier");
            assert!(message.ends_with("use 0.5 GHz to 100 GHz"), "{message}");
        } else {
            model.validate(2).unwrap();
        }
    }
    for distance in [9.9, 5000.1, f64::NAN, -20.0] {
        let (path, message) = refuse(model(UMiStreetCanyon, distance));
        assert_eq!(path, "distance");
        assert!(
            message.contains("UMiStreetCanyon; use 10 m to 5 km"),
            "{message}"
        );
    }
    // 149.99 m along the floor are 150.003 m to the ceiling.
    for distance in [149.99, f64::NAN, -5.0] {
        assert_eq!(refuse(model(InHMixedOffice, distance)).0, "distance");
    }
    model(InHMixedOffice, 149.98).validate(2).unwrap();
    for height in [1.4, 22.6, f64::NAN] {
        let tall = Tr38901 {
            device_height: Some(Meters(height)),
            ..model(UMa, 100.0)
        };
        assert_eq!(refuse(tall).0, "device_height");
    }
    let three = Distance::Each([50.0; 3].map(Meters).to_vec());
    let many = Tr38901 {
        distance: three,
        ..model(UMa, 100.0)
    };
    assert_eq!(refuse(many).0, "distance");
}

fn any_environment() -> impl Strategy<Value = Environment> {
    (0..ALL.len()).prop_map(|index| ALL[index])
}

proptest! {
    /// 40 − 2 · 9.5 = 21 and 40 − 2 · 9 = 22: the two slopes meet at the breakpoint.
    #[test]
    fn path_loss_is_continuous_at_the_breakpoint(
        environment in prop_oneof![Just(UMiStreetCanyon), Just(UMa)],
        gigahertz in 0.5f64..100.0,
        height in 1.5f64..22.5,
    ) {
        let breakpoint = environment.breakpoint(&geometry(gigahertz, 1.0, height));
        let at = |factor: f64| {
            environment.path_loss_db(true, &geometry(gigahertz, factor * breakpoint, height))
        };
        prop_assert!((at(1.0 + 1e-9) - at(1.0 - 1e-9)).abs() < 1e-6);
    }

    /// Farther is weaker, hidden is weaker, and a doubled carrier costs at least 6.02 dB
    /// within the breakpoint.
    #[test]
    fn path_loss_is_monotonic(
        environment in any_environment(),
        gigahertz in 0.5f64..50.0,
        distance in 10.0f64..140.0,
        factor in 1.0f64..10.0,
        seen in any::<bool>(),
    ) {
        let height = environment.device_height().0;
        let at = |gigahertz, distance, seen| {
            environment.path_loss_db(seen, &geometry(gigahertz, distance, height))
        };
        let loss = at(gigahertz, distance, seen);
        prop_assert!(at(gigahertz, distance * factor, seen) >= loss);
        prop_assert!(at(gigahertz, distance, false) >= at(gigahertz, distance, true));
        prop_assert!(at(2.0 * gigahertz, distance, seen) > loss);
    }
}
