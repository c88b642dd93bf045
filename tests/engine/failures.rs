//! How a run of the engine fails: with an error that names the place and the way out.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use airloom::engine::{
    Cost, EngineError, Graph, GraphError, Kind, NullTrace, Occupancy, Program, Record, Report,
    ResourceId, Resources, Task, TaskId, TaskKey, Trace, run,
};
use airloom::units::{Duration, Instant};

/// A program that is one function, called at the start and at every completion.
struct Act<F>(F);

impl<F> Program for Act<F>
where
    F: FnMut(Option<TaskKey>, &mut Graph) -> Result<(), GraphError>,
{
    type Error = GraphError;

    fn start(&mut self, graph: &mut Graph) -> Result<(), GraphError> {
        self.0(None, graph)
    }

    fn completed(
        &mut self,
        _: TaskId,
        record: &Record<'_>,
        graph: &mut Graph,
    ) -> Result<(), GraphError> {
        self.0(Some(record.key), graph)
    }
}

type Outcome = Result<Report, EngineError<GraphError>>;

/// Runs `act` on one resource named `device`.
fn simulate(
    mut act: impl FnMut(Option<TaskKey>, &mut Graph, ResourceId) -> Result<(), GraphError>,
) -> Outcome {
    let mut resources = Resources::new();
    let device = resources.add("device", 1).unwrap();
    let mut program = Act(|key: Option<TaskKey>, graph: &mut Graph| act(key, graph, device));
    run(
        &mut program,
        &resources,
        &mut NullTrace,
        &AtomicBool::new(false),
    )
}

fn key(sequence: u32) -> TaskKey {
    TaskKey {
        batch: 0,
        layer: 3,
        stage: 1,
        node: 2,
        peer: 0,
        sequence,
    }
}

fn task(sequence: u32, resource: Option<ResourceId>, duration: u64) -> Task {
    Task {
        key: key(sequence),
        kind: Kind::Compute,
        resource,
        duration: Duration(duration),
        cost: Cost::default(),
    }
}

fn message(outcome: Outcome) -> String {
    outcome.unwrap_err().to_string()
}

#[test]
fn a_circle_of_tasks_is_a_deadlock_that_names_them() {
    let outcome = simulate(|_, graph, device| {
        let first = graph.add(task(0, None, 1_000_000_000_000), &[])?;
        let second = graph.add(task(1, Some(device), 5), &[first])?;
        let third = graph.add(task(2, Some(device), 5), &[second])?;
        graph.link(third, second)
    });
    assert_eq!(
        message(outcome),
        "deadlock at 1 s: 2 tasks are unfinished and none can start; \
         (batch 0, layer 3, stage 1, node 2, peer 0, sequence 1) waits for \
         (batch 0, layer 3, stage 1, node 2, peer 0, sequence 2); \
         (batch 0, layer 3, stage 1, node 2, peer 0, sequence 2) waits for \
         (batch 0, layer 3, stage 1, node 2, peer 0, sequence 1)"
    );
}

#[test]
fn a_large_deadlock_is_listed_in_part() {
    let outcome = simulate(|_, graph, device| {
        let first = graph.add(task(0, Some(device), 1), &[])?;
        let gate = graph.add(task(1, Some(device), 1), &[first])?;
        let mut last = gate;
        for sequence in 2..100 {
            last = graph.add(task(sequence, Some(device), 1), &[gate])?;
            graph.link(last, gate)?;
        }
        graph.link(last, gate)
    });
    let Err(EngineError::Deadlock {
        unfinished, stuck, ..
    }) = outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(unfinished, 99);
    assert_eq!(stuck.len(), 8);
    assert_eq!(stuck[0].key, key(1));
    // 98 tasks, one of them linked twice.
    assert_eq!(stuck[0].waits_for.len() + stuck[0].unlisted, 99);
    assert!(
        stuck[0].to_string().ends_with(" and 91 more"),
        "{}",
        stuck[0]
    );
}

#[test]
fn an_error_of_the_program_ends_the_run() {
    let error = GraphError::LadenBarrier { key: key(9) };
    let outcome = simulate(|completed, graph, device| match completed {
        None => {
            let id = graph.add(task(0, Some(device), 1), &[])?;
            graph.notify(id)
        }
        Some(_) => Err(error.clone()),
    });
    assert!(matches!(&outcome, Err(EngineError::Program(inner)) if *inner == error));
}

