//! Run, sweep and plot: a scenario in, a run folder out.
//!
//! [`prepare`] reads every input and finds every fault that can be found without
//! simulating; [`run`] simulates and writes the folder; [`sweep`] does both for
//! every point of a scenario's sweep.

mod assignment;
mod channel;
mod channel_trace;
mod check;
mod error;
mod merge;
mod place;
mod plot;
mod prepare;
mod publish;
mod replay;
mod requests;
mod run;
mod shard;
mod standing;
mod sweep;

pub use channel::{DrawnChannels, channel};
pub use check::check_inputs;
pub use error::RunError;
pub use merge::merge;
pub use place::{default_channel_folder, default_folder, default_sweep_folder};
pub use plot::plot;
pub use prepare::{Prepared, prepare, prepare_until};
pub use publish::check_publications;
pub use replay::{Difference, Made, Replay, ReplayOptions, replay};
pub use run::{Finished, RunOptions, run};
pub use shard::{Shard, ShardError};
pub use standing::Standing;
pub use sweep::{PointOutcome, SweepOptions, Swept, survey, sweep};
