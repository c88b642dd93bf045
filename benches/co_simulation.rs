//! What co-simulation costs beside the bare forward pass: the same model on four
//! devices, the same tokens, in one run.
//!
//! `bare` is the sharded forward pass with an exact sum and nothing else.
//! `co_simulated` adds everything else that happens to a run: events on the engine,
//! channel draws, transceiver design and noise for every all-reduce, the event log and
//! the digests of every tensor (into nowhere: no disk); on a channel that stays for
//! 10 ms of simulated time, and on one that changes with every all-reduce, which then
//! needs a design of its own. Shape as in the `numerics` bench.

mod shape;

use airloom::device::Profile;
use airloom::engine::{self, BackgroundTrace, CsvTrace, Resources, TraceLevel};
use airloom::execution::{Dense, Execution, STAGE_NAMES, Source, System, Words};
use airloom::model::{ShardPlan, Shares};
use airloom::numerics::{Llama, Rows, ShardedLlama, Tokenizer};
use airloom::observer::Observer;
use airloom::policy::Design;
use airloom::radio::{Air, Coherence, RadioConfig, Scheme};
use airloom::results::tensors::TensorLog;
use airloom::rng::{NO_DEVICE, Streams};
use airloom::serving::workload::{Arrival, Request, Task, Window};
use airloom::topology::Node;
use airloom::units::Seconds;
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use shape::shape;
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;

const STREAMS: Streams = Streams { seed: 1, run: 0 };
const DEVICES: usize = 4;
const WINDOW: usize = 256;
const PROMPT: usize = 128;
const STEPS: usize = 32;

fn sharded() -> ShardedLlama {
    let mut stream = STREAMS.open("bench.weights", NO_DEVICE, 0);
    let llama = Llama::random(&shape(), &mut stream).expect("a model's shape");
    let shares = Shares::equal(DEVICES).expect("at least one");
    let plan = ShardPlan::new(&shape(), &shares).expect("a model's shape");
    llama.shard(&plan).expect("its own plan")
}

fn tokens(count: usize) -> Vec<u32> {
    (0..count as u32).map(|token| token * 37 % 1024).collect()
}

fn system(task: &Task, tokenizer: &Tokenizer, coherence: Coherence) -> System {
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
    let radio = RadioConfig {
        coherence,
        ..RadioConfig::default()
    };
    let design = Design::default().transceiver_design();
    let air = Air::new(radio, Scheme::default(), design, DEVICES, STREAMS);
    let model = sharded();
    let plan = model.plan().clone();
    let dense = Dense::new(vec![model]);
    let request = Request::new(Arrival::after_previous(0), task.clone());
    let system = System::of_group(
        members.collect(),
        server,
        (plan, air.expect("the default radio")),
        Source::Dense(Box::new(dense)),
        vec![request],
        STREAMS,
    );
    system.with_words(Words {
        tokenizer: tokenizer.clone(),
        end_tokens: Vec::new(),
    })
}

/// The finished run, so that taking it down is not counted.
fn co_simulate(system: System) -> Execution<'static> {
    let nodes = (0..DEVICES)
        .map(|device| format!("device{device}"))
        .collect();
    let watch = TensorLog::new(None, nodes).expect("nothing to write");
    let watch: &mut dyn Observer = Box::leak(Box::new(watch));
    let mut resources = Resources::new();
    let mut program = Execution::new(system, watch, &mut resources).expect("it fits");
    let trace = CsvTrace::new(TraceLevel::Full, io::sink(), STAGE_NAMES, &[""; 0])
        .expect("nothing to write");
    let mut trace = BackgroundTrace::new(trace);
    let never = AtomicBool::new(false);
    engine::run(&mut program, &resources, &mut trace, &never).expect("a run");
    trace.finish().expect("nothing to write");
    program
}

/// As the program does: the thread that simulates is one of the pool.
fn join_pool() {
    // Only the first benchmark builds it.
    let _ = rayon::ThreadPoolBuilder::new()
        .use_current_thread()
        .build_global();
}

fn compare(group: &mut BenchmarkGroup<'_, WallTime>, task: &Task, bare: impl Fn(&ShardedLlama)) {
    join_pool();
    let tokenizer = Tokenizer::load(Path::new("models/tiny-llama")).expect("the bundled model");
    // A new model each time for both: neither finds its weights in the cache.
    group.bench_function("bare", |bencher| {
        let pass = |model: ShardedLlama| {
            bare(&model);
            model
        };
        bencher.iter_batched(sharded, pass, BatchSize::PerIteration);
    });
    for (name, coherence) in [
        ("co_simulated", Coherence::Time(Seconds(0.01))),
        (
            "co_simulated_new_channel_each_time",
            Coherence::PerAllReduce,
        ),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || system(task, &tokenizer, coherence),
                co_simulate,
                BatchSize::PerIteration,
            );
        });
    }
}

fn prefill(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("four_windows_of_256_on_4_devices");
    let inputs = tokens(WINDOW);
    let window = Window {
        inputs: inputs.clone(),
        targets: inputs.clone(),
        source_nats: None,
    };
    let task = Task::Score {
        windows: vec![window; 4],
        stepwise: false,
    };
    compare(&mut group, &task, |model| {
        let mut cache = model.cache(WINDOW).expect("small");
        let mut workspace = model.workspace();
        for _ in 0..4 {
            cache.clear();
            model
                .forward_ideal(&inputs, &mut cache, &mut workspace, Rows::All)
                .expect("a valid step");
        }
    });
    group.finish();
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("prompt_128_then_32_tokens_on_4_devices");
    let prompt = tokens(PROMPT);
    let task = Task::Generate {
        prompt: prompt.clone(),
        max_tokens: STEPS as u32 + 1,
    };
    compare(&mut group, &task, |model| {
        let mut cache = model.cache(PROMPT + STEPS).expect("small");
        let mut workspace = model.workspace();
        let mut step = |tokens: &[u32]| {
            model
                .forward_ideal(tokens, &mut cache, &mut workspace, Rows::Last)
                .expect("a valid step");
        };
        step(&prompt);
        for token in &prompt[..STEPS] {
            step(std::slice::from_ref(token));
        }
    });
    group.finish();
}

criterion_group!(benches, prefill, decode);
criterion_main!(benches);
