//! Who holds which expert, and what is remembered of them.

use super::cell::Cell;
use super::decide::History;
use super::pairs::Pairs;
use crate::device::{DeviceProfile, Footprint};
use crate::execution::error::ExecutionError;
use crate::execution::memory::{self, Held};
use crate::execution::system::PipelineStage;
use crate::model::{ModelShape, ShardPlan};
use crate::placement::Experts;
use crate::radio::{Channels, RadioConfig};
use crate::topology::{LinkId, NodeId};

/// The parts from which an expert stage is put together.
#[derive(Debug)]
pub struct ExpertParts {
    /// Where attention and gate are.
    pub hub: NodeId,
    /// Who may hold experts.
    pub members: Vec<NodeId>,
    /// The cell between them.
    pub link: LinkId,
    /// The scenario's fields.
    pub fields: Experts,
    /// For every layer the member of each expert, by its place; `None` for the hub.
    pub holders: Vec<Vec<Option<usize>>>,
    /// What each member can do.
    pub profiles: Vec<DeviceProfile>,
    /// What the hub can do.
    pub hub_profile: DeviceProfile,
    /// The model.
    pub shape: ModelShape,
    /// The air.
    pub radio: RadioConfig,
    /// Every member's channel, of one antenna on either side.
    pub channels: Channels,
}

/// A hub with experts on the nodes of its cell.
#[derive(Debug)]
pub struct ExpertGroup {
    pub(in crate::execution) hub: NodeId,
    pub(in crate::execution) members: Vec<NodeId>,
    pub(in crate::execution) link: LinkId,
    pub(super) fields: Experts,
    pub(super) holders: Vec<Vec<Option<usize>>>,
    pub(super) profiles: Vec<DeviceProfile>,
    pub(super) hub_profile: DeviceProfile,
    pub(super) shape: ModelShape,
    /// The shape's attention and LM head, whole.
    pub(super) whole: ShardPlan,
    pub(super) top_k: usize,
    pub(super) cell: Cell,
    pub(super) history: History,
    pub(super) pairs: Pairs,
    /// q of the last pass that ended, layer by layer.
    pub(super) last_loads: Vec<f64>,
}

impl ExpertGroup {
    /// Puts a group together.
    ///
    /// # Errors
    /// If the shape has impossible sizes, or a profile no time for an expert.
    pub fn new(parts: ExpertParts) -> Result<Self, ExecutionError> {
        let whole = ShardPlan::whole(&parts.shape).map_err(crate::numerics::StepError::from)?;
        let cell = Cell::new(
            &parts.fields,
            parts.radio,
            parts.channels,
            &parts.shape,
            &parts.profiles,
        )?;
        Ok(Self {
            top_k: parts
                .fields
                .experts_per_token
                .unwrap_or(parts.shape.active_experts()),
            history: History::new(parts.members.len()),
            hub: parts.hub,
            members: parts.members,
            link: parts.link,
            fields: parts.fields,
            holders: parts.holders,
            profiles: parts.profiles,
            hub_profile: parts.hub_profile,
            shape: parts.shape,
            whole,
            cell,
            pairs: Pairs::default(),
            last_loads: Vec::new(),
        })
    }

    /// The place of `node` among the members.
    pub(super) fn place(&self, node: NodeId) -> usize {
        let place = self.members.iter().position(|member| *member == node);
        place.expect("tokens are dispatched to members")
    }

    /// Adds what its nodes hold of `stage`: members their experts, and per token of the largest
    /// pass an input, an output and three times the expert's width; the hub all else.
    pub(in crate::execution) fn hold(
        &self,
        stage: &PipelineStage,
        context: usize,
        pass: usize,
        flights: u64,
        held: &mut [Held],
    ) {
        let shape = &self.shape;
        let bytes = |entries: f64, bits: f64| (entries * bits / 8.0).ceil() as u64;
        let expert = bytes(shape.expert_parameters() as f64, shape.weight_bits);
        let per_token = (2 * shape.hidden + 3 * shape.ffn) as f64;
        let of_layers = |whole: u64| {
            let own = u128::from(whole) * stage.layers.len() as u128;
            (own / shape.layers as u128) as u64
        };
        let mut at_members = 0;
        for (place, member) in self.members.iter().enumerate() {
            let holders = self.holders[stage.layers.clone()].iter().flatten();
            let count = holders.filter(|holder| **holder == Some(place)).count() as u64;
            let weights = count * expert;
            at_members += weights;
            let activations = if count > 0 {
                bytes(pass as f64 * per_token, shape.activation_bits)
            } else {
                0
            };
            let part = Footprint {
                weights,
                kv_cache: 0,
                activations,
            };
            memory::add(held, *member, part, 0, true);
        }
        let all = of_layers(bytes(shape.parameters() as f64, shape.weight_bits));
        let part = Footprint {
            weights: all.saturating_sub(at_members),
            kv_cache: of_layers(self.whole.kv_cache_bytes(0, context)) * flights,
            activations: 0,
        };
        let per_token = of_layers(self.whole.kv_cache_bytes(0, 1));
        memory::add(held, self.hub, part, per_token, false);
    }
}
