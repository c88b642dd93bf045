//! Devices against closed forms, against a published table, and against their own
//! data sheets; and the errors a user meets.

use airloom::device::{
    DeviceError, DeviceProfile, Few, Footprint, Frequency, Group, Heat, Measured, MeasuredAt,
    PRESETS, Power, Profile, WeightRate,
};
use airloom::model::Work;
use airloom::policy::Design;
use airloom::radio::{Air, Digital, LinkRate, RadioConfig, Scheme};
use airloom::rng::Streams;
use airloom::units::{
    Bytes, BytesPerSecond, Duration, FlopsPerSecond, Hertz, Instant, JoulesPerByte, JoulesPerFlop,
    ParametersPerSecond, Seconds, SpectralEfficiency, Watts,
};
use proptest::prelude::*;

fn device() -> DeviceProfile {
    DeviceProfile {
        efficiency: 0.5,
        overhead: Seconds(10e-6),
        energy_per_flop: Some(JoulesPerFlop(1e-12)),
        energy_per_byte: Some(JoulesPerByte(50e-12)),
        idle_power: Some(Watts(5.0)),
        ..DeviceProfile::roofline(FlopsPerSecond(10e12), BytesPerSecond(100e9), Bytes(8e9))
    }
}

const ALONE: Group = Group {
    devices: 1,
    weights: 0,
};

#[test]
fn time_is_the_higher_roof_plus_overhead() {
    let bound_by = |flops, bytes| {
        let work = Work {
            flops,
            bytes,
            ..Work::default()
        };
        device().compute(&work, ALONE).unwrap()
    };
    // 5 GFLOP at 5 TFLOP/s take 1 ms, 100 MB at 100 GB/s as long.
    assert_eq!(
        bound_by(5_000_000_000, 1000).duration,
        Duration(1_010_000_000)
    );
    assert_eq!(
        bound_by(1000, 100_000_000).duration,
        Duration(1_010_000_000)
    );
    let joules = bound_by(5_000_000_000, 100_000_000).joules.unwrap();
    assert!((joules - (5e-3 + 5e-3)).abs() < 1e-15);
}

#[test]
fn nothing_to_do_takes_no_time_and_no_energy() {
    let idle = device().compute(&Work::default(), ALONE).unwrap();
    assert_eq!((idle.duration, idle.joules), (Duration::ZERO, Some(0.0)));
}

#[test]
fn energy_unknown_is_absent_not_zero() {
    let silent = DeviceProfile {
        energy_per_byte: None,
        ..device()
    };
    let work = Work {
        flops: 1,
        bytes: 1,
        weights: 1,
        ..Work::default()
    };
    assert_eq!(silent.compute(&work, ALONE).unwrap().joules, None);
    assert_eq!(silent.joules_per_weight(16.0), None);
    let per_weight = device().joules_per_weight(16.0).unwrap();
    assert!((per_weight - (2.0 * 50e-12 + 2e-12)).abs() < 1e-24);
}

/// Zhang et al., "Distributed On-Device LLM Inference With Over-the-Air Computation",
/// Table I: ms per token for N = 1, 2, 4, 8, digital and over the air.
struct Row {
    weights: f64,
    layers: f64,
    hidden: usize,
    slowdown: f64,
    efficiency: f64,
    digital: [Option<f64>; 4],
    air: [Option<f64>; 4],
}

