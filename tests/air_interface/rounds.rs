//! Rounds of any scheme: time, energy, the downlink, and whose noise they draw.

use crate::{air, config, slices, tensors};
use airloom::policy::Descent;
use airloom::radio::{
    Air, Digital, Downlink, LinkBudget, LinkRate, RadioConfig, RadioError, Scheme, Transceiver,
    TransceiverDesign, TransceiverProblem, UncodedFdma, mimo_capacity,
};
use airloom::rng::Streams;
use airloom::units::{Decibels, Instant, Seconds, SpectralEfficiency};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn air_time_and_energy_follow_the_closed_forms() {
    let config = RadioConfig {
        round_overhead: Seconds(20e-6),
        ..config(20.0)
    };
    // 4096 entries on 4 streams of 2 entries: 512 uses at 10 MHz.
    let mut analog = air(config.clone(), Scheme::default(), 4);
    let plan = analog.round(0, Instant::ZERO).unwrap().plan(4096).unwrap();
    for transmission in &plan.uplink.transmissions {
        assert_eq!(transmission.channel_uses, 512);
        assert_eq!(transmission.bits, 0);
        assert_eq!(transmission.duration.0, 51_200_000 + 20_000_000);
        // At most 0.2 W for 51.2 µs.
        assert!(transmission.joules.unwrap() <= 0.2 * 51.2e-6 * (1.0 + 1e-12));
    }
    let loudest = plan
        .uplink
        .transmissions
        .iter()
        .filter_map(|t| t.joules)
        .fold(0.0, f64::max);
    assert!((loudest - 0.2 * 51.2e-6).abs() < 1e-15);
    assert_eq!(plan.downlink, None);

    // Q·entries/(η B/N), and P/N watts for as long.
    let fixed = Digital {
        rate: LinkRate::Fixed(SpectralEfficiency(13.1)),
        ..Digital::default()
    };
    let mut digital = air(config, Scheme::Digital(fixed), 4);
    let plan = digital.round(0, Instant::ZERO).unwrap().plan(4096).unwrap();
    let seconds = 8.0 * 4096.0 / (13.1 * 2.5e6);
    for transmission in &plan.uplink.transmissions {
        assert_eq!(transmission.bits, 8 * 4096);
        assert!((transmission.duration.as_seconds() - seconds - 20e-6).abs() < 1e-12);
        assert!((transmission.joules.unwrap() - 0.05 * seconds).abs() < 1e-15);
    }
}

#[test]
fn a_multicast_takes_the_weakest_devices_rate_and_its_quantised_tensor() {
    let config = RadioConfig {
        downlink: Downlink::Multicast {
            bits: 16,
            rate: LinkRate::Drawn,
            server_power: Decibels(10.0),
        },
        ..config(0.0)
    };
    let mut air = air(config.clone(), Scheme::default(), 3);
    let channels = air.channels(0, Instant::ZERO).unwrap();
    let weakest = channels
        .iter()
        .map(|h| mimo_capacity(&h.transpose(), 10.0, 1.0))
        .fold(f64::INFINITY, f64::min);
    let round = air.round(0, Instant::ZERO).unwrap();
    let downlink = round.plan(4096).unwrap().downlink.unwrap();
    let seconds = 4096.0 * 16.0 / (10e6 * weakest);
    assert!((downlink.duration.as_seconds() - seconds).abs() < 2e-12);
    assert_eq!(downlink.bits, 65_536);
    // Ten times 0.2 W.
    assert!((downlink.joules.unwrap() - 2.0 * seconds).abs() < 1e-12);

    let parts = tensors(3, 4096, 3);
    let mut sum = vec![0.0; 4096];
    round.reduce(&slices(&parts), &mut sum).unwrap();
    let largest = sum.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    let step = f64::from(largest) / 32_767.0;
    for entry in &sum {
        let levels = f64::from(*entry) / step;
        assert!((levels - levels.round()).abs() < 1e-2, "{levels}");
    }
}

