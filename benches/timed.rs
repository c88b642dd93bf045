//! How fast a model is timed that is only a shape: whole runs of Llama 3 8B on eight
//! devices, about a million tasks each, trace hashed (beside the simulation, as the program
//! does) and not written.
//!
//! Where the drawn channel has no say nothing is drawn. With `drawn rates` every device
//! draws a channel for every all-reduce, and with `counted joules` a transceiver is
//! designed for each channel, here every 10 ms of simulated time. The engine alone on
//! as many tasks: `tasks/trace Off/8` of the `engine` bench.
//!
//! Compare numbers of one run only: machines and moments differ.

use airloom::device::Profile;
use airloom::engine::{self, BackgroundTrace, CsvTrace, Resources, TraceLevel};
use airloom::execution::{Execution, STAGE_NAMES, Source, System};
use airloom::model::{ModelShape, ShardPlan, Shares};
use airloom::policy::Design;
use airloom::radio::{Air, AirComp, Coherence, Digital, LinkBudget, LinkRate, RadioConfig, Scheme};
use airloom::rng::Streams;
use airloom::serving::workload::{Arrival, Request, Task};
use airloom::topology::Node;
use airloom::units::{Decibels, Seconds, SpectralEfficiency, Watts};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::io;
use std::sync::atomic::AtomicBool;

const DEVICES: usize = 8;
/// 1163 tasks each: 32 layers of two halves, each of 8 computes, 8 uplinks and 2
/// barriers; embedding, LM head and sampling.
const TOKENS: u32 = 860;

fn simulate(radio: &RadioConfig, scheme: Scheme) -> u64 {
    let node = |name: &str, label: &str| Node {
        name: name.to_owned(),
        group: name.to_owned(),
        label: label.to_owned(),
        profile: Profile::Preset(label.to_owned())
            .resolve()
            .expect("a preset"),
        basis: Profile::Preset(label.to_owned()).basis(),
    };
    let members = (0..DEVICES).map(|n| node(&format!("device{n}"), "jetson-orin-nano"));
    let server = node("server", "edge-server-l4");
    let shape = ModelShape::named("llama-3-8b").expect("a known shape");
    let shares = Shares::equal(DEVICES).expect("at least one");
    let plan = ShardPlan::new(&shape, &shares).expect("a model's shape");
    let design = Design::default().transceiver_design();
    let streams = Streams { seed: 1, run: 0 };
    let air = Air::new(radio.clone(), scheme, design, DEVICES, streams).expect("a radio");
    let task = Task::Tokens {
        prompt: 1,
        generate: TOKENS,
    };
    let request = Request::new(Arrival::after_previous(0), task);
    let system = System::of_group(
        members.collect(),
        server,
        (plan, air),
        Source::Timed,
        vec![request],
        streams,
    );
    let mut resources = Resources::new();
    let mut nobody = ();
    let mut program = Execution::new(system, &mut nobody, &mut resources).expect("it fits");
    let trace = CsvTrace::new(TraceLevel::Off, io::sink(), STAGE_NAMES, &[""; 0]).expect("no file");
    let mut trace = BackgroundTrace::new(trace);
    let never = AtomicBool::new(false);
    let report = engine::run(&mut program, &resources, &mut trace, &never).expect("a run");
    trace.finish().expect("no file");
    report.totals.tasks
}

fn timed(criterion: &mut Criterion) {
    let silent = RadioConfig::default();
    let counted = RadioConfig {
        coherence: Coherence::Time(Seconds(0.01)),
        budget: LinkBudget::Normalised {
            snr: Decibels(20.0),
            reference_power: Some(Watts(0.1)),
        },
        ..RadioConfig::default()
    };
    let fixed = Digital {
        rate: LinkRate::Fixed(SpectralEfficiency(12.0)),
        ..Digital::default()
    };
    let air = Scheme::AirComp(AirComp::default());
    let mut group = criterion.benchmark_group("timed");
    group.sample_size(10);
    for (name, radio, scheme) in [
        ("over the air", &silent, air.clone()),
        ("fixed rates", &silent, Scheme::Digital(fixed)),
        ("drawn rates", &silent, Scheme::Digital(Digital::default())),
        ("over the air, counted joules", &counted, air),
    ] {
        group.throughput(Throughput::Elements(simulate(radio, scheme.clone())));
        group.bench_function(name, |bench| bench.iter(|| simulate(radio, scheme.clone())));
    }
    group.finish();
}

criterion_group!(benches, timed);
criterion_main!(benches);
