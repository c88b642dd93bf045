//! Who answers where a small model comes before a large one.

use super::{Collector, Definition};
use crate::measurement::FirstAnswerRecord;
use crate::trust::RestsOn;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "small_answers",
        symbol: "",
        unit: "1",
        meaning: "part of the requests whose answer by the small model stands",
        present: "a small model answered first (Cascade)",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "spared_prompt_bits",
        symbol: "",
        unit: "bit",
        meaning: "bits of the prompts that did not go on to the large model, because an answer stands",
        present: "a small model answered first (Cascade)",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "abandoned_tokens",
        symbol: "",
        unit: "1",
        meaning: "tokens of the small model that do not stand, up to the first that it was not sure of",
        present: "a small model answered first (Cascade)",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "abandoned_j",
        symbol: "",
        unit: "J",
        meaning: "energy of first answers that do not stand, computing and radiating",
        present: "a small model answered first, and every node and the radio can state joules of work",
        rests_on: RestsOn::ENERGY,
    },
];

/// First answers so far.
#[derive(Debug, Clone, Default)]
pub(super) struct FirstAnswers {
    answers: u64,
    standing: u64,
    spared: u64,
    abandoned: u64,
    joules: f64,
    unknown_j: bool,
}

impl FirstAnswers {
    pub(super) fn enter(&mut self, answer: &FirstAnswerRecord) {
        self.answers += 1;
        self.unknown_j |= answer.energy_j.is_none();
        if answer.stands {
            self.standing += 1;
            self.spared += answer.spared_bits;
            return;
        }
        self.abandoned += u64::from(answer.tokens);
        self.joules += answer.energy_j.unwrap_or(0.0);
    }

    pub(super) fn collect(&self, metrics: &mut Collector) {
        if self.answers == 0 {
            return;
        }
        metrics.put("small_answers", self.standing as f64 / self.answers as f64);
        metrics.put("spared_prompt_bits", self.spared as f64);
        metrics.put("abandoned_tokens", self.abandoned as f64);
        metrics.put("abandoned_j", (!self.unknown_j).then_some(self.joules));
    }
}
