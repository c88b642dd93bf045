//! Workloads by which the engine is measured, on it and on what one would use instead.
//!
//! Coroutines compile in this room alone, hence the bare desim programs live here and
//! not in `benches/engine.rs`, which times them. Nothing else may use them: they have
//! desim's order.
//!
//! Two workloads, each for a number of processes that draw their waits from
//! [`Delays`]: *timers*, in which each waits so many times, and *meetings*, in which
//! all wait and then meet, so many times. Each exists on the engine's
//! [`Processes`], on bare desim and on a bare binary heap; each
//! function returns the instant at which it ends, on which all must agree.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use desim::prelude::*;
use desim::resources::SimpleStore;

use super::error::ProcessError;
use super::process::{Meeting, Next, Process, Processes};
use crate::units::{Duration, Instant};

/// Pseudo-random waits of 1 to 1024 ps, cheap enough not to be what is measured.
#[derive(Debug, Clone)]
pub struct Delays(u64);

impl Delays {
    /// The waits of one process.
    pub fn new(process: u32) -> Self {
        Self((u64::from(process) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// The next wait.
    pub fn draw(&mut self) -> Duration {
        // Marsaglia's xorshift of period 2⁶⁴ − 1.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration((self.0 >> 54) + 1)
    }
}

/// An effect that desim does not log: its log would be most of the work.
#[derive(Debug, Clone, Copy)]
struct Quiet(Effect);

impl SimState for Quiet {
    fn get_effect(&self) -> Effect {
        self.0
    }

    fn set_effect(&mut self, effect: Effect) {
        self.0 = effect;
    }

    fn should_log(&self) -> bool {
        false
    }
}

fn start_all(simulation: &mut Simulation<Quiet>, processes: u32) -> Instant {
    for process in 0..processes {
        simulation.schedule_event(0.0, process as usize, Quiet(Effect::Wait));
    }
    let simulation = std::mem::take(simulation).run(EndCondition::NoEvents);
    Instant(simulation.time() as u64)
}

/// Timers on bare desim.
pub fn desim_timers(processes: u32, waits: u32) -> Instant {
    let mut simulation = Simulation::new();
    for process in 0..processes {
        let mut delays = Delays::new(process);
        simulation.create_process(Box::new(
            #[coroutine]
            move |_| {
                for _ in 0..waits {
                    yield Quiet(Effect::TimeOut(delays.draw().0 as f64));
                }
            },
        ));
    }
    start_all(&mut simulation, processes)
}

/// Meetings on bare desim. Who comes pulls from a store; the last to come pushes
/// one item for each of the others, for a process can wake only one other at a time.
pub fn desim_meetings(processes: u32, rounds: u32) -> Instant {
    let mut simulation = Simulation::new();
    let store = simulation.create_store(Box::new(SimpleStore::new(processes as usize)));
    let arrived = Rc::new(Cell::new(0));
    for process in 0..processes {
        let mut delays = Delays::new(process);
        let arrived = arrived.clone();
        simulation.create_process(Box::new(
            #[coroutine]
            move |_| {
                for _ in 0..rounds {
                    yield Quiet(Effect::TimeOut(delays.draw().0 as f64));
                    arrived.set(arrived.get() + 1);
                    if arrived.get() < processes {
                        yield Quiet(Effect::Pull(store));
                    } else {
                        arrived.set(0);
                        for _ in 1..processes {
                            yield Quiet(Effect::Push(store));
                        }
                    }
                }
            },
        ));
    }
    start_all(&mut simulation, processes)
}

/// Meetings on bare desim, helped from outside: whoever steps the simulation sees
/// that all have come, and schedules them all.
pub fn desim_meetings_from_outside(processes: u32, rounds: u32) -> Instant {
    let mut simulation = Simulation::new();
    let arrived = Rc::new(Cell::new(0));
    for process in 0..processes {
        let mut delays = Delays::new(process);
        let arrived = arrived.clone();
        simulation.create_process(Box::new(
            #[coroutine]
            move |_| {
                for _ in 0..rounds {
                    yield Quiet(Effect::TimeOut(delays.draw().0 as f64));
                    arrived.set(arrived.get() + 1);
                    yield Quiet(Effect::Wait);
                }
            },
        ));
        simulation.schedule_event(0.0, process as usize, Quiet(Effect::Wait));
    }
    for _ in 0..rounds {
        while arrived.get() < processes {
            simulation.step();
        }
        arrived.set(0);
        for process in 0..processes {
            simulation.schedule_event(simulation.time(), process as usize, Quiet(Effect::Wait));
        }
    }
    Instant(simulation.time() as u64)
}

/// A process that waits a number of times, and meets others after each if it is told where.
struct Waiter {
    delays: Delays,
    left: u32,
    meeting: Option<Meeting>,
    waited: bool,
}

impl Process for Waiter {
    fn resume(&mut self, _: Instant) -> Next {
        if let Some(meeting) = self.meeting
            && std::mem::take(&mut self.waited)
        {
            return Next::Meet(meeting);
        }
        if self.left == 0 {
            return Next::End;
        }
        self.left -= 1;
        self.waited = true;
        Next::Wait(self.delays.draw())
    }
}

fn run_waiters(
    processes: u32,
    waits: u32,
    meet: impl FnOnce(&mut Processes) -> Option<Meeting>,
) -> Result<Instant, ProcessError> {
    let mut set = Processes::new();
    let meeting = meet(&mut set);
    for process in 0..processes {
        let waiter = Waiter {
            delays: Delays::new(process),
            left: waits,
            meeting,
            waited: false,
        };
        set.add(process, waiter);
    }
    Ok(set.run(&AtomicBool::new(false))?.end)
}

/// Timers on the engine.
///
/// # Errors
/// If the waits add up beyond simulated time.
pub fn engine_timers(processes: u32, waits: u32) -> Result<Instant, ProcessError> {
    run_waiters(processes, waits, |_| None)
}

/// Meetings on the engine.
///
/// # Errors
/// If the waits add up beyond simulated time.
pub fn engine_meetings(processes: u32, rounds: u32) -> Result<Instant, ProcessError> {
    run_waiters(processes, rounds, |set| Some(set.meeting(processes)))
}

/// Timers on a bare binary heap.
pub fn heap_timers(processes: u32, waits: u32) -> Instant {
    let mut heap = BinaryHeap::new();
    let mut delays: Vec<_> = (0..processes).map(Delays::new).collect();
    let mut left = vec![waits; processes as usize];
    heap.extend((0..processes).map(|process| Reverse((0, process))));
    let mut now = 0;
    while let Some(mut top) = heap.peek_mut() {
        let (time, process) = top.0;
        now = time;
        let left = &mut left[process as usize];
        if *left == 0 {
            PeekMut::pop(top);
        } else {
            *left -= 1;
            *top = Reverse((now + delays[process as usize].draw().0, process));
        }
    }
    Instant(now)
}

/// Meetings on a bare binary heap.
pub fn heap_meetings(processes: u32, rounds: u32) -> Instant {
    let mut heap = BinaryHeap::new();
    let mut delays: Vec<_> = (0..processes).map(Delays::new).collect();
    let mut now = 0;
    for _ in 0..rounds {
        for (process, delays) in (0..processes).zip(&mut delays) {
            heap.push(Reverse((now + delays.draw().0, process)));
        }
        while let Some(Reverse((time, _))) = heap.pop() {
            now = time;
        }
    }
    Instant(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_through_a_workload_ends_at_the_same_instant() {
        let end = heap_timers(8, 100);
        assert_eq!(engine_timers(8, 100), Ok(end));
        assert_eq!(desim_timers(8, 100), end);
        let end = heap_meetings(8, 100);
        assert_eq!(engine_meetings(8, 100), Ok(end));
        assert_eq!(desim_meetings(8, 100), end);
        assert_eq!(desim_meetings_from_outside(8, 100), end);
    }
}
