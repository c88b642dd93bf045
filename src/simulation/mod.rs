//! Run, sweep and plot: a scenario in, a run folder out.
//!
//! [`prepare`] reads every input and finds every fault that can be found without
//! simulating; [`run`] simulates and writes the folder; [`sweep`] does both for
//! every point of a scenario's sweep.

mod assignment;
mod bundled;
mod channel;
mod channel_trace;
mod check;
mod drawings;
mod error;
mod place;
mod plot;
mod prepare;
mod recorded;
mod replay;
mod requests;
mod run;
mod simulate;
mod sweep;

pub use bundled::model_folders;
pub use channel::{DrawnChannels, channel};
pub use check::check_inputs;
pub use error::RunError;
pub use place::{default_channel_folder, default_folder, default_sweep_folder};
pub use plot::{Drawing, Shown, plot};
pub use prepare::{Prepared, prepare, prepare_until};
pub use recorded::{Loaded, load};
pub use replay::{Difference, Made, Replay, ReplayOptions, replay};
pub use run::{Finished, RunOptions, run};
pub use simulate::{Simulated, simulate, simulate_system};
pub use sweep::{
    MergeOptions, PointOutcome, PointSet, Shard, ShardError, Standing, Surveyed, SweepEvent,
    SweepOptions, Swept, check_publications, merge, survey, sweep,
};
