//! What metrics are called along an axis: the field's words with the symbol that papers use.

use super::Definition;

/// The names that say less than a reader of a figure needs, or that are no words.
const WORDS: &[(&str, &str)] = &[
    ("ttft_s", "time to first token"),
    ("tpot_s", "time per output token"),
    ("e2e_latency_s", "end-to-end latency"),
    ("tokens_per_s", "generated tokens per time"),
    ("score_tokens_per_s", "scored tokens per time"),
    ("no_request_s", "time without a request"),
    ("pass_compute_s", "compute per decode step"),
    ("pass_uplink_s", "uplink per decode step"),
    ("pass_downlink_s", "downlink per decode step"),
    ("pass_wait_s", "waiting per decode step"),
    ("itl_s", "inter-token latency"),
    ("queueing_s", "time in the queue"),
    ("requests_per_s", "requests answered per time"),
    ("prefill_tokens_per_s", "prompt tokens read per time"),
    ("decode_tokens_per_s", "tokens generated per time"),
    ("goodput_per_s", "goodput"),
    ("goal_share", "share of requests that met every goal"),
    ("cache_use", "share of the cache in use"),
    ("cache_use_peak", "largest share of the cache in use"),
    ("accuracy_pairs", "accuracy on Pairs"),
    ("accuracy_facts", "accuracy on Facts"),
    ("accuracy_reasoning", "accuracy on Reasoning"),
    ("accuracy_yes_no", "accuracy on YesNo"),
    ("accuracy_stories", "accuracy on Stories"),
    ("question_s", "time per question"),
    ("batch_latency_s", "latency per batch"),
    ("attention_wait_s", "wait of attention per batch"),
    ("layer_latency_s", "latency per layer"),
    ("waiting_share", "share of waiting between gate and barrier"),
    ("expert_visits", "visits of tokens to experts"),
    ("expert_visits_dropped", "dropped visits to experts"),
    ("expert_visits_lost", "lost visits to experts"),
    ("expert_imbalance", "imbalance of experts"),
    (
        "expert_pair_share",
        "tokens of the most frequent pair of experts",
    ),
    ("all_reduce_mse", "mean squared error of an all-reduce"),
    (
        "all_reduce_noise_mse",
        "noise's part of the error of an all-reduce",
    ),
    (
        "all_reduce_analytic_mse",
        "predicted error of an all-reduce",
    ),
    (
        "all_reduce_quantiser_mse",
        "a uniform quantiser's error, Δ²/12",
    ),
    ("all_reduce_nmse", "normalised error of an all-reduce"),
    ("all_reduces", "all-reduces over the radio"),
    (
        "subchannel_rounding_s",
        "uplink time lost to whole sub-channels",
    ),
    ("energy_j", "energy of the run"),
    ("energy_compute_j", "energy of compute"),
    ("energy_radio_j", "energy radiated"),
    ("energy_idle_j", "energy of idling"),
    ("energy_score_j", "energy of Score requests"),
    ("energy_generate_j", "energy of Generate requests"),
    ("energy_choose_j", "energy of Choose requests"),
    ("tokens_per_joule", "tokens per energy"),
    ("energy_first_token_j", "energy to the first token"),
    ("energy_delay_js", "energy–delay product"),
    ("requests_per_joule", "requests per energy"),
    ("energy_budget_ratio", "energy over its budget"),
    ("peak_memory_bytes", "peak memory of a node"),
    ("siso_ttft_s", "TTFT, short prompt and output"),
    ("silo_ttft_s", "TTFT, short prompt, long output"),
    ("liso_ttft_s", "TTFT, long prompt, short output"),
    ("lilo_ttft_s", "TTFT, long prompt and output"),
    ("assignment_mse", "expected error of the shares asked for"),
    ("assignment_rounded_mse", "expected error of whole shares"),
    ("assignment_compute_s", "compute of the shares asked for"),
    ("assignment_rounded_compute_s", "compute of whole shares"),
];

impl Definition {
    /// What it is called in words, without symbol and unit: `time to first token`.
    pub fn words(&self) -> String {
        if let Some((_, words)) = WORDS.iter().find(|(name, _)| *name == self.name) {
            return (*words).to_owned();
        }
        // ttft_p95_s: the 95th percentile of ttft_s.
        if let Some((of, percent)) = self.stem().rsplit_once("_p")
            && let Ok(percent) = percent.parse::<u8>()
        {
            let mean = format!("{of}_s");
            let of = super::DEFINITIONS.iter().find(|metric| metric.name == mean);
            if let Some(of) = of {
                return format!("{percent}th percentile of {}", of.words());
            }
        }
        self.stem().replace('_', " ")
    }

    /// What stands along an axis, without the unit: words and symbol, `time to first token TTFT`.
    pub fn label(&self) -> String {
        match self.symbol {
            "" => self.words(),
            symbol if symbol.contains(' ') && !symbol.starts_with('Σ') => self.words(),
            symbol => format!("{} {symbol}", self.words()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::DEFINITIONS;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_metric_has_words_of_its_own_and_every_word_a_metric() {
        let mut seen = BTreeSet::new();
        for metric in DEFINITIONS {
            let words = metric.words();
            assert!(!words.contains('_') && !words.is_empty(), "{words}");
            assert!(seen.insert(words.clone()), "{words} twice");
        }
        for (name, _) in WORDS {
            assert!(
                DEFINITIONS.iter().any(|metric| metric.name == *name),
                "{name}"
            );
        }
    }

    #[test]
    fn labels_read_as_in_papers() {
        let label = |name: &str| {
            let metric = DEFINITIONS.iter().find(|metric| metric.name == name);
            metric.unwrap().label()
        };
        assert_eq!(label("ttft_s"), "time to first token TTFT");
        assert_eq!(
            label("e2e_latency_p95_s"),
            "95th percentile of end-to-end latency"
        );
        assert_eq!(label("perplexity"), "perplexity PPL");
        assert_eq!(
            label("attention_wait_s"),
            "wait of attention per batch Σ t^i"
        );
    }
}
