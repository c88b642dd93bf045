//! How many multiple-choice questions are answered rightly.

use super::{Collector, Definition, mean, service_time};
use crate::corpus::Suite;
use crate::measurement::{Measurements, Mode};

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "accuracy",
        symbol: "",
        unit: "1",
        meaning: "share of multiple-choice questions whose right answer got the highest likelihood, over Choose requests",
        present: "a Choose request was served",
    },
    Definition {
        name: "accuracy_standard_error",
        symbol: "",
        unit: "1",
        meaning: "√(p(1 − p)/n) of the accuracy p on n questions: how far it tends to be from that on all such questions",
        present: "a Choose request was served",
    },
    Definition {
        name: "accuracy_by_chance",
        symbol: "",
        unit: "1",
        meaning: "the share that guessing reaches: mean over the questions of 1 / choices",
        present: "a Choose request was served",
    },
    Definition {
        name: "accuracy_pairs",
        symbol: "",
        unit: "1",
        meaning: "accuracy on the suite Pairs",
        present: "questions of that suite were asked",
    },
    Definition {
        name: "accuracy_facts",
        symbol: "",
        unit: "1",
        meaning: "accuracy on the suite Facts",
        present: "questions of that suite were asked",
    },
    Definition {
        name: "accuracy_reasoning",
        symbol: "",
        unit: "1",
        meaning: "accuracy on the suite Reasoning",
        present: "questions of that suite were asked",
    },
    Definition {
        name: "accuracy_yes_no",
        symbol: "",
        unit: "1",
        meaning: "accuracy on the suite YesNo",
        present: "questions of that suite were asked",
    },
    Definition {
        name: "accuracy_stories",
        symbol: "",
        unit: "1",
        meaning: "accuracy on the suite Stories",
        present: "questions of that suite were asked",
    },
    Definition {
        name: "answer_margin_nats",
        symbol: "",
        unit: "nat",
        meaning: "by how much the right answer is more likely than the best wrong one, mean over the questions",
        present: "a question had a wrong answer to choose",
    },
    Definition {
        name: "questions",
        symbol: "",
        unit: "1",
        meaning: "questions behind the accuracy",
        present: "a Choose request was served",
    },
    Definition {
        name: "question_s",
        symbol: "",
        unit: "s",
        meaning: "time per question, all its choices read: service time of Choose requests over questions",
        present: "a Choose request was served",
    },
];

pub(super) fn collect(run: &Measurements, metrics: &mut Collector) {
    let share = |suite: Option<Suite>| {
        let asked = run
            .answers
            .iter()
            .filter(|answer| suite.is_none_or(|suite| answer.suite == suite));
        mean(asked.map(|answer| f64::from(u8::from(answer.chosen == answer.answer))))
    };
    metrics.put("accuracy", share(None));
    for suite in Suite::ALL {
        let name = match suite {
            Suite::Pairs => "accuracy_pairs",
            Suite::Facts => "accuracy_facts",
            Suite::Reasoning => "accuracy_reasoning",
            Suite::YesNo => "accuracy_yes_no",
            Suite::Stories => "accuracy_stories",
        };
        metrics.put(name, share(Some(suite)));
    }
    let chance = run
        .answers
        .iter()
        .map(|answer| 1.0 / f64::from(answer.choices));
    metrics.put("accuracy_by_chance", mean(chance));
    let margins = run.answers.iter().filter_map(|answer| answer.margin_nats);
    metrics.put("answer_margin_nats", mean(margins));
    let questions = run.answers.len();
    if questions > 0 {
        metrics.put("questions", questions as f64);
        let error = share(None).map(|p| (p * (1.0 - p) / questions as f64).sqrt());
        metrics.put("accuracy_standard_error", error);
        let time = service_time(run, Mode::Choose);
        metrics.put("question_s", time.map(|seconds| seconds / questions as f64));
    }
}
