//! How many multiple-choice questions are answered rightly.

use super::mean::Mean;
use super::{Collector, Definition, service_time};
use crate::corpus::Suite;
use crate::measurement::{AnswerRecord, Mode, RequestRecord};
use crate::trust::RestsOn;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "accuracy",
        symbol: "",
        unit: "1",
        meaning: "share of multiple-choice questions whose right answer got the highest likelihood, over Choose requests",
        present: "a Choose request was served",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "accuracy_standard_error",
        symbol: "",
        unit: "1",
        meaning: "√(p(1 − p)/n) of the accuracy p on n questions: how far it tends to be from that on all such questions",
        present: "a Choose request was served",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "accuracy_by_chance",
        symbol: "",
        unit: "1",
        meaning: "the share that guessing reaches: mean over the questions of 1 / choices",
        present: "a Choose request was served",
        rests_on: RestsOn::NOTHING,
    },
    Definition {
        name: "accuracy_pairs",
        symbol: "",
        unit: "1",
        meaning: "accuracy on the suite Pairs",
        present: "questions of that suite were asked",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "accuracy_facts",
        symbol: "",
        unit: "1",
        meaning: "accuracy on the suite Facts",
        present: "questions of that suite were asked",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "accuracy_reasoning",
        symbol: "",
        unit: "1",
        meaning: "accuracy on the suite Reasoning",
        present: "questions of that suite were asked",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "accuracy_yes_no",
        symbol: "",
        unit: "1",
        meaning: "accuracy on the suite YesNo",
        present: "questions of that suite were asked",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "accuracy_stories",
        symbol: "",
        unit: "1",
        meaning: "accuracy on the suite Stories",
        present: "questions of that suite were asked",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "answer_margin_nats",
        symbol: "",
        unit: "nat",
        meaning: "by how much the right answer is more likely than the best wrong one, mean over the questions",
        present: "a question had a wrong answer to choose",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "questions",
        symbol: "",
        unit: "1",
        meaning: "questions behind the accuracy",
        present: "a Choose request was served",
        rests_on: RestsOn::NOTHING,
    },
    Definition {
        name: "question_s",
        symbol: "",
        unit: "s",
        meaning: "time per question, all its choices read: service time of Choose requests over questions",
        present: "a Choose request was served",
        rests_on: RestsOn::TIME,
    },
];

/// Answers so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers {
    right: Mean,
    by_suite: [Mean; Suite::ALL.len()],
    chance: Mean,
    margins: Mean,
}

impl Answers {
    pub(super) fn enter(&mut self, answer: &AnswerRecord) {
        let right = f64::from(u8::from(answer.chosen == answer.answer));
        self.right.add(right);
        let suites = Suite::ALL.iter().zip(&mut self.by_suite);
        for (_, mean) in suites.filter(|(suite, _)| **suite == answer.suite) {
            mean.add(right);
        }
        self.chance.add(1.0 / f64::from(answer.choices));
        if let Some(margin) = answer.margin_nats {
            self.margins.add(margin);
        }
    }

    pub(super) fn collect(&self, requests: &[RequestRecord], metrics: &mut Collector) {
        metrics.put("accuracy", self.right.value());
        for (suite, mean) in Suite::ALL.iter().zip(&self.by_suite) {
            let name = match suite {
                Suite::Pairs => "accuracy_pairs",
                Suite::Facts => "accuracy_facts",
                Suite::Reasoning => "accuracy_reasoning",
                Suite::YesNo => "accuracy_yes_no",
                Suite::Stories => "accuracy_stories",
            };
            metrics.put(name, mean.value());
        }
        metrics.put("accuracy_by_chance", self.chance.value());
        metrics.put("answer_margin_nats", self.margins.value());
        let questions = self.right.count as f64;
        if let Some(p) = self.right.value() {
            metrics.put("questions", questions);
            let error = (p * (1.0 - p) / questions).sqrt();
            metrics.put("accuracy_standard_error", error);
            let time = service_time(requests, Mode::Choose);
            metrics.put("question_s", time.map(|seconds| seconds / questions));
        }
    }
}
