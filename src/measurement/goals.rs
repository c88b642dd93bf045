//! What users expect of the service: its goals, and whether a request met them.

use super::RequestRecord;

/// Service-level goals, in seconds; what is `None` is not asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Goals {
    /// Most time to first token.
    pub ttft_s: Option<f64>,
    /// Most time per output token.
    pub tpot_s: Option<f64>,
    /// Most end-to-end latency.
    pub e2e_s: Option<f64>,
    /// Most time between any two tokens that follow each other.
    pub itl_s: Option<f64>,
}

impl Goals {
    /// Whether `request` met every goal, of which a rejected one meets none; `None` if there
    /// are no goals. A goal for what a request does not have, as one token has no gap, is met.
    pub fn met(&self, request: &RequestRecord) -> Option<bool> {
        let within = |goal: Option<f64>, value: Option<f64>| {
            goal.zip(value).is_none_or(|(goal, value)| value <= goal)
        };
        let gap = request.longest_gap.map(|gap| gap.as_seconds());
        let ttft = request.ttft().map(|ttft| ttft.as_seconds());
        let latency = request.latency().map(|latency| latency.as_seconds());
        (*self != Self::default()).then(|| {
            request.is_answered()
                && within(self.ttft_s, ttft)
                && within(self.tpot_s, request.tpot_s())
                && within(self.e2e_s, latency)
                && within(self.itl_s, gap)
        })
    }
}
