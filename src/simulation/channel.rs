//! Draws a scenario's channels for looking at them, without serving a request.

use super::channel_trace::channel_trace;
use super::error::RunError;
use crate::figures::format::svg;
use crate::figures::{self, Width};
use crate::radio::{ChannelTrace, Channels, Coherence, Matrix, RadioConfig};
use crate::results::channel::{Ensemble, Statistics, statistics};
use crate::results::folder::{Occupant, Replaceable, Staging};
use crate::rng::Streams;
use crate::scenario::Resolved;
use crate::topology::LinkId;
use crate::units::Instant;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The channels themselves.
pub const TENSOR: &str = "h.npy";

/// The figure.
const FIGURE: &str = "channel.svg";

/// The files of such a folder.
const FILES: [&str; 4] = [TENSOR, FIGURE, "channel.csv", "autocorrelation.csv"];

/// The largest `h.npy`, in bytes: what a desk computer's memory holds twice.
const MOST_BYTES: u64 = 1 << 32;

/// Blocks per 1/f_D where only a run would say when all-reduces happen.
const BLOCKS_PER_CYCLE: f64 = 16.0;

/// Channels that were drawn and written.
#[derive(Debug)]
pub struct DrawnChannels {
    /// Where they are.
    pub folder: PathBuf,
    /// What was drawn.
    pub ensemble: Ensemble,
    /// What they are like.
    pub statistics: Statistics,
}

/// Draws the channels of `blocks` coherence blocks of the radio `link` of a scenario, as a run of `streams`
/// has them, and writes `h.npy`, `channel.csv`, `channel.svg` and, with Doppler,
/// `autocorrelation.csv` into the folder `out`.
///
/// Where all-reduces decide when a block begins ([`Coherence::PerAllReduce`]) and channels
/// follow a Doppler shift f_D, blocks are 1/(16 f_D) apart.
///
/// # Errors
/// If a trace cannot be read or is too short, the tensor would be too large, the folder
/// cannot be written or holds something else, or `interrupt` becomes true; then nothing is
/// left behind.
pub fn channel(
    resolved: &Resolved,
    link: LinkId,
    streams: Streams,
    blocks: u64,
    out: &Path,
    interrupt: &AtomicBool,
) -> Result<DrawnChannels, RunError> {
    let poll = || match interrupt.load(Ordering::Relaxed) {
        true => Err(RunError::Interrupted {
            kept: "nothing was written",
        }),
        false => Ok(()),
    };
    let radio = resolved.radio(link);
    let devices = resolved.topology.members(link).len();
    let antennas = radio.most_antennas(devices);
    let entries = devices as u64 * radio.server_antennas as u64 * antennas as u64;
    if entries.saturating_mul(16).saturating_mul(blocks) > MOST_BYTES {
        return Err(RunError::Place {
            path: out.join(TENSOR),
            fault: format!(
                "{blocks} blocks of {devices} devices would take more than {} GiB; use fewer --blocks",
                MOST_BYTES >> 30
            ),
        });
    }
    let mut staging = Staging::new(out, ChannelFolder)?;
    let (trace, _) = channel_trace(resolved, link)?.unzip();
    let channels = Channels::new(radio, devices, streams, trace)?;
    let interval = interval(radio);
    let drawn = (0..blocks)
        .map(|block| {
            poll()?;
            let now = interval.map_or(0.0, |span| block as f64 * span * 1e12);
            let of = |device| channels.block(device, block, Instant(now as u64));
            Ok((0..devices).map(of).collect::<Result<_, _>>()?)
        })
        .collect::<Result<Vec<Vec<Matrix>>, RunError>>()?;
    let ensemble = Ensemble {
        title: format!(
            "{} (seed {}, run {}): {blocks} blocks of {devices} devices, {} × {} antennas",
            resolved.name, streams.seed, streams.run, radio.server_antennas, antennas
        ),
        blocks: drawn,
        fading: radio.fading.clone(),
        moments: (0..devices)
            .map(|device| channels.moments(device))
            .collect(),
        large_scale: (0..devices)
            .filter_map(|device| radio.fading.model().large_scale(streams, device))
            .collect(),
        power: radio.budget.resolve(radio.bandwidth),
        doppler: radio.doppler,
        interval,
    };
    let statistics = statistics(&ensemble, poll)?;
    staging.write(TENSOR, &ChannelTrace::of_blocks(&ensemble.blocks).to_npy())?;
    statistics.write(&mut staging)?;
    let figure = figures::channel::draw(&ensemble, &statistics, Width::Page);
    staging.write(FIGURE, svg::write(&figure).as_bytes())?;
    poll()?;
    Ok(DrawnChannels {
        folder: staging.commit()?,
        ensemble,
        statistics,
    })
}

/// Seconds from block to block; none where blocks have no time.
fn interval(radio: &RadioConfig) -> Option<f64> {
    match (radio.coherence, radio.doppler.shift()) {
        (Coherence::Static, _) | (Coherence::PerAllReduce, None) => None,
        (Coherence::Time(span), _) => Some(span.0),
        (Coherence::PerAllReduce, Some(shift)) => Some(1.0 / (BLOCKS_PER_CYCLE * shift.0)),
    }
}

/// A folder that holds nothing but an earlier result may be written again.
#[derive(Debug)]
struct ChannelFolder;

impl Replaceable for ChannelFolder {
    fn may_replace(&self, path: &Path) -> Result<(), Occupant> {
        let entries = std::fs::read_dir(path).map_err(|_| "a file")?;
        for entry in entries {
            let name = entry.map_err(|_| "what cannot be read")?.file_name();
            if !FILES.iter().any(|file| name == *file) {
                return Err("something that `airloom channel` did not write".into());
            }
        }
        Ok(())
    }
}