#[test]
fn table_i_comes_out_of_profile_and_air_time() {
    let cells =
        |one: Option<f64>, rest: [f64; 3]| [one, Some(rest[0]), Some(rest[1]), Some(rest[2])];
    let rows = [
        Row {
            weights: 6.607e9,
            layers: 32.0,
            hidden: 4096,
            slowdown: 1.0,
            // The paper does not explain why its smallest model's links are faster.
            efficiency: 21.7,
            digital: cells(Some(114.2), [85.2, 79.5, 108.3]),
            air: cells(Some(114.2), [69.7, 45.7, 37.8]),
        },
        Row {
            weights: 12.852e9,
            layers: 40.0,
            hidden: 5120,
            slowdown: 1.0,
            efficiency: 13.1,
            digital: cells(Some(217.3), [174.0, 176.6, 261.4]),
            air: cells(Some(217.3), [128.5, 81.3, 66.4]),
        },
        Row {
            weights: 68.71e9,
            layers: 80.0,
            hidden: 8192,
            slowdown: 1.0,
            efficiency: 13.1,
            digital: cells(None, [807.3, 729.7, 981.6]),
            air: cells(None, [660.9, 423.0, 354.2]),
        },
        Row {
            weights: 69.50e9,
            layers: 80.0,
            hidden: 8192,
            slowdown: 1.104,
            efficiency: 13.1,
            digital: cells(None, [893.2, 783.8, 1033.6]),
            air: cells(None, [746.8, 477.1, 406.0]),
        },
    ];
    let preset = Profile::Preset("table-i-vm".to_owned()).resolve().unwrap();
    let mut errors = Vec::new();
    for row in &rows {
        let profile = DeviceProfile {
            measured: preset.measured.map(|fit| Measured {
                model_slowdown: row.slowdown,
                ..fit
            }),
            ..preset
        };
        let digital = Scheme::Digital(Digital {
            rate: LinkRate::Fixed(SpectralEfficiency(row.efficiency)),
            ..Digital::default()
        });
        for (scheme, cells) in [(digital, row.digital), (Scheme::default(), row.air)] {
            for (power, cell) in cells.iter().enumerate() {
                let Some(expected) = cell else { continue };
                let devices = 1usize << power;
                let work = Work {
                    flops: (2.0 * row.weights) as u64 / devices as u64,
                    bytes: (0.5625 * row.weights) as u64 / devices as u64,
                    weights: row.weights as u64 / devices as u64,
                    ..Work::default()
                };
                let group = Group {
                    devices,
                    weights: row.weights as u64,
                };
                let compute = profile.compute(&work, group).unwrap().duration;
                let design = Design::default().transceiver_design();
                let streams = Streams { seed: 1, run: 0 };
                let mut air = Air::new(
                    RadioConfig::default(),
                    scheme.clone(),
                    design,
                    devices,
                    streams,
                )
                .unwrap();
                let round = air.round(0, Instant::ZERO).unwrap();
                let uplink = round.plan(row.hidden).unwrap().uplink.transmissions[0].duration;
                let seconds = compute.as_seconds() + 2.0 * row.layers * uplink.as_seconds();
                errors.push((1e3 * seconds / expected - 1.0).abs());
            }
        }
    }
    assert_eq!(errors.len(), 28);
    let worst = errors.iter().copied().fold(0.0, f64::max);
    let mean = errors.iter().sum::<f64>() / 28.0;
    assert!(worst < 0.049 && mean < 0.018, "worst {worst}, mean {mean}");
}

#[test]
fn a_model_that_does_not_fit_is_told_what_it_needs_and_has() {
    let footprint = Footprint {
        weights: 38_600_000_000,
        kv_cache: 1_340_000_000,
        activations: 12_345_678,
    };
    let error = device().check_memory("phone 3", footprint).unwrap_err();
    assert_eq!(
        error.to_string(),
        "phone 3 needs 39.952345678 GB (weights 38.600 GB, KV cache 1.340 GB, \
         activations 12.346 MB) but has 8 GB; give it a smaller share, use more devices, \
         fewer bits per weight or a shorter context"
    );
    assert!(matches!(error, DeviceError::OutOfMemory { .. }));
    let fits = Footprint {
        weights: 8_000_000_000,
        ..Footprint::default()
    };
    assert!(device().check_memory("phone 3", fits).is_ok());
}

/// At both roofs at once a device of a data sheet draws the power that it names.
#[test]
fn presets_draw_their_rated_power_and_are_possible() {
    let mut known = 0;
    for preset in PRESETS {
        let profile = preset.profile;
        profile.validate().unwrap();
        let Some((flop, byte)) = profile.energy_per_flop.zip(profile.energy_per_byte) else {
            continue;
        };
        known += 1;
        let rated = preset.summary.rsplit(", ").next().unwrap();
        let rated: Watts = rated.parse().unwrap();
        let drawn = profile.idle_power.unwrap().0
            + profile.peak.0 * flop.0
            + profile.memory_bandwidth.0 * byte.0;
        assert!(
            (drawn / rated.0 - 1.0).abs() < 1e-12,
            "{}: {drawn} W",
            preset.name
        );
    }
    assert_eq!(known, 8);
}

/// Nothing is called measured or fitted without a source, and what is assumed has a reason.
#[test]
fn presets_say_what_they_rest_on() {
    for preset in PRESETS {
        for (group, ground) in preset.basis.groups() {
            assert!(ground.words().len() > 8, "{} {group}", preset.name);
            if let Some(error) = ground.evidence().and_then(|evidence| evidence.error) {
                assert!((0.0..0.1).contains(&error), "{} {group}", preset.name);
            }
        }
    }
    let basis = Profile::Preset("gcp-c3d-highcpu-30".to_owned()).basis();
    let words: Vec<_> = basis
        .groups()
        .map(|(_, ground)| ground.kind().word())
        .collect();
    let assumed = "assumed";
    assert_eq!(
        words,
        ["fitted", assumed, assumed, "data sheet", assumed, "fitted"]
    );
}

