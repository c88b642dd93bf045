//! The ways to select experts that a scenario may name. A new one is one line here.

use super::{ExpertPolicy, LatencyHistory, TopK, WeightToLatency};
use crate::registry::registry;

registry! {
    /// A selection of experts with its fields, as a scenario states it.
    #[derive(Copy, Default)]
    enum ExpertSelection;
    /// The policy itself.
    fn policy -> ExpertPolicy;
    without fields {
        #[default]
        TopK, "the k heaviest experts of every token, as the model was trained (causal)";
    }
    with fields {
        WeightToLatency, "drop the lighter expert where it pays in weight per latency: Algorithm 1 (causal)";
        LatencyHistory, "relieve the device that past latencies show to be far behind: Algorithm 2 (causal)";
    }
}
