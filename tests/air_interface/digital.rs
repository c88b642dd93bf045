//! The digital sum: its quantisation and its rates.

use crate::{SEEDS, air, config, slices, tensors};
use airloom::radio::{
    AirComp, Coding, Digital, Downlink, LinkRate, RadioConfig, Scheme, SubchannelPower,
    mimo_capacity,
};
use airloom::units::{Decibels, Instant, SpectralEfficiency};

#[test]
fn a_narrow_sub_channel_at_whole_power_is_faster() {
    let rate = |subchannel_power| {
        let scheme = Scheme::Digital(Digital {
            subchannel_power,
            ..Digital::default()
        });
        let mut air = air(config(0.0), scheme, 4);
        let plan = air.round(0, Instant::ZERO).unwrap().plan(4096).unwrap();
        4096.0 * 8.0 / plan.uplink.transmissions[2].duration.as_seconds()
    };
    let channel = RadioConfig::default().fading.draw(SEEDS, 2, 0, 20, 4);
    for (power, choice) in [
        (1.0, SubchannelPower::PerSymbol),
        (4.0, SubchannelPower::Whole),
    ] {
        let expected = 2.5e6 * mimo_capacity(&channel, power, 1.0);
        assert!((rate(choice) / expected - 1.0).abs() < 1e-6);
    }
}

#[test]
fn quantisation_error_is_a_twelfth_of_a_squared_step() {
    for bits in [4, 8, 12] {
        let scheme = Scheme::Digital(Digital {
            bits,
            ..Digital::default()
        });
        let mut air = air(config(20.0), scheme, 4);
        let parts = tensors(4, 65_536, 1);
        let mut sum = vec![0.0; 65_536];
        let round = air.round(0, Instant::ZERO).unwrap();
        let distortion = round.reduce(&slices(&parts), &mut sum).unwrap();
        assert!(
            (distortion.error / distortion.analytic - 1.0).abs() < 0.03,
            "{distortion:?}"
        );
        let largest = parts.iter().flatten().fold(0.0f32, |m, x| m.max(x.abs()));
        let step = largest / ((1 << (bits - 1)) - 1) as f32;
        for (entry, sum) in sum.iter().enumerate() {
            let exact: f32 = parts.iter().map(|part| part[entry]).sum();
            assert!((sum - exact).abs() <= 4.0 * 0.5 * step * 1.0001);
        }
    }
}

#[test]
fn at_32_bits_nothing_is_lost() {
    let scheme = Scheme::Digital(Digital {
        bits: 32,
        ..Digital::default()
    });
    let parts = tensors(3, 999, 2);
    let reduce = |scheme| {
        let mut sum = vec![0.0; 999];
        let mut air = air(config(20.0), scheme, 3);
        let round = air.round(0, Instant::ZERO).unwrap();
        let distortion = round.reduce(&slices(&parts), &mut sum).unwrap();
        (sum, distortion.error, distortion.analytic)
    };
    let (ideal, ..) = reduce(Scheme::Ideal);
    assert_eq!(reduce(scheme), (ideal, 0.0, 0.0));
}

/// η = (1 − p) min(η_max, log₂ det(I + P/(Γ N_t σ²) H Hᴴ)) on every device's part of the band.
#[test]
fn codes_stay_behind_capacity() {
    for (gap, ceiling, damaged) in [
        (0.0, None, 0.0),
        (3.0, None, 0.0),
        (0.0, Some(9.0), 0.0),
        (6.0, Some(30.0), 0.25),
    ] {
        let mut config = config(10.0);
        config.coding = Coding {
            gap: Decibels(gap),
            ceiling: ceiling.map(SpectralEfficiency),
            block_error_rate: damaged,
        };
        let bandwidth = config.bandwidth.0;
        let mut air = air(config, Scheme::Digital(Digital::default()), 3);
        let channels = air.channels(0, Instant::ZERO).unwrap();
        let plan = air.round(0, Instant::ZERO).unwrap().plan(1000).unwrap();
        let noise = 10f64.powf(-1.0) * 10f64.powf(gap / 10.0);
        for (channel, sent) in channels.iter().zip(&plan.uplink.transmissions) {
            let capacity = mimo_capacity(channel, 1.0, noise);
            let efficiency = (1.0 - damaged) * capacity.min(ceiling.unwrap_or(f64::INFINITY));
            let seconds = 8000.0 / (efficiency * bandwidth / 3.0);
            assert!((sent.duration.as_seconds() / seconds - 1.0).abs() < 1e-6);
            assert_eq!(sent.bits, 8000);
        }
    }
}

/// A multicast is sent until the last of its receivers has it: two of three, each with p = 1/2,
/// need 8/3 attempts on average.
#[test]
fn a_multicast_waits_for_its_last_receiver() {
    let seconds = |block_error_rate| {
        let mut config = config(10.0);
        config.downlink = Downlink::Multicast {
            bits: 16,
            rate: LinkRate::Fixed(SpectralEfficiency(8.0)),
            server_power: Decibels(0.0),
        };
        config.coding.block_error_rate = block_error_rate;
        let mut air = air(config, Scheme::AirComp(AirComp::default()), 2);
        let plan = air.round(0, Instant::ZERO).unwrap().plan(1000).unwrap();
        plan.downlink.unwrap().duration.as_seconds()
    };
    assert!((seconds(0.5) / seconds(0.0) - 8.0 / 3.0).abs() < 1e-6);
}
