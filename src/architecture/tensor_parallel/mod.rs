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
//! channel as it is at that instant.

mod emit;
mod program;
mod records;
mod stage;

pub use super::node::Node;
pub use stage::STAGE_NAMES;

use super::measurement::Measurements;
use super::observer::Observer;
use super::workload::Request;
use super::{ArchitectureError, Assembly, Simulation};
use crate::device::Footprint;
use crate::engine::{ResourceId, Resources};
use crate::numerics::{ShardedLlama, Tokenizer};
use crate::radio::Air;
use crate::units::Instant;
use program::State;

/// A tensor-parallel run.
pub struct TensorParallel<'a> {
    model: ShardedLlama,
    tokenizer: Tokenizer,
    end_tokens: Vec<u32>,
    devices: Vec<Node>,
    server: Node,
    air: Air,
    requests: Vec<Request>,
    lanes: Lanes,
    state: State,
    observer: &'a mut dyn Observer,
}

/// The parts from which a run is put together.
#[derive(Debug)]
pub struct Parts {
    /// The model, divided over the devices.
    pub model: ShardedLlama,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
    /// The tokens that end a generation.
    pub end_tokens: Vec<u32>,
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
        let plan = parts.model.plan();
        let footprints: Vec<Footprint> = (0..parts.devices.len())
            .map(|device| footprint(plan, device, &parts.requests))
            .collect();
        for (device, (node, footprint)) in parts.devices.iter().zip(&footprints).enumerate() {
            let name = format!("{device} ({})", node.name);
            node.profile.check_memory(&name, *footprint)?;
        }
        let lanes = Lanes::declare(parts.devices.len(), resources)?;
        let state = State::new(&parts.model, footprints);
        Ok(Self {
            model: parts.model,
            tokenizer: parts.tokenizer,
            end_tokens: parts.end_tokens,
            devices: parts.devices,
            server: parts.server,
            air: parts.air,
            requests: parts.requests,
            lanes,
            state,
            observer,
        })
    }

    /// What was measured by a run that ended at `makespan`, and the BLAKE3 of all
    /// logits in the order in which they were computed.
    pub fn finish(mut self, makespan: Instant) -> (Measurements, String) {
        self.record_devices(makespan);
        let digest = self.state.logits.finalize().to_hex().to_string();
        (self.state.measured, digest)
    }
}

impl Assembly for Parts {
    fn stage_names(&self) -> &'static [&'static str] {
        STAGE_NAMES
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
fn footprint(plan: &crate::model::ShardPlan, device: usize, requests: &[Request]) -> Footprint {
    let most =
        |tokens: fn(&Request) -> u64| requests.iter().map(tokens).max().unwrap_or(0) as usize;
    let context = most(|request| request.task.longest_context());
    let pass = most(|request| request.task.longest_pass());
    Footprint {
        weights: plan.weight_bytes(device),
        kv_cache: plan.kv_cache_bytes(device, context),
        activations: plan.activation_bytes(device, pass),
    }
}
