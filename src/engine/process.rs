//! Processes that wait and meet: simulated time without tasks.
//!
//! A [`Process`] is resumed, does what it does in no time, and says what is
//! [`Next`] for it: to wait for a while, to meet others, or to end. [`Processes`]
//! runs a set of them, each as a desim coroutine.
//!
//! # Order
//!
//! Every process has a rank, its name among equals. At one instant those whose wait
//! is over go first, by rank; then those whose meeting opened, meeting by meeting as
//! they opened, each by rank. Adding a process that only waits, or adding processes
//! in another order, changes nothing for the others.
//!
//! # How it can fail
//!
//! See [`ProcessError`]: two processes of one rank, a wait beyond simulated time, a
//! meeting of another set, a meeting that never fills up, an interruption.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use super::clock::Clock;
use super::dispatch::{Dispatcher, Life, Signal, Wake, message};
use super::error::ProcessError;
use crate::units::{Duration, Instant};

/// Names a meeting of a set of processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Meeting(pub(super) u32);

/// What a process does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is resumed after this long.
    Wait(Duration),
    /// It is resumed when enough others have come to the meeting as well.
    Meet(Meeting),
    /// It is never resumed again.
    End,
}

/// Something that happens in time.
pub trait Process {
    /// Acts at `now` and says what is next.
    fn resume(&mut self, now: Instant) -> Next;
}

/// What a set of processes did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed {
    /// When the last process ended.
    pub end: Instant,
    /// How often a process was resumed.
    pub events: u64,
}

/// A set of processes and their meetings, to be run once.
pub struct Processes {
    members: Vec<(u32, Box<Life<Instant>>)>,
    parties: Vec<u32>,
    /// Where the process resumed last left its answer.
    answer: Rc<Cell<Next>>,
}

impl Default for Processes {
    fn default() -> Self {
        Self {
            members: Vec::new(),
            parties: Vec::new(),
            answer: Rc::new(Cell::new(Next::End)),
        }
    }
}

impl Processes {
    /// No processes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a meeting that opens whenever `parties` processes have come, and
    /// then begins anew. A meeting of none or one never makes anybody wait.
    pub fn meeting(&mut self, parties: u32) -> Meeting {
        let meeting = Meeting(u32::try_from(self.parties.len()).expect("fewer than 2³² meetings"));
        self.parties.push(parties.max(1));
        meeting
    }

    /// Adds a process, which is first resumed at time zero.
    pub fn add(&mut self, rank: u32, mut process: impl Process + Unpin + 'static) {
        let answer = self.answer.clone();
        let life = #[coroutine]
        move |mut wake: Wake<Instant>| {
            loop {
                let next = process.resume(message(&wake));
                answer.set(next);
                if next == Next::End {
                    return;
                }
                wake = yield Signal::PARK;
            }
        };
        self.members.push((rank, Box::new(life)));
    }

