//! One block's decisions: who visits whom, and who gets how much of the band.

use super::ExpertGroup;
use super::delivery::Delivery;
use crate::execution::error::ExecutionError;
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
    /// Of the visits that the k heaviest of all experts would have had, those to devices
    /// that are cut off.
    pub(super) lost: Vec<u64>,
    /// B_k in Hz.
    pub(super) bandwidth: Vec<f64>,
    /// Each device's tokens; `None` without any.
    pub(super) deliveries: Vec<Option<Delivery>>,
}

impl ExpertGroup {
    /// Decides for `layer`, whose gate says `weights`, on `links`; `divided` is the division of
    /// the band where one was made for the whole pass.
    pub(super) fn decide(
        &self,
        layer: usize,
        weights: &[f32],
        links: &[TokenLink],
        divided: Option<&[f64]>,
    ) -> Result<Decision, ExecutionError> {
        let device = &self.holders[layer];
        let latency = self.foreseen_latency(layer, weights, links)?;
        let history = self.history.means();
        let gate = self.gate(layer, weights, &latency, &history);
        let wanted = Selection::heaviest(&gate)?.counts();
        let selection = self.fields.selection.policy().select(&gate)?;
        let dropped = self.fields.dropped_weight;
        let weights = match self.shape.design.sums_to_one {
            true => selection.weights(&gate, dropped)?,
            false => selection.router_weights(&gate, dropped)?,
        };
        let loads = selection.loads(device, self.members.len());
        let counts = selection.counts();
        let links = &self.at_load(layer, links, &counts)?;
        let bandwidth = match divided {
            Some(bandwidth) => bandwidth.to_vec(),
            None => {
                let policy = self.fields.bandwidth.policy();
                policy.allocate(links, &loads, self.cell.band())?
            }
        };
        let deliver = |k: usize| {
            let tokens = loads[k] as u64;
            if tokens == 0 {
                return Ok(None);
            }
            let work = self.work_of(layer, Some(k), &counts);
            let delivery = Delivery {
                tokens,
                compute: self.compute_time(k, tokens, &work)?,
                pipelining: self.fields.pipelining,
            };
            // What no clock can hold is refused before anybody sends.
            for seconds in [
                links[k].downlink_time(bandwidth[k]),
                links[k].uplink_time(bandwidth[k]),
            ] {
                delivery.on_air(k, seconds)?;
            }
            Ok::<_, ExecutionError>(Some(delivery))
        };
        let deliveries: Result<Vec<_>, _> = (0..loads.len()).map(deliver).collect();
        let deliveries = deliveries.or_else(|fault| {
            // A weak link slows the others down too, whose band it takes: name it first.
            let weight = |k: &usize| loads[*k] * links[*k].delay(self.cell.even_share());
            let loaded = (0..loads.len()).filter(|k| loads[*k] > 0.0);
            let weakest = loaded.max_by(|a, b| weight(a).total_cmp(&weight(b)));
            weakest.map(deliver).transpose()?;
            Err(fault)
        })?;
        Ok(Decision {
            selection,
            weights,
            wanted,
            lost: self.lost(&gate)?,
            bandwidth,
            deliveries,
        })
    }

