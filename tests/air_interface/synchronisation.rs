//! Devices out of step in phase and time.

use crate::{air, config, round, schemes, tensors};
use airloom::radio::{Coherence, Digital, RadioConfig, Scheme, Synchronisation, UncodedFdma};
use airloom::units::{Radians, Seconds};
use std::f64::consts::PI;

/// A rotation by nothing is no rotation, on the path that rotates too.
#[test]
fn the_smallest_offset_is_as_good_as_none() {
    let parts = tensors(3, 5000, 1);
    let barely = RadioConfig {
        synchronisation: Synchronisation {
            phase_error: Radians(1e-12),
            timing_error: Seconds(1e-19),
        },
        ..config(3.0)
    };
    for scheme in schemes() {
        let (exact, ..) = round(&mut air(config(3.0), scheme.clone(), 3), 0, &parts);
        let (sum, ..) = round(&mut air(barely.clone(), scheme, 3), 0, &parts);
        for (a, b) in exact.iter().zip(&sum) {
            assert!((a - b).abs() <= 1e-6, "{a} {b}");
        }
    }
}

#[test]
fn phase_and_timing_errors_cost_what_their_formulas_say() {
    // N·2(1 − E[sinc δ]·exp(−σ_φ²/2)) per entry, on top of noise too small to matter.
    let devices = 5;
    let rounds = 600;
    let ones = vec![vec![1.0f32; 512]; devices];
    let mean = |phase, time| {
        let config = RadioConfig {
            coherence: Coherence::Static,
            synchronisation: Synchronisation {
                phase_error: Radians(phase),
                timing_error: Seconds(time),
            },
            ..config(200.0)
        };
        let mut air = air(config, Scheme::default(), devices);
        let error = |index| round(&mut air, index, &ones).1.analytic;
        (0..rounds).map(error).sum::<f64>() / rounds as f64
    };
    for phase in [0.05, 0.3] {
        let expected = devices as f64 * 2.0 * (1.0 - f64::exp(-phase * phase / 2.0));
        let found = mean(phase, 0.0);
        // A squared normal has a deviation of √2 of its mean; there are 3000 of them.
        assert!((found / expected - 1.0).abs() < 0.1, "{found} {expected}");
    }
    for time in [5e-9, 20e-9] {
        // sinc δ = ∫₀¹ cos(πδx) dx, whose mean over δ ~ N(0, s²) is ∫₀¹ exp(−(πsx)²/2) dx.
        let s = time * 10e6;
        let steps = 1000;
        let sinc = (0..steps)
            .map(|i| {
                let x = (f64::from(i) + 0.5) / f64::from(steps);
                (-(PI * s * x).powi(2) / 2.0).exp()
            })
            .sum::<f64>()
            / f64::from(steps);
        let expected = devices as f64 * 2.0 * (1.0 - sinc);
        let found = mean(0.0, time);
        assert!((found / expected - 1.0).abs() < 0.1, "{found} {expected}");
    }
}

/// On a sub-channel symbols last longer, and a late device is less late.
#[test]
fn a_narrow_sub_channel_forgives_timing() {
    let synchronisation = Synchronisation {
        timing_error: Seconds(10e-9),
        ..Synchronisation::default()
    };
    let config = RadioConfig {
        synchronisation,
        ..config(200.0)
    };
    let ones = vec![vec![1.0f32; 512]; 4];
    let error = |scheme| {
        let mut air = air(config.clone(), scheme, 4);
        round(&mut air, 0, &ones).1.analytic
    };
    // (πδ)²/3 for a small δ, which is four times smaller in a fourth of the band.
    let ratio = error(Scheme::default()) / error(Scheme::UncodedFdma(UncodedFdma::default()));
    assert!((ratio / 16.0 - 1.0).abs() < 0.05, "{ratio}");
    assert!(error(Scheme::Digital(Digital::default())) < 1e-2);
}
