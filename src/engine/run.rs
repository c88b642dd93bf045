//! The loop that runs a program: pick the next event, let its process handle it,
//! record what ended, ask the program what follows.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use petgraph::graph::NodeIndex;

use super::agenda::{Ambiguous, Event};
use super::dispatch::{Dispatcher, Life, Signal, Wake, message};
use super::error::{EngineError, GraphError};
use super::graph::{Cause, Graph};
use super::key::Kind;
use super::ledger::Totals;
use super::program::Program;
use super::report::{Report, ResourceReport};
use super::resource::Resources;
use super::trace::{Reason, Record, Trace};
use crate::units::Instant;

/// Events between two looks at the interrupt flag.
const EVENTS_PER_POLL: u32 = 1024;

/// What a process is woken for.
#[derive(Debug, Clone, Copy)]
enum Job {
    /// Start the task in this slot, the head of the process's queue.
    Start(u32),
    /// Finish the task in this slot.
    Finish(u32),
}

/// The process of one resource, or of all tasks that have none.
fn serve(graph: Rc<RefCell<Graph>>) -> Box<Life<Job>> {
    let life = #[coroutine]
    move |mut wake: Wake<Job>| {
        loop {
            match message(&wake) {
                Job::Start(slot) => graph.borrow_mut().start(slot),
                Job::Finish(slot) => graph.borrow_mut().finish(slot),
            }
            wake = yield Signal::PARK;
        }
    };
    Box::new(life)
}

/// Runs `program` on `resources` until no task is left, and records every task.
///
/// `interrupt` is polled now and then; once it is true the run ends.
///
/// # Errors
/// If the program or the trace fails, a task cannot be carried out, tasks wait for
/// each other, two share a key at one instant, or the run is interrupted.
pub fn run<P, T>(
    program: &mut P,
    resources: &Resources,
    trace: &mut T,
    interrupt: &AtomicBool,
) -> Result<Report, EngineError<P::Error>>
where
    P: Program + ?Sized,
    T: Trace + ?Sized,
{
    let graph = Rc::new(RefCell::new(Graph::new(resources)));
    let mut processes = Dispatcher::new();
    for _ in 0..=resources.list().len() {
        processes.spawn(serve(graph.clone()));
    }
    let mut run = Run {
        program,
        resources,
        trace,
        totals: Totals::default(),
        kinds: Default::default(),
    };
    run.program
        .start(&mut graph.borrow_mut())
        .map_err(EngineError::Program)?;
    let mut events = 0u32;
    loop {
        if events.is_multiple_of(EVENTS_PER_POLL) && interrupt.load(Ordering::Relaxed) {
            return Err(EngineError::Interrupted {
                at: graph.borrow().now(),
                finished: run.totals.tasks,
            });
        }
        events = events.wrapping_add(1);
        let Some((process, job)) = run.next(&mut graph.borrow_mut())? else {
            break;
        };
        processes.resume(process, job);
        let mut graph = graph.borrow_mut();
        if let Some(fault) = graph.fault.take() {
            return Err(fault.into());
        }
        match job {
            Job::Start(slot) => run.started(slot, &mut graph)?,
            Job::Finish(slot) => run.finished(slot, &mut graph)?,
        }
    }
    let mut graph = graph.borrow_mut();
    if graph.unfinished > 0 {
        return Err(EngineError::Deadlock {
            at: graph.now(),
            unfinished: graph.unfinished,
            stuck: graph.stuck(),
        });
    }
    Ok(run.report(&mut graph))
}

/// A run under way: everything but the graph, which the processes share.
struct Run<'a, P: ?Sized, T: ?Sized> {
    program: &'a mut P,
    resources: &'a Resources,
    trace: &'a mut T,
    totals: Totals,
    kinds: [Totals; Kind::ALL.len()],
}

