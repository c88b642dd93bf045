//! Tensor parallelism with an all-reduce through the air.
//!
//! ```text
//!             ┌ device 0: heads, columns ┐             ┌─ downlink ─▶ next half
//! server ─▶ ──┤ device 1: heads, columns ├─ uplinks ─▶ Σ
//!   embed     └ device 2: heads, columns ┘  (radio)    └─ … ─▶ LM head ─▶ sample
//! ```
//!
//! Every layer has two halves, attention and feed-forward network. Each device
//! computes its part of a half ((1)–(4) in Zhang et al., "Distributed On-Device LLM
//! Inference With Over-the-Air Computation"); when the last one is done the round
//! begins, because all devices must first agree on a common scale (digital schemes
//! too: it is their quantiser's range); the radio sums the partial outputs; the sum
//! returns to all devices, which add it to their residual stream. Embedding and
//! sampling are the server's (embeddings go down in the multicast's time, but
//! unquantised); norms are replicated; the LM head is sharded by vocabulary rows and
//! its logits reach the server without radio time, as in the paper's tables.
//!
//! The tensors of a half are computed when its barrier opens, and go through the
//! channel as it is at that instant. Of a model that is only a shape nothing is computed
//! and nothing sent; its events are those of a computed run on the same passes. They
//! depend on the tensors only through the length of a generation that meets its end
//! token: not through time, which counts entries, nor through energy, since devices send
//! entries of unit variance.

mod emit;
mod network;
mod program;
mod records;
mod stage;

pub use stage::STAGE_NAMES;

use super::measurement::Measurements;
use super::observer::Observer;
use super::service::{Loaded, Service, Words, longest_context};
use super::workload::Request;
use super::{ArchitectureError, Assembly, Node, Simulation};
use crate::device::Footprint;
use crate::engine::{ResourceId, Resources};
use crate::model::ShardPlan;
use crate::numerics::ShardedLlama;
use crate::radio::Air;
use crate::units::Instant;
use network::{Computed, Network, Timed};
use program::Progress;

/// Where a run's tensors come from.
#[derive(Debug)]
pub enum Source {
    /// Nothing is computed: a shape, divided over the devices.
    Timed(ShardPlan),
    /// A model computes, divided over the devices.
    Computed(Box<Loaded<ShardedLlama>>),
}

impl Source {
    fn plan(&self) -> &ShardPlan {
        match self {
            Self::Timed(plan) => plan,
            Self::Computed(loaded) => loaded.model.plan(),
        }
    }

    /// The network for requests of up to `capacity` tokens.
    fn network(
        self,
        capacity: usize,
    ) -> Result<(Box<dyn Network>, Option<Words>), ArchitectureError> {
        Ok(match self {
            Self::Timed(_) => (Box::new(Timed::default()), None),
            Self::Computed(loaded) => {
                let Loaded { model, words } = *loaded;
                (Box::new(Computed::new(model, capacity)?), Some(words))
            }
        })
    }
}

/// A tensor-parallel run.
pub struct TensorParallel<'a> {
    network: Box<dyn Network>,
    plan: ShardPlan,
    footprints: Vec<Footprint>,
    air: Air,
    /// P_n in joules per vector, where budgets are that.
    budgets: Option<Vec<f64>>,
    lanes: Lanes,
    service: Service,
    progress: Progress,
    /// All-reduces begun since the start of the run.
    rounds: u64,
    observer: &'a mut dyn Observer,
}

/// The parts from which a run is put together.
#[derive(Debug)]
pub struct Parts {
    /// The model or its shape.
    pub source: Source,
    /// As many as the model is divided over, in order.
    pub devices: Vec<Node>,
    /// The server.
    pub server: Node,
    /// The air between them.
    pub air: Air,
    /// What is to be served, in order.
    pub requests: Vec<Request>,
}

/// The resources of a run.
#[derive(Debug)]
struct Lanes {
    compute: Vec<ResourceId>,
    uplink: Vec<ResourceId>,
    downlink: Vec<ResourceId>,
    server_compute: ResourceId,
    server_send: ResourceId,
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
            server_compute: resources.add("server.compute", 1)?,
            server_send: resources.add("server.downlink", 1)?,
        })
    }
}

impl<'a> TensorParallel<'a> {
    /// Puts a run together and declares its resources.
    ///
    /// # Errors
    /// If a device's memory cannot hold its shard of the weights together with the
    /// KV cache and activations of the largest request.
    pub fn new(
        parts: Parts,
        observer: &'a mut dyn Observer,
        resources: &mut Resources,
    ) -> Result<Self, ArchitectureError> {
        let plan = parts.source.plan().clone();
        let footprints: Vec<Footprint> = (0..parts.devices.len())
            .map(|device| footprint(&plan, device, &parts.requests))
            .collect();
        for (device, (node, footprint)) in parts.devices.iter().zip(&footprints).enumerate() {
            let name = format!("{device} ({})", node.name);
            node.profile.check_memory(&name, *footprint)?;
        }
        let (network, words) = parts.source.network(longest_context(&parts.requests))?;
        Ok(Self {
            network,
            plan,
            footprints,
            budgets: parts.air.energy_budgets(),
            air: parts.air,
            lanes: Lanes::declare(parts.devices.len(), resources)?,
            service: Service::new(parts.requests, words, parts.devices, parts.server),
            progress: Progress::default(),
            rounds: 0,
            observer,
        })
    }

    /// What was measured by a run that ended at `makespan`, and the BLAKE3 of all
    /// logits in the order in which they were computed.
    pub fn finish(mut self, makespan: Instant) -> (Measurements, String) {
        self.record_devices(makespan);
        self.service.finish()
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
        Ok(Box::new(TensorParallel::new(*self, observer, resources)?))
    }
}

impl Simulation for TensorParallel<'_> {
    fn finish(self: Box<Self>, makespan: Instant) -> (Measurements, String) {
        (*self).finish(makespan)
    }
}

/// What `device` must hold for the most demanding of `requests`; they are served
/// one at a time.
fn footprint(plan: &ShardPlan, device: usize, requests: &[Request]) -> Footprint {
    let context = longest_context(requests);
    let passes = requests.iter().map(|request| request.task.longest_pass());
    let pass = passes.max().unwrap_or(0) as usize;
    Footprint {
        weights: plan.weight_bytes(device),
        kv_cache: plan.kv_cache_bytes(device, context),
        activations: plan.activation_bytes(device, pass),
    }
}
