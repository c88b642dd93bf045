//! How far a number can be trusted: what it rests on, and how well that is known.
//!
//! ```text
//! Definition.rests_on ─▶ sources of a metric ─┐
//!                                             ├─▶ Card ─▶ metrics.json, summary, report
//! profiles, links, channels ─▶ Trust of each ─┘
//! ```
//!
//! A metric of a run is one number, and it is no better than the worst of what it was worked out
//! from. So every metric says once, in its definition, which [`Source`]s it rests on
//! ([`RestsOn`]); a run says of each source how far it is known there ([`Card`]): by a
//! calibration whose range holds the run, outside of that range, or by nobody's measurement.
//!
//! Nothing here may know a scenario or a result: only profiles' [`Basis`](crate::device::Basis)
//! and plain numbers.

mod card;
mod judged;
mod mark;
mod rests_on;

pub use card::{Card, Judged};
pub use judged::{Asked, judge};
pub use mark::{Mark, Trust};
pub use rests_on::{RestsOn, Source};