impl<P: Program + ?Sized, T: Trace + ?Sized> Run<'_, P, T> {
    /// What is to be done next, and by which process; `None` at the end.
    fn next(&mut self, graph: &mut Graph) -> Result<Option<(usize, Job)>, EngineError<P::Error>> {
        loop {
            let event = match graph.agenda.pop(&graph.dag) {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(None),
                Err(Ambiguous(event)) => {
                    let key = graph.key_of(event);
                    return Err(GraphError::DuplicateKey { key }.into());
                }
            };
            let job = match event {
                Event::End { slot } => Job::Finish(slot),
                Event::Turn { resource, order } => {
                    let Some(index) = graph.candidate(resource, order) else {
                        continue;
                    };
                    Job::Start(index.index() as u32)
                }
            };
            return Ok(Some((graph.handler(event), job)));
        }
    }

    /// Has the program fill in duration and cost of the task that just started, if they
    /// were left to that.
    fn started(&mut self, slot: u32, graph: &mut Graph) -> Result<(), EngineError<P::Error>> {
        let index = NodeIndex::new(slot as usize);
        let node = &graph.dag[index];
        if !node.deferred {
            return Ok(());
        }
        let key = node.task.key;
        let barrier = node.reason == Reason::Barrier;
        graph.author = node
            .released_by
            .map(|number| (None, Cause { number, barrier }));
        let id = graph.id(index);
        let occupancy = self
            .program
            .service(id, key, graph)
            .map_err(EngineError::Program)?
            .ok_or(EngineError::Occupancy { key })?;
        occupancy.cost.check(key)?;
        let task = &mut graph.dag[index].task;
        task.duration = occupancy.duration;
        task.cost = occupancy.cost;
        Ok(graph.run_to_end(index)?)
    }

    /// Records the task that just finished and tells the program.
    fn finished(&mut self, slot: u32, graph: &mut Graph) -> Result<(), EngineError<P::Error>> {
        let index = NodeIndex::new(slot as usize);
        let now = graph.now();
        let id = graph.id(index);
        let node = &mut graph.dag[index];
        let task = node.task;
        let service = now.since(node.start);
        self.totals.add(service, &task.cost);
        self.kinds[task.kind as usize].add(service, &task.cost);
        let mut inputs = std::mem::take(&mut node.inputs);
        let record = Record {
            number: graph.finished - 1,
            inputs: &inputs,
            key: task.key,
            resource: task
                .resource
                .map(|resource| self.resources.list()[resource.index()].name.as_str()),
            kind: task.kind,
            ready: node.ready,
            start: node.start,
            end: now,
            released_by: node.released_by,
            reason: node.reason,
            cost: task.cost,
        };
        let notify = node.notify;
        self.trace.record(&record).map_err(EngineError::Trace)?;
        self.program
            .measured(&record)
            .map_err(EngineError::Program)?;
        if notify {
            let cause = Cause {
                number: record.number,
                barrier: record.kind == Kind::Barrier,
            };
            graph.author = Some((Some(id), cause));
            self.program
                .completed(id, &record, graph)
                .map_err(EngineError::Program)?;
        }
        if inputs.spilled() {
            inputs.clear();
            graph.spare.push(inputs);
        }
        graph.clear_finished();
        Ok(())
    }

    /// Closes the books.
    fn report(self, graph: &mut Graph) -> Report {
        let end = graph.now();
        let resources = self.resources.list().iter().zip(&mut graph.desks);
        Report {
            makespan: end.since(Instant::ZERO),
            totals: self.totals,
            kinds: self.kinds,
            resources: resources
                .map(|(resource, desk)| {
                    desk.ledger.settle(end);
                    ResourceReport {
                        name: resource.name.clone(),
                        capacity: resource.capacity,
                        busy: desk.ledger.busy,
                        waiting: desk.ledger.waiting,
                        idle: desk.ledger.idle,
                        totals: desk.ledger.totals,
                    }
                })
                .collect(),
            peak_unfinished: graph.peak_unfinished,
            peak_slots: graph.peak_slots,
        }
    }
}
