//! One block's decisions: who visits whom, and who gets how much of the band.

use super::Run;
use super::delivery::Delivery;
use crate::architecture::ArchitectureError;
use crate::policy::{Gate, Horizon, Selection, TokenLink};
use crate::units::Instant;

/// What was decided for a block.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) selection: Selection,
    /// J × n, the weights with which outputs are added up.
    pub(super) weights: Vec<f32>,
    /// Visits that the k heaviest experts would have had.
    pub(super) wanted: Vec<u64>,
    /// B_k in Hz.
    pub(super) bandwidth: Vec<f64>,
    /// Each device's tokens; `None` without any.
    pub(super) deliveries: Vec<Option<Delivery>>,
}

impl Run<'_> {
    /// Decides for `layer`, whose gate says `weights`, on `links`.
    pub(super) fn decide(
        &self,
        layer: usize,
        weights: &[f32],
        links: &[TokenLink],
    ) -> Result<Decision, ArchitectureError> {
        let device = &self.placement[layer];
        let latency = self.latency(layer, links)?;
        let history = self.state.history.means();
        let gate = self.gate(layer, weights, &latency, &history);
        let wanted = Selection::heaviest(&gate)?.counts();
        let selection = self.fields.selection.policy().select(&gate)?;
        let weights = selection.weights(&gate, self.fields.dropped_weight)?;
        let loads = selection.loads(device, self.devices.len());
        let bandwidth = match &self.state.pass_bandwidth {
            Some(bandwidth) => bandwidth.clone(),
            None => {
                let policy = self.fields.bandwidth.policy();
                policy.allocate(links, &loads, self.cell.band())?
            }
        };
        let deliveries = loads
            .iter()
            .enumerate()
            .map(|(k, load)| {
                let pipelining = self.fields.pipelining;
                let deliver =
                    || Delivery::new(k, *load as u64, &links[k], bandwidth[k], pipelining);
                (*load > 0.0).then(deliver).transpose()
            })
            .collect::<Result<_, _>>()?;
        Ok(Decision {
            selection,
            weights,
            wanted,
            bandwidth,
            deliveries,
        })
    }

    fn gate<'g>(
        &'g self,
        layer: usize,
        weights: &'g [f32],
        latency: &'g [f64],
        history: &'g [Option<f64>],
    ) -> Gate<'g> {
        Gate {
            weights,
            top_k: self.top_k,
            latency,
            device: &self.placement[layer],
            history,
        }
    }

    /// What a token takes on each expert's device with the band divided evenly; infinite
    /// where the device is cut off.
    fn latency(&self, layer: usize, links: &[TokenLink]) -> Result<Vec<f64>, ArchitectureError> {
        let device = &self.placement[layer];
        let mut holds = vec![false; links.len()];
        for holder in device.iter().flatten() {
            holds[*holder] = true;
        }
        let reachable = self.cell.reachable(links, &holds)?;
        let share = self.cell.even_share();
        let latency = device.iter().map(|holder| match holder {
            None => self.server_seconds_per_token(),
            Some(k) if reachable[*k] => links[*k].delay(share),
            Some(_) => f64::INFINITY,
        });
        Ok(latency.collect())
    }

    /// The division of the band for the pass that begins at `now`, if it is made for a
    /// whole pass.
    pub(super) fn divide_for_pass(
        &self,
        now: Instant,
    ) -> Result<Option<Vec<f64>>, ArchitectureError> {
        let policy = self.fields.bandwidth.policy();
        let (layers, devices) = (self.placement.len(), self.devices.len());
        let links = self.cell.links(self.state.blocks, now)?;
        let mut loads = match policy.horizon() {
            Horizon::Block => return Ok(None),
            Horizon::PreviousPass if self.state.last_loads.is_empty() => {
                return Ok(Some(vec![self.cell.even_share(); devices]));
            }
            Horizon::PreviousPass => self.state.last_loads.clone(),
            Horizon::Oracle => {
                let mut loads = Vec::with_capacity(layers * devices);
                let history = self.state.history.means();
                for layer in 0..layers {
                    let weights = self.network.foresee(layer)?.unwrap_or_default();
                    let links = self.cell.links(self.state.blocks + layer as u64, now)?;
                    let latency = self.latency(layer, &links)?;
                    let gate = self.gate(layer, &weights, &latency, &history);
                    let selection = self.fields.selection.policy().select(&gate)?;
                    loads.extend(selection.loads(&self.placement[layer], devices));
                }
                loads
            }
        };
        if policy.horizon() == Horizon::PreviousPass {
            // Whoever had nothing to do may have something now: as if one token a block.
            for (device, link) in links.iter().enumerate() {
                let column = || (0..layers).map(|layer| layer * devices + device);
                if column().all(|place| loads[place] == 0.0) && link.is_alive() {
                    column().for_each(|place| loads[place] = 1.0);
                }
            }
        }
        Ok(Some(policy.allocate(&links, &loads, self.cell.band())?))
    }
}

/// Mean seconds per token on each device, over the blocks so far.
#[derive(Debug)]
pub(super) struct History {
    sums: Vec<f64>,
    blocks: Vec<u64>,
}

impl History {
    pub(super) fn new(devices: usize) -> Self {
        Self {
            sums: vec![0.0; devices],
            blocks: vec![0; devices],
        }
    }

    /// Enters t_k/J_k of one block, (30).
    pub(super) fn enter(&mut self, device: usize, seconds_per_token: f64) {
        self.sums[device] += seconds_per_token;
        self.blocks[device] += 1;
    }

    pub(super) fn means(&self) -> Vec<Option<f64>> {
        let devices = self.sums.iter().zip(&self.blocks);
        devices
            .map(|(sum, blocks)| (*blocks > 0).then(|| sum / *blocks as f64))
            .collect()
    }
}
