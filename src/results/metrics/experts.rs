//! A mixture whose experts sit on devices.

use super::{Collector, Definition, mean};
use crate::measurement::{ExpertRecord, Measurements, PairRecord};
use crate::units::Duration;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "batch_latency_s",
        symbol: "",
        unit: "s",
        meaning: "a batch through all layers of spread experts: mean over passes with an empty cache",
        present: "experts are spread over nodes",
    },
    Definition {
        name: "attention_wait_s",
        symbol: "Σ t^i",
        unit: "s",
        meaning: "from gate to the barrier of the next attention, (11) of WDMoE, summed over layers: mean over passes",
        present: "experts are spread over nodes",
    },
    Definition {
        name: "layer_latency_s",
        symbol: "t^i",
        unit: "s",
        meaning: "the same for one layer: mean over layers and passes",
        present: "experts are spread over nodes",
    },
    Definition {
        name: "waiting_share",
        symbol: "",
        unit: "1",
        meaning: "of the time that devices with tokens spend between gate and barrier, the part in which they wait for others",
        present: "a node got tokens",
    },
    Definition {
        name: "expert_visits",
        symbol: "Σ q_k",
        unit: "1",
        meaning: "visits of tokens to experts, summed over layers",
        present: "experts are spread over nodes",
    },
    Definition {
        name: "expert_visits_dropped",
        symbol: "",
        unit: "1",
        meaning: "visits that the k heaviest experts within reach would have had beside",
        present: "experts are spread over nodes",
    },
    Definition {
        name: "expert_visits_lost",
        symbol: "",
        unit: "1",
        meaning: "visits that went elsewhere or nowhere because the expert's device was cut off",
        present: "experts are spread over nodes",
    },
    Definition {
        name: "expert_imbalance",
        symbol: "",
        unit: "1",
        meaning: "tokens of a block's busiest expert over the mean of its experts: mean over blocks",
        present: "experts are spread over nodes",
    },
    Definition {
        name: "expert_pair_share",
        symbol: "",
        unit: "1",
        meaning: "tokens that visit a layer's most frequent pair of experts over all its tokens: mean over layers and kinds of text",
        present: "experts are spread over nodes and tokens visit two or more",
    },
];

pub(super) fn collect(run: &Measurements, metrics: &mut Collector) {
    if run.experts.is_empty() {
        return;
    }
    let batches = run.passes.iter().filter(|pass| pass.context == 0);
    metrics.put(
        "batch_latency_s",
        mean(batches.map(|pass| pass.end.since(pass.start).as_seconds())),
    );
    let waits = run.blocks.iter().map(|b| b.gathered.since(b.start));
    let seconds = waits.map(Duration::as_seconds).sum::<f64>();
    metrics.put("attention_wait_s", seconds / run.passes.len() as f64);
    metrics.put("layer_latency_s", seconds / run.blocks.len() as f64);
    let (mut waited, mut spent) = (0.0, 0.0);
    for visit in &run.visits {
        let wait = visit.wait.as_seconds();
        waited += wait;
        spent += wait + visit.end.since(visit.start).as_seconds();
    }
    metrics.put("waiting_share", waited / spent);
    let visits: u64 = run.experts.iter().map(|expert| expert.visits).sum();
    let wanted: u64 = run.experts.iter().map(|expert| expert.wanted).sum();
    metrics.put("expert_visits", visits as f64);
    metrics.put("expert_visits_dropped", (wanted - visits) as f64);
    let lost: u64 = run.experts.iter().map(|expert| expert.lost).sum();
    metrics.put("expert_visits_lost", lost as f64);
    let shares = run.totals.pairs.iter().map(PairRecord::share);
    metrics.put("expert_pair_share", mean(shares));
    let same_block = |a: &ExpertRecord, b: &ExpertRecord| {
        (a.request, a.step, a.layer) == (b.request, b.step, b.layer)
    };
    let blocks = run.experts.chunk_by(same_block);
    metrics.put(
        "expert_imbalance",
        mean(blocks.map(|experts| {
            let most = experts.iter().map(|expert| expert.visits).max();
            let sum: u64 = experts.iter().map(|expert| expert.visits).sum();
            most.unwrap_or(0) as f64 * experts.len() as f64 / sum as f64
        })),
    );
}
