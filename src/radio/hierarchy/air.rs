//! The levels of a hierarchy below its hub, opened for one run: what each cluster's round takes, and
//! what it makes of tensors.

use super::Hierarchy;
use super::clusters::{Formed, Turns};
use crate::radio::air::{Air, Round};
use crate::radio::all_reduce::{Distortion, Expected, Transmission};
use crate::radio::channels::Channels;
use crate::radio::config::RadioConfig;
use crate::radio::convention::PowerConvention;
use crate::radio::downlink::Downlink;
use crate::radio::error::RadioError;
use crate::radio::scale::shared_scale;
use crate::radio::scheme::Scheme;
use crate::radio::sums::{SquareSum, exact_sum};
use crate::radio::transceiver::TransceiverDesign;
use crate::rng::Streams;
use crate::units::{FieldFault, Hertz, Instant};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Entries compared at a time, on the stack.
const BLOCK: usize = 512;

/// One level: clusters that sum at their heads.
#[derive(Debug)]
pub struct LevelAir {
    turns: Turns,
    clusters: Vec<ClusterAir>,
}

/// One cluster.
#[derive(Debug)]
pub struct ClusterAir {
    head: usize,
    senders: Vec<usize>,
    /// Between them; none where nobody sends.
    air: Option<Air>,
}

impl LevelAir {
    /// Whether its clusters take turns on the band.
    pub fn in_turn(&self) -> bool {
        self.turns == Turns::InTurn
    }

    /// Its clusters, in the order of their turns.
    pub fn clusters(&self) -> &[ClusterAir] {
        &self.clusters
    }
}

impl ClusterAir {
    /// The device that sums, by its number in the cell.
    pub fn head(&self) -> usize {
        self.head
    }

    /// The devices that send to it, in order; none where it is alone.
    pub fn senders(&self) -> &[usize] {
        &self.senders
    }

    /// Whether anything is sent to the head.
    pub(in crate::radio) fn is_used(&self) -> bool {
        self.air.as_ref().is_some_and(Air::is_used)
    }

    /// Its round number `index`, which was entered.
    fn round(&self, index: u64) -> Option<Round<'_>> {
        self.air.as_ref().map(|air| air.entered(index))
    }
}

/// A hierarchy opened: its levels, and what is left for the hub.
#[derive(Debug)]
pub(in crate::radio) struct Opened {
    /// From the devices up.
    pub levels: Vec<LevelAir>,
    /// The heads of the last level, in order, which send to the hub.
    pub senders: Vec<usize>,
    /// How they do.
    pub top: Scheme,
}

/// Opens the levels of `hierarchy` for `devices` devices around the hub of a radio of `config` that
/// draws from `streams`.
///
/// # Errors
/// If a field is impossible.
pub(in crate::radio) fn open(
    hierarchy: &Hierarchy,
    config: &RadioConfig,
    devices: usize,
    streams: Streams,
    design: &Arc<dyn TransceiverDesign>,
) -> Result<Opened, RadioError> {
    if config.convention != PowerConvention::PowerPerUse {
        let message = "heads send for their whole cluster, and no budget in joules per vector says \
                       whose that is; use PowerPerUse";
        return Err(FieldFault::new("convention", message).into());
    }
    hierarchy.check_fading(&config.fading, devices)?;
    let mut senders: Vec<usize> = (0..devices).collect();
    let mut levels = Vec::new();
    let mut fields = hierarchy;
    loop {
        let formed = fields.clusters.form(&senders, fields.turns)?;
        senders = formed.iter().map(|cluster| cluster.head).collect();
        senders.sort_unstable();
        let number = levels.len();
        let clusters = formed.into_iter().map(|cluster| {
            let air = match cluster.senders.is_empty() {
                true => None,
                false => {
                    let name = format!("level{number}.head{}", cluster.head);
                    let streams = streams.of_link(&name);
                    Some(fields.near(&cluster, config, streams, design)?)
                }
            };
            Ok(ClusterAir {
                head: cluster.head,
                senders: cluster.senders,
                air,
            })
        });
        levels.push(LevelAir {
            turns: fields.turns,
            clusters: clusters.collect::<Result<_, RadioError>>()?,
        });
        match &*fields.between {
            Scheme::Hierarchy(next) => fields = next,
            top => {
                return Ok(Opened {
                    levels,
                    senders,
                    top: top.clone(),
                });
            }
        }
    }
}

