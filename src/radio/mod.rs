//! The radio: fading, link rates, and all-reduces that really send tensors through a
//! channel, on plain slices.
//!
//! ```text
//! RadioConfig, Scheme ─▶ Air ── round(index, now) ─▶ Round ── plan(entries) ─▶ times, joules
//!                         │                           │
//!         per coherence block:                        └── reduce(parts, sum) ─▶ Distortion
//!   Channels ─▶ H_n ─▶ TransceiverDesign ─▶ Link
//! ```
//!
//! Lifecycle: an [`Air`] lives as long as a run. For every coherence block that a round
//! enters it draws channels and asks the scheme to prepare a link (for AirComp: combiner
//! and precoders; for digital: rates), as soon as something depends on it. A round then
//! plans its time and reduces tensors in either order.
//!
//! It fails with a [`RadioError`] on impossible fields, on channels that cannot carry
//! the streams asked for, and on tensors that hold a NaN.
//!
//! Nothing here may know of models, simulated events or files, or draw randomness other
//! than from named streams.

mod air;
mod aircomp;
mod all_reduce;
mod analog;
mod blocks;
mod budget;
mod capacity;
mod channels;
mod coding;
mod coherence;
mod config;
mod convention;
mod csi;
mod digital;
mod distance;
mod doppler;
mod downlink;
mod eigen;
mod error;
mod exchange;
mod fading;
mod gamma;
mod hermitian;
mod hierarchy;
mod ideal;
mod matrix;
mod npy;
mod payload;
mod quantiser;
mod rice;
mod scale;
mod scheme;
mod sharing;
mod subchannels;
mod sums;
mod superposition;
mod synchronisation;
mod tr38901;
mod trace;
mod transceiver;
mod uncoded_fdma;

pub use air::{Air, Plan, Round};
pub use aircomp::AirComp;
pub use all_reduce::{
    AllReduce, Block, Distortion, Expected, Layout, Link, Schedule, Symbols, Terms, Transmission,
    Uplink,
};
pub use blocks::Blocks;
pub use budget::{LinkBudget, LinkPower};
pub use capacity::{LinkRate, mimo_capacity, shannon_rate};
pub use channels::Channels;
pub use coding::Coding;
pub use coherence::Coherence;
pub use config::RadioConfig;
pub use convention::{Charge, PowerConvention, VectorLoad};
pub use csi::Csi;
pub use digital::Digital;
pub use distance::Distance;
pub use doppler::Doppler;
pub use downlink::Downlink;
pub use eigen::{Eigen, eigen};
pub use error::RadioError;
pub use exchange::{Exchange, Pattern, Ring, Star};
pub use fading::{Fading, FadingModel, Mean, Moments, Nakagami, Rayleigh, Rician, path_loss_db};
pub(crate) use hermitian::factor_in_place;
pub use hermitian::{cholesky, inverse, semidefinite_factor};
pub use hierarchy::{Cluster, ClusterAir, Clusters, Hierarchy, LevelAir, Turns};
pub use ideal::Ideal;
pub use matrix::{
    Matrix, adjoint_product, column, power, product, product_adjoint, scaled, singular_values,
};
pub use npy::{LONGEST_PREFIX, NpyError, NpyHeader, npy_bytes};
pub use payload::Payload;
pub use quantiser::{Quantiser, largest_magnitude};
pub use rice::{kolmogorov_smirnov, rician_cdf};
pub use scheme::Scheme;
pub use sharing::Sharing;
pub use subchannels::SubchannelPower;
pub use synchronisation::{Offset, Synchronisation};
pub use tr38901::{Environment, Geometry, LargeScale, Sight, Tr38901};
pub use trace::{ChannelTrace, PastEnd, Trace, TraceShape};
pub use transceiver::{MeanSquaredError, Transceiver, TransceiverDesign, TransceiverProblem};
pub use uncoded_fdma::UncodedFdma;
