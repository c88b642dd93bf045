//! What `airloom channel` tells of a scenario's channels: `channel.csv` and
//! `autocorrelation.csv`, from the same draws that `h.npy` holds.
//!
//! Statistics are set beside what the channel model says: mean gain beside its moments,
//! amplitudes beside its distribution, autocorrelation beside Bessel's function.

mod statistics;

pub use statistics::{DeviceStatistics, Lag, Statistics, sorted_amplitudes, statistics};

use crate::radio::{Doppler, Fading, LargeScale, LinkPower, Matrix, Moments};

/// Channels drawn for looking at them.
#[derive(Debug, Clone)]
pub struct Ensemble {
    /// What to call it.
    pub title: String,
    /// H_n ∈ C^{N_r×N_t} of every device in every block.
    pub blocks: Vec<Vec<Matrix>>,
    /// What they are drawn by.
    pub fading: Fading,
    /// What the model, or a whole trace, says of every device's entries.
    pub moments: Vec<Moments>,
    /// What was drawn once for every device, where the model has such; else empty.
    pub large_scale: Vec<LargeScale>,
    /// P and σ_z², for capacities.
    pub power: LinkPower,
    /// How blocks are correlated.
    pub doppler: Doppler,
    /// Seconds from block to block, where blocks have a time.
    pub interval: Option<f64>,
}
