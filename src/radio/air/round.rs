//! One all-reduce: its time, and what it does to tensors.

use super::setup::Setup;
use super::{Air, Current, Pilots};
use crate::radio::all_reduce::{Distortion, Expected, Transmission, Uplink};
use crate::radio::error::RadioError;
use crate::radio::hierarchy;
use crate::radio::synchronisation::Synchronisation;
use crate::rng::NO_DEVICE;
use crate::units::Duration;

/// The air time of one all-reduce.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What the devices send.
    pub uplink: Uplink,
    /// What the server sends back, if that takes time.
    pub downlink: Option<Transmission>,
}

/// One all-reduce on the block that is current.
#[derive(Debug)]
pub struct Round<'a> {
    pub(super) air: &'a Air,
    pub(super) current: &'a Current,
    pub(super) index: u64,
}

impl Round<'_> {
    /// The coherence block it happens in.
    pub fn block(&self) -> u64 {
        self.current.block
    }

    /// How long it takes and what it costs, for `entries` real entries.
    ///
    /// # Errors
    /// If a transmission is too long for the clock, or the block's channels decide its time
    /// and cannot carry what the scheme asks of them.
    pub fn plan(&self, entries: usize) -> Result<Plan, RadioError> {
        let Current {
            pilots,
            downlink,
            first,
            ..
        } = self.current;
        let downlink = downlink.map(|link| link.plan(entries));
        let schedule = self.air.schedule(self.current);
        let uplink = schedule.and_then(|schedule| schedule.plan(entries));
        let mut uplink = uplink.map_err(|error| error.renumbered(self.air.senders()))?;
        if self.index == *first && pilots.duration != Duration::ZERO {
            let Pilots { duration, joules } = pilots;
            for (device, sent) in uplink.transmissions.iter_mut().enumerate() {
                sent.duration += *duration;
                let pilots = joules.as_ref().map(|joules| joules[device]);
                sent.joules = sent.joules.zip(pilots).map(|(data, pilots)| data + pilots);
            }
        }
        Ok(Plan {
            uplink: self.with_levels(uplink, entries)?,
            downlink: downlink.transpose()?,
        })
    }

    /// What all devices send, given that of those who send to the hub.
    fn with_levels(&self, top: Uplink, entries: usize) -> Result<Uplink, RadioError> {
        let Air { levels, setup, .. } = self.air;
        if levels.is_empty() {
            return Ok(top);
        }
        let mut sent = vec![Transmission::default(); setup.channels.devices()];
        for (device, own) in setup.senders.iter().zip(top.transmissions) {
            sent[*device] = own;
        }
        let below = hierarchy::plan(levels, (self.index, entries), &mut sent)?;
        let rounding_s = match (below, top.rounding_s) {
            (Some(below), Some(top)) => Some(below + top),
            (below, top) => below.or(top),
        };
        Ok(Uplink {
            transmissions: sent,
            rounding_s,
        })
    }

    /// The error to be expected of `entries` real entries, as far as that is known for
    /// nothing: if the link was prepared for something else, tensors do not decide it, and
    /// no device is out of step.
    pub fn expected(&self, entries: usize) -> Option<Expected> {
        if self.air.setup.config.synchronisation != Synchronisation::default() {
            return None;
        }
        let link = self.current.link.get();
        let own = link
            .filter(|_| self.current.is_needed())?
            .expected(entries)?;
        let (levels, senders) = (&self.air.levels, self.air.senders());
        match levels.is_empty() {
            true => Some(own),
            false => hierarchy::expected(levels, (self.index, entries), senders, own),
        }
    }

    /// Sends the devices' partial outputs through it: `sum` is what every device holds
    /// afterwards, the downlink included.
    ///
    /// # Errors
    /// If a part has another length than `sum`, or holds a NaN or an infinity; if the
    /// block's channels cannot carry what the scheme asks of them.
    pub fn reduce(&self, parts: &[&[f32]], sum: &mut [f32]) -> Result<Distortion, RadioError> {
        let (levels, senders) = (&self.air.levels, self.air.senders());
        let at_hub = |parts: &[&[f32]], sum: &mut [f32]| {
            let done = self.reduce_at_hub(parts, sum);
            done.map_err(|error| error.renumbered(senders))
        };
        let distortion = match levels.is_empty() {
            true => at_hub(parts, sum)?,
            false => hierarchy::reduce(levels, (self.index, senders), parts, sum, at_hub)?,
        };
        if let Some(downlink) = self.current.downlink {
            downlink.deliver(sum);
        }
        Ok(distortion)
    }

    fn reduce_at_hub(&self, parts: &[&[f32]], sum: &mut [f32]) -> Result<Distortion, RadioError> {
        let Setup {
            channels, config, ..
        } = &*self.air.setup;
        let streams = channels.streams();
        let noise = streams.open("radio.noise", NO_DEVICE, self.index);
        let link = self.air.link(self.current)?;
        let offsets = config
            .synchronisation
            .draw(streams, parts.len(), self.index);
        match offsets {
            None => link.reduce(parts, noise, sum),
            Some(offsets) => link.reduce_out_of_step(parts, &offsets, noise, sum),
        }
    }
}
