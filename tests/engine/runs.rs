//! What the engine does with small programs whose outcome is known by hand.

use std::io;
use std::sync::atomic::AtomicBool;

use airloom::engine::{
    Cost, Graph, GraphError, Kind, NullTrace, Occupancy, Program, Reason, Record, Report,
    ResourceId, Resources, Task, TaskId, TaskKey, Trace, run,
};
use airloom::units::{Duration, Instant};

const COMPUTE: u16 = 0;
const GATHER: u16 = 1;

fn key(layer: u16, stage: u16, node: u16) -> TaskKey {
    TaskKey {
        batch: 0,
        layer,
        stage,
        node,
        peer: TaskKey::NO_PEER,
        sequence: 0,
    }
}

/// (layer, stage, node), ready, start, end, inputs, releaser, reason.
type Row = (
    (u16, u16, u16),
    u64,
    u64,
    u64,
    Vec<u64>,
    Option<u64>,
    Reason,
);

#[derive(Default)]
struct Rows(Vec<Row>);

impl Trace for Rows {
    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        assert_eq!(record.number, self.0.len() as u64);
        let key = record.key;
        self.0.push((
            (key.layer, key.stage, key.node),
            record.ready.0,
            record.start.0,
            record.end.0,
            record.inputs.to_vec(),
            record.released_by,
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
        let barrier = graph.barrier(key(layer, GATHER, TaskKey::NO_NODE), &arrivals)?;
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
        _: &Record<'_>,
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
fn rows_name_what_each_task_waited_for_and_what_let_it_start() {
    let (report, rows) = Layers::run(2, 2, false);
    let none = TaskKey::NO_NODE;
    let compute = |layer, node| (layer, COMPUTE, node);
    let (input, barrier) = (Reason::Input, Reason::Barrier);
    let expected = [
        (compute(0, 0), 0, 0, 10, vec![], None, input),
        (compute(0, 1), 0, 0, 20, vec![], None, input),
        ((0, GATHER, none), 20, 20, 20, vec![0, 1], Some(1), input),
        (compute(1, 0), 20, 20, 30, vec![2], Some(2), barrier),
        (compute(1, 1), 20, 20, 40, vec![2], Some(2), barrier),
        ((1, GATHER, none), 40, 40, 40, vec![3, 4], Some(4), input),
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
        for (node, duration) in [(3, 10), (2, 10), (1, 15), (0, 10)] {
            let task = Task {
                key: key(0, COMPUTE, node),
                kind: Kind::Uplink,
                resource: Some(self.medium),
                duration: Duration(duration),
                cost: Cost::default(),
            };
            graph.add(task, &[])?;
        }
        Ok(())
    }

    fn completed(&mut self, _: TaskId, _: &Record<'_>, _: &mut Graph) -> Result<(), GraphError> {
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
    let at = |node| (0, COMPUTE, node);
    let expected = [
        (at(0), 0, 0, 10, vec![], None, Reason::Input),
        (at(1), 0, 0, 15, vec![], None, Reason::Input),
        (at(2), 0, 10, 20, vec![], Some(0), Reason::Resource),
        (at(3), 0, 15, 25, vec![], Some(1), Reason::Resource),
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
            _: &Record<'_>,
            _: &mut Graph,
        ) -> Result<(), GraphError> {
            Ok(())
        }
    }
    let never = AtomicBool::new(false);
    let report = run(&mut Nothing, &Resources::new(), &mut NullTrace, &never).unwrap();
    assert_eq!((report.makespan, report.totals.tasks), (Duration::ZERO, 0));
}

/// One task whose end moves now and then, and one more that runs beside it.
struct Moving {
    moves: Vec<u64>,
    moved: Option<TaskId>,
}

impl Program for Moving {
    type Error = GraphError;

    fn start(&mut self, graph: &mut Graph) -> Result<(), GraphError> {
        let free = |node, duration| Task {
            key: key(0, COMPUTE, node),
            kind: Kind::Transfer,
            resource: None,
            duration: Duration(duration),
            cost: Cost::default(),
        };
        self.moved = Some(graph.add(free(0, 100), &[])?);
        let beside = graph.add(free(1, 10), &[])?;
        graph.notify(beside)
    }

    fn completed(
        &mut self,
        _: TaskId,
        _: &Record<'_>,
        graph: &mut Graph,
    ) -> Result<(), GraphError> {
        let moved = self.moved.expect("it was added");
        for end in &self.moves {
            graph.retime(moved, Instant(*end))?;
        }
        graph.recost(
            moved,
            Cost {
                bits: 7,
                ..Cost::default()
            },
        )
    }
}

#[test]
fn a_task_ends_where_it_was_moved_last() {
    for moves in [
        vec![],
        vec![200],
        vec![10],
        vec![200, 100],
        vec![50, 100, 50, 70],
        vec![100, 300, 20, 20],
    ] {
        let last = *moves.last().unwrap_or(&100);
        let mut program = Moving { moves, moved: None };
        let mut rows = Rows::default();
        let never = AtomicBool::new(false);
        let report = run(&mut program, &Resources::new(), &mut rows, &never).unwrap();
        assert_eq!(rows.0.len(), 2);
        assert_eq!(rows.0[1].3, last);
        assert_eq!(
            report.makespan,
            Duration(last),
            "no old end prolongs the run"
        );
        assert_eq!(report.totals.service_ps, u128::from(10 + last));
        assert_eq!(report.totals.bits, 7);
    }
}

/// A task that adds another as it starts, and is told of every end.
struct Spawning {
    lane: ResourceId,
    heard: Vec<(u64, u16)>,
}

impl Program for Spawning {
    type Error = GraphError;

    fn start(&mut self, graph: &mut Graph) -> Result<(), GraphError> {
        for node in [1, 2] {
            let task = Task {
                key: key(0, COMPUTE, node),
                kind: Kind::Compute,
                resource: Some(self.lane),
                duration: Duration::ZERO,
                cost: Cost::default(),
            };
            let id = graph.add(task, &[])?;
            graph.defer(id)?;
        }
        Ok(())
    }

    fn completed(&mut self, _: TaskId, _: &Record<'_>, _: &mut Graph) -> Result<(), GraphError> {
        Ok(())
    }

    fn service(
        &mut self,
        id: TaskId,
        start: TaskKey,
        graph: &mut Graph,
    ) -> Result<Option<Occupancy>, GraphError> {
        // First by key, and yet behind the one that has its place already.
        let task = Task {
            key: key(0, COMPUTE, 0),
            kind: Kind::Compute,
            resource: Some(self.lane),
            duration: Duration(1),
            cost: Cost::default(),
        };
        if start.node == 2 {
            graph.add(task, &[])?;
            graph.barrier(key(0, GATHER, start.node), &[])?;
            graph.barrier(key(1, GATHER, start.node), &[id])?;
        }
        Ok(Some(Occupancy {
            duration: Duration(5),
            cost: Cost::default(),
        }))
    }

    fn measured(&mut self, record: &Record<'_>) -> Result<(), GraphError> {
        self.heard.push((record.number, record.key.node));
        Ok(())
    }
}

#[test]
fn what_is_added_at_a_start_was_released_by_what_released_that() {
    let mut resources = Resources::new();
    let lane = resources.add("lane", 1).unwrap();
    let heard = Vec::new();
    let mut program = Spawning { lane, heard };
    let mut rows = Rows::default();
    let never = AtomicBool::new(false);
    run(&mut program, &resources, &mut rows, &never).unwrap();
    let (input, resource) = (Reason::Input, Reason::Resource);
    let expected = [
        ((0, COMPUTE, 1), 0, 0, 5, vec![], None, input),
        ((0, GATHER, 2), 5, 5, 5, vec![0], Some(0), input),
        ((0, COMPUTE, 2), 0, 5, 10, vec![], Some(0), resource),
        ((1, GATHER, 2), 10, 10, 10, vec![2], Some(2), input),
        ((0, COMPUTE, 0), 5, 10, 11, vec![0], Some(2), resource),
    ];
    assert_eq!(rows.0, expected);
    assert_eq!(program.heard, [(0, 1), (1, 2), (2, 2), (3, 2), (4, 0)]);
}
