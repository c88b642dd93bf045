//! What is allocated while a model decodes and while the engine runs, counted by an
//! allocator of this test alone: memory that is there is used again, so that neither a
//! longer context nor a longer run asks for more.
//!
//! Counted are the allocations of one thread: models compute, and logs are written, in a pool
//! of one.

use airloom::engine::{
    Cost, Graph, GraphError, Kind, NullTrace, Program, Record, ResourceId, Resources, Task, TaskId,
    TaskKey, run,
};
use airloom::model::{Architecture, Experts, ModelShape, ShardPlan, Shares};
use airloom::numerics::{Llama, Mixtral, Rows};
use airloom::rng::{NO_DEVICE, Stream, Streams};
use airloom::scenario;
use airloom::simulation::{RunOptions, prepare, run as simulate};
use airloom::units::Duration;
use allocation_counter::{AllocationInfo, measure};
use std::path::Path;
use std::sync::atomic::AtomicBool;

const CONTEXT: usize = 300;
const PROMPT: usize = 5;

fn shape(architecture: Architecture) -> ModelShape {
    ModelShape {
        name: "random".into(),
        architecture,
        design: Default::default(),
        layers: 3,
        hidden: 32,
        heads: 4,
        kv_heads: 2,
        head_dim: 8,
        ffn: 48,
        vocabulary: 50,
        tied_embeddings: false,
        experts: (architecture == Architecture::Mixtral).then_some(Experts {
            count: 4,
            active: 2,
        }),
        weight_bits: 32.0,
        cache_bits: 32.0,
        activation_bits: 32.0,
    }
}

fn weights() -> Stream {
    Streams { seed: 3, run: 0 }.open("test.weights", NO_DEVICE, 0)
}

/// Does all work of `task` on one thread. What one thread asks for and another gives back,
/// the counts of neither would tell.
fn alone<T: Send>(task: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    pool.unwrap().install(task)
}

/// What each decode step allocates, from the second on, after a prompt; `step` gets the
/// tokens of one.
fn decode(mut step: impl FnMut(&[u32]) + Send) -> Vec<AllocationInfo> {
    alone(|| {
        step(&[7; PROMPT]);
        step(&[11]);
        (PROMPT + 1..CONTEXT)
            .map(|position| measure(|| step(&[position as u32 % 50])))
            .collect()
    })
}

#[test]
fn decode_steps_of_a_llama_allocate_nothing() {
    let shape = shape(Architecture::Llama);
    let llama = Llama::random(&shape, &mut weights()).unwrap();
    for devices in [1, 3] {
        let plan = ShardPlan::new(&shape, &Shares::equal(devices).unwrap()).unwrap();
        let model = llama.shard(&plan).unwrap();
        let mut cache = model.cache(CONTEXT).unwrap();
        let mut workspace = model.workspace();
        let steps = decode(|tokens| {
            model
                .forward_ideal(tokens, &mut cache, &mut workspace, Rows::Last)
                .unwrap();
        });
        for (step, allocated) in steps.iter().enumerate() {
            assert_eq!(*allocated, AllocationInfo::default(), "{devices} {step}");
        }
    }
}

#[test]
fn decode_steps_of_several_sequences_allocate_nothing() {
    let shape = shape(Architecture::Llama);
    let llama = Llama::random(&shape, &mut weights()).unwrap();
    for devices in [1, 3] {
        let plan = ShardPlan::new(&shape, &Shares::equal(devices).unwrap()).unwrap();
        let model = llama.shard(&plan).unwrap();
        let [mut a, mut b, mut c] = [0; 3].map(|_| model.cache(CONTEXT + 2).unwrap());
        let mut workspace = model.workspace();
        let caches = &mut [&mut a, &mut b, &mut c];
        let steps = decode(|tokens| {
            model
                .forward_slices_ideal(&[tokens; 3], caches, &mut workspace, &[Rows::Last; 3])
                .unwrap();
        });
        for (step, allocated) in steps.iter().enumerate() {
            assert_eq!(*allocated, AllocationInfo::default(), "{devices} {step}");
        }
    }
}

/// Which experts a token visits differs, and with it what is gathered for them.
#[test]
fn decode_steps_of_a_mixtral_allocate_as_much_at_any_context() {
    let model = Mixtral::random(&shape(Architecture::Mixtral), &mut weights()).unwrap();
    let mut cache = model.cache(CONTEXT).unwrap();
    let mut workspace = model.workspace();
    let steps = decode(|tokens| {
        model
            .forward(tokens, &mut cache, &mut workspace, Rows::Last)
            .unwrap();
    });
    for allocated in &steps {
        assert_eq!(allocated.count_total, steps[0].count_total);
        assert_eq!(allocated.bytes_max, steps[0].bytes_max);
        assert_eq!(allocated.bytes_current, 0, "all of it is given back");
    }
}

