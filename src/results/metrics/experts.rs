//! A mixture whose experts sit on devices.

use super::mean::Mean;
use super::{Collector, Definition};
use crate::measurement::{BlockRecord, ExpertRecord, PairRecord, PassRecord, Totals, VisitRecord};
use crate::trust::RestsOn;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "batch_latency_s",
        symbol: "",
        unit: "s",
        meaning: "a batch through all layers of spread experts: mean over passes with an empty cache",
        present: "experts are spread over nodes",
        rests_on: RestsOn::TIME,
    },
    Definition {
        name: "attention_wait_s",
        symbol: "Σ t^i",
        unit: "s",
        meaning: "from gate to the barrier of the next attention, (11) of WDMoE, summed over layers: mean over passes",
        present: "experts are spread over nodes",
        rests_on: RestsOn::TIME,
    },
    Definition {
        name: "layer_latency_s",
        symbol: "t^i",
        unit: "s",
        meaning: "the same for one layer: mean over layers and passes",
        present: "experts are spread over nodes",
        rests_on: RestsOn::TIME,
    },
    Definition {
        name: "waiting_share",
        symbol: "",
        unit: "1",
        meaning: "of the time that devices with tokens spend between gate and barrier, the part in which they wait for others",
        present: "a node got tokens",
        rests_on: RestsOn::TIME,
    },
    Definition {
        name: "expert_visits",
        symbol: "Σ q_k",
        unit: "1",
        meaning: "visits of tokens to experts, summed over layers",
        present: "experts are spread over nodes",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "expert_visits_dropped",
        symbol: "",
        unit: "1",
        meaning: "visits that the k heaviest experts within reach would have had beside",
        present: "experts are spread over nodes",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "expert_visits_lost",
        symbol: "",
        unit: "1",
        meaning: "visits that went elsewhere or nowhere because the expert's device was cut off",
        present: "experts are spread over nodes",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "expert_imbalance",
        symbol: "",
        unit: "1",
        meaning: "tokens of a block's busiest expert over the mean of its experts: mean over blocks",
        present: "experts are spread over nodes",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "expert_pair_share",
        symbol: "",
        unit: "1",
        meaning: "tokens that visit a layer's most frequent pair of experts over all its tokens: mean over layers and kinds of text",
        present: "experts are spread over nodes and tokens visit two or more",
        rests_on: RestsOn::TENSORS,
    },
];

/// The experts of one block.
#[derive(Debug, Clone, Copy, Default)]
struct BlockExperts {
    experts: u64,
    visits: u64,
    most: u64,
}

/// Blocks of spread experts so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Spread {
    passes: u64,
    batches: Mean,
    blocks: u64,
    /// Σ (gathered − start) of blocks, in seconds.
    barriers_s: f64,
    waited_s: f64,
    spent_s: f64,
    visits: u64,
    wanted: u64,
    lost: u64,
    /// The block whose experts come now: its request, step and layer.
    block: Option<(u32, u32, u32)>,
    busy: BlockExperts,
    imbalance: Mean,
}

impl Spread {
    pub(super) fn enter_pass(&mut self, pass: &PassRecord) {
        self.passes += 1;
        if pass.context == 0 {
            self.batches.add(pass.end.since(pass.start).as_seconds());
        }
    }

    pub(super) fn enter_block(&mut self, block: &BlockRecord) {
        self.blocks += 1;
        self.barriers_s += block.gathered.since(block.start).as_seconds();
    }

    pub(super) fn enter_visit(&mut self, visit: &VisitRecord) {
        let wait = visit.wait.as_seconds();
        self.waited_s += wait;
        self.spent_s += wait + visit.end.since(visit.start).as_seconds();
    }

    pub(super) fn enter_expert(&mut self, expert: &ExpertRecord) {
        let block = Some((expert.request, expert.step, expert.layer));
        if self.block != block {
            self.end_block();
            self.block = block;
        }
        self.busy.experts += 1;
        self.busy.visits += expert.visits;
        self.busy.most = self.busy.most.max(expert.visits);
        self.visits += expert.visits;
        self.wanted += expert.wanted;
        self.lost += expert.lost;
    }

    fn end_block(&mut self) {
        let busy = std::mem::take(&mut self.busy);
        if busy.experts > 0 {
            let ratio = busy.most as f64 * busy.experts as f64 / busy.visits as f64;
            self.imbalance.add(ratio);
        }
    }

    pub(super) fn collect(mut self, totals: &Totals, metrics: &mut Collector) {
        self.end_block();
        if self.block.is_none() {
            return;
        }
        metrics.put("batch_latency_s", self.batches.value());
        metrics.put("attention_wait_s", self.barriers_s / self.passes as f64);
        metrics.put("layer_latency_s", self.barriers_s / self.blocks as f64);
        metrics.put("waiting_share", self.waited_s / self.spent_s);
        metrics.put("expert_visits", self.visits as f64);
        metrics.put("expert_visits_dropped", (self.wanted - self.visits) as f64);
        metrics.put("expert_visits_lost", self.lost as f64);
        let shares = totals.pairs.iter().map(PairRecord::share);
        metrics.put("expert_pair_share", Mean::of(shares));
        metrics.put("expert_imbalance", self.imbalance.value());
    }
}
