//! How far each transceiver design errs and how far any could be from the best: a table of
//! errors rather than of times, for people. Lower bounds and the relaxation's value stand
//! below the designs.
//!
//! Channels as by default (Rician entries, mean 1 and variance 1, 20 and 4 antennas), 100
//! draws, the same for every row; 4 streams, P = 1 for every device.

use airloom::policy::{
    Descent, Design, Randomisation, Relaxation, least_error_bound, relax, zero_forcing_bound,
};
use airloom::radio::{Fading, Matrix, TransceiverProblem};
use airloom::rng::Streams;

const SEEDS: Streams = Streams { seed: 21, run: 0 };
const DRAWS: u64 = 100;
const FLEETS: [usize; 4] = [1, 2, 4, 8];
const STREAMS: usize = 4;

/// What a row shows of one draw.
type Value = Box<dyn Fn(&TransceiverProblem<'_>) -> f64>;

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

fn rows() -> Vec<(String, Value)> {
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

fn main() {
    let rows = rows();
    for decibels in [0, 10, 20] {
        let noise = 10f64.powf(-f64::from(decibels) / 10.0);
        println!(
            "\nmean error (7) of {STREAMS} entries in units of the noise, {decibels} dB, \
             {DRAWS} draws"
        );
        println!("{:<34}{:>10}{:>10}{:>10}{:>10}", "N", 1, 2, 4, 8);
        for (name, value) in &rows {
            print!("{name:<34}");
            for devices in FLEETS {
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
                print!("{:>10.4}", sum / (noise * DRAWS as f64));
            }
            println!();
        }
    }
}
