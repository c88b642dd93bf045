//! What the engine does with small programs whose outcome is known by hand.

use std::io;
use std::sync::atomic::AtomicBool;

use airloom::engine::{
    Cost, Graph, GraphError, Kind, NullTrace, Program, Reason, Record, Report, ResourceId,
    Resources, Task, TaskId, TaskKey, Trace, run,
};
use airloom::units::{Duration, Instant};

const COMPUTE: u16 = 0;
const GATHER: u16 = 1;

fn key(layer: u16, stage: u16, device: u16) -> TaskKey {
    TaskKey {
        request: 0,
        step: 0,
        layer,
        stage,
        device,
        sequence: 0,
    }
}

/// (layer, stage, device), ready, start, end, releaser, reason.
type Row = (
    (u16, u16, u16),
    u64,
    u64,
    u64,
    Option<(u16, u16, u16)>,
    Reason,
);

#[derive(Default)]
struct Rows(Vec<Row>);

impl Trace for Rows {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let place = |key: TaskKey| (key.layer, key.stage, key.device);
        self.0.push((
            place(record.key),
            record.ready.0,
            record.start.0,
            record.end.0,
            record.released_by.map(place),
            record.reason,
        ));
        Ok(())
    }
}

/// Layers of one compute task per device and a barrier; the next layer is added
/// when the barrier opens. Device d takes (d + 1) × 10 ps.
struct Layers {
    devices: Vec<ResourceId>,
    layers: u16,
    holds: bool,
    barriers: Vec<TaskId>,
}

impl Layers {
    fn run(devices: u16, layers: u16, holds: bool) -> (Report, Vec<Row>) {
        let mut resources = Resources::new();
        let devices = (0..devices)
            .map(|device| resources.add(format!("device{device}"), 1).unwrap())
            .collect();
        let mut program = Self {
            devices,
            layers,
            holds,
            barriers: Vec::new(),
        };
        let mut rows = Rows::default();
        let report = run(&mut program, &resources, &mut rows, &AtomicBool::new(false)).unwrap();
        (report, rows.0)
    }

    fn add(&mut self, graph: &mut Graph) -> Result<(), GraphError> {
        let layer = self.barriers.len() as u16;
        // Ids of tasks that left long ago go on meaning "finished".
        for barrier in &self.barriers {
            assert!(graph.is_finished(*barrier)?);
        }
        let mut arrivals = Vec::new();
        for (device, resource) in (0u16..).zip(&self.devices) {
            let task = Task {
                key: key(layer, COMPUTE, device),
                kind: Kind::Compute,
                resource: Some(*resource),
                duration: Duration(u64::from(device + 1) * 10),
                cost: Cost::default(),
            };
            arrivals.push(graph.add(task, &self.barriers)?);
        }
        let barrier = graph.barrier(key(layer, GATHER, TaskKey::NO_DEVICE), &arrivals)?;
        assert!(!graph.is_finished(barrier)?);
        if self.holds {
            for device in &self.devices {
                graph.hold(*device, barrier)?;
            }
        }
        graph.notify(barrier)?;
        self.barriers.push(barrier);
        Ok(())
    }
}

impl Program for Layers {
    type Error = GraphError;

    fn start(&mut self, graph: &mut Graph) -> Result<(), GraphError> {
        self.add(graph)
    }

    fn completed(
        &mut self,
        id: TaskId,
        _: TaskKey,
        _: Instant,
        graph: &mut Graph,
    ) -> Result<(), GraphError> {
        assert_eq!(self.barriers.last(), Some(&id));
        if self.barriers.len() < usize::from(self.layers) {
            self.add(graph)?;
        }
        Ok(())
    }
}