#[test]
fn two_tasks_of_one_name_at_one_instant_have_no_order() {
    let expected = "two tasks are both named (batch 0, layer 3, stage 1, node 2, peer 0, sequence 4); \
                    give every task of a run a key of its own";
    let ends = simulate(|_, graph, _| {
        graph.add(task(4, None, 7), &[])?;
        graph.add(task(4, None, 7), &[]).map(drop)
    });
    assert_eq!(message(ends), expected);
    let queue = simulate(|_, graph, device| {
        graph.add(task(4, Some(device), 7), &[])?;
        graph.add(task(4, Some(device), 8), &[]).map(drop)
    });
    assert_eq!(message(queue), expected);
}

#[test]
fn a_deferred_task_needs_a_program_that_tells_its_duration() {
    let outcome = simulate(|_, graph, device| {
        let id = graph.add(task(0, Some(device), 0), &[])?;
        graph.defer(id)
    });
    assert!(message(outcome).contains("answer in `Program::service`"));
    let outcome = simulate(|_, graph, _| {
        let id = graph.add(task(0, None, 0), &[])?;
        graph.defer(id)
    });
    assert!(message(outcome).contains("only a task on a resource"));
}

#[test]
fn law_3_time_that_runs_out_is_an_error() {
    let days = 200 * 86_400_000_000_000_000;
    for resource in [true, false] {
        let outcome = simulate(|_, graph, device| {
            let device = resource.then_some(device);
            let first = graph.add(task(0, device, days), &[])?;
            graph.add(task(1, device, days), &[first]).map(drop)
        });
        assert!(message(outcome).contains("beyond the 213 days"));
    }
}

#[test]
fn refuses_tasks_that_cannot_be_carried_out() {
    for joules in [f64::NAN, f64::INFINITY, -1.0] {
        let outcome = simulate(|_, graph, device| {
            let mut task = task(0, Some(device), 1);
            task.cost.joules = joules;
            graph.add(task, &[]).map(drop)
        });
        assert!(message(outcome).contains("finite and not negative"));
    }
    let outcome = simulate(|_, graph, device| {
        let mut task = task(0, Some(device), 0);
        task.kind = Kind::Barrier;
        graph.add(task, &[]).map(drop)
    });
    assert!(message(outcome).contains("a barrier takes no resource"));
    let mut elsewhere = Resources::new();
    elsewhere.add("a", 1).unwrap();
    let foreign = elsewhere.add("b", 1).unwrap();
    let outcome = simulate(|_, graph, _| graph.add(task(0, Some(foreign), 1), &[]).map(drop));
    assert!(message(outcome).contains("resource number 1 is not among the 1 of this run"));
}

#[test]
fn ids_of_another_run_are_refused() {
    let mut ids = Vec::new();
    simulate(|_, graph, device| {
        for sequence in 0..3 {
            ids.push(graph.add(task(sequence, Some(device), 1), &[])?);
        }
        Ok(())
    })
    .unwrap();
    let outcome =
        simulate(|_, graph, device| graph.add(task(0, Some(device), 1), &[ids[2]]).map(drop));
    assert!(message(outcome).contains("is it of another run?"));
}

#[test]
fn what_comes_too_late_is_refused() {
    type Request = fn(&mut Graph, TaskId, ResourceId) -> Result<(), GraphError>;
    let requests: [(Request, &str); 4] = [
        (|graph, id, _| graph.notify(id), "ask for notice of an end"),
        (
            |graph, id, _| graph.defer(id),
            "leave a duration to the start",
        ),
        (
            |graph, id, device| graph.hold(device, id),
            "hold a resource",
        ),
        (
            |graph, id, _| graph.link(id, id),
            "give a task another predecessor",
        ),
    ];
    for (request, name) in requests {
        let mut id = None;
        let outcome = simulate(|completed, graph, device| match completed {
            None => {
                let task = graph.add(task(0, Some(device), 1), &[])?;
                id = Some(task);
                graph.notify(task)
            }
            Some(_) => request(graph, id.unwrap(), device),
        });
        let expected =
            format!("too late to {name}: task number 0 has finished; do so right after adding it");
        assert_eq!(message(outcome), expected);
    }
    let outcome = simulate(|_, graph, device| {
        let first = graph.add(task(0, Some(device), 1), &[])?;
        let second = graph.add(task(1, Some(device), 1), &[])?;
        graph.link(first, second)
    });
    assert!(message(outcome).contains("task number 1 waits for no task any more"));
}