/// Two weights of 4 bits each at 2 G weights/s, 8 bytes of cache at 4 GB/s, and an overhead.
fn board() -> DeviceProfile {
    let rate = |bits, rate| WeightRate {
        bits,
        rate: ParametersPerSecond(rate),
    };
    DeviceProfile {
        cache_rate: Some(BytesPerSecond(4e9)),
        overhead: Seconds(1e-3),
        per_token: Seconds(2e-3),
        measured: Some(Measured {
            weight_rate: None,
            weight_rates: Few::of([rate(4.0, 2e9), rate(8.0, 1e9)]).unwrap(),
            ..Measured::at(ParametersPerSecond(1.0))
        }),
        power: Some(Power {
            idle: Watts(3.0),
            compute_bound: Watts(13.0),
            memory_bound: Watts(8.0),
            measured_at: MeasuredAt::Wall,
        }),
        ..DeviceProfile::roofline(FlopsPerSecond(10e9), BytesPerSecond(10e9), Bytes(8e9))
    }
}

fn step(bits: u64) -> Work {
    Work {
        flops: 40_000_000,
        bytes: 0,
        weights: 20_000_000,
        weight_bytes: 20_000_000 * bits / 8,
        cache_bytes: 8_000_000,
    }
}

#[test]
fn a_measured_board_takes_its_weights_its_cache_and_its_overhead() {
    // 20 M weights: 10 ms at 4 bits, 20 ms at 8; in between linear in time, below constant, above
    // in proportion. Arithmetic takes 4 ms meanwhile. The cache takes 2 ms, launching 1 ms.
    for (bits, ms) in [(4, 10.0), (8, 20.0), (6, 15.0), (2, 10.0), (16, 40.0)] {
        let took = board().compute(&step(bits), ALONE).unwrap();
        let seconds = (ms + 2.0 + 1.0) * 1e-3;
        assert!(
            (took.duration.as_seconds() / seconds - 1.0).abs() < 1e-9,
            "{bits}"
        );
        // 4 ms at 10 W above idling, the rest at 5 W.
        let joules = 4e-3 * 10.0 + (seconds - 4e-3) * 5.0;
        assert!((took.joules.unwrap() / joules - 1.0).abs() < 1e-9, "{bits}");
    }
    let chosen = board().choose_at(&Work::default(), 3, 1.0).unwrap();
    assert_eq!(chosen.duration, Duration(6_000_000_000));
    assert!((chosen.joules.unwrap() - 6e-3 * 5.0).abs() < 1e-12);
    assert_eq!(board().idle(), Some(Watts(3.0)));
}

#[test]
fn a_slower_clock_slows_arithmetic_and_saves_by_its_cube() {
    let at = |ghz: f64| DeviceProfile {
        frequency: Some(Frequency {
            nominal: Hertz(2e9),
            at: Some(Hertz(ghz * 1e9)),
            levels: Few::NONE,
        }),
        ..board()
    };
    let took = at(1.0).compute(&step(4), ALONE).unwrap();
    // Arithmetic 8 ms and launching 2 ms; weights 10 ms and cache 2 ms as before.
    assert_eq!(took.duration, Duration(14_000_000_000));
    let joules = (8e-3 * 10.0 + 6e-3 * 5.0) / 8.0;
    assert!((took.joules.unwrap() / joules - 1.0).abs() < 1e-9);
    let plain = board().compute(&step(4), ALONE).unwrap();
    assert_eq!(at(2.0).compute(&step(4), ALONE).unwrap(), plain);
    let level = DeviceProfile {
        frequency: Some(Frequency {
            nominal: Hertz(2e9),
            at: Some(Hertz(1.1e9)),
            levels: Few::of([Hertz(1e9), Hertz(2e9)]).unwrap(),
        }),
        ..board()
    };
    assert_eq!(level.validate().unwrap_err().path, "frequency.at");
}

/// C dT/dt = P − (T − T_a)/R by small steps.
#[test]
fn heat_follows_its_equation() {
    let heat = Heat {
        ambient: 20.0,
        limit: 80.0,
        resistance: 6.0,
        time_constant: Seconds(90.0),
        throttle: 0.6,
    };
    let (mut celsius, dt) = (35.0, 1e-3);
    for _ in 0..60_000 {
        celsius += dt / 90.0 * (6.0 * 8.0 - (celsius - 20.0));
    }
    assert!((heat.after(35.0, 8.0, 60.0) - celsius).abs() < 1e-3);
    assert!((heat.after(35.0, 8.0, 1e6) - 68.0).abs() < 1e-9);
}