    fn lost(&self, gate: &Gate<'_>) -> Result<Vec<u64>, ExecutionError> {
        let mut lost = vec![0; gate.experts()];
        if (0..gate.experts()).all(|expert| gate.reaches(expert)) {
            return Ok(lost);
        }
        let everywhere = vec![0.0; gate.experts()];
        let all = Selection::heaviest(&Gate {
            latency: &everywhere,
            ..*gate
        })?;
        for (expert, visits) in all.counts().into_iter().enumerate() {
            if !gate.reaches(expert) {
                lost[expert] = visits;
            }
        }
        Ok(lost)
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
            device: &self.holders[layer],
            history,
        }
    }

    /// What a token takes with each expert of `layer`, whose gate says `weights`, if all come
    /// that have it among their k heaviest; infinite where the device is cut off.
    fn foreseen_latency(
        &self,
        layer: usize,
        weights: &[f32],
        links: &[TokenLink],
    ) -> Result<Vec<f64>, ExecutionError> {
        let alone = self.latency(layer, links, self.server_seconds(layer, None)?)?;
        if !self.shares_reading() {
            return Ok(alone);
        }
        let history = self.history.means();
        let gate = self.gate(layer, weights, &alone, &history);
        let counts = Selection::heaviest(&gate)?.counts();
        let links = self.at_load(layer, links, &counts)?;
        self.latency(layer, &links, self.server_seconds(layer, Some(&counts))?)
    }

    /// What a token takes on each expert's device with the band divided evenly, and `server` with
    /// those of the base station; infinite where the device is cut off.
    fn latency(
        &self,
        layer: usize,
        links: &[TokenLink],
        server: f64,
    ) -> Result<Vec<f64>, ExecutionError> {
        let device = &self.holders[layer];
        let mut holds = vec![false; links.len()];
        for holder in device.iter().flatten() {
            holds[*holder] = true;
        }
        let reachable = self.cell.reachable(links, &holds)?;
        let share = self.cell.even_share();
        let latency = device.iter().map(|holder| match holder {
            None => server,
            Some(k) if reachable[*k] => links[*k].delay(share),
            Some(_) => f64::INFINITY,
        });
        Ok(latency.collect())
    }

    /// The division of the band for the pass that begins at `now`, if it is made for a
    /// whole pass: for the links of its first layer. `draw` numbers the draws of a layer, and
    /// `foresee` says what its gate will say, where that is known.
    ///
    /// A device that is cut off then keeps an even part, for it may return during the pass.
    pub(super) fn divide_for_pass(
        &self,
        layers: std::ops::Range<usize>,
        draw: &dyn Fn(usize) -> u64,
        foresee: &dyn Fn(usize) -> Result<Option<Vec<f32>>, ExecutionError>,
        now: Instant,
    ) -> Result<Option<Vec<f64>>, ExecutionError> {
        let policy = self.fields.bandwidth.policy();
        let (first, count, devices) = (layers.start, layers.len(), self.members.len());
        let links = self.cell.links(draw(first), now)?;
        let mut loads = match policy.horizon() {
            Horizon::Block => return Ok(None),
            Horizon::PreviousPass if self.last_loads.is_empty() => {
                return Ok(Some(vec![self.cell.even_share(); devices]));
            }
            Horizon::PreviousPass => self.last_loads.clone(),
            Horizon::Oracle => {
                let mut loads = Vec::with_capacity(count * devices);
                let history = self.history.means();
                for layer in layers {
                    let weights = foresee(layer)?.unwrap_or_default();
                    let links = self.cell.links(draw(layer), now)?;
                    let latency = self.foreseen_latency(layer, &weights, &links)?;
                    let gate = self.gate(layer, &weights, &latency, &history);
                    let selection = self.fields.selection.policy().select(&gate)?;
                    loads.extend(selection.loads(&self.holders[layer], devices));
                }
                loads
            }
        };
        let share = self.cell.even_share();
        let (mut reserved, mut rest) = (vec![0.0; devices], self.cell.band());
        for (device, alive) in self.cell.alive(&links).into_iter().enumerate() {
            let column = || (0..count).map(|layer| layer * devices + device);
            let holds = |layer: usize| self.holders[first + layer].contains(&Some(device));
            if !(0..count).any(holds) {
                continue;
            }
            if !alive {
                column().for_each(|place| loads[place] = 0.0);
                reserved[device] = share;
                rest -= share;
            } else if column().all(|place| loads[place] == 0.0) {
                // Whoever had nothing to do may have something now: as if one token a block.
                column().for_each(|place| loads[place] = 1.0);
            }
        }
        if loads.iter().all(|load| *load == 0.0) {
            return Ok(Some(reserved));
        }
        let links = self.over_pass(first, &links, &loads)?;
        let divided = policy.allocate(&links, &loads, rest)?;
        let shares = divided.iter().zip(&reserved);
        Ok(Some(shares.map(|(share, kept)| share + kept).collect()))
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
