//! Divisions of the band.

use airloom::policy::{
    Bandwidth, BandwidthPolicy, MinMax, PassLoads, PerPass, PolicyError, Proportional, TokenLink,
    Uniform,
};
use proptest::prelude::*;
use serde_json::Value;

const TOTAL: f64 = 100e6;

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap().iter();
    list.map(|x| x.as_f64().unwrap()).collect()
}

struct Instance {
    links: Vec<TokenLink>,
    loads: Vec<f64>,
    total: f64,
    optimum: f64,
    bandwidth: Vec<f64>,
}

fn instances() -> Vec<Instance> {
    let text = include_str!("../fixtures/bandwidth_instances.json");
    let all: Value = serde_json::from_str(text).unwrap();
    let constant = |name: &str| all["const"][name].as_f64().unwrap();
    all["instances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|instance| Instance {
            links: numbers(&instance["g"])
                .into_iter()
                .zip(numbers(&instance["C_flops"]))
                .map(|(gain, flops)| TokenLink {
                    downlink_bits: constant("L"),
                    uplink_bits: constant("L"),
                    downlink_reach: constant("Pd") * gain / constant("N0"),
                    uplink_reach: constant("Pu") * gain / constant("N0"),
                    ceiling: f64::INFINITY,
                    compute: constant("Lcomp") / flops,
                })
                .collect(),
            loads: numbers(&instance["q"]),
            total: constant("BT"),
            optimum: instance["T_opt"].as_f64().unwrap(),
            bandwidth: numbers(&instance["B_opt_hz"]),
        })
        .collect()
}

/// max_k q_k τ_k(B_k), (11).
fn end(links: &[TokenLink], loads: &[f64], bandwidth: &[f64]) -> f64 {
    let devices = links.iter().zip(loads).zip(bandwidth);
    devices
        .filter(|((_, load), _)| **load > 0.0)
        .map(|((link, load), b)| load * link.delay(*b))
        .fold(0.0, f64::max)
}

