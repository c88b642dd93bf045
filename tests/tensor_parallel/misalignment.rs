//! What misalignment costs on a model's own partial outputs, against equation (7), which
//! takes them for independent and all as loud as the loudest.

use airloom::corpus::{Split, World};
use airloom::device::Profile;
use airloom::execution::{Dense, Source, System};
use airloom::model::{ShardPlan, Shares};
use airloom::numerics::{Llama, Tokenizer};
use airloom::observer::{Observer, Travelling};
use airloom::policy::{AlternatingMmse, Design};
use airloom::radio::{Air, AirComp, LinkBudget, RadioConfig, Scheme};
use airloom::rng::{NO_DEVICE, Permutation, Streams};
use airloom::serving::workload::{Arrival, Request, Task, Window};
use airloom::simulation::simulate_system;
use airloom::topology::Node;
use airloom::units::{Decibels, Instant};
use rand::RngExt;
use std::io;
use std::path::Path;

const STREAMS: Streams = Streams { seed: 5, run: 0 };

/// Keeps the partial outputs of every all-reduce, device by device.
#[derive(Default)]
struct Listener {
    rounds: Vec<Vec<Vec<f32>>>,
}

impl Observer for Listener {
    fn tensors(&mut self, tensors: &[Travelling<'_>]) -> io::Result<()> {
        let parts = tensors.iter().filter(|tensor| tensor.node.is_some());
        let round: Vec<Vec<f32>> = parts.map(|part| part.values.to_vec()).collect();
        if !round.is_empty() {
            self.rounds.push(round);
        }
        Ok(())
    }
}

fn design() -> Box<dyn airloom::radio::TransceiverDesign> {
    Design::AlternatingMmse(AlternatingMmse::default()).transceiver_design()
}

/// The partial outputs of the bundled model on `devices` equal shares of it, reading a
/// held-out document over a perfect channel.
fn partial_outputs(devices: usize) -> Vec<Vec<Vec<f32>>> {
    let folder = Path::new(super::MODEL);
    let model = Llama::load(folder).unwrap();
    let shares = Shares::new(vec![1.0 / devices as f64; devices]).unwrap();
    let plan = ShardPlan::new(model.shape(), &shares).unwrap();
    let tokenizer = Tokenizer::load(folder).unwrap();
    let text = World::new(1).document(Split::HeldOut, 0).text;
    let inputs = tokenizer.encode(&text).unwrap();
    let window = Window {
        targets: inputs.clone(),
        inputs,
        source_nats: None,
    };
    let node = |name: &str, label: &str| Node {
        name: name.to_owned(),
        group: name.to_owned(),
        label: label.to_owned(),
        profile: Profile::Preset(label.to_owned()).resolve().unwrap(),
        basis: Profile::Preset(label.to_owned()).basis(),
    };
    let radio = RadioConfig::default();
    let names = (0..devices).map(|device| format!("device{device}"));
    let dense = model.shard(&plan).unwrap();
    let air = Air::new(radio, Scheme::Ideal, design(), devices, STREAMS).unwrap();
    let task = Task::Score {
        windows: vec![window],
        stepwise: false,
    };
    let request = Request::new(Arrival::after_previous(0), task);
    let system = System::of_group(
        names.map(|name| node(&name, "jetson-orin-nano")).collect(),
        node("server", "edge-server-l4"),
        (plan, air),
        Source::Dense(Box::new(Dense::new(vec![dense]))),
        vec![request],
        STREAMS,
    );
    let mut listener = Listener::default();
    simulate_system(system, &mut listener).unwrap();
    listener.rounds
}

/// Misalignment as these parts feel it over what (7) says of it, at 0 dB.
fn cost(rounds: &[Vec<Vec<f32>>]) -> f64 {
    let radio = RadioConfig {
        budget: LinkBudget::Normalised {
            snr: Decibels(0.0),
            reference_power: None,
        },
        ..RadioConfig::default()
    };
    let scheme = Scheme::AirComp(AirComp::default());
    let mut air = Air::new(radio, scheme, design(), rounds[0].len(), STREAMS).unwrap();
    let (mut felt, mut said) = (0.0, 0.0);
    for (index, parts) in rounds.iter().enumerate() {
        let parts: Vec<&[f32]> = parts.iter().map(Vec::as_slice).collect();
        let mut sum = vec![0.0; parts[0].len()];
        let round = air.round(index as u64, Instant::ZERO).unwrap();
        let distortion = round.reduce(&parts, &mut sum).unwrap();
        felt += distortion.misalignment;
        said += distortion.analytic - distortion.noise;
    }
    felt / said
}

/// Each device's entries in an order of its own: as loud, and independent.
fn shuffled(rounds: &[Vec<Vec<f32>>]) -> Vec<Vec<Vec<f32>>> {
    let mut stream = STREAMS.open("test.shuffle", NO_DEVICE, 0);
    let mut shuffle = |part: &Vec<f32>| -> Vec<f32> {
        let order: Vec<usize> = stream.sample(Permutation(part.len()));
        order.into_iter().map(|place| part[place]).collect()
    };
    rounds
        .iter()
        .map(|parts| parts.iter().map(&mut shuffle).collect())
        .collect()
}

/// Every device as loud as every other.
fn levelled(rounds: &[Vec<Vec<f32>>]) -> Vec<Vec<Vec<f32>>> {
    let level = |part: &Vec<f32>| -> Vec<f32> {
        let square: f64 = part.iter().map(|x| f64::from(*x).powi(2)).sum();
        let rms = (square / part.len() as f64).sqrt();
        part.iter().map(|x| (f64::from(*x) / rms) as f32).collect()
    };
    rounds
        .iter()
        .map(|parts| parts.iter().map(level).collect())
        .collect()
}

/// Correlation across devices makes it dearer, quieter devices make it cheaper; without
/// either, (7) is exact. The more devices, the more the second outweighs the first.
#[test]
fn loudness_and_correlation_move_misalignment_away_from_equation_7() {
    for (devices, told) in [
        (2, [1.115, 0.887, 1.275]),
        (4, [0.916, 0.675, 1.435]),
        (8, [0.739, 0.516, 1.563]),
    ] {
        let rounds = partial_outputs(devices);
        let independent = shuffled(&rounds);
        let [own, loudness, neither, correlation] = [
            cost(&rounds),
            cost(&independent),
            cost(&levelled(&independent)),
            cost(&levelled(&rounds)),
        ];
        assert!((neither - 1.0).abs() < 0.03, "{devices}: {neither}");
        for (found, told) in [own, loudness, correlation].iter().zip(told) {
            assert!(
                (found - told).abs() < 0.02,
                "{devices}: {found}, not {told}"
            );
        }
    }
}