#[test]
fn rows_name_what_let_each_task_start() {
    let (report, rows) = Layers::run(2, 2, false);
    let none = TaskKey::NO_DEVICE;
    let expected = [
        ((0, COMPUTE, 0), 0, 0, 10, None, Reason::Input),
        ((0, COMPUTE, 1), 0, 0, 20, None, Reason::Input),
        (
            (0, GATHER, none),
            20,
            20,
            20,
            Some((0, COMPUTE, 1)),
            Reason::Input,
        ),
        (
            (1, COMPUTE, 0),
            20,
            20,
            30,
            Some((0, GATHER, none)),
            Reason::Barrier,
        ),
        (
            (1, COMPUTE, 1),
            20,
            20,
            40,
            Some((0, GATHER, none)),
            Reason::Barrier,
        ),
        (
            (1, GATHER, none),
            40,
            40,
            40,
            Some((1, COMPUTE, 1)),
            Reason::Input,
        ),
    ];
    assert_eq!(rows, expected);
    assert_eq!(report.makespan, Duration(40));
}

#[test]
fn a_device_held_for_an_all_reduce_waits_for_it() {
    let state = |holds| {
        let (report, _) = Layers::run(3, 4, holds);
        let resources = report.resources.into_iter();
        let times = resources.map(|it| (it.busy.0, it.waiting.0, it.idle.0));
        times.collect::<Vec<_>>()
    };
    assert_eq!(state(true), [(40, 80, 0), (80, 40, 0), (120, 0, 0)]);
    assert_eq!(state(false), [(40, 0, 80), (80, 0, 40), (120, 0, 0)]);
}

#[test]
fn memory_does_not_grow_with_the_length_of_a_run() {
    let (short, _) = Layers::run(8, 500, true);
    let (long, _) = Layers::run(8, 5000, true);
    assert_eq!(long.totals.tasks, 10 * short.totals.tasks);
    assert_eq!(long.peak_unfinished, 9);
    for report in [short, long] {
        assert!(report.peak_slots < 1050, "{}", report.peak_slots);
    }
}

/// Tasks that queue for one resource of two places.
struct Queue {
    medium: ResourceId,
}

impl Program for Queue {
    type Error = GraphError;

    fn start(&mut self, graph: &mut Graph) -> Result<(), GraphError> {
        // Added against the order of their keys.
        for (device, duration) in [(3, 10), (2, 10), (1, 15), (0, 10)] {
            let task = Task {
                key: key(0, COMPUTE, device),
                kind: Kind::Uplink,
                resource: Some(self.medium),
                duration: Duration(duration),
                cost: Cost::default(),
            };
            graph.add(task, &[])?;
        }
        Ok(())
    }

    fn completed(
        &mut self,
        _: TaskId,
        _: TaskKey,
        _: Instant,
        _: &mut Graph,
    ) -> Result<(), GraphError> {
        Ok(())
    }
}

#[test]
fn a_resource_serves_as_many_at_once_as_it_has_places() {
    let mut resources = Resources::new();
    let medium = resources.add("medium", 2).unwrap();
    let mut rows = Rows::default();
    let never = AtomicBool::new(false);
    let report = run(&mut Queue { medium }, &resources, &mut rows, &never).unwrap();
    let at = |device| (0, COMPUTE, device);
    let expected = [
        (at(0), 0, 0, 10, None, Reason::Input),
        (at(1), 0, 0, 15, None, Reason::Input),
        (at(2), 0, 10, 20, Some(at(0)), Reason::Resource),
        (at(3), 0, 15, 25, Some(at(1)), Reason::Resource),
    ];
    assert_eq!(rows.0, expected);
    let medium = &report.resources[0];
    assert_eq!((medium.busy.0, medium.waiting.0, medium.idle.0), (25, 0, 0));
    assert_eq!(medium.totals.service_ps, 45);
}

#[test]
fn a_program_without_tasks_takes_no_time() {
    struct Nothing;
    impl Program for Nothing {
        type Error = GraphError;

        fn start(&mut self, _: &mut Graph) -> Result<(), GraphError> {
            Ok(())
        }

        fn completed(
            &mut self,
            _: TaskId,
            _: TaskKey,
            _: Instant,
            _: &mut Graph,
        ) -> Result<(), GraphError> {
            Ok(())
        }
    }
    let never = AtomicBool::new(false);
    let report = run(&mut Nothing, &Resources::new(), &mut NullTrace, &never).unwrap();
    assert_eq!((report.makespan, report.totals.tasks), (Duration::ZERO, 0));
}
