//! WDMoE: a Mixtral whose experts live on devices around a base station.
//!
//! ```text
//!                        ┌ device 0: expert 0 ┐
//! base station ─▶ down ──┤ device 1: expert 1 ├── up ─▶ base station: Σ w y, next layer
//! attention, gate        └ device 2: expert 2 ┘
//! ```
//!
//! After Xue et al., "WDMoE: Wireless Distributed Mixture of Experts for Large Language
//! Models". Attention, gate and norms are the base station's. Once a layer's gate has
//! weighed the experts, a policy chooses which of them each token visits, another divides
//! the band, and the tokens go out: on each device a queue of downlink, compute and
//! uplink, (6) to (10). The next layer's attention needs all tokens: its barrier opens
//! when the slowest device has returned its last one, (11), and every other device waits.
//!
//! The gate's weights come from the model ([`Router::Model`]), which then feels what the
//! air does to tokens, or from elsewhere, and then the run is timed but not computed. A
//! token that visits two experts of one device is sent there twice, as in (9).

mod compute;
mod computed;
mod decide;
mod delivery;
mod emit;
mod links;
mod network;
mod pairs;
mod program;
mod records;
mod router;
mod stage;
mod synthetic;
mod trace;

pub use router::Router;
pub use stage::STAGE_NAMES;
pub use synthetic::Synthetic;
pub use trace::{GateTrace, TraceError};

use super::measurement::Measurements;
use super::observer::Observer;
use super::service::{Loaded, Service, Words, longest_context};
use super::workload::Request;
use super::{ArchitectureError, Assembly, Node, Simulation};
use crate::device::Footprint;
use crate::engine::{ResourceId, Resources};
use crate::model::{ModelShape, ShardPlan};
use crate::numerics::Mixtral;
use crate::placement::Experts;
use crate::radio::{Channels, Payload, RadioConfig};
use crate::rng::Streams;
use crate::units::Instant;
use computed::Computed;
use links::Cell;
use network::{Network, Timed};
use program::State;

/// Where a run's weights and tensors come from.
#[derive(Debug)]
pub enum Source {
    /// Nothing is computed: the gate of this shape is drawn.
    Drawn(ModelShape, Synthetic),
    /// Nothing is computed: the gate of this shape was recorded.
    Recorded(ModelShape, GateTrace),
    /// A model computes.
    Computed(Box<Loaded<Mixtral>>),
}

impl Source {
    fn shape(&self) -> &ModelShape {
        match self {
            Self::Drawn(shape, _) | Self::Recorded(shape, _) => shape,
            Self::Computed(loaded) => loaded.model.shape(),
        }
    }

    /// The network for requests of up to `capacity` tokens with `payload` bits on the air.
    fn network(
        self,
        streams: Streams,
        payload: Payload,
        capacity: usize,
    ) -> Result<(Box<dyn Network>, Option<Words>), ArchitectureError> {
        Ok(match self {
            Self::Drawn(shape, synthetic) => {
                let drawn = synthetic.router(streams, shape.layers, shape.expert_count());
                (Box::new(Timed::new(Box::new(drawn))), None)
            }
            Self::Recorded(_, trace) => (Box::new(Timed::new(Box::new(trace))), None),
            Self::Computed(loaded) => {
                let Loaded { model, words } = *loaded;
                let computed = Computed::new(model, payload, capacity)?;
                (Box::new(computed), Some(words))
            }
        })
    }
}

/// The parts from which a run is put together.
#[derive(Debug)]
pub struct Parts {
    /// The model or its shape.
    pub source: Source,
    /// The scenario's fields.
    pub fields: Experts,
    /// For every layer the device of each expert; `None` for the server.
    pub placement: Vec<Vec<Option<usize>>>,
    /// The devices.
    pub devices: Vec<Node>,
    /// The server at the base station.
    pub server: Node,
    /// The air.
    pub radio: RadioConfig,
    /// Every device's channel, of one antenna on either side.
    pub channels: Channels,
    /// What the run draws from.
    pub streams: Streams,
    /// What is to be served, in order.
    pub requests: Vec<Request>,
}

/// A WDMoE run.
pub struct Run<'a> {
    network: Box<dyn Network>,
    shape: ModelShape,
    /// The shape's attention and LM head, whole.
    whole: ShardPlan,
    fields: Experts,
    top_k: usize,
    placement: Vec<Vec<Option<usize>>>,
    cell: Cell,
    lanes: Lanes,
    footprints: Vec<Footprint>,
    service: Service,
    state: State,
    observer: &'a mut dyn Observer,
}