proptest! {
    /// No jump: a little more work takes a little more time and energy, whatever limits it.
    #[test]
    fn time_and_energy_have_no_jumps(flops in 1u64..1 << 30, weights in 1u64..1 << 28, bits in 1u64..16) {
        let work = |flops, weights| Work {
            flops,
            weights,
            weight_bytes: weights * bits / 8 + 1,
            ..Work::default()
        };
        let one = board().compute(&work(flops, weights), ALONE).unwrap();
        let more = board().compute(&work(flops + 1000, weights + 1000), ALONE).unwrap();
        let grown = more.duration.as_seconds() - one.duration.as_seconds();
        // At most 16 bits a weight, and its part of rounding up to bytes.
        prop_assert!((-2e-6..2e-5).contains(&grown), "{grown}");
        prop_assert!((more.joules.unwrap() - one.joules.unwrap()).abs() < 2e-4);
    }
}

#[test]
fn an_unknown_preset_suggests_the_nearest() {
    let message = |name: &str| {
        Profile::Preset(name.to_owned())
            .resolve()
            .unwrap_err()
            .to_string()
    };
    let near = message("jetson-orin-nan0");
    assert!(near.starts_with(
        "Preset: there is no device `jetson-orin-nan0`; did you mean `jetson-orin-nano`?"
    ));
    let far = message("zzz");
    assert!(
        !far.contains("did you mean") && far.contains("raspberry-pi-5"),
        "{far}"
    );
}

#[test]
fn impossible_fields_are_refused_by_path() {
    let refuse = |profile: DeviceProfile| Profile::Custom(profile).resolve().unwrap_err().path;
    let plain = device;
    let cases = [
        (
            DeviceProfile {
                peak: FlopsPerSecond(0.0),
                ..plain()
            },
            "Custom.peak",
        ),
        (
            DeviceProfile {
                efficiency: f64::NAN,
                ..plain()
            },
            "Custom.efficiency",
        ),
        (
            DeviceProfile {
                efficiency: 1.1,
                ..plain()
            },
            "Custom.efficiency",
        ),
        (
            DeviceProfile {
                memory: Bytes(f64::INFINITY),
                ..plain()
            },
            "Custom.memory",
        ),
        (
            DeviceProfile {
                idle_power: Some(Watts(-1.0)),
                ..plain()
            },
            "Custom.idle_power",
        ),
        (
            DeviceProfile {
                measured: Some(Measured::at(ParametersPerSecond(0.0))),
                ..plain()
            },
            "Custom.measured.weight_rate",
        ),
    ];
    for (profile, path) in cases {
        assert_eq!(refuse(profile), path);
    }
}

#[test]
fn a_profile_reads_from_a_scenario_and_writes_back() {
    let text = r#"Custom((peak: "10 TFLOP/s", efficiency: 0.5, memory_bandwidth: "100 GB/s",
        memory: "8 GB", overhead: "0.00001 s", energy_per_flop: Some("1 pJ/FLOP"),
        energy_per_byte: Some("50 pJ/B"), idle_power: Some("5 W")))"#;
    let profile: Profile = ron::from_str(text).unwrap();
    assert_eq!(profile, Profile::Custom(device()));
    assert_eq!(
        ron::from_str::<Profile>(&ron::to_string(&profile).unwrap()).unwrap(),
        profile
    );
    let misspelt = text.replace("efficiency", "eficiency");
    assert!(ron::from_str::<Profile>(&misspelt).is_err());
}

proptest! {
    /// More work never takes less time or energy, and two halves cost no less than the whole.
    #[test]
    fn cost_grows_with_work(flops in 1u64..1 << 50, bytes in 1u64..1 << 45, more in 1u64..1 << 40) {
        let cost = |flops, bytes| device().compute(&Work { flops, bytes, ..Work::default() }, ALONE).unwrap();
        let base = cost(flops, bytes);
        for larger in [cost(flops + more, bytes), cost(flops, bytes + more)] {
            prop_assert!(larger.duration >= base.duration);
            prop_assert!(larger.joules >= base.joules);
        }
        let halves = cost(flops / 2, bytes / 2).duration + cost(flops - flops / 2, bytes - bytes / 2).duration;
        prop_assert!(halves >= base.duration);
    }
}
