//! What drafts yield and waste.

use super::{Collector, Definition};
use crate::measurement::RoundRecord;
use crate::trust::RestsOn;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "draft_acceptance",
        symbol: "α",
        unit: "1",
        meaning: "drafted tokens that stand over drafted_tokens; of a draft that fails early the tokens after that count as well",
        present: "drafts were verified",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "tokens_per_round",
        symbol: "",
        unit: "1",
        meaning: "tokens that a request has more by one verified draft, the model's own included: mean over rounds",
        present: "drafts were verified",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "draft_rounds",
        symbol: "",
        unit: "1",
        meaning: "drafts that were verified; passes without a draft are none",
        present: "drafts were verified",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "drafted_tokens",
        symbol: "",
        unit: "1",
        meaning: "tokens drafted and verified",
        present: "drafts were verified",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "accepted_tokens",
        symbol: "",
        unit: "1",
        meaning: "drafted tokens that stand",
        present: "drafts were verified",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "wasted_flops",
        symbol: "",
        unit: "1",
        meaning: "FLOPs of drafting and of verifying tokens that do not stand, on all nodes; a batch's are divided by tokens",
        present: "drafts were verified",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "wasted_j",
        symbol: "",
        unit: "J",
        meaning: "energy of the same, computing and radiating in those passes",
        present: "drafts were verified, and every node and the radio can state joules of work",
        rests_on: RestsOn::ENERGY,
    },
];

/// Rounds so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Rounds {
    rounds: u64,
    drafted: u64,
    accepted: u64,
    tokens: u64,
    wasted_flops: f64,
    wasted_j: f64,
    unknown_j: bool,
}

impl Rounds {
    pub(super) fn enter(&mut self, round: &RoundRecord) {
        self.rounds += 1;
        self.drafted += u64::from(round.drafted);
        self.accepted += u64::from(round.accepted);
        self.tokens += u64::from(round.tokens);
        self.wasted_flops += round.wasted_flops;
        self.wasted_j += round.wasted_j.unwrap_or(0.0);
        self.unknown_j |= round.wasted_j.is_none();
    }

    pub(super) fn collect(&self, metrics: &mut Collector) {
        if self.rounds == 0 {
            return;
        }
        let of = |count: u64| count as f64;
        metrics.put("draft_acceptance", of(self.accepted) / of(self.drafted));
        metrics.put("tokens_per_round", of(self.tokens) / of(self.rounds));
        metrics.put("draft_rounds", of(self.rounds));
        metrics.put("drafted_tokens", of(self.drafted));
        metrics.put("accepted_tokens", of(self.accepted));
        metrics.put("wasted_flops", self.wasted_flops);
        metrics.put("wasted_j", (!self.unknown_j).then_some(self.wasted_j));
    }
}