/// The resources of a run.
#[derive(Debug)]
struct Lanes {
    downlink: Vec<ResourceId>,
    compute: Vec<ResourceId>,
    uplink: Vec<ResourceId>,
    server: ResourceId,
}

impl Lanes {
    fn declare(devices: usize, resources: &mut Resources) -> Result<Self, ArchitectureError> {
        let mut per_device = |lane: &str| {
            (0..devices)
                .map(|device| resources.add(format!("device{device}.{lane}"), 1))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            compute: per_device("compute")?,
            uplink: per_device("uplink")?,
            downlink: per_device("downlink")?,
            server: resources.add("server.compute", 1)?,
        })
    }
}

impl Assembly for Parts {
    fn stage_names(&self) -> &'static [&'static str] {
        STAGE_NAMES
    }

    fn node_names(&self) -> Vec<String> {
        let devices = 0..self.devices.len();
        let names = devices.map(|device| format!("device{device}"));
        names.chain(["server".to_owned()]).collect()
    }

    fn requests(&self) -> &[Request] {
        &self.requests
    }

    fn assemble<'a>(
        self: Box<Self>,
        observer: &'a mut dyn Observer,
        resources: &mut Resources,
    ) -> Result<Box<dyn Simulation + 'a>, ArchitectureError> {
        Ok(Box::new(Run::new(*self, observer, resources)?))
    }
}

impl<'a> Run<'a> {
    /// Puts a run together and declares its resources.
    ///
    /// # Errors
    /// If a device's memory cannot hold its experts of all layers and the activations of
    /// the largest pass.
    pub fn new(
        parts: Parts,
        observer: &'a mut dyn Observer,
        resources: &mut Resources,
    ) -> Result<Self, ArchitectureError> {
        let shape = parts.source.shape().clone();
        let whole = ShardPlan::whole(&shape).map_err(crate::numerics::StepError::from)?;
        let footprints = footprints(&shape, &parts);
        for (device, (node, footprint)) in parts.devices.iter().zip(&footprints).enumerate() {
            let name = format!("{device} ({})", node.name);
            node.profile.check_memory(&name, *footprint)?;
        }
        let cell = Cell::new(
            &parts.fields,
            parts.radio,
            parts.channels,
            &shape,
            &parts.devices,
        )?;
        let active = shape.active_experts();
        let capacity = longest_context(&parts.requests);
        let payload = parts.fields.bits;
        let (network, words) = parts.source.network(parts.streams, payload, capacity)?;
        Ok(Self {
            network,
            top_k: parts.fields.experts_per_token.unwrap_or(active),
            lanes: Lanes::declare(parts.devices.len(), resources)?,
            state: State::new(parts.devices.len()),
            service: Service::new(parts.requests, words, parts.devices, parts.server),
            shape,
            whole,
            fields: parts.fields,
            placement: parts.placement,
            cell,
            footprints,
            observer,
        })
    }
}

impl Simulation for Run<'_> {
    fn finish(mut self: Box<Self>, makespan: Instant) -> (Measurements, String) {
        self.record_devices(makespan);
        self.service.measured.pairs = self.state.pairs.records();
        self.service.finish()
    }
}

/// What every device must hold: its experts of all layers, and per token of the largest
/// pass an input, an output and three times the expert's width.
fn footprints(shape: &ModelShape, parts: &Parts) -> Vec<Footprint> {
    let tokens = parts.requests.iter().map(|r| r.task.longest_pass());
    let tokens = tokens.max().unwrap_or(0);
    let bytes = |entries: u64, bits: f64| (entries as f64 * bits / 8.0).ceil() as u64;
    let expert = bytes(shape.expert_parameters(), shape.weight_bits);
    let per_token = (2 * shape.hidden + 3 * shape.ffn) as u64;
    (0..parts.devices.len())
        .map(|device| {
            let holders = parts.placement.iter().flatten();
            let held = holders.filter(|holder| **holder == Some(device)).count() as u64;
            Footprint {
                weights: held * expert,
                kv_cache: 0,
                activations: if held > 0 {
                    bytes(tokens * per_token, shape.activation_bits)
                } else {
                    0
                },
            }
        })
        .collect()
}
