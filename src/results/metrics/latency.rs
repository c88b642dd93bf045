//! How long requests and their parts take.

use super::{Collector, Definition, mean, of_mode, service_time};
use crate::measurement::{Measurements, Mode};
use crate::units::Instant;

pub(super) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "ttft_s",
        symbol: "TTFT",
        unit: "s",
        meaning: "time to first token: mean over Generate requests, and Tokens that generate, of first token − arrival",
        present: "a Generate request was served",
    },
    Definition {
        name: "tpot_s",
        symbol: "TPOT",
        unit: "s",
        meaning: "time per output token: mean over Generate requests of (last − first token) / (tokens − 1)",
        present: "a Generate request yielded two tokens or more",
    },
    Definition {
        name: "e2e_latency_s",
        symbol: "E2EL",
        unit: "s",
        meaning: "end-to-end latency: mean over Generate requests of last token − arrival",
        present: "a Generate request was served",
    },
    Definition {
        name: "tokens_per_s",
        symbol: "TPS",
        unit: "1/s",
        meaning: "generated tokens over the time in which Generate requests were served",
        present: "a Generate request was served",
    },
    Definition {
        name: "makespan_s",
        symbol: "T",
        unit: "s",
        meaning: "end of the last task of the run",
        present: "always",
    },
    Definition {
        name: "no_request_s",
        symbol: "",
        unit: "s",
        meaning: "time in which no request was being served",
        present: "always",
    },
    Definition {
        name: "score_tokens_per_s",
        symbol: "TPS of scoring",
        unit: "1/s",
        meaning: "scored tokens over the time in which Score requests were served",
        present: "a Score request was served",
    },
    Definition {
        name: "pass_compute_s",
        symbol: "",
        unit: "s",
        meaning: "compute per decode step, mean over nodes and decode steps",
        present: "a Generate request took a decode step",
    },
    Definition {
        name: "pass_uplink_s",
        symbol: "",
        unit: "s",
        meaning: "uplink per decode step, mean over nodes and decode steps",
        present: "a Generate request took a decode step",
    },
    Definition {
        name: "pass_downlink_s",
        symbol: "",
        unit: "s",
        meaning: "downlink per decode step, mean over nodes and decode steps",
        present: "a Generate request took a decode step",
    },
    Definition {
        name: "pass_wait_s",
        symbol: "",
        unit: "s",
        meaning: "waiting per decode step, mean over nodes and decode steps",
        present: "a Generate request took a decode step",
    },
    Definition {
        name: "computed_passes",
        symbol: "",
        unit: "1",
        meaning: "forward passes whose tensors were computed, besides being timed",
        present: "always",
    },
    Definition {
        name: "timed_passes",
        symbol: "",
        unit: "1",
        meaning: "forward passes that were timed and not computed, of a model that is only a shape",
        present: "always",
    },
];

pub(super) fn collect(run: &Measurements, makespan: Instant, metrics: &mut Collector) {
    let generated = || of_mode(run, Mode::Generate);
    metrics.put(
        "ttft_s",
        mean(
            generated().filter_map(|request| {
                Some(request.first_token?.since(request.arrival).as_seconds())
            }),
        ),
    );
    metrics.put(
        "tpot_s",
        mean(generated().filter_map(|request| {
            let steps = request
                .output_tokens
                .checked_sub(1)
                .filter(|steps| *steps > 0)?;
            Some(request.end.since(request.first_token?).as_seconds() / steps as f64)
        })),
    );
    metrics.put(
        "e2e_latency_s",
        mean(generated().map(|request| request.end.since(request.arrival).as_seconds())),
    );
    metrics.put("makespan_s", makespan.as_seconds());
    let idle = run.totals.per_node.first();
    metrics.put(
        "no_request_s",
        idle.map(|node| node.no_request.as_seconds()),
    );
    let rate = |mode, tokens: u64| service_time(run, mode).map(|seconds| tokens as f64 / seconds);
    let generated_tokens = generated().map(|request| request.output_tokens).sum();
    let scored_tokens = of_mode(run, Mode::Score)
        .map(|request| request.scored_tokens)
        .sum();
    metrics.put("tokens_per_s", rate(Mode::Generate, generated_tokens));
    metrics.put("score_tokens_per_s", rate(Mode::Score, scored_tokens));
    let computed = run.passes.iter().filter(|pass| pass.is_computed()).count();
    metrics.put("computed_passes", computed as f64);
    metrics.put("timed_passes", (run.passes.len() - computed) as f64);
    let decode = || {
        run.passes
            .iter()
            .filter(|pass| pass.mode == Mode::Generate && pass.context > 0)
            .map(|pass| pass.split)
    };
    metrics.put(
        "pass_compute_s",
        mean(decode().map(|split| split.compute_s)),
    );
    metrics.put("pass_uplink_s", mean(decode().map(|split| split.uplink_s)));
    metrics.put(
        "pass_downlink_s",
        mean(decode().map(|split| split.downlink_s)),
    );
    metrics.put("pass_wait_s", mean(decode().map(|split| split.wait_s)));
}
