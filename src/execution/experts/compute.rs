//! What experts compute and how long that takes: the roofline of whoever holds them, or the
//! paper's FLOPs alone.
//!
//! A roofline is no multiple of the number of tokens: an expert's weights are read once for
//! all tokens of a visit. Policies, which reckon per token, are told the mean over the tokens
//! that come: of those that the k heaviest experts would have when experts are selected, of
//! those that were selected when the band is divided.

use super::ExpertGroup;
use crate::device::{DeviceError, DeviceProfile, Group};
use crate::execution::error::ExecutionError;
use crate::model::{ModelShape, Work};
use crate::placement::{ExpertCompute, Pipelining, ServerCompute};
use crate::policy::TokenLink;
use crate::units::Duration;

/// L_comp/C of (7) in seconds, with C = peak × efficiency.
fn seconds_of_flops(profile: &DeviceProfile, shape: &ModelShape) -> f64 {
    shape.expert_work(1).flops as f64 / (profile.peak.0 * profile.efficiency)
}

/// `work` by the roofline; experts are held whole.
fn roofline(profile: &DeviceProfile, work: &Work) -> Result<Duration, DeviceError> {
    let group = Group {
        devices: 1,
        weights: work.weights,
    };
    Ok(profile.compute(work, group)?.duration)
}

/// Seconds of one token that comes alone.
pub(super) fn alone(
    compute: ExpertCompute,
    profile: &DeviceProfile,
    shape: &ModelShape,
) -> Result<f64, DeviceError> {
    match compute {
        ExpertCompute::Flops => Ok(seconds_of_flops(profile, shape)),
        ExpertCompute::Roofline => Ok(roofline(profile, &shape.expert_work(1))?.as_seconds()),
    }
}

impl ExpertGroup {
    fn profile(&self, holder: Option<usize>) -> &DeviceProfile {
        match holder {
            Some(device) => &self.profiles[device],
            None => &self.hub_profile,
        }
    }

    /// Whether tokens that come together share the reading of an expert's weights.
    pub(super) fn shares_reading(&self) -> bool {
        self.fields.compute == ExpertCompute::Roofline && self.fields.pipelining.is_none()
    }

    /// What the experts that `holder` has in `layer` compute on their tokens: those of a visit
    /// share the reading of weights, unless each is a task of its own.
    pub(super) fn work_of(&self, layer: usize, holder: Option<usize>, counts: &[u64]) -> Work {
        let by_token = self.fields.compute == ExpertCompute::Roofline
            && self.fields.pipelining == Some(Pipelining::Tokens)
            && holder.is_some();
        let experts = self.holders[layer].iter().zip(counts);
        experts
            .filter(|(device, _)| **device == holder)
            .map(|(_, count)| match by_token {
                true => self.shape.expert_work(1).times(*count),
                false => self.shape.expert_work(*count as usize),
            })
            .sum()
    }

    /// How long `device` computes `work` of `tokens` tokens; of one of them if they are
    /// pipelined.
    pub(super) fn compute_time(
        &self,
        device: usize,
        tokens: u64,
        work: &Work,
    ) -> Result<Duration, DeviceError> {
        let profile = self.profile(Some(device));
        match (self.fields.compute, self.fields.pipelining) {
            (ExpertCompute::Flops, pipelining) => {
                let count = match pipelining {
                    None => tokens as f64,
                    Some(Pipelining::Tokens) => 1.0,
                };
                let seconds = count * seconds_of_flops(profile, &self.shape);
                Ok(Duration::from_seconds(seconds)?)
            }
            (ExpertCompute::Roofline, None) => roofline(profile, work),
            (ExpertCompute::Roofline, Some(Pipelining::Tokens)) => {
                roofline(profile, &self.shape.expert_work(1))
            }
        }
    }

    /// Seconds per token with `holder`, whose experts of `layer` get `counts` tokens;
    /// `None` if none comes.
    fn mean_seconds(
        &self,
        layer: usize,
        holder: Option<usize>,
        counts: &[u64],
    ) -> Result<Option<f64>, DeviceError> {
        let experts = self.holders[layer].iter().zip(counts);
        let own = experts.filter(|(device, _)| **device == holder);
        let tokens: u64 = own.map(|(_, count)| count).sum();
        if tokens == 0 {
            return Ok(None);
        }
        let work = self.work_of(layer, holder, counts);
        let seconds = roofline(self.profile(holder), &work)?.as_seconds();
        Ok(Some(seconds / tokens as f64))
    }

    /// `links` with the compute per token when experts of `layer` get `counts` tokens.
    pub(super) fn at_load(
        &self,
        layer: usize,
        links: &[TokenLink],
        counts: &[u64],
    ) -> Result<Vec<TokenLink>, ExecutionError> {
        let mut links = links.to_vec();
        if self.shares_reading() {
            for (device, link) in links.iter_mut().enumerate() {
                let shared = self.mean_seconds(layer, Some(device), counts)?;
                link.compute = shared.unwrap_or(link.compute);
            }
        }
        Ok(links)
    }

    /// What an expert at the base station takes per token, for policies; `counts` are the
    /// tokens that experts of `layer` get, where that is known.
    pub(super) fn server_seconds(
        &self,
        layer: usize,
        counts: Option<&[u64]>,
    ) -> Result<f64, ExecutionError> {
        if self.fields.server_compute == ServerCompute::Negligible {
            return Ok(0.0);
        }
        if let Some(counts) = counts.filter(|_| self.shares_reading())
            && let Some(seconds) = self.mean_seconds(layer, None, counts)?
        {
            return Ok(seconds);
        }
        let compute = self.fields.compute;
        Ok(alone(compute, &self.hub_profile, &self.shape)?)
    }

    /// `links` with the mean compute per token over a pass in which devices get `loads`
    /// tokens, layer by layer from `first`; those of one layer are taken to be spread evenly over a device's
    /// experts.
    pub(super) fn over_pass(
        &self,
        first: usize,
        links: &[TokenLink],
        loads: &[f64],
    ) -> Result<Vec<TokenLink>, ExecutionError> {
        let mut links = links.to_vec();
        if !self.shares_reading() {
            return Ok(links);
        }
        let devices = links.len();
        for (device, link) in links.iter_mut().enumerate() {
            let (mut tokens, mut seconds) = (0, 0.0);
            for (layer, row) in loads.chunks_exact(devices).enumerate() {
                let load = row[device] as u64;
                let held = self.holders[first + layer].iter();
                let held = held.filter(|holder| **holder == Some(device)).count() as u64;
                let work: Work = (0..held)
                    .map(|n| load / held + u64::from(n < load % held))
                    .map(|count| self.shape.expert_work(count as usize))
                    .sum();
                tokens += load;
                seconds += roofline(self.profile(Some(device)), &work)?.as_seconds();
            }
            if tokens > 0 {
                link.compute = seconds / tokens as f64;
            }
        }
        Ok(links)
    }
}
