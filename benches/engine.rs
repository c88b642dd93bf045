//! The engine's speed, beside what one would use in its place.
//!
//! - (a) `timers`: 64 processes that wait, a million events, beside bare desim and a
//!   bare binary heap;
//! - (b) `meetings`: 64 processes that wait and meet, 10 000 rounds, beside the same;
//! - (c) `tasks`: layers of a sharded model as whole graphs: per layer each device
//!   computes and transmits, a barrier gathers all, the next layer follows; with the
//!   trace written and hashed, hashed alone, and without;
//! - `barrier`: one layer of many devices, to see that a barrier is linear in them.
//!
//! Compare numbers of one run only: machines and moments differ.

use std::io;
use std::sync::atomic::AtomicBool;

use airloom::engine::{
    BackgroundTrace, Cost, CsvTrace, Graph, GraphError, Kind, NullTrace, Program, Record,
    ResourceId, Resources, Task, TaskId, TaskKey, Trace, TraceLevel, run, workload,
};
use airloom::units::Duration;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const PROCESSES: u32 = 64;
const WAITS: u32 = 15_625;
const ROUNDS: u32 = 10_000;
const STAGES: &[&str] = &["compute", "transmit", "gather"];

/// Layers of a model on some devices, one after another.
struct Layers {
    compute: Vec<ResourceId>,
    uplink: Vec<ResourceId>,
    layers: u32,
    done: u32,
    arrivals: Vec<TaskId>,
}

impl Layers {
    fn new(devices: u16, layers: u32) -> (Self, Resources) {
        let mut resources = Resources::new();
        let mut declare = |name: &str| -> Vec<_> {
            (0..devices)
                .map(|device| resources.add(format!("device{device}.{name}"), 1).unwrap())
                .collect()
        };
        let layers = Self {
            compute: declare("compute"),
            uplink: declare("uplink"),
            layers,
            done: 0,
            arrivals: Vec::new(),
        };
        (layers, resources)
    }

    fn tasks(devices: u64, layers: u64) -> u64 {
        (2 * devices + 1) * layers
    }

    fn add(&mut self, before: &[TaskId], graph: &mut Graph) -> Result<(), GraphError> {
        let key = |stage, node| TaskKey {
            batch: self.done / 32,
            layer: (self.done % 32) as u16,
            stage,
            node,
            peer: if stage == 1 { 0 } else { TaskKey::NO_PEER },
            sequence: 0,
        };
        self.arrivals.clear();
        for device in 0..self.compute.len() as u16 {
            // No two devices alike, as with fading and unequal shares.
            let spread = u64::from(device) * 7919 % 1000;
            let computed = graph.add(
                Task {
                    key: key(0, device),
                    kind: Kind::Compute,
                    resource: Some(self.compute[usize::from(device)]),
                    duration: Duration(1_000_000_000 + spread * 1000),
                    cost: Cost {
                        flops: 404_750_336 + spread,
                        bytes: 202_375_168 + spread,
                        bits: 0,
                        joules: 0.0123 + spread as f64 * 1e-6,
                    },
                },
                before,
            )?;
            let sent = graph.add(
                Task {
                    key: key(1, device),
                    kind: Kind::Uplink,
                    resource: Some(self.uplink[usize::from(device)]),
                    duration: Duration(102_400_000),
                    cost: Cost {
                        bits: 65_536,
                        joules: 0.001 + spread as f64 * 1e-9,
                        ..Cost::default()
                    },
                },
                &[computed],
            )?;
            self.arrivals.push(sent);
        }
        let gathered = graph.barrier(key(2, TaskKey::NO_NODE), &self.arrivals)?;
        self.done += 1;
        if self.done < self.layers {
            graph.notify(gathered)?;
        }
        Ok(())
    }
}

impl Program for Layers {
    type Error = GraphError;

    fn start(&mut self, graph: &mut Graph) -> Result<(), GraphError> {
        self.add(&[], graph)
    }

    fn completed(
        &mut self,
        id: TaskId,
        _: &Record<'_>,
        graph: &mut Graph,
    ) -> Result<(), GraphError> {
        self.add(&[id], graph)
    }
}

fn simulate(devices: u16, layers: u32, trace: &mut dyn Trace) -> u64 {
    let (mut program, resources) = Layers::new(devices, layers);
    let never = AtomicBool::new(false);
    let report = run(&mut program, &resources, trace, &never).unwrap();
    report.totals.tasks
}

fn csv(level: TraceLevel, devices: u16) -> CsvTrace<io::Sink> {
    let nodes: Vec<String> = (0..devices)
        .map(|device| format!("device{device}"))
        .collect();
    CsvTrace::new(level, io::sink(), STAGES, &nodes).unwrap()
}

/// As the program does: the log is made beside the simulation, and waited for.
fn logged(level: TraceLevel, devices: u16, layers: u32) -> u64 {
    let mut trace = BackgroundTrace::new(csv(level, devices));
    let tasks = simulate(devices, layers, &mut trace);
    trace.finish().unwrap();
    tasks
}

fn timers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("timers");
    group.throughput(Throughput::Elements(u64::from(PROCESSES * WAITS)));
    group.sample_size(20);
    group.bench_function("engine", |bench| {
        bench.iter(|| workload::engine_timers(PROCESSES, WAITS));
    });
    group.bench_function("bare desim", |bench| {
        bench.iter(|| workload::desim_timers(PROCESSES, WAITS));
    });
    group.bench_function("bare binary heap", |bench| {
        bench.iter(|| workload::heap_timers(PROCESSES, WAITS));
    });
    group.finish();
}

fn meetings(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("meetings");
    group.throughput(Throughput::Elements(u64::from(PROCESSES * ROUNDS)));
    group.sample_size(20);
    group.bench_function("engine", |bench| {
        bench.iter(|| workload::engine_meetings(PROCESSES, ROUNDS));
    });
    group.bench_function("bare desim", |bench| {
        bench.iter(|| workload::desim_meetings(PROCESSES, ROUNDS));
    });
    group.bench_function("bare desim, helped from outside", |bench| {
        bench.iter(|| workload::desim_meetings_from_outside(PROCESSES, ROUNDS));
    });
    group.bench_function("bare binary heap", |bench| {
        bench.iter(|| workload::heap_meetings(PROCESSES, ROUNDS));
    });
    group.finish();
}

fn tasks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tasks");
    group.sample_size(20);
    for devices in [8, 64] {
        let layers = 60_000 / u32::from(devices);
        let tasks = Layers::tasks(devices.into(), layers.into());
        group.throughput(Throughput::Elements(tasks));
        for level in [TraceLevel::Full, TraceLevel::Summary, TraceLevel::Off] {
            let id = BenchmarkId::new(format!("trace {level:?}"), devices);
            group.bench_function(id, |bench| {
                bench.iter(|| logged(level, devices, layers));
            });
        }
        group.bench_function(BenchmarkId::new("no trace", devices), |bench| {
            bench.iter(|| simulate(devices, layers, &mut NullTrace));
        });
    }
    group.finish();
}

fn barrier(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("barrier");
    group.sample_size(10);
    for devices in [64, 256, 1024, 4096] {
        let layers = 409_600 / u32::from(devices);
        let tasks = Layers::tasks(devices.into(), layers.into());
        group.throughput(Throughput::Elements(tasks));
        group.bench_function(BenchmarkId::from_parameter(devices), |bench| {
            bench.iter(|| simulate(devices, layers, &mut NullTrace));
        });
    }
    group.finish();
}

criterion_group!(benches, timers, meetings, tasks, barrier);
criterion_main!(benches);
