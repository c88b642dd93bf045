//! Work beside the simulation: batches that threads of the pool take in their order, while
//! whoever made them goes on.
//!
//! It keeps the pool awake, too: the thread that has just written what an all-reduce left
//! behind is there when the next sublayer is computed, where one that had fallen asleep would
//! come too late to be of use.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// Batches that may wait: where there are more, who makes them works too.
const MOST_WAITING: usize = 4;

/// Who does it.
pub(crate) trait Worker: Send + 'static {
    /// What it takes at a time.
    type Batch: Debug + Default + Send + 'static;

    /// Takes everything out of `batch`.
    ///
    /// # Errors
    /// If it cannot go on; it is asked no more then.
    fn take(&mut self, batch: &mut Self::Batch) -> io::Result<()>;
}

/// A worker and the batches that wait for it.
#[derive(Debug)]
pub(crate) struct Background<W: Worker> {
    shared: Arc<Shared<W>>,
}

#[derive(Debug)]
struct Shared<W: Worker> {
    state: Mutex<State<W>>,
    /// A batch has been taken.
    progress: Condvar,
}

#[derive(Debug)]
struct State<W: Worker> {
    /// None while somebody works with it, and once it has been given back.
    worker: Option<W>,
    waiting: VecDeque<W::Batch>,
    /// To be filled again.
    empty: Vec<W::Batch>,
    /// A thread of the pool will come.
    called: bool,
    working: bool,
    failure: Option<Failure>,
}

#[derive(Debug)]
enum Failure {
    Error(io::Error),
    Panic(Box<dyn Any + Send>),
}

impl<W: Worker> Background<W> {
    pub(crate) fn new(worker: W) -> Self {
        let state = State {
            worker: Some(worker),
            waiting: VecDeque::new(),
            empty: Vec::new(),
            called: false,
            working: false,
            failure: None,
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                progress: Condvar::new(),
            }),
        }
    }

    /// Puts `batch` behind those that wait and gives an empty one for it.
    ///
    /// # Errors
    /// If the worker has failed, at this batch or at one before.
    pub(crate) fn hand_over(&self, batch: W::Batch) -> io::Result<W::Batch> {
        let shared = &self.shared;
        let mut state = shared.lock();
        state.waiting.push_back(batch);
        while state.waiting.len() > MOST_WAITING {
            state = shared.go_on(state);
        }
        let failure = state.failure.take();
        let empty = state.empty.pop().unwrap_or_default();
        let call = !state.called && !state.working && !state.waiting.is_empty();
        state.called |= call;
        drop(state);
        failure.map_or(Ok(()), Failure::raise)?;
        if call {
            let shared = Arc::clone(shared);
            rayon::spawn_fifo(move || {
                let mut state = shared.lock();
                state.called = false;
                drop(shared.work(state));
            });
        }
        Ok(empty)
    }

    /// Waits until every batch has been taken and gives the worker back.
    ///
    /// # Errors
    /// If it has failed.
    pub(crate) fn finish(self) -> io::Result<W> {
        let mut state = self.shared.lock();
        while state.working || !state.waiting.is_empty() {
            state = self.shared.go_on(state);
        }
        let (worker, failure) = (state.worker.take(), state.failure.take());
        drop(state);
        failure.map_or(Ok(()), Failure::raise)?;
        worker.ok_or_else(|| io::Error::other("it has failed before"))
    }
}

impl<W: Worker> Drop for Background<W> {
    /// A run that breaks off removes its folder: nobody may write there any more.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.waiting.clear();
        while state.working {
            state = self.shared.wait(state);
        }
        state.worker = None;
    }
}

