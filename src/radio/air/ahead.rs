//! Links of coherence blocks to come, prepared by other threads of the pool while the simulation
//! goes on.
//!
//! Where a block is a number and nothing else, its link is the same whoever prepares it and when,
//! so that no result depends on what is found here. What was foreseen and never comes costs the time of
//! threads that had nothing to do.

use super::setup::Setup;
use crate::radio::all_reduce::Link;
use crate::radio::matrix::Matrix;
use crate::units::Instant;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// Blocks foreseen for every thread beside the one that simulates: one at work, one to go on with.
const PER_THREAD: usize = 2;
/// Blocks foreseen at most, as each holds its channels.
const MOST: usize = 16;
/// Blocks kept, in what may be foreseen: batches in flight go on in numbers of their own.
const KEPT: usize = 4;

/// A coherence block with all that is prepared for it.
#[derive(Debug)]
pub(super) struct Prepared {
    /// H_n of the senders.
    pub(super) channels: Vec<Matrix>,
    pub(super) link: Box<dyn Link>,
}

/// The blocks foreseen, those asked for first at the front.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    slots: VecDeque<Arc<Slot>>,
}

#[derive(Debug)]
struct Slot {
    block: u64,
    state: Mutex<State>,
    /// It has been worked at.
    done: Condvar,
}

#[derive(Debug)]
enum State {
    Waiting,
    Working,
    /// Nothing, if it has failed or nobody wants it any more.
    Done(Option<Prepared>),
}

impl Ahead {
    /// Asks the pool for the blocks behind `block`, as many as it has threads for.
    pub(super) fn ask(&mut self, setup: &Arc<Setup>, block: u64) {
        let beside = rayon::current_num_threads() - 1;
        let most = (beside * PER_THREAD).min(MOST);
        let blocks = (1..=most as u64).map_while(|k| block.checked_add(k));
        for block in blocks {
            if self.slots.iter().any(|slot| slot.block == block) {
                continue;
            }
            if self.slots.len() == KEPT * most
                && let Some(oldest) = self.slots.pop_front()
            {
                oldest.claim();
            }
            let slot = Arc::new(Slot {
                block,
                state: Mutex::new(State::Waiting),
                done: Condvar::new(),
            });
            self.slots.push_back(Arc::clone(&slot));
            let setup = Arc::clone(setup);
            rayon::spawn_fifo(move || slot.work(&setup));
        }
    }

    /// What was prepared for `block`; `None` if nobody has begun to, or if it has failed. While
    /// another thread is at it, this one works at what comes next.
    pub(super) fn take(&mut self, block: u64, setup: &Setup) -> Option<Prepared> {
        let place = self.slots.iter().position(|slot| slot.block == block)?;
        let slot = self.slots.remove(place)?;
        if slot.claim() {
            return None;
        }
        let mut others = self.slots.iter();
        loop {
            let mut state = slot.lock();
            if let State::Done(prepared) = &mut *state {
                return prepared.take();
            }
            match others.next() {
                Some(other) => {
                    drop(state);
                    other.work(setup);
                }
                None => drop(slot.done.wait(state)),
            }
        }
    }
}

impl Drop for Ahead {
    /// Nobody begins what nobody will use.
    fn drop(&mut self) {
        for slot in &self.slots {
            slot.claim();
        }
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while it is held")
    }

    /// Takes it from whoever would begin later; false if it is begun.
    fn claim(&self) -> bool {
        let mut state = self.lock();
        let waits = matches!(*state, State::Waiting);
        if waits {
            *state = State::Done(None);
        }
        waits
    }

    /// Prepares the block, if nobody has begun to.
    fn work(&self, setup: &Setup) {
        {
            let mut state = self.lock();
            if !matches!(*state, State::Waiting) {
                return;
            }
            *state = State::Working;
        }
        // What fails, fails again where its reason can be told.
        let prepared = catch_unwind(AssertUnwindSafe(|| setup.foresee(self.block)));
        *self.lock() = State::Done(prepared.ok().flatten());
        self.done.notify_all();
    }
}

impl Setup {
    fn foresee(&self, block: u64) -> Option<Prepared> {
        // Whenever such a block is entered, it is the same.
        let channels = self.channels(block, Instant::ZERO).ok()?;
        let link = self.prepare(&channels, block, Instant::ZERO).ok()?;
        Some(Prepared { channels, link })
    }
}
