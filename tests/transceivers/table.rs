//! Every design on the same draws: the rows of the table that `cargo bench --bench
//! transceivers` prints and the manual shows.
//!
//! Channels as by default (Rician entries, mean 1 and variance 1, 20 and 4 antennas), 100
//! draws, the same for every row; 4 streams, P = 1 for every device.

use airloom::policy::{
    Descent, Design, Randomisation, Relaxation, least_error_bound, relax, zero_forcing_bound,
};
use airloom::radio::{Fading, Matrix, TransceiverProblem};
use airloom::rng::Streams;

const SEEDS: Streams = Streams { seed: 21, run: 0 };
pub const DRAWS: u64 = 100;
pub const FLEETS: [usize; 4] = [1, 2, 4, 8];
pub const STREAMS: usize = 4;

/// What a row shows of one draw.
pub type Value = Box<dyn Fn(&TransceiverProblem<'_>) -> f64>;

fn draw(devices: usize, block: u64) -> Vec<Matrix> {
    (0..devices)
        .map(|device| Fading::default().draw(SEEDS, device, block, 20, STREAMS))
        .collect()
}

fn error_of(design: Design) -> Value {
    let design = design.transceiver_design();
    Box::new(move |problem| {
        let transceiver = design.design(problem).expect("channels of full rank");
        let error = transceiver.mean_squared_error(problem);
        error.misalignment + error.noise
    })
}

pub fn rows() -> Vec<(String, Value)> {
    let mut designs: Vec<(String, Design)> = Design::all()
        .into_iter()
        .map(|design| (design.name().to_owned(), design))
        .collect();
    let four = Design::Descent(Descent { starts: 4 });
    designs.push(("Descent(starts: 4)".to_owned(), four));
    let orthonormal = Design::Relaxation(Relaxation {
        kind: Randomisation::Orthonormal,
        ..Relaxation::default()
    });
    designs.push(("Relaxation(kind: Orthonormal)".to_owned(), orthonormal));
    let mut rows: Vec<(String, Value)> = designs
        .into_iter()
        .map(|(name, design)| (name, error_of(design)))
        .collect();
    let bounds: [(&str, Value); 3] = [
        (
            "value of the relaxation (17)",
            Box::new(|problem| {
                let value = relax(problem, 1e-6).expect("channels of full rank").value;
                problem.noise * STREAMS as f64 / value
            }),
        ),
        (
            "no aligned transceiver is below",
            Box::new(|problem| zero_forcing_bound(problem).expect("channels of full rank")),
        ),
        (
            "no transceiver is below",
            Box::new(|problem| least_error_bound(problem).expect("channels of full rank")),
        ),
    ];
    rows.extend(bounds.map(|(name, value)| (name.to_owned(), value)));
    rows
}

/// The mean of `value` over the draws, in units of the noise.
pub fn mean(value: &Value, devices: usize, noise: f64) -> f64 {
    let sum: f64 = (0..DRAWS)
        .map(|block| {
            value(&TransceiverProblem {
                channels: &draw(devices, block),
                powers: &vec![1.0; devices],
                noise,
                streams: STREAMS,
            })
        })
        .sum();
    sum / (noise * DRAWS as f64)
}

/// A mean in five digits, four of them behind the point at most.
pub fn cell(mean: f64) -> String {
    let before = format!("{mean:.0}").len();
    format!("{mean:.*}", 5 - before.min(5))
}
