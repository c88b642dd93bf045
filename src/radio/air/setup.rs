//! What the link of every coherence block follows from, beside the block itself.

use crate::radio::all_reduce::{AllReduce, Block, Link};
use crate::radio::budget::LinkPower;
use crate::radio::channels::Channels;
use crate::radio::coherence::Coherence;
use crate::radio::config::RadioConfig;
use crate::radio::doppler::Doppler;
use crate::radio::error::RadioError;
use crate::radio::exchange::{Exchange, ExchangeLink};
use crate::radio::ideal::IdealLink;
use crate::radio::matrix::Matrix;
use crate::radio::transceiver::TransceiverDesign;
use crate::units::{FieldFault, Instant};
use std::sync::Arc;

/// The radio, the scheme and its channels: the same for a whole run.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) config: RadioConfig,
    pub(super) scheme: Arc<dyn AllReduce>,
    pub(super) design: Arc<dyn TransceiverDesign>,
    pub(super) channels: Channels,
    /// The devices that send to the hub, in order: all, or the heads of the last level.
    pub(super) senders: Vec<usize>,
    pub(super) power: LinkPower,
    /// What each of the senders may radiate per channel use.
    pub(super) powers: Option<Vec<f64>>,
    /// Of an all-reduce by messages: which member sums, if one does, and entries per token.
    pub(super) exchange: Option<(Option<usize>, usize)>,
}

impl Setup {
    /// Of what all devices have, in their order, that of the senders.
    pub(super) fn of_senders<T: Clone>(&self, all: Vec<T>) -> Vec<T> {
        match self.senders.len() == all.len() {
            true => all,
            false => self.senders.iter().map(|n| all[*n].clone()).collect(),
        }
    }

    /// The messages by which several members sum, if they do.
    pub(super) fn exchange(&self) -> Option<Exchange> {
        let several = self.channels.devices() > 1 && self.exchange.is_some();
        self.scheme.exchange().filter(|_| several)
    }

    /// Whether anything is sent to the hub itself.
    pub(super) fn sends(&self) -> bool {
        self.scheme.uses_radio()
            && (self.channels.devices() > 1 || self.config.lone_device_transmits)
    }

    /// Whether those that follow `block`, which came after `previous`, are likely to be the next
    /// numbers, and a number is all that the link of each depends on.
    pub(super) fn foresees(&self, previous: u64, block: u64) -> bool {
        let numbers = match self.config.coherence {
            Coherence::Static => false,
            // One batch counts on, whoever came between.
            Coherence::PerAllReduce => !self.channels.follow_time(),
            Coherence::Time(_) => previous.checked_add(1) == Some(block),
        };
        numbers && self.sends() && self.exchange().is_none()
    }

    /// What every sender may radiate, once that is known.
    pub(super) fn powers(&self) -> Result<&[f64], RadioError> {
        self.powers.as_deref().ok_or_else(|| {
            let message = "EnergyPerVector needs to know what devices compute for a vector";
            FieldFault::new("convention", message).into()
        })
    }

    /// H_n of the senders in coherence block `block`, entered at `now`, in device order.
    pub(super) fn channels(&self, block: u64, now: Instant) -> Result<Vec<Matrix>, RadioError> {
        let senders = self.senders.iter();
        senders
            .map(|device| self.channels.block(*device, block, now))
            .collect()
    }

    /// Ĥ_n for H_n = `channels`; `None` if they are known.
    pub(super) fn estimates(
        &self,
        channels: &[Matrix],
        block: u64,
        now: Instant,
    ) -> Option<Vec<Matrix>> {
        let RadioConfig { csi, coherence, .. } = &self.config;
        let start = coherence.start(block).unwrap_or(now);
        let estimate = |(device, channel): (&usize, &Matrix)| {
            let device = *device;
            // A process in time is measured as it was.
            let past = csi.measured_at(start);
            let measured = past.and_then(|time| self.channels.at(device, time));
            let moments = self.channels.moments(device);
            let streams = self.channels.streams();
            csi.estimate(streams, device, block, channel, measured, moments)
        };
        let perfect =
            csi.is_perfect() && (csi.delay.0 == 0.0 || self.config.doppler == Doppler::Off);
        (!perfect).then(|| self.senders.iter().zip(channels).map(estimate).collect())
    }

    /// The link where nothing is sent through the air.
    pub(super) fn silence(&self) -> IdealLink {
        IdealLink {
            devices: self.senders.len(),
        }
    }

    /// The link that needs no channels, if it is one.
    pub(super) fn without_channels(&self) -> Option<Box<dyn Link>> {
        if let Some((exchange, (root, width))) = self.exchange().zip(self.exchange) {
            return Some(Box::new(ExchangeLink {
                exchange,
                root,
                width,
                devices: self.channels.devices(),
            }));
        }
        (!self.sends()).then(|| Box::new(self.silence()) as Box<dyn Link>)
    }

    /// The link over `channels`, those of coherence block `block`, entered at `now`.
    pub(super) fn prepare(
        &self,
        channels: &[Matrix],
        block: u64,
        now: Instant,
    ) -> Result<Box<dyn Link>, RadioError> {
        let estimates = self.estimates(channels, block, now);
        self.scheme.prepare(&Block {
            channels,
            powers: self.powers()?,
            estimates: estimates.as_deref().unwrap_or(channels),
            power: self.power,
            bandwidth: self.config.bandwidth,
            coding: self.config.coding,
            round_overhead: self.config.round_overhead,
            design: self.design.as_ref(),
        })
    }
}
