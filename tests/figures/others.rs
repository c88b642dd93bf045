//! Figures that no run makes: of channels that were drawn, and of a training.

use crate::faults;
use airloom::figures::Width;
use airloom::figures::format::svg;
use airloom::figures::{channel, training};
use airloom::numerics::train::{HeldOutRow, Log, LossRow};
use airloom::rng::Streams;
use airloom::scenario::{self, Override};
use airloom::simulation;
use std::path::Path;
use std::sync::atomic::AtomicBool;

#[test]
fn a_figure_of_channels_can_be_read_in_print() {
    let idle = AtomicBool::new(false);
    let place = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    // Only channels that change in time have an autocorrelation.
    for (change, lags) in [
        ("links.air.doppler=Off", false),
        ("links.air.doppler=Shift(\"50 Hz\")", true),
    ] {
        let change: Override = change.parse().unwrap();
        let path = root.join("aircomp_tensor_parallel.ron");
        let resolved = scenario::load(&path, &[change]).unwrap();
        let link = resolved.topology.link("air").unwrap();
        let streams = Streams { seed: 1, run: 0 };
        let out = place.path().join(lags.to_string());
        let drawn = simulation::channel(&resolved, link, streams, 20, &out, &idle).unwrap();
        for width in Width::ALL {
            let scene = channel::draw(&drawn.ensemble, &drawn.statistics, width);
            assert_eq!(faults(&svg::write(&scene)), [""; 0]);
            let autocorrelation = scene.texts().iter().any(|text| text.words == "lag (ms)");
            assert_eq!(autocorrelation, lags);
        }
    }
}

#[test]
fn the_losses_of_a_training_can_be_read_in_print() {
    let loss = |step: u64| LossRow {
        step,
        tokens: 100 * step,
        rate: 1e-3,
        nats: 0.3 + 50.0 / (step as f64 + 5.0),
    };
    let log = Log {
        losses: (0..3000).step_by(10).map(loss).collect(),
        held_out: (1..12)
            .map(|k| HeldOutRow {
                step: 250 * k,
                model: 0.4 + 1.0 / k as f64,
                generator: 0.31,
            })
            .collect(),
    };
    for width in Width::ALL {
        let picture = svg::write(&training::draw(&log, width));
        assert_eq!(faults(&picture), [""; 0]);
    }
}
