//! Devices with fewer or more antennas than the others.

use crate::{SEEDS, air, config, round, unit_tensors};
use airloom::policy::Design;
use airloom::radio::{
    Air, AirComp, Matrix, RadioConfig, Scheme, Transceiver, TransceiverProblem, adjoint_product,
    eigen, product,
};
use airloom::units::Instant;
use std::collections::BTreeMap;

#[test]
fn a_device_with_fewer_antennas_sends_from_those_it_has() {
    let config = RadioConfig {
        device_antennas_except: BTreeMap::from([(1, 2), (2, 6)]),
        ..config(10.0)
    };
    let mut air = air(
        config.clone(),
        Scheme::AirComp(AirComp {
            streams: 2,
            ..Default::default()
        }),
        3,
    );
    let channels = air.channels(0, Instant::ZERO).unwrap();
    assert_eq!(
        channels.iter().map(Matrix::shape).collect::<Vec<_>>(),
        [(20, 4), (20, 2), (20, 6)]
    );
    let parts = unit_tensors(3, 4096, 0);
    let (_, distortion, plan) = round(&mut air, 0, &parts);
    assert_eq!(distortion.misalignment, 0.0);
    // Somebody radiates all of the 0.2 W, and nobody more.
    let joules: Vec<f64> = plan
        .uplink
        .transmissions
        .iter()
        .filter_map(|t| t.joules)
        .collect();
    let most = 0.2 * 1024.0 / 10e6;
    assert!(joules.iter().all(|x| *x <= most * (1.0 + 1e-12)));
    assert!(joules.iter().any(|x| (x / most - 1.0).abs() < 1e-9));
    // Antennas that no one has change nothing: the error is (13) on the channels as they are,
    // at a direction no worse than the leading one.
    let leading = {
        let mut sum = Matrix::zeros(20, 20);
        for h in &channels {
            let gram = adjoint_product(h, h).try_inverse().unwrap();
            sum += product(&product(h, &gram), &h.adjoint());
        }
        let vectors = eigen(&sum).vectors;
        vectors.columns(0, 2).into_owned()
    };
    let problem = TransceiverProblem {
        channels: &channels,
        powers: &[1.0; 3],
        noise: 0.1,
        streams: 2,
    };
    let start = Transceiver::zero_forcing(&leading, &problem).unwrap();
    let start = start.mean_squared_error(&problem).noise / 2.0;
    assert!(distortion.analytic <= start && distortion.analytic > 0.2 * start);

    let refused = Air::new(
        config.clone(),
        Scheme::default(),
        Design::default().transceiver_design(),
        3,
        SEEDS,
    );
    assert_eq!(
        refused.unwrap_err().to_string(),
        "streams: 4 streams, but device 1 has 2 antennas; use at most 2"
    );
    let fault = config.validate(2).unwrap_err();
    assert_eq!(fault.path, "device_antennas_except[2]");
}