impl Hierarchy {
    /// The air of one cluster.
    fn near(
        &self,
        cluster: &Formed,
        config: &RadioConfig,
        streams: Streams,
        design: &Arc<dyn TransceiverDesign>,
    ) -> Result<Air, RadioError> {
        let near = RadioConfig {
            bandwidth: Hertz(config.bandwidth.0 * cluster.share),
            server_antennas: self
                .head_antennas
                .unwrap_or_else(|| config.antennas(cluster.head)),
            device_antennas_except: renumbered(&config.device_antennas_except, &cluster.senders),
            budget_offsets: renumbered(&config.budget_offsets, &cluster.senders),
            budget: self.budget.unwrap_or(config.budget),
            fading: self.fading.clone().unwrap_or_else(|| config.fading.clone()),
            downlink: Downlink::Ideal,
            // One device may be all that a head hears, and it is not the head's own.
            lone_device_transmits: true,
            ..config.clone()
        };
        let devices = cluster.senders.len();
        let channels = Channels::new(&near, devices, streams, None)?;
        let air = Air::open(channels, near, (*self.within).clone(), Arc::clone(design))?;
        Ok(air.on_part(config.bandwidth, cluster.share, self.part_power))
    }
}

/// What `numbers` says of each of `devices`, by its place among them.
fn renumbered<T: Copy>(numbers: &BTreeMap<u32, T>, devices: &[usize]) -> BTreeMap<u32, T> {
    let places = devices.iter().zip(0u32..);
    let of = |(device, place): (&usize, u32)| {
        let number = u32::try_from(*device).ok()?;
        Some((place, *numbers.get(&number)?))
    };
    places.filter_map(of).collect()
}

/// Enters every cluster's round number `index` at `now`.
///
/// # Errors
/// Those of [`Air::round`].
pub(in crate::radio) fn enter(
    levels: &mut [LevelAir],
    index: u64,
    now: Instant,
) -> Result<(), RadioError> {
    let clusters = levels.iter_mut().flat_map(|level| &mut level.clusters);
    for air in clusters.filter_map(|cluster| cluster.air.as_mut()) {
        air.round(index, now)?;
    }
    Ok(())
}

/// What devices send in the clusters of all `levels` in round `index`, each by its number, into
/// `sent`; how much longer rounds last as sub-channels are whole.
///
/// # Errors
/// Those of [`Round::plan`].
pub(in crate::radio) fn plan(
    levels: &[LevelAir],
    (index, entries): (u64, usize),
    sent: &mut [Transmission],
) -> Result<Option<f64>, RadioError> {
    let mut rounding = None;
    for level in levels {
        let mut of_level: Option<f64> = None;
        for cluster in &level.clusters {
            let Some(round) = cluster.round(index) else {
                continue;
            };
            let planned = round.plan(entries);
            let planned = planned.map_err(|error| error.renumbered(&cluster.senders))?;
            let uplink = planned.uplink;
            for (device, own) in cluster.senders.iter().zip(uplink.transmissions) {
                sent[*device] = own;
            }
            if let Some(seconds) = uplink.rounding_s {
                of_level = Some(match (of_level, level.in_turn()) {
                    (None, _) => seconds,
                    (Some(others), true) => others + seconds,
                    (Some(others), false) => others.max(seconds),
                });
            }
        }
        if let Some(seconds) = of_level {
            rounding = Some(rounding.unwrap_or(0.0) + seconds);
        }
    }
    Ok(rounding)
}

/// The error to be expected of all `levels` and of the hub's own round, which tells its own error
/// as `top`: Σ_r M_r e_r.
pub(in crate::radio) fn expected(
    levels: &[LevelAir],
    (index, entries): (u64, usize),
    senders: &[usize],
    top: Expected,
) -> Option<Expected> {
    let mut below: BTreeMap<usize, usize> = BTreeMap::new();
    let count = |below: &BTreeMap<usize, usize>, device: &usize| *below.get(device).unwrap_or(&1);
    let most = |below: &BTreeMap<usize, usize>, senders: &[usize]| {
        let counts = senders.iter().map(|device| count(below, device));
        counts.max().unwrap_or(1) as f64
    };
    let mut error = 0.0;
    for cluster in levels.iter().flat_map(|level| &level.clusters) {
        let Some(round) = cluster.round(index) else {
            continue;
        };
        error += most(&below, &cluster.senders) * round.expected(entries)?.error;
        let members = cluster.senders.iter().chain([&cluster.head]);
        let all = members.map(|device| count(&below, device)).sum();
        below.insert(cluster.head, all);
    }
    Some(Expected {
        symbols: entries.div_ceil(2) as u64,
        error: error + most(&below, senders) * top.error,
    })
}

