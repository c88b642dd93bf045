//! Pages that people open in a browser: a run, a sweep, two runs side by side.
//!
//! Each is one file that needs no network and holds nothing that another run of the same scenario
//! would not: no dates, no wall-clock times, the same bytes on every machine. A page tells of the
//! whole log however long it is: where tasks are too many to be held one by one, it holds the share
//! of each stretch of time that was busy, and says so.

mod comparison;
mod data;
mod density;
mod matrix;
mod nodes;
mod overview;
mod page;
mod run;
mod sweep;
mod timeline;
mod waiting;
mod windows;

pub use comparison::{CompareError, FirstEvent, Pair, RunComparison, Side};
pub use run::{FILE_NAME, PageError, RunPage};
pub use sweep::{INDEX, SweepPage};
