//! Simulated time: tasks, resources, barriers and their trace.
//!
//! A [`Program`] describes work as [`Task`]s that wait for each other and for
//! [`Resources`]; [`run()`] carries them out on simulated time and hands a
//! [`Record`] of each to a [`Trace`].
//!
//! ```text
//!             add, barrier, notify           ┌──────────────────────────────┐
//!  Program ───────────────────────────────▶ Graph: a petgraph DAG of tasks   │
//!     ▲                                     │ ready                          │
//!     │                                     ▼                                │
//!     │                                   Agenda: (time, phase, key)         │
//!     │                                     │                                │
//!     │ start, completed, service           ▼  one event                     │
//!     └─────────────────────────────────── run ──▶ desim ──▶ device0.compute │
//!                                           │                device0.uplink ──┘
//!                                           │                air …   start, finish
//!                                           ▼  one record per task
//!                                         Trace: events.csv and its BLAKE3
//! ```
//!
//! # Life of a task
//!
//! 1. **Blocked.** [`Graph::add`] takes it with its predecessors. It may be added
//!    at the start of the run or in reaction to the end of another task, so the
//!    graph grows block by block as a program learns what comes next.
//! 2. **Queued.** Its last predecessor has finished: it is *ready*, and queues for
//!    its resource, first ready first, ties by key. A task without a resource does
//!    not queue. A [`Kind::Barrier`] is such a task, of no duration: it opens at the
//!    instant of its last arrival, at O(1) per arrival.
//! 3. **Running.** A place is free and its turn has come. If it was
//!    [deferred](Graph::defer), the program now says how long it takes. Until its end
//!    comes, the program may [move](Graph::retime) it: a transfer goes on slower when
//!    another joins it.
//! 4. **Finished.** It gets its number, its place is free again, its successors may be
//!    ready, its record goes to the trace and to [`Program::measured`], and the program
//!    reacts to it if it [asked](Graph::notify). It leaves memory soon after, for good; its [`TaskId`]
//!    goes on meaning "finished".
//!
//! # Order
//!
//! Events are ordered by (time, phase, key): at one instant all ends come before all
//! starts, and within a phase the [`TaskKey`] decides, which says what a task is and
//! not when it was made. Hence neither the order in which a program adds tasks nor
//! the resources that stand idle change a trace. An end at the present instant that
//! arises from a start (a task of no duration) goes before the remaining starts.
//!
//! desim, on which the processes run, orders by an f64 time alone and leaves ties to
//! its heap. It therefore only ever holds one event: the engine pops the next one
//! from its own agenda, whose time is a u64 of picoseconds, and hands it to the
//! process concerned; desim's clock counts events. Every resource is a desim
//! process, and one more stands for all tasks without a resource.
//!
//! # How a run fails
//!
//! [`EngineError`] names the place and the way out. A run ends early when
//!
//! - the program returns an error, from whichever call;
//! - it asks for something impossible ([`GraphError`]): an undeclared resource, an
//!   energy that is no number, an end beyond the 213 days that a u64 holds;
//! - tasks wait for each other in a circle ([`Graph::link`] can close one): no event
//!   is left, and the error lists who waits for whom;
//! - two tasks with one key meet at one instant, for then no order is defined;
//! - a deferred task starts and the program does not tell its duration;
//! - the trace cannot be written, or the interrupt flag is set.
//!
//! Nothing panics on bad input, and no time wraps around.
//!
//! # Beneath the tasks
//!
//! [`Processes`] are things that wait and meet, in the same kind of order and on the
//! same footing in desim, for what is no graph of tasks. [`workload`] measures both.

mod agenda;

mod background_trace;
mod clock;
mod csv;
mod dispatch;
mod error;
mod graph;
mod key;
mod ledger;
mod meeting;
mod process;
mod program;
mod progress;
mod report;
mod resource;
mod run;
mod summary;
mod task;
mod trace;
pub mod workload;

pub use background_trace::BackgroundTrace;
pub use csv::{CsvTrace, HEADER, TraceLevel};
pub use error::{EngineError, GraphError, ProcessError, Stuck};
pub use graph::Graph;
pub use key::{Kind, TaskKey};
pub use ledger::Totals;
pub use process::{Elapsed, Meeting, Next, Process, Processes};
pub use program::{Occupancy, Program};
pub use report::{Report, ResourceReport};
pub use resource::{Resource, ResourceError, ResourceId, Resources};
pub use run::run;
pub use summary::Summary;
pub use task::{Cost, Task, TaskId};
pub use trace::{NullTrace, Reason, Record, Trace};