/// Blocks of one task per device and a barrier; the next is added when it opens.
struct Blocks {
    devices: Vec<ResourceId>,
    arrivals: Vec<TaskId>,
    steps: u32,
    added: u32,
}

impl Blocks {
    fn add(&mut self, graph: &mut Graph) -> Result<(), GraphError> {
        let key = |node| TaskKey {
            batch: self.added,
            layer: 0,
            stage: 0,
            node,
            peer: TaskKey::NO_PEER,
            sequence: 0,
        };
        self.arrivals.clear();
        for (device, resource) in (0u16..).zip(&self.devices) {
            let task = Task {
                key: key(device),
                kind: Kind::Compute,
                resource: Some(*resource),
                duration: Duration(10 + u64::from(device)),
                cost: Cost::default(),
            };
            self.arrivals.push(graph.add(task, &[])?);
        }
        let barrier = graph.barrier(key(TaskKey::NO_NODE), &self.arrivals)?;
        self.added += 1;
        graph.notify(barrier)
    }
}

impl Program for Blocks {
    type Error = GraphError;

    fn start(&mut self, graph: &mut Graph) -> Result<(), GraphError> {
        self.add(graph)
    }

    fn completed(
        &mut self,
        _: TaskId,
        _: &Record<'_>,
        graph: &mut Graph,
    ) -> Result<(), GraphError> {
        if self.added < self.steps {
            self.add(graph)?;
        }
        Ok(())
    }
}

fn engine(steps: u32) -> AllocationInfo {
    let mut resources = Resources::new();
    let devices = (0..8).map(|device| resources.add(format!("device{device}"), 1).unwrap());
    let mut program = Blocks {
        devices: devices.collect(),
        arrivals: Vec::with_capacity(8),
        steps,
        added: 0,
    };
    measure(|| {
        let report = run(
            &mut program,
            &resources,
            &mut NullTrace,
            &AtomicBool::new(false),
        );
        assert_eq!(report.unwrap().totals.tasks, 9 * u64::from(steps));
    })
}

/// Completed blocks leave the graph, and their memory serves the next.
#[test]
fn a_longer_run_takes_no_more_memory_and_allocates_little_per_task() {
    let (short, long) = (engine(1_000), engine(10_000));
    let growth = long.bytes_max as f64 / short.bytes_max as f64;
    assert!(growth < 1.01, "{growth}");
    let per_task = (long.count_total - short.count_total) as f64 / (9.0 * 9_000.0);
    assert!(per_task < 0.01, "{per_task}");
}

/// What the run of so many tokens of a LLaMA-2-7B on four boards takes at most.
fn peak(tokens: u32, trace: &str) -> u64 {
    alone(|| peak_of_thread(tokens, trace))
}

fn peak_of_thread(tokens: u32, trace: &str) -> u64 {
    let text = format!(
        "Scenario(model: Shape(\"llama-2-7b\"), nodes: {{\"device\": (count: 4)}}, trace: {trace}, \
         replicas: [(placement: TensorParallel(all_reduce: Digital(bits: 8)))], \
         workload: [Tokens(prompt: 4, generate: {tokens})])"
    );
    let resolved = scenario::parse(&text, Path::new("test.ron"), &[]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = RunOptions {
        out: folder.path().join("run"),
        interrupt: &AtomicBool::new(false),
    };
    let prepared = prepare(&resolved, Streams { seed: 1, run: 0 }, Vec::new()).unwrap();
    let taken = measure(|| {
        simulate(prepared, &options, &mut ()).unwrap();
    });
    taken.bytes_max
}

/// Rows go to the disk and sums are made on the way: nothing of a pass or a block stays. Figures
/// show so many tasks of a log and no more, which the shorter of the runs has too.
#[test]
fn a_folder_of_a_longer_run_takes_no_more_memory() {
    for (trace, [few, many]) in [
        ("Off", [40, 400]),
        ("Summary", [40, 400]),
        ("Full", [400, 1200]),
    ] {
        let (short, long) = (peak(few, trace), peak(many, trace));
        let growth = long as f64 / short as f64;
        assert!(growth < 1.05, "{trace}: {short} to {long} bytes");
    }
}