/// Spec: a 16-bit multicast at 12 bit/s/Hz adds 174 ms per token to a 70B model.
#[test]
fn the_downlink_of_a_70b_model_takes_174_ms_per_token() {
    let config = RadioConfig {
        downlink: Downlink::Multicast {
            bits: 16,
            rate: LinkRate::Fixed(SpectralEfficiency(12.0)),
            server_power: Decibels(0.0),
        },
        ..RadioConfig::default()
    };
    let mut air = air(config, Scheme::default(), 4);
    let plan = air.round(0, Instant::ZERO).unwrap().plan(8192).unwrap();
    let per_token = 160.0 * plan.downlink.unwrap().duration.as_seconds();
    assert!((per_token - 0.1747).abs() < 1e-3);
}

#[test]
fn one_device_alone_uses_no_air_unless_asked() {
    let parts = tensors(1, 100, 4);
    let mut sum = vec![0.0; 100];
    let mut alone = air(config(0.0), Scheme::default(), 1);
    assert!(!alone.is_used());
    let round = alone.round(0, Instant::ZERO).unwrap();
    let plan = round.plan(100).unwrap();
    assert_eq!(plan.uplink.transmissions[0].duration.0, 0);
    assert_eq!(plan.uplink.transmissions[0].joules, Some(0.0));
    round.reduce(&slices(&parts), &mut sum).unwrap();
    assert_eq!(sum, parts[0]);

    let asked = RadioConfig {
        lone_device_transmits: true,
        ..config(0.0)
    };
    let mut asked = air(asked, Scheme::default(), 1);
    let round = asked.round(0, Instant::ZERO).unwrap();
    assert!(round.plan(100).unwrap().uplink.transmissions[0].duration.0 > 0);
    round.reduce(&slices(&parts), &mut sum).unwrap();
    assert_ne!(sum, parts[0]);
}

/// Law 6: the noise of an all-reduce depends on its index alone.
#[test]
fn law_6_a_rounds_noise_does_not_depend_on_earlier_rounds() {
    let parts = tensors(2, 512, 5);
    let mut whole = air(config(10.0), Scheme::default(), 2);
    let mut sums = Vec::new();
    for index in 0..4 {
        let mut sum = vec![0.0; 512];
        let round = whole.round(index, Instant::ZERO).unwrap();
        round.reduce(&slices(&parts), &mut sum).unwrap();
        sums.push(sum);
    }
    let mut only_last = vec![0.0; 512];
    let mut fresh = air(config(10.0), Scheme::default(), 2);
    let round = fresh.round(3, Instant::ZERO).unwrap();
    round.reduce(&slices(&parts), &mut only_last).unwrap();
    assert_eq!(sums[3], only_last);
    assert_ne!(sums[2], only_last);
}

#[test]
fn a_silent_round_stays_silent() {
    for scheme in [
        Scheme::Ideal,
        Scheme::default(),
        Scheme::Digital(Digital::default()),
        Scheme::UncodedFdma(UncodedFdma::default()),
    ] {
        let mut air = air(config(0.0), scheme.clone(), 2);
        let zeros = vec![0.0f32; 33];
        let mut sum = vec![1.0; 33];
        let round = air.round(0, Instant::ZERO).unwrap();
        let distortion = round.reduce(&[&zeros, &zeros], &mut sum).unwrap();
        assert!(sum.iter().all(|x| *x == 0.0), "{}", scheme.name());
        assert!(distortion.nmse == 0.0 && distortion.error.is_finite());
    }
}

/// A descent that counts how often it is asked.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl TransceiverDesign for Counted {
    fn design(&self, problem: &TransceiverProblem<'_>) -> Result<Transceiver, RadioError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Descent::default().design(problem)
    }
}

#[test]
fn a_transceiver_is_designed_once_and_only_for_tensors_or_joules() {
    let silent = RadioConfig {
        budget: LinkBudget::Normalised {
            snr: Decibels(10.0),
            reference_power: None,
        },
        ..config(10.0)
    };
    for (radio, for_plan) in [(silent, 0), (config(10.0), 1)] {
        let asked = Arc::new(AtomicUsize::new(0));
        let streams = Streams { seed: 3, run: 0 };
        let design = Box::new(Counted(asked.clone()));
        let mut air = Air::new(radio, Scheme::default(), design, 3, streams).unwrap();
        let round = air.round(0, Instant::ZERO).unwrap();
        let before = round.plan(64).unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), for_plan);
        let parts = tensors(3, 64, 0);
        let mut sum = vec![0.0; 64];
        round.reduce(&slices(&parts), &mut sum).unwrap();
        assert_eq!(round.plan(64).unwrap(), before);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}
