//! How long requests and their parts take.

use super::mean::Mean;
use super::{Collector, Definition, of_mode, service_time};
use crate::measurement::{Mode, PassRecord, RequestRecord, Totals};
use crate::trust::RestsOn;
use crate::units::Instant;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "ttft_s",
        symbol: "TTFT",
        unit: "s",
        meaning: "time to first token: mean over Generate requests, and Tokens that generate, of first token − arrival",
        present: "a Generate request was served",
        rests_on: RestsOn::PROMPTS,
    },
    Definition {
        name: "tpot_s",
        symbol: "TPOT",
        unit: "s",
        meaning: "time per output token: mean over Generate requests of (last − first token) / (tokens − 1)",
        present: "a Generate request yielded two tokens or more",
        rests_on: RestsOn::STEPS,
    },
    Definition {
        name: "e2e_latency_s",
        symbol: "E2EL",
        unit: "s",
        meaning: "end-to-end latency: mean over Generate requests of last token − arrival",
        present: "a Generate request was served",
        rests_on: RestsOn::TIME,
    },
    Definition {
        name: "tokens_per_s",
        symbol: "TPS",
        unit: "1/s",
        meaning: "generated tokens over the time in which Generate requests were served",
        present: "a Generate request was served",
        rests_on: RestsOn::TIME,
    },
    Definition {
        name: "makespan_s",
        symbol: "T",
        unit: "s",
        meaning: "end of the last task of the run",
        present: "always",
        rests_on: RestsOn::TIME,
    },
    Definition {
        name: "no_request_s",
        symbol: "",
        unit: "s",
        meaning: "time in which no request was being served",
        present: "always",
        rests_on: RestsOn::TIME,
    },
    Definition {
        name: "score_tokens_per_s",
        symbol: "TPS of scoring",
        unit: "1/s",
        meaning: "scored tokens over the time in which Score requests were served",
        present: "a Score request was served",
        rests_on: RestsOn::PROMPTS,
    },
    Definition {
        name: "pass_compute_s",
        symbol: "",
        unit: "s",
        meaning: "compute per decode step, mean over nodes and decode steps",
        present: "a Generate request took a decode step",
        rests_on: RestsOn::COMPUTE,
    },
    Definition {
        name: "pass_uplink_s",
        symbol: "",
        unit: "s",
        meaning: "uplink per decode step, mean over nodes and decode steps",
        present: "a Generate request took a decode step",
        rests_on: RestsOn::LINKS,
    },
    Definition {
        name: "pass_downlink_s",
        symbol: "",
        unit: "s",
        meaning: "downlink per decode step, mean over nodes and decode steps",
        present: "a Generate request took a decode step",
        rests_on: RestsOn::LINKS,
    },
    Definition {
        name: "pass_wait_s",
        symbol: "",
        unit: "s",
        meaning: "waiting per decode step, mean over nodes and decode steps",
        present: "a Generate request took a decode step",
        rests_on: RestsOn::STEPS,
    },
    Definition {
        name: "computed_passes",
        symbol: "",
        unit: "1",
        meaning: "forward passes whose tensors were computed, besides being timed",
        present: "always",
        rests_on: RestsOn::NOTHING,
    },
    Definition {
        name: "timed_passes",
        symbol: "",
        unit: "1",
        meaning: "forward passes that were timed and not computed, of a model that is only a shape",
        present: "always",
        rests_on: RestsOn::NOTHING,
    },
];

/// Passes so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Passes {
    /// The batch whose slices come now.
    batch: Option<u32>,
    computed: u64,
    timed: u64,
    compute: Mean,
    uplink: Mean,
    downlink: Mean,
    wait: Mean,
}

impl Passes {
    pub(super) fn enter(&mut self, pass: &PassRecord) {
        if self.batch != Some(pass.batch) {
            self.batch = Some(pass.batch);
            match pass.is_computed() {
                true => self.computed += 1,
                false => self.timed += 1,
            }
        }
        if pass.mode == Mode::Generate && pass.decodes {
            self.compute.add(pass.split.compute_s);
            self.uplink.add(pass.split.uplink_s);
            self.downlink.add(pass.split.downlink_s);
            self.wait.add(pass.split.wait_s);
        }
    }

    pub(super) fn collect(&self, metrics: &mut Collector) {
        metrics.put("computed_passes", self.computed as f64);
        metrics.put("timed_passes", self.timed as f64);
        metrics.put("pass_compute_s", self.compute.value());
        metrics.put("pass_uplink_s", self.uplink.value());
        metrics.put("pass_downlink_s", self.downlink.value());
        metrics.put("pass_wait_s", self.wait.value());
    }
}

pub(super) fn collect(
    requests: &[RequestRecord],
    totals: &Totals,
    makespan: Instant,
    metrics: &mut Collector,
) {
    let generated = || of_mode(requests, Mode::Generate);
    let ttft = generated().filter_map(RequestRecord::ttft);
    metrics.put("ttft_s", Mean::of(ttft.map(|time| time.as_seconds())));
    let tpot = generated().filter_map(RequestRecord::tpot_s);
    metrics.put("tpot_s", Mean::of(tpot));
    let latency = generated().filter_map(RequestRecord::latency);
    let latency = latency.map(|time| time.as_seconds());
    metrics.put("e2e_latency_s", Mean::of(latency));
    metrics.put("makespan_s", makespan.as_seconds());
    let idle = totals.per_node.first();
    metrics.put(
        "no_request_s",
        idle.map(|node| node.no_request.as_seconds()),
    );
    let rate =
        |mode, tokens: u64| service_time(requests, mode).map(|seconds| tokens as f64 / seconds);
    let generated_tokens = generated().map(|request| request.output_tokens).sum();
    let scored = of_mode(requests, Mode::Score);
    let scored_tokens = scored.map(|request| request.scored_tokens).sum();
    metrics.put("tokens_per_s", rate(Mode::Generate, generated_tokens));
    metrics.put("score_tokens_per_s", rate(Mode::Score, scored_tokens));
}
