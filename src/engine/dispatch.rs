//! desim as the engine uses it: one event at a time.
//!
//! desim orders events by an f64 time alone; ties fall as its heap pleases, and
//! beyond 2⁵³ the clock skips integers. So it never gets to see two events: the
//! engine picks the next one by its own integer order and hands it over, with
//! desim's clock as a mere count of events. Whatever happens to that count, a heap
//! of one event has no ties. Every process is a desim coroutine that handles one
//! message per resumption and then parks.

use std::ops::Coroutine;

use desim::{Effect, SimContext, SimState, Simulation};

/// What desim carries to a process: the engine's message, and no effect of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signal<M> {
    /// What the process is woken for; `None` on the way back.
    message: Option<M>,
}

impl<M: Copy> Signal<M> {
    /// What a process yields: wait for the next message.
    pub(super) const PARK: Self = Self { message: None };
}

impl<M: Copy> SimState for Signal<M> {
    fn get_effect(&self) -> Effect {
        Effect::Wait
    }

    fn set_effect(&mut self, _: Effect) {}

    fn should_log(&self) -> bool {
        false
    }
}

/// The context with which desim resumes a process.
pub(super) type Wake<M> = SimContext<Signal<M>>;

/// The coroutine of a process.
pub(super) type Life<M> = dyn Coroutine<Wake<M>, Yield = Signal<M>, Return = ()> + Unpin;

/// The message that a process was woken for.
pub(super) fn message<M: Copy>(wake: &Wake<M>) -> M {
    wake.state()
        .message
        .expect("a process is resumed by Dispatcher::resume alone, which sends a message")
}

/// The processes of one run.
pub(super) struct Dispatcher<M: Copy + 'static> {
    simulation: Simulation<Signal<M>>,
    ordinal: f64,
}

impl<M: Copy + 'static> Dispatcher<M> {
    pub(super) fn new() -> Self {
        Self {
            simulation: Simulation::new(),
            ordinal: 0.0,
        }
    }

    /// Adds a process and tells its number, counted from zero.
    pub(super) fn spawn(&mut self, life: Box<Life<M>>) -> usize {
        self.simulation.create_process(life)
    }

    /// Wakes `process` with `message` and returns when it parks.
    pub(super) fn resume(&mut self, process: usize, message: M) {
        self.ordinal += 1.0;
        let signal = Signal {
            message: Some(message),
        };
        self.simulation
            .schedule_event(self.ordinal, process, signal);
        self.simulation.step();
    }
}
