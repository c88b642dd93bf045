//! What a user gets wrong, and what the channel or the model may do.

use crate::{SEEDS, air, config};
use airloom::policy::Design;
use airloom::radio::{
    Air, AirComp, AllReduce, Block, Coding, Csi, Digital, Fading, LinkBudget, LinkPower, Matrix,
    RadioConfig, RadioError, Rician, Scheme, Synchronisation, UncodedFdma,
};
use airloom::units::{Decibels, Hertz, Instant, Seconds};
use num_complex::Complex;

#[test]
fn bad_tensors_are_named() {
    for scheme in [
        Scheme::Ideal,
        Scheme::default(),
        Scheme::Digital(Digital::default()),
        Scheme::UncodedFdma(UncodedFdma::default()),
    ] {
        let mut air = air(config(0.0), scheme, 2);
        let good = vec![1.0f32; 10];
        let mut sum = vec![0.0; 10];
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut bad = good.clone();
            bad[7] = value;
            let round = air.round(0, Instant::ZERO).unwrap();
            let error = round.reduce(&[&good, &bad], &mut sum).unwrap_err();
            assert!(error.to_string().starts_with("device 1 sent "), "{error}");
            assert!(error.to_string().contains("as entry 7"), "{error}");
        }
        let round = air.round(0, Instant::ZERO).unwrap();
        let error = round.reduce(&[&good[..9], &good], &mut sum).unwrap_err();
        assert!(
            error.to_string().contains("device 0 sent 9 entries"),
            "{error}"
        );
    }
}

#[test]
fn impossible_fields_are_refused_by_path() {
    let refuse = |config: RadioConfig, scheme: Scheme| {
        let design = Design::default().transceiver_design();
        Air::new(config, scheme, design, 4, SEEDS)
            .unwrap_err()
            .to_string()
    };
    let plain = RadioConfig::default;
    let bandwidth = RadioConfig {
        bandwidth: Hertz(0.0),
        ..plain()
    };
    assert!(refuse(bandwidth, Scheme::Ideal).starts_with("bandwidth: 0 must be"));
    let snr = RadioConfig {
        budget: LinkBudget::Normalised {
            snr: Decibels(f64::NAN),
            reference_power: None,
        },
        ..plain()
    };
    assert!(refuse(snr, Scheme::Ideal).starts_with("budget.snr: "));
    let variance = RadioConfig {
        fading: Fading::Rician(Rician {
            mean: 1.0,
            variance: -1.0,
        }),
        ..plain()
    };
    assert!(refuse(variance, Scheme::Ideal).starts_with("fading.variance: -1 must be"));
    let antennas = RadioConfig {
        device_antennas: 2,
        ..plain()
    };
    assert_eq!(
        refuse(antennas, Scheme::default()),
        "streams: 4 streams, but each device has 2 antennas; use at most 2"
    );
    let bits = Digital {
        bits: 1,
        ..Digital::default()
    };
    assert!(
        refuse(plain(), Scheme::Digital(bits)).starts_with("bits: 1 bits per entry; use 2 to 24")
    );
    let csi = RadioConfig {
        csi: Csi {
            estimation_error: -0.1,
            ..Csi::default()
        },
        ..plain()
    };
    assert!(refuse(csi, Scheme::Ideal).starts_with("csi.estimation_error: -0.1 must be"));
    let late = RadioConfig {
        synchronisation: Synchronisation {
            timing_error: Seconds(f64::NAN),
            ..Synchronisation::default()
        },
        ..plain()
    };
    assert!(refuse(late, Scheme::Ideal).starts_with("synchronisation.timing_error: NaN must be"));
    let three = Some(3);
    let digital = Digital {
        subchannels: three,
        ..Digital::default()
    };
    let fdma = UncodedFdma {
        subchannels: three,
        ..UncodedFdma::default()
    };
    for scheme in [Scheme::Digital(digital), Scheme::UncodedFdma(fdma)] {
        assert!(refuse(plain(), scheme).starts_with(
            "subchannels: 3 sub-channels for 4 devices, each of which needs one; use at least 4"
        ));
    }
}

#[test]
fn a_singular_channel_names_its_device() {
    let full = RadioConfig::default().fading.draw(SEEDS, 0, 0, 20, 4);
    let flat = Matrix::from_element(20, 4, Complex::new(1.0, 0.0));
    let design = Design::default().transceiver_design();
    let channels = [full, flat];
    let block = Block {
        channels: &channels,
        estimates: &channels,
        powers: &[1.0; 2],
        power: LinkPower {
            power: 1.0,
            noise: 0.1,
            watts: None,
        },
        bandwidth: Hertz(10e6),
        coding: Coding::default(),
        round_overhead: Seconds(0.0),
        design: design.as_ref(),
    };
    let error = AirComp::default().prepare(&block).unwrap_err();
    assert_eq!(
        error,
        RadioError::SingularChannel {
            device: 1,
            streams: 4
        }
    );
}
