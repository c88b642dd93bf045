//! How well the model predicts text, and how much it wrote.

use super::{Collector, Definition, of_mode};
use crate::measurement::{Mode, RequestRecord};
use crate::trust::RestsOn;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "perplexity",
        symbol: "PPL",
        unit: "1",
        meaning: "exp(Σ −ln p / scored tokens) over Score requests; not a number, null in the file, where that is beyond every number",
        present: "Score requests read text with real weights",
        rests_on: RestsOn::TENSORS,
    },
    Definition {
        name: "source_perplexity",
        symbol: "",
        unit: "1",
        meaning: "the same for the process that generated the text: no model can expect to do better",
        present: "the text scored is of a process of known entropy (World)",
        rests_on: RestsOn::NOTHING,
    },
    Definition {
        name: "scored_tokens",
        symbol: "",
        unit: "1",
        meaning: "tokens behind the perplexity",
        present: "a Score request was served",
        rests_on: RestsOn::NOTHING,
    },
];

pub(super) const GENERATION: &[Definition] = &[Definition {
    name: "generated_tokens",
    symbol: "",
    unit: "1",
    meaning: "tokens generated",
    present: "a Generate request yielded a token",
    rests_on: RestsOn::TENSORS,
}];

pub(super) fn collect(requests: &[RequestRecord], metrics: &mut Collector) {
    let scored: Vec<&RequestRecord> = of_mode(requests, Mode::Score).collect();
    let tokens: u64 = scored.iter().map(|request| request.scored_tokens).sum();
    if tokens > 0 {
        let perplexity = |nats: f64| libm::exp(nats / tokens as f64);
        let nats = scored.iter().map(|request| request.negative_log_likelihood);
        metrics.put_measured("perplexity", nats.sum::<Option<f64>>().map(perplexity));
        let source = scored.iter().map(|request| request.source_nats);
        metrics.put(
            "source_perplexity",
            source.sum::<Option<f64>>().map(perplexity),
        );
        metrics.put("scored_tokens", tokens as f64);
    }
    let generated: u64 = of_mode(requests, Mode::Generate)
        .map(|request| request.output_tokens)
        .sum();
    if generated > 0 {
        metrics.put("generated_tokens", generated as f64);
    }
}
