//! The energy constraint (8) of Zhang et al., "Distributed On-Device LLM Inference With
//! Over-the-Air Computation", e_n m_n s_tot + (L₀/L) tr(B_n B_nᴴ) ≤ P_n, on every draw:
//! in the energy that a link accounts for, and in what the antennas radiate.

use airloom::policy::{Descent, Design};
use airloom::radio::{
    Air, AirComp, Charge, Digital, LinkBudget, LinkRate, PowerConvention, RadioConfig, Scheme,
    SubchannelPower, TransceiverProblem, UncodedFdma, VectorLoad,
};
use airloom::rng::{BulkDistribution, StandardNormal, Streams};
use airloom::units::{Decibels, Instant, Joules, SpectralEfficiency, Watts};
use proptest::prelude::*;

const UNIT: f64 = 0.25;

/// A fleet with a budget of `energy` joules per vector, save for the offsets in decibels.
fn config(energy: f64, offsets: &[f64], snr: f64) -> RadioConfig {
    let offsets = offsets.iter().enumerate();
    RadioConfig {
        budget: LinkBudget::Normalised {
            snr: Decibels(snr),
            reference_power: Some(Watts(UNIT)),
        },
        convention: PowerConvention::EnergyPerVector {
            energy: Joules(energy),
            charge: Charge::Weights,
        },
        budget_offsets: offsets.map(|(n, x)| (n as u32, Decibels(*x))).collect(),
        ..RadioConfig::default()
    }
}

/// Some fleet: entries per vector, and each device's offset and compute as a fraction of
/// its budget.
fn fleets() -> impl Strategy<Value = (usize, Vec<(f64, f64)>)> {
    let device = (-6.0..6.0f64, 0.0..0.99f64);
    (1usize..700, prop::collection::vec(device, 2..6))
}

/// Joules of compute and of radio per vector, and the budget, for each device.
fn spent(
    (entries, fleet): &(usize, Vec<(f64, f64)>),
    scheme: Scheme,
    vectors: usize,
    seed: u64,
) -> Vec<[f64; 3]> {
    let energy = 3e-6;
    let offsets: Vec<f64> = fleet.iter().map(|(offset, _)| *offset).collect();
    let config = config(energy, &offsets, 10.0);
    let budgets = config.budgets(fleet.len());
    let compute: Vec<f64> = fleet.iter().zip(&budgets).map(|(x, p)| x.1 * p).collect();
    let load = VectorLoad {
        entries: *entries,
        compute: compute.clone(),
    };
    let design = Design::Descent(Descent::default()).transceiver_design();
    let streams = Streams { seed, run: 0 };
    let air = Air::new(config, scheme, design, fleet.len(), streams).unwrap();
    let mut air = air.charge(&load).unwrap();
    let round = air.round(3, Instant::ZERO).unwrap();
    let sent = round.plan(entries * vectors).unwrap().uplink.transmissions;
    (0..fleet.len())
        .map(|n| {
            let radio = sent[n].joules.unwrap() / vectors as f64;
            [compute[n], radio, budgets[n]]
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Within the budget always, and the weakest device spends all of it.
    #[test]
    fn no_device_overspends_over_the_air(
        fleet in fleets(), streams in 1usize..=4, reals in 1usize..=2, seed in 0u64..1000,
    ) {
        let scheme = Scheme::AirComp(AirComp { streams, reals_per_symbol: reals });
        let devices = spent(&fleet, scheme.clone(), 1, seed);
        for [compute, radio, budget] in &devices {
            prop_assert!(compute + radio <= budget * (1.0 + 1e-9), "{compute} {radio} {budget}");
        }
        let fullest = devices.iter().map(|[c, r, p]| (c + r) / p).fold(0.0, f64::max);
        prop_assert!(fullest > 1.0 - 1e-9);
        // Several vectors share a last channel use and never need more.
        for [compute, radio, budget] in spent(&fleet, scheme, 5, seed) {
            prop_assert!(compute + radio <= budget * (1.0 + 1e-9));
        }
    }

    /// Who sends alone radiates its whole budget, however it fills its band.
    #[test]
    fn a_device_on_a_sub_channel_spends_its_budget(
        fleet in fleets(), whole in any::<bool>(), coded in any::<bool>(), more in 0usize..9,
    ) {
        let subchannel_power = if whole { SubchannelPower::Whole } else { SubchannelPower::PerSymbol };
        let subchannels = more.checked_sub(1).map(|more| fleet.1.len() + more);
        let scheme = if coded {
            let rate = LinkRate::Fixed(SpectralEfficiency(7.0));
            Scheme::Digital(Digital { rate, subchannel_power, subchannels, ..Digital::default() })
        } else {
            Scheme::UncodedFdma(UncodedFdma { subchannel_power, subchannels, ..UncodedFdma::default() })
        };
        for [compute, radio, budget] in spent(&fleet, scheme, 1, 0) {
            prop_assert!(((compute + radio) / budget - 1.0).abs() < 1e-9);
        }
    }
}

/// The normalisation by the loudest device keeps what the antennas radiate, symbol by
/// symbol on real tensors, to the same bound: on independent entries up to the spread of
/// a sample.
#[test]
fn antennas_radiate_no_more_than_the_budget() {
    let (entries, devices, streams) = (48_000, 3, 4);
    let config = config(2e-3, &[0.0, 3.0, -3.0], 5.0);
    let headroom = config.headroom(&[1e-3, 0.5e-3, 0.1e-3]).unwrap();
    let uses = entries as f64 / (2.0 * streams as f64);
    let limits: Vec<f64> = headroom
        .iter()
        .map(|joules| joules / (UNIT * uses / config.bandwidth.0))
        .collect();
    let seeds = Streams { seed: 5, run: 0 };
    let channels: Vec<_> = (0..devices)
        .map(|n| config.fading.draw(seeds, n, 0, 20, 4))
        .collect();
    let problem = TransceiverProblem {
        channels: &channels,
        powers: &limits,
        noise: config.budget.resolve(config.bandwidth).noise,
        streams,
    };
    let design = Design::Descent(Descent::default()).transceiver_design();
    let transceiver = design.design(&problem).unwrap();
    for (n, precoder) in transceiver.precoders.iter().enumerate() {
        // As loud as the loudest: unit variance per complex entry.
        let mut entry = vec![0.0; entries];
        StandardNormal.fill(&mut seeds.open("test.entries", n as u32, 0), &mut entry);
        let mut radiated = 0.0;
        for symbols in entry.chunks_exact(2 * streams) {
            for antenna in 0..precoder.nrows() {
                let (mut re, mut im) = (0.0, 0.0);
                for (l, symbol) in symbols.chunks_exact(2).enumerate() {
                    let b = precoder[(antenna, l)];
                    re += (b.re * symbol[0] - b.im * symbol[1]) / 2f64.sqrt();
                    im += (b.re * symbol[1] + b.im * symbol[0]) / 2f64.sqrt();
                }
                radiated += re * re + im * im;
            }
        }
        let joules = radiated * UNIT / config.bandwidth.0;
        let expected = headroom[n] * transceiver.radiated(n) / limits[n];
        // 6000 uses of 4 entries: 1.3 % at three deviations.
        assert!(
            (joules / expected - 1.0).abs() < 0.025,
            "{joules} {expected}"
        );
        assert!(joules < headroom[n] * 1.025);
    }
}
