//! All-reduces through the air: against the antenna-level signal chain written out
//! again, against the analytic error (law 8), against closed forms of time and energy,
//! and the laws of randomness.

mod ahead;
mod csi;
mod digital;
mod faults;
mod fdma;
mod hierarchy;
mod hierarchy_faults;
mod imperfect;
mod over_the_air;
mod own_scheme;
mod portability;
mod rounds;
mod synchronisation;
mod unequal_antennas;

use airloom::policy::Descent;
use airloom::radio::{
    Air, Digital, Distortion, LinkBudget, Plan, RadioConfig, Scheme, UncodedFdma,
};
use airloom::rng::{BulkDistribution, StandardNormal, Streams};
use airloom::units::{Decibels, Instant, Watts};

const SEEDS: Streams = Streams { seed: 42, run: 0 };

/// Partial outputs of unequal loudness: device n has variance 1/(n + 1).
fn tensors(devices: usize, entries: usize, index: u64) -> Vec<Vec<f32>> {
    (0..devices)
        .map(|device| {
            let mut normals = vec![0.0; entries];
            StandardNormal.fill(
                &mut SEEDS.open("test.tensors", device as u32, index),
                &mut normals,
            );
            let loudness = 1.0 / ((device + 1) as f64).sqrt();
            normals.iter().map(|x| (x * loudness) as f32).collect()
        })
        .collect()
}

fn slices(parts: &[Vec<f32>]) -> Vec<&[f32]> {
    parts.iter().map(Vec::as_slice).collect()
}

fn config(snr: f64) -> RadioConfig {
    RadioConfig {
        budget: LinkBudget::Normalised {
            snr: Decibels(snr),
            reference_power: Some(Watts(0.2)),
        },
        ..RadioConfig::default()
    }
}

fn air(config: RadioConfig, scheme: Scheme, devices: usize) -> Air {
    // It aligns all devices, so that an error is noise.
    let design = Box::new(Descent::default());
    Air::new(config, scheme, design, devices, SEEDS).unwrap()
}

fn schemes() -> [Scheme; 3] {
    [
        Scheme::default(),
        Scheme::Digital(Digital::default()),
        Scheme::UncodedFdma(UncodedFdma::default()),
    ]
}

fn round(air: &mut Air, index: u64, parts: &[Vec<f32>]) -> (Vec<f32>, Distortion, Plan) {
    let mut sum = vec![0.0; parts[0].len()];
    let round = air.round(index, Instant::ZERO).unwrap();
    let plan = round.plan(sum.len()).unwrap();
    let distortion = round.reduce(&slices(parts), &mut sum).unwrap();
    (sum, distortion, plan)
}

/// Entries whose root mean square is exactly one, so that the scale is known.
fn unit_tensors(devices: u32, entries: usize, index: u64) -> Vec<Vec<f32>> {
    (0..devices)
        .map(|device| {
            let mut normals = vec![0.0; entries];
            StandardNormal.fill(&mut SEEDS.open("test.unit", device, index), &mut normals);
            let square = normals.iter().map(|x| x * x).sum::<f64>() / entries as f64;
            normals.iter().map(|x| (x / square.sqrt()) as f32).collect()
        })
        .collect()
}