impl<W: Worker> Shared<W> {
    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().expect("nobody panics while it is held")
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State<W>>) -> MutexGuard<'a, State<W>> {
        let woken = self.progress.wait(state);
        woken.expect("nobody panics while it is held")
    }

    /// Works, or waits for whoever does.
    fn go_on<'a>(&'a self, state: MutexGuard<'a, State<W>>) -> MutexGuard<'a, State<W>> {
        match state.working {
            true => self.wait(state),
            false => self.work(state),
        }
    }

    /// Takes all batches that wait, unless somebody does already.
    fn work<'a>(&'a self, mut state: MutexGuard<'a, State<W>>) -> MutexGuard<'a, State<W>> {
        if state.working {
            return state;
        }
        while let Some(mut batch) = state.waiting.pop_front() {
            // It is gone after a failure, and batches with it.
            let Some(mut worker) = state.worker.take() else {
                continue;
            };
            state.working = true;
            drop(state);
            let taken = catch_unwind(AssertUnwindSafe(|| worker.take(&mut batch)));
            state = self.lock();
            state.working = false;
            match taken {
                Ok(Ok(())) => {
                    state.worker = Some(worker);
                    state.empty.push(batch);
                }
                Ok(Err(error)) => state.failure = Some(Failure::Error(error)),
                Err(panic) => state.failure = Some(Failure::Panic(panic)),
            }
            self.progress.notify_all();
        }
        state
    }
}

impl Failure {
    /// Tells who made the batches.
    fn raise(self) -> io::Result<()> {
        match self {
            Self::Error(error) => Err(error),
            Self::Panic(panic) => resume_unwind(panic),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Keeps what it is told and fails, in one way or the other, at a number.
    #[derive(Debug, Default)]
    struct Numbers {
        seen: Vec<u32>,
        fails_at: Option<u32>,
        panics_at: Option<u32>,
    }

    impl Worker for Numbers {
        type Batch = Vec<u32>;

        fn take(&mut self, batch: &mut Vec<u32>) -> io::Result<()> {
            for number in batch.drain(..) {
                if self.fails_at == Some(number) {
                    return Err(io::Error::other("the disk is full"));
                }
                assert!(self.panics_at != Some(number), "a bug");
                self.seen.push(number);
            }
            Ok(())
        }
    }

    fn hand_over(
        background: &Background<Numbers>,
        numbers: std::ops::Range<u32>,
    ) -> io::Result<()> {
        let mut batch = Vec::new();
        for number in numbers {
            batch.push(number);
            batch = background.hand_over(batch)?;
            assert!(batch.is_empty());
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn batches_are_taken_in_their_order(count in 0u32..2000, several in 1usize..4) {
            // Several at once share the pool.
            let all: Vec<_> = (0..several).map(|_| Background::new(Numbers::default())).collect();
            std::thread::scope(|scope| {
                for background in &all {
                    scope.spawn(|| hand_over(background, 0..count).unwrap());
                }
            });
            for background in all {
                prop_assert_eq!(background.finish().unwrap().seen, (0..count).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn who_fails_is_asked_no_more_and_its_reason_is_told() {
        let failing = |at| {
            Background::new(Numbers {
                fails_at: Some(at),
                ..Numbers::default()
            })
        };
        let told = hand_over(&failing(3), 0..u32::MAX).unwrap_err();
        assert_eq!(told.to_string(), "the disk is full");
        let late = failing(3);
        let told = hand_over(&late, 0..4).and_then(|()| late.finish().map(drop));
        assert_eq!(told.unwrap_err().to_string(), "the disk is full");
    }

    #[test]
    #[should_panic(expected = "a bug")]
    fn a_panic_comes_out_where_batches_come_from() {
        let background = Background::new(Numbers {
            panics_at: Some(2),
            ..Numbers::default()
        });
        hand_over(&background, 0..u32::MAX).unwrap();
    }

    #[test]
    fn what_is_dropped_works_no_more() {
        let background = Background::new(Numbers::default());
        hand_over(&background, 0..3).unwrap();
        let shared = Arc::clone(&background.shared);
        drop(background);
        assert!(shared.lock().worker.is_none());
    }
}
