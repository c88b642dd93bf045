//! An experts stage: attention, gate and norms at a hub, the experts of each layer on the nodes of
//! its cell.
//!
//! ```text
//!                        ┌ member 0: expert 0 ┐
//! hub ─▶ token downlink ─┤ member 1: expert 1 ├─ token uplink ─▶ hub: Σ w y, next layer
//! attention, gate        └ member 2: expert 2 ┘
//! ```
//!
//! After Xue et al., "WDMoE: Wireless Distributed Mixture of Experts for Large Language Models".
//! Once a layer's gate has weighed the experts, a policy chooses which of them each token visits,
//! another divides the band, and the tokens go out: on each member a queue of downlink, compute and
//! uplink, (6) to (10). The next layer's attention needs all tokens: its barrier opens when the
//! slowest member has returned its last one, (11), and every other one waits.
//!
//! The gate's weights come from the model, which then feels what the air does to tokens, or from
//! elsewhere, and then the run is timed but not computed. A token that visits two experts of one
//! member is sent there twice, as in (9).

mod cell;
mod compute;
mod decide;
mod delivery;
mod dispatch;
mod group;
mod notes;
mod pairs;
mod synthetic;
mod trace;

pub use group::{ExpertGroup, ExpertParts};
pub(super) use synthetic::router;
pub use trace::{GateTrace, TraceError};

use decide::Decision;

/// How far a batch is with the experts of its stage.
#[derive(Debug, Default)]
pub(super) struct Dispatch {
    /// What was decided for the layer whose tokens are under way.
    decision: Option<Decision>,
    /// q, layer by layer.
    pub(super) loads: Vec<f64>,
    /// The division of the band, where one is made for a whole pass.
    pub(super) bandwidth: Option<Vec<f64>>,
}