    /// Runs all processes until each has ended.
    ///
    /// # Errors
    /// See [`ProcessError`].
    pub fn run(self, interrupt: &AtomicBool) -> Result<Elapsed, ProcessError> {
        let Self {
            mut members,
            parties,
            answer,
        } = self;
        members.sort_by_key(|(rank, _)| *rank);
        let mut dispatcher = Dispatcher::new();
        let mut ranks = Vec::with_capacity(members.len());
        for (rank, life) in members {
            if ranks.last() == Some(&rank) {
                return Err(ProcessError::DuplicateRank(rank));
            }
            ranks.push(rank);
            dispatcher.spawn(life);
        }
        Clock::new(ranks, parties, dispatcher, answer).run(interrupt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Takes its steps one by one and notes when.
    struct Script {
        name: u32,
        steps: std::vec::IntoIter<Next>,
        diary: Rc<RefCell<Vec<(u64, u32)>>>,
    }

    impl Process for Script {
        fn resume(&mut self, now: Instant) -> Next {
            self.diary.borrow_mut().push((now.0, self.name));
            self.steps.next().unwrap_or(Next::End)
        }
    }

    type Diary = Vec<(u64, u32)>;

    fn play(
        scripts: Vec<(u32, Vec<Next>)>,
        parties: &[u32],
    ) -> (Result<Elapsed, ProcessError>, Diary) {
        let diary = Rc::new(RefCell::new(Vec::new()));
        let mut processes = Processes::new();
        for parties in parties {
            processes.meeting(*parties);
        }
        for (name, steps) in scripts {
            let (steps, diary) = (steps.into_iter(), diary.clone());
            processes.add(name, Script { name, steps, diary });
        }
        let elapsed = processes.run(&AtomicBool::new(false));
        (elapsed, diary.take())
    }

    const fn wait(duration: u64) -> Next {
        Next::Wait(Duration(duration))
    }

    const MEET: Next = Next::Meet(Meeting(0));

    #[test]
    fn waits_go_before_meetings_and_ranks_decide() {
        let scripts = vec![
            (3, vec![wait(5), MEET]),
            (1, vec![wait(5), wait(0), MEET]),
            (2, vec![MEET, wait(1)]),
        ];
        let (elapsed, diary) = play(scripts, &[3]);
        let expected = [
            (0, 1),
            (0, 2),
            (0, 3),
            (5, 1),
            (5, 1),
            (5, 3),
            (5, 1),
            (5, 2),
            (5, 3),
            (6, 2),
        ];
        assert_eq!(diary, expected);
        let elapsed = elapsed.unwrap();
        assert_eq!((elapsed.end.0, elapsed.events), (6, 10));
    }

    #[test]
    fn law_2_an_idle_process_and_the_order_of_adding_change_nothing() {
        let scripts = |order: &[u32], idle: bool| {
            let mut scripts: Vec<_> = order
                .iter()
                .map(|rank| (*rank, vec![wait(3), MEET, wait(u64::from(*rank % 2)), MEET]))
                .collect();
            if idle {
                scripts.insert(1, (0, vec![wait(3), wait(100)]));
            }
            scripts
        };
        let (plain, diary) = play(scripts(&[1, 2, 3, 4, 5, 6], false), &[6]);
        plain.unwrap();
        assert_eq!(diary.len(), 30);
        for (order, idle) in [
            ([4, 2, 6, 1, 3, 5], false),
            ([1, 2, 3, 4, 5, 6], true),
            ([6, 5, 4, 3, 2, 1], true),
        ] {
            let (_, mut other) = play(scripts(&order, idle), &[6]);
            other.retain(|(_, name)| *name != 0);
            assert_eq!(diary, other, "{order:?}");
        }
    }

    #[test]
    fn law_3_time_is_exact_beyond_53_bits_and_never_wraps() {
        let day = 86_400_000_000_000_000;
        let (elapsed, diary) = play(vec![(0, vec![wait(200 * day), wait(1)])], &[]);
        assert_eq!(elapsed.unwrap().end.0, 200 * day + 1);
        assert_eq!(diary.last(), Some(&(200 * day + 1, 0)));
        let (elapsed, _) = play(vec![(7, vec![wait(200 * day), wait(20 * day)])], &[]);
        let error = elapsed.unwrap_err();
        assert!(
            matches!(error, ProcessError::TimeOverflow { rank: 7, .. }),
            "{error}"
        );
    }

    #[test]
    fn a_meeting_that_never_fills_up_is_a_deadlock() {
        let scripts = vec![
            (4, vec![MEET]),
            (9, vec![wait(2), MEET]),
            (5, vec![wait(3)]),
        ];
        let (elapsed, _) = play(scripts, &[3]);
        let expected = ProcessError::Deadlock {
            at: Instant(3),
            stuck: 2,
            ranks: vec![4, 9],
        };
        assert_eq!(elapsed, Err(expected));
    }

    #[test]
    fn names_processes_that_cannot_be_run() {
        let (elapsed, _) = play(vec![(4, vec![]), (4, vec![])], &[]);
        assert_eq!(elapsed, Err(ProcessError::DuplicateRank(4)));
        let (elapsed, _) = play(vec![(4, vec![MEET])], &[]);
        let error = elapsed.unwrap_err();
        assert!(
            matches!(error, ProcessError::UnknownMeeting { .. }),
            "{error}"
        );
    }

    #[test]
    fn stops_when_interrupted() {
        struct Forever;
        impl Process for Forever {
            fn resume(&mut self, _: Instant) -> Next {
                Next::Wait(Duration(1))
            }
        }
        let mut processes = Processes::new();
        processes.add(0, Forever);
        let error = processes.run(&AtomicBool::new(true)).unwrap_err();
        assert!(matches!(error, ProcessError::Interrupted { .. }), "{error}");
    }
}