#[test]
fn only_what_runs_can_be_changed() {
    let later = Instant(9);
    let unstarted = simulate(|_, graph, device| {
        graph.add(task(0, Some(device), 5), &[])?;
        let second = graph.add(task(1, Some(device), 5), &[])?;
        graph.retime(second, later)
    });
    assert_eq!(
        message(unstarted),
        "cannot move the end of a task: task number 1 has not started; only a running task has an end"
    );
    let mut first = None;
    let finished = simulate(|completed, graph, device| match completed {
        None => {
            let id = graph.add(task(0, Some(device), 5), &[])?;
            first = Some(id);
            graph.notify(id)
        }
        Some(_) => graph.recost(first.unwrap(), Cost::default()),
    });
    assert_eq!(
        message(finished),
        "cannot change the cost of a task: task number 0 has finished; only a running task has an end"
    );
    let past = simulate(|completed, graph, device| match completed {
        None => {
            first = Some(graph.add(task(0, None, 5), &[])?);
            let id = graph.add(task(1, Some(device), 4), &[])?;
            graph.notify(id)
        }
        Some(_) => graph.retime(first.unwrap(), Instant(3)),
    });
    assert!(message(past).contains("its end cannot be moved to 3 ps, for it is 4 ps already"));
    let barrier = simulate(|_, graph, _| {
        let id = graph.barrier(key(0), &[])?;
        graph.retime(id, later)
    });
    assert!(message(barrier).contains("a barrier takes no resource, no time"));
    let energy = simulate(|_, graph, _| {
        let id = graph.add(task(0, None, 5), &[])?;
        let joules = f64::NAN;
        graph.recost(
            id,
            Cost {
                joules,
                ..Cost::default()
            },
        )
    });
    assert!(message(energy).contains("finite and not negative"));
}

#[test]
fn a_task_that_is_starting_is_told_its_end_by_the_answer() {
    struct Impatient(ResourceId);
    impl Program for Impatient {
        type Error = GraphError;

        fn start(&mut self, graph: &mut Graph) -> Result<(), GraphError> {
            let id = graph.add(task(0, Some(self.0), 0), &[])?;
            graph.defer(id)
        }

        fn completed(
            &mut self,
            _: TaskId,
            _: &Record<'_>,
            _: &mut Graph,
        ) -> Result<(), GraphError> {
            Ok(())
        }

        fn service(
            &mut self,
            id: TaskId,
            _: TaskKey,
            graph: &mut Graph,
        ) -> Result<Option<Occupancy>, GraphError> {
            graph.retime(id, Instant(7))?;
            Ok(Some(Occupancy::default()))
        }
    }
    let mut resources = Resources::new();
    let mut program = Impatient(resources.add("device", 1).unwrap());
    let never = AtomicBool::new(false);
    let outcome = run(&mut program, &resources, &mut NullTrace, &never);
    assert!(message(outcome).contains("is starting; answer so in `Program::service`"));
}

#[test]
fn a_trace_that_cannot_be_written_ends_the_run() {
    struct Full;
    impl Trace for Full {
        fn record(&mut self, _: &Record<'_>) -> io::Result<()> {
            Err(io::Error::new(io::ErrorKind::StorageFull, "disk full"))
        }
    }
    let mut resources = Resources::new();
    let device = resources.add("device", 1).unwrap();
    let mut program = Act(|_: Option<TaskKey>, graph: &mut Graph| {
        graph.add(task(0, Some(device), 1), &[]).map(drop)
    });
    let outcome = run(&mut program, &resources, &mut Full, &AtomicBool::new(false));
    assert_eq!(
        message(outcome),
        "the event log cannot be written: disk full"
    );
}

#[test]
fn the_interrupt_flag_ends_an_endless_run() {
    let interrupt = AtomicBool::new(false);
    let mut resources = Resources::new();
    let device = resources.add("device", 1).unwrap();
    let mut program = Act(|completed: Option<TaskKey>, graph: &mut Graph| {
        let sequence = completed.map_or(0, |key| key.sequence + 1);
        if sequence == 5000 {
            interrupt.store(true, Ordering::Relaxed);
        }
        let id = graph.add(task(sequence, Some(device), 1), &[])?;
        graph.notify(id)
    });
    let outcome = run(&mut program, &resources, &mut NullTrace, &interrupt);
    let Err(EngineError::Interrupted { finished, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    assert!((5000..10_000).contains(&finished), "{finished}");
}
