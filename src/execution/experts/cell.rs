//! The links of one block: what a token costs on every device.

use crate::device::{DeviceError, DeviceProfile};
use crate::execution::error::ExecutionError;
use crate::model::ModelShape;
use crate::placement::{Experts, OnOutage};
use crate::policy::{PolicyError, TokenLink};
use crate::radio::{Channels, RadioConfig};
use crate::units::Instant;

/// What decides the links of a run.
#[derive(Debug)]
pub(super) struct Cell {
    radio: RadioConfig,
    channels: Channels,
    /// L_comm of (4).
    pub(super) bits: f64,
    /// P_d and P_u in watts.
    pub(super) server_power: f64,
    pub(super) device_power: f64,
    /// N₀ F I/(G_d G_s) in W/Hz.
    noise_density: f64,
    /// Seconds of compute of a token that comes alone.
    compute: Vec<f64>,
    outage: f64,
    on_outage: OnOutage,
}

impl Cell {
    pub(super) fn new(
        fields: &Experts,
        radio: RadioConfig,
        channels: Channels,
        shape: &ModelShape,
        profiles: &[DeviceProfile],
    ) -> Result<Self, DeviceError> {
        let power = radio.budget.resolve(radio.bandwidth);
        Ok(Self {
            channels,
            bits: fields.bits.bits(shape.hidden) as f64,
            server_power: fields.server_power.0,
            device_power: power.power,
            noise_density: power.noise / radio.bandwidth.0,
            compute: profiles
                .iter()
                .map(|profile| super::compute::alone(fields.compute, profile, shape))
                .collect::<Result<_, _>>()?,
            outage: fields.outage.0,
            on_outage: fields.on_outage,
            radio,
        })
    }

    /// B.
    pub(super) fn band(&self) -> f64 {
        self.radio.bandwidth.0
    }

    /// B/U.
    pub(super) fn even_share(&self) -> f64 {
        self.band() / self.compute.len() as f64
    }

    /// The links of all members for the layer whose draws have the number `index`, at `now`.
    ///
    /// g_k = |h_k|², the same both ways: the channel of one antenna each.
    ///
    /// # Errors
    /// If a trace of channels has ended.
    pub(super) fn links(&self, index: u64, now: Instant) -> Result<Vec<TokenLink>, ExecutionError> {
        let draw = self.radio.coherence.block(index, now);
        let devices = 0..self.compute.len();
        devices
            .map(|device| {
                let channel = self.channels.block(device, draw, now)?;
                let coding = self.radio.coding;
                let noise = self.noise_density * coding.gap.ratio();
                let reach = channel[(0, 0)].norm_sqr() / noise;
                let sent = self.bits * coding.attempts();
                Ok(TokenLink {
                    downlink_bits: sent,
                    uplink_bits: sent,
                    downlink_reach: self.server_power * reach,
                    uplink_reach: self.device_power * reach,
                    ceiling: coding.limit(),
                    compute: self.compute[device],
                })
            })
            .collect()
    }

    /// Bit/s/Hz in the weaker direction with the band divided evenly; 0 over a dead link.
    fn efficiency(&self, link: &TokenLink) -> f64 {
        let share = self.even_share();
        if !link.is_alive() {
            return 0.0;
        }
        let slower = link.downlink_time(share).max(link.uplink_time(share));
        self.bits / (slower * share)
    }

    /// Whether each device can be reached.
    pub(super) fn alive(&self, links: &[TokenLink]) -> Vec<bool> {
        let alive = |link: &TokenLink| self.efficiency(link) > self.outage;
        links.iter().map(alive).collect()
    }

    /// Whether each device can be reached, of which some `hold` experts.
    ///
    /// # Errors
    /// If one of these cannot and nothing may be dropped.
    pub(super) fn reachable(
        &self,
        links: &[TokenLink],
        holds: &[bool],
    ) -> Result<Vec<bool>, PolicyError> {
        let reachable = self.alive(links);
        let cut_off = |device: &usize| holds[*device] && !reachable[*device];
        match (0..links.len()).find(cut_off) {
            Some(device) if self.on_outage == OnOutage::Fail => Err(PolicyError::CutOff {
                device,
                carries: self.efficiency(&links[device]),
                outage: self.outage,
            }),
            _ => Ok(reachable),
        }
    }
}