/// The root of a falling function by bisection in the logarithm.
fn bisect(mut low: f64, mut high: f64, falls: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..80 {
        let middle = (low * high).sqrt();
        if falls(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low * high).sqrt()
}

/// The earliest end by nested bisection: the slow, plain route.
fn end_by_bisection(links: &[TokenLink], loads: &[f64], total: f64) -> f64 {
    let used = |seconds: f64| -> f64 {
        let devices = links.iter().zip(loads).filter(|(_, load)| **load > 0.0);
        devices
            .map(|(link, load)| bisect(1e-3, 1e15, |b| load * link.delay(b) - seconds))
            .sum()
    };
    bisect(1e-9, 1e9, |seconds| used(seconds) - total)
}

#[test]
fn the_band_is_divided_exactly_as_the_known_optima() {
    for (number, instance) in instances().into_iter().enumerate() {
        let Instance {
            links,
            loads,
            total,
            optimum,
            bandwidth,
        } = instance;
        let found = MinMax.allocate(&links, &loads, total).unwrap();
        let end = end(&links, &loads, &found);
        assert!((end / optimum - 1.0).abs() < 1e-9, "{number}: {end}");
        assert!((found.iter().sum::<f64>() / total - 1.0).abs() < 1e-12);
        for (found, known) in found.iter().zip(&bandwidth) {
            assert!((found / known - 1.0).abs() < 1e-8, "{number}");
        }
    }
}

fn link() -> impl Strategy<Value = TokenLink> {
    // From 40 dB below the noise in the whole band to 90 dB above it.
    let ceiling = prop_oneof![Just(f64::INFINITY), 0.3..12.0];
    let numbers = (4.0..17.0, -3.0..1.0, -7.0..-2.0, 0.1..1.0, ceiling);
    numbers.prop_map(|(down, up, compute, ratio, ceiling)| {
        let reach = libm::pow(10.0, down);
        TokenLink {
            downlink_bits: 65536.0,
            uplink_bits: 65536.0 * ratio,
            downlink_reach: reach,
            uplink_reach: reach * libm::pow(10.0, up),
            ceiling,
            compute: libm::pow(10.0, compute),
        }
    })
}

fn fleet() -> impl Strategy<Value = (Vec<TokenLink>, Vec<f64>)> {
    let device = (link(), prop_oneof![Just(0u32), 1..2000u32]);
    proptest::collection::vec(device, 1..12).prop_map(|devices| {
        devices
            .into_iter()
            .map(|(link, load)| (link, f64::from(load)))
            .unzip()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_loaded_devices_return_together_when_bisection_says((links, loads) in fleet()) {
        prop_assume!(loads.iter().any(|load| *load > 0.0));
        let found = MinMax.allocate(&links, &loads, TOTAL).unwrap();
        let known = end_by_bisection(&links, &loads, TOTAL);
        // Far below the noise more band hardly shortens a delay, so that the last digit of the
        // end is worth a billionth of the others' bands.
        let tolerance = 1e-8;
        prop_assert!((end(&links, &loads, &found) / known - 1.0).abs() < tolerance);
        for ((link, load), b) in links.iter().zip(&loads).zip(&found) {
            prop_assert_eq!(*b > 0.0, *load > 0.0);
            if *load > 0.0 {
                prop_assert!((load * link.delay(*b) / known - 1.0).abs() < tolerance);
            }
        }
    }

    #[test]
    fn no_other_division_ends_a_block_sooner((links, loads) in fleet()) {
        prop_assume!(loads.iter().any(|load| *load > 0.0));
        let best = end(&links, &loads, &MinMax.allocate(&links, &loads, TOTAL).unwrap());
        for other in [Bandwidth::Uniform, Bandwidth::Proportional, Bandwidth::MaxMinRate] {
            let bandwidth = other.policy().allocate(&links, &loads, TOTAL).unwrap();
            prop_assert!((bandwidth.iter().sum::<f64>() / TOTAL - 1.0).abs() < 1e-12);
            prop_assert!(end(&links, &loads, &bandwidth) >= best * (1.0 - 1e-9));
        }
    }
}

/// Min over B of Σ_k c_k τ_k(B_k), Σ B_k = B: every device's c_k τ′_k is the same −ν. By
/// nested bisection on a derivative that is taken by differences.
fn least_weighted_sum(links: &[TokenLink], weights: &[f64], total: f64) -> f64 {
    let slope = |link: &TokenLink, b: f64| {
        let h = 1e-5 * b;
        (link.delay(b + h) - link.delay(b - h)) / (2.0 * h)
    };
    let divide = |nu: f64| -> Vec<f64> {
        let devices = links.iter().zip(weights);
        devices
            .map(|(link, c)| {
                if *c == 0.0 {
                    0.0
                } else {
                    bisect(1e-6 * total, total, |b| -c * slope(link, b) - nu)
                }
            })
            .collect()
    };
    let nu = bisect(1e-30, 1e6, |nu| divide(nu).iter().sum::<f64>() - total);
    let bandwidth = divide(nu);
    let devices = links.iter().zip(weights).zip(bandwidth);
    devices
        .filter(|((_, c), _)| **c > 0.0)
        .map(|((link, c), b)| c * link.delay(b))
        .sum()
}

#[test]
fn one_division_per_pass_is_proved_optimal_by_its_multipliers() {
    let all = instances();
    for (seed, instance) in all.iter().take(6).enumerate() {
        let links = &instance.links;
        // Thirty-two blocks whose loads differ: those of the other instances.
        let mut loads: Vec<f64> = (0..32)
            .flat_map(|block| all[(7 * seed + block) % all.len()].loads.clone())
            .collect();
        // A device that is idle in some blocks, and one that is idle in all of them.
        for row in loads.chunks_exact_mut(8) {
            row[3] = 0.0;
            row[5] *= f64::from(u8::from(row[0] > 200.0));
        }
        let solved = PerPass::default().solve(links, &loads, TOTAL).unwrap();
        assert_eq!(solved.bandwidth[3], 0.0);
        let reached: f64 = loads
            .chunks_exact(8)
            .map(|row| end(links, row, &solved.bandwidth))
            .sum();
        let mut weights = vec![0.0; 8];
        for (row, lambda) in loads
            .chunks_exact(8)
            .zip(solved.multipliers.chunks_exact(8))
        {
            assert!((lambda.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(lambda.iter().all(|l| *l >= 0.0));
            for (weight, (load, l)) in weights.iter_mut().zip(row.iter().zip(lambda)) {
                *weight += load * l;
            }
        }
        // Weak duality: no division does better than this, whoever made the multipliers.
        let bound = least_weighted_sum(links, &weights, TOTAL);
        assert!(bound <= reached * (1.0 + 1e-9));
        assert!(reached / bound - 1.0 < 1e-6, "{seed}: {reached} {bound}");
        // And it is worth having: dividing by total load or evenly is worse.
        for other in [&Proportional as &dyn BandwidthPolicy, &Uniform] {
            let bandwidth = other.allocate(links, &loads, TOTAL).unwrap();
            let rows = loads.chunks_exact(8);
            let sum: f64 = rows.map(|row| end(links, row, &bandwidth)).sum();
            assert!(sum > reached);
        }
    }
}

#[test]
fn a_pass_of_equal_blocks_is_divided_as_one_of_them() {
    let instance = &instances()[0];
    let loads = instance.loads.repeat(4);
    let pass = PerPass::default().allocate(&instance.links, &loads, TOTAL);
    let pass = end(&instance.links, &instance.loads, &pass.unwrap());
    assert!((pass / instance.optimum - 1.0).abs() < 1e-6);
}

#[test]
fn devices_that_hold_nobody_get_nothing() {
    let links = instances().remove(0).links;
    let mut alone = vec![0.0; 8];
    alone[5] = 300.0;
    for policy in [
        Bandwidth::Proportional,
        Bandwidth::MaxMinRate,
        Bandwidth::MinMax,
        Bandwidth::PerPass(PerPass::default()),
    ] {
        let policy = policy.policy();
        let all_on_one = policy.allocate(&links, &alone, TOTAL).unwrap();
        assert_eq!(all_on_one.iter().filter(|b| **b > 0.0).count(), 1);
        assert!((all_on_one[5] / TOTAL - 1.0).abs() < 1e-12);
        let none = policy.allocate(&links, &[0.0; 8], TOTAL).unwrap();
        assert_eq!(none, [0.0; 8]);
        let single = policy.allocate(&links[..1], &[7.0], TOTAL).unwrap();
        assert!((single[0] / TOTAL - 1.0).abs() < 1e-12);
    }
}

#[test]
fn equal_rates_are_equal_in_bits_per_second_whatever_the_load() {
    let Instance { links, loads, .. } = instances().remove(1);
    let found = Bandwidth::MaxMinRate
        .policy()
        .allocate(&links, &loads, TOTAL);
    let rates: Vec<f64> = links
        .iter()
        .zip(found.unwrap())
        .map(|(link, b)| {
            let air = link.downlink_time(b) + link.uplink_time(b);
            (link.downlink_bits + link.uplink_bits) / air
        })
        .collect();
    for rate in &rates {
        assert!((rate / rates[0] - 1.0).abs() < 1e-9);
    }
}

#[test]
fn dead_links_and_impossible_numbers_are_refused() {
    let mut links = instances().remove(0).links;
    links[2].uplink_reach = 0.0;
    let mut loads = vec![1.0; 8];
    let refused = MinMax.allocate(&links, &loads, TOTAL).unwrap_err();
    assert_eq!(refused, PolicyError::DeadLink { device: 2 });
    assert!(refused.to_string().contains("on_outage"));
    loads[2] = 0.0;
    assert!(MinMax.allocate(&links, &loads, TOTAL).is_ok());
    loads[1] = f64::NAN;
    assert!(MinMax.allocate(&links, &loads, TOTAL).is_err());
    assert!(MinMax.allocate(&links, &[1.0; 3], TOTAL).is_err());
    assert!(MinMax.allocate(&links, &[1.0; 16], TOTAL).is_err());
    assert!(MinMax.allocate(&links[..1], &[1.0], 0.0).is_err());
    assert!(Uniform.allocate(&[], &[], TOTAL).is_err());
}

#[test]
fn a_thousand_devices_return_together() {
    let all = instances();
    let links: Vec<TokenLink> = all.iter().flat_map(|i| i.links.clone()).collect();
    let loads: Vec<f64> = all.iter().flat_map(|i| i.loads.clone()).collect();
    let (links, loads) = (links.repeat(3), loads.repeat(3));
    assert!(links.len() > 1000);
    let found = MinMax.allocate(&links, &loads, TOTAL).unwrap();
    let known = end_by_bisection(&links, &loads, TOTAL);
    assert!((end(&links, &loads, &found) / known - 1.0).abs() < 1e-9);
}

#[test]
fn only_an_oracle_is_not_causal() {
    let horizon = |loads| PerPass { loads }.horizon();
    assert!(horizon(PassLoads::Previous).is_causal());
    assert!(!horizon(PassLoads::Oracle).is_causal());
    assert!(Bandwidth::MinMax.policy().horizon().is_causal());
}