/// Sums `parts` of all devices through all `levels`, and by `top` what the heads of the last
/// one have, which are `senders`, into `sum`.
///
/// # Errors
/// Those of the rounds.
pub(in crate::radio) fn reduce(
    levels: &[LevelAir],
    (index, senders): (u64, &[usize]),
    parts: &[&[f32]],
    sum: &mut [f32],
    top: impl FnOnce(&[&[f32]], &mut [f32]) -> Result<Distortion, RadioError>,
) -> Result<Distortion, RadioError> {
    let mut held: BTreeMap<usize, Vec<f32>> = BTreeMap::new();
    let mut rounds = Vec::new();
    for cluster in levels.iter().flat_map(|level| &level.clusters) {
        let Some(round) = cluster.round(index) else {
            continue;
        };
        let mut heard = vec![0.0; sum.len()];
        let sent = taken(&held, parts, &cluster.senders);
        let felt = round.reduce(&sent, &mut heard);
        rounds.push(felt.map_err(|error| error.renumbered(&cluster.senders))?);
        let own = held
            .get(&cluster.head)
            .map_or(parts[cluster.head], Vec::as_slice);
        for (heard, own) in heard.iter_mut().zip(own) {
            *heard = (f64::from(*heard) + f64::from(*own)) as f32;
        }
        held.insert(cluster.head, heard);
    }
    let last = top(&taken(&held, parts, senders), sum)?;
    if rounds.is_empty() {
        return Ok(last);
    }
    rounds.push(last);
    whole(&rounds, parts, sum)
}

/// What each of `devices` has to send.
fn taken<'a>(
    held: &'a BTreeMap<usize, Vec<f32>>,
    parts: &[&'a [f32]],
    devices: &[usize],
) -> Vec<&'a [f32]> {
    let of = |device: &usize| held.get(device).map_or(parts[*device], Vec::as_slice);
    devices.iter().map(of).collect()
}

/// What all `rounds` together did: their powers on the scale of the `parts`, and the error of
/// `sum` as it is.
fn whole(rounds: &[Distortion], parts: &[&[f32]], sum: &[f32]) -> Result<Distortion, RadioError> {
    let scale = shared_scale(parts, 2, sum.len())?;
    let symbols = sum.len().div_ceil(2) as u64;
    let per_entry = |power: f64| match scale > 0.0 {
        true => power / (symbols as f64 * scale * scale),
        false => 0.0,
    };
    let together = |of: fn(&Distortion) -> f64| {
        let power =
            |round: &Distortion| of(round) * round.symbols as f64 * round.scale * round.scale;
        per_entry(rounds.iter().map(power).sum())
    };
    let (mut squared, mut signal) = (SquareSum::default(), SquareSum::default());
    let mut exact = [0.0; BLOCK];
    for (index, received) in sum.chunks(BLOCK).enumerate() {
        let start = index * BLOCK;
        let exact = &mut exact[..received.len()];
        exact_sum(parts, start..start + received.len(), exact);
        signal.add(exact);
        for (exact, received) in exact.iter_mut().zip(received) {
            *exact -= f64::from(*received);
        }
        squared.add(exact);
    }
    let (squared, signal) = (squared.total(), signal.total());
    let exact = |round: &&Distortion| round.analytic == 0.0;
    Ok(Distortion {
        symbols,
        error: per_entry(squared),
        misalignment: together(|round| round.misalignment),
        noise: together(|round| round.noise),
        analytic: together(|round| round.analytic),
        quantised: rounds.iter().any(|round| round.quantised)
            && rounds.iter().all(|round| round.quantised || exact(&round)),
        nmse: if signal > 0.0 { squared / signal } else { 0.0 },
        scale,
    })
}
