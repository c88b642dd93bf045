//! `metrics.json`: what a run measured, under the field's own names.
//!
//! Every metric is defined once, in [`DEFINITIONS`]. A run that did not measure
//! one leaves it out; zero means that zero was measured.

use crate::architecture::measurement::{
    DeviceRecord, Distortion, ExpertRecord, Measurements, Mode, RequestRecord,
};
use crate::corpus::Suite;
use crate::units::{Duration, Instant};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Name, unit and meaning of one metric.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// The key in `metrics.json`.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// How it is measured.
    pub meaning: &'static str,
}

const fn define(name: &'static str, unit: &'static str, meaning: &'static str) -> Definition {
    Definition {
        name,
        unit,
        meaning,
    }
}

/// Every metric, in the order of the file.
pub const DEFINITIONS: &[Definition] = &[
    define(
        "ttft_s",
        "s",
        "time to first token: mean over Generate requests of first token − arrival",
    ),
    define(
        "tpot_s",
        "s",
        "time per output token: mean over Generate requests of (last − first token) / (tokens − 1)",
    ),
    define(
        "e2e_latency_s",
        "s",
        "end-to-end latency: mean over Generate requests of last token − arrival",
    ),
    define(
        "tokens_per_s",
        "1/s",
        "generated tokens over the time in which Generate requests were served",
    ),
    define("makespan_s", "s", "end of the last task of the run"),
    define(
        "score_tokens_per_s",
        "1/s",
        "scored tokens over the time in which Score requests were served",
    ),
    define(
        "pass_compute_s",
        "s",
        "compute per decode step, mean over devices and decode steps",
    ),
    define(
        "pass_uplink_s",
        "s",
        "uplink per decode step, mean over devices and decode steps",
    ),
    define(
        "pass_downlink_s",
        "s",
        "downlink per decode step, mean over devices and decode steps",
    ),
    define(
        "pass_wait_s",
        "s",
        "waiting per decode step, mean over devices and decode steps",
    ),
    define(
        "perplexity",
        "1",
        "exp(Σ −ln p / scored tokens) over Score requests",
    ),
    define(
        "source_perplexity",
        "1",
        "the same for the process that generated the text: no model can expect to do better",
    ),
    define("scored_tokens", "1", "tokens behind the perplexity"),
    define(
        "accuracy",
        "1",
        "share of multiple-choice questions whose right answer got the highest likelihood, over Choose requests",
    ),
    define(
        "accuracy_by_chance",
        "1",
        "the share that guessing reaches: mean over the questions of 1 / choices",
    ),
    define("accuracy_pairs", "1", "accuracy on the suite Pairs"),
    define("accuracy_facts", "1", "accuracy on the suite Facts"),
    define("accuracy_reasoning", "1", "accuracy on the suite Reasoning"),
    define("accuracy_yes_no", "1", "accuracy on the suite YesNo"),
    define("accuracy_stories", "1", "accuracy on the suite Stories"),
    define(
        "answer_margin_nats",
        "nat",
        "by how much the right answer is more likely than the best wrong one, mean over the questions",
    ),
    define("questions", "1", "questions behind the accuracy"),
    define(
        "question_s",
        "s",
        "time per question, all its choices read: service time of Choose requests over questions",
    ),
    define(
        "batch_latency_s",
        "s",
        "a batch through all layers of spread experts: mean over passes with an empty cache",
    ),
    define(
        "attention_wait_s",
        "s",
        "from gate to the barrier of the next attention, (11) of WDMoE, summed over layers: mean over passes",
    ),
    define(
        "waiting_share",
        "1",
        "of the time that devices with tokens spend between gate and barrier, the part in which they wait for others",
    ),
    define(
        "expert_visits",
        "1",
        "visits of tokens to experts, summed over layers",
    ),
    define(
        "expert_visits_dropped",
        "1",
        "visits that the k heaviest experts within reach would have had beside",
    ),
    define(
        "expert_visits_lost",
        "1",
        "visits that went elsewhere or nowhere because the expert's device was cut off",
    ),
    define(
        "expert_imbalance",
        "1",
        "tokens of a block's busiest expert over the mean of its experts: mean over blocks",
    ),
    define("generated_tokens", "1", "tokens generated"),
    define(
        "all_reduce_mse",
        "1",
        "mean squared error of an all-reduce per complex entry after normalisation, as the tensors felt it",
    ),
    define(
        "all_reduce_noise_mse",
        "1",
        "the part of all_reduce_mse that is receiver noise or quantisation",
    ),
    define(
        "all_reduce_analytic_mse",
        "1",
        "what equation (7) predicts for independent unit-variance entries",
    ),
    define(
        "all_reduce_nmse",
        "1",
        "error power over the power of the exact sum, mean over all-reduces",
    ),
    define("all_reduces", "1", "all-reduces that used the radio"),
    define(
        "subchannel_rounding_s",
        "s",
        "how much longer an all-reduce's uplink lasts because sub-channels are given whole, mean over all-reduces",
    ),
    define(
        "energy_j",
        "J",
        "energy of the whole run: compute + radio + idle + server",
    ),
    define("energy_compute_j", "J", "energy of the devices' compute"),
    define("energy_radio_j", "J", "energy radiated by the devices"),
    define(
        "energy_idle_j",
        "J",
        "energy of the devices while they do not compute",
    ),
    define(
        "energy_server_j",
        "J",
        "energy of the server, idle and computing",
    ),
    define(
        "energy_score_j",
        "J",
        "the part of energy_j spent while Score requests were served",
    ),
    define(
        "energy_generate_j",
        "J",
        "the part of energy_j spent while Generate requests were served",
    ),
    define(
        "energy_choose_j",
        "J",
        "the part of energy_j spent while Choose requests were served",
    ),
    define(
        "tokens_per_joule",
        "1/J",
        "generated tokens over energy_generate_j",
    ),
    define(
        "peak_memory_bytes",
        "B",
        "largest memory use of any device: weights + KV cache + activations",
    ),
    define(
        "assignment_mse",
        "1",
        "error per complex entry to be expected of the shares asked for: mean over channel samples that neither assignment nor run sees",
    ),
    define(
        "assignment_rounded_mse",
        "1",
        "the same after rounding to whole heads and columns, replicated weights included",
    ),
    define(
        "assignment_compute_s",
        "s",
        "compute per layer and token with the shares asked for, each half waiting for its slowest device",
    ),
    define(
        "assignment_rounded_compute_s",
        "s",
        "the same after rounding to whole heads and columns",
    ),
];

/// The metrics of one run, in the order of [`DEFINITIONS`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics(Vec<(&'static str, f64)>);

impl Metrics {
    /// The value of `name`, if the run measured it.
    pub fn get(&self, name: &str) -> Option<f64> {
        let (_, value) = self.0.iter().find(|(key, _)| *key == name)?;
        Some(*value)
    }

    /// Name and value of everything measured.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.0.iter().copied()
    }

    /// The text of `metrics.json`. Numbers are the shortest that read back to
    /// the same bits.
    pub fn to_json(&self) -> String {
        let map: Map<String, Value> = self
            .iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        let mut text =
            serde_json::to_string_pretty(&map).expect("a map of numbers has a JSON form");
        text.push('\n');
        text
    }

    /// Reads the text of a `metrics.json`; `None` if it is not one.
    pub fn from_json(text: &str) -> Option<Self> {
        // A flat JSON object is RON too, and ron reads numbers exactly: serde_json can be
        // one bit off, and a sweep's table would tell whether a point had been skipped.
        let map: BTreeMap<String, f64> = ron::from_str(text).ok()?;
        let known = DEFINITIONS
            .iter()
            .filter_map(|definition| Some((definition.name, *map.get(definition.name)?)));
        Some(Self(known.collect()))
    }

    /// Computes every metric that `run` and the makespan determine.
    pub fn of(run: &Measurements, makespan: Instant) -> Self {
        let mut metrics = Collector::default();
        latency(run, makespan, &mut metrics);
        quality(run, &mut metrics);
        accuracy(run, &mut metrics);
        spread_experts(run, &mut metrics);
        distortion(run, &mut metrics);
        energy(run, &mut metrics);
        assignment(run, &mut metrics);
        Self(
            DEFINITIONS
                .iter()
                .filter_map(|definition| {
                    let (_, value) = metrics
                        .0
                        .iter()
                        .find(|(name, _)| *name == definition.name)?;
                    value.is_finite().then_some((definition.name, *value))
                })
                .collect(),
        )
    }
}

#[derive(Default)]
struct Collector(Vec<(&'static str, f64)>);

impl Collector {
    fn put(&mut self, name: &'static str, value: impl Into<Option<f64>>) {
        if let Some(value) = value.into() {
            debug_assert!(DEFINITIONS.iter().any(|definition| definition.name == name));
            self.0.push((name, value));
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

fn of_mode(run: &Measurements, mode: Mode) -> impl Iterator<Item = &RequestRecord> {
    run.requests
        .iter()
        .filter(move |request| request.mode == mode)
}

/// Time in which requests of `mode` were being served. Requests are served one
/// after another, so their spans do not overlap.
fn service_time(run: &Measurements, mode: Mode) -> Option<f64> {
    let spans: Vec<Duration> = of_mode(run, mode)
        .map(|request| request.end.since(request.start))
        .collect();
    (!spans.is_empty()).then(|| spans.into_iter().sum::<Duration>().as_seconds())
}

fn latency(run: &Measurements, makespan: Instant, metrics: &mut Collector) {
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
    let rate = |mode, tokens: u64| service_time(run, mode).map(|seconds| tokens as f64 / seconds);
    let generated_tokens = generated().map(|request| request.output_tokens).sum();
    let scored_tokens = of_mode(run, Mode::Score)
        .map(|request| request.scored_tokens)
        .sum();
    metrics.put("tokens_per_s", rate(Mode::Generate, generated_tokens));
    metrics.put("score_tokens_per_s", rate(Mode::Score, scored_tokens));
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

fn quality(run: &Measurements, metrics: &mut Collector) {
    let scored: Vec<&RequestRecord> = of_mode(run, Mode::Score).collect();
    let tokens: u64 = scored.iter().map(|request| request.scored_tokens).sum();
    if tokens > 0 {
        let perplexity = |nats: f64| libm::exp(nats / tokens as f64);
        let nats = scored.iter().map(|request| request.negative_log_likelihood);
        metrics.put("perplexity", nats.sum::<Option<f64>>().map(perplexity));
        let source = scored.iter().map(|request| request.source_nats);
        metrics.put(
            "source_perplexity",
            source.sum::<Option<f64>>().map(perplexity),
        );
        metrics.put("scored_tokens", tokens as f64);
    }
    let generated: u64 = of_mode(run, Mode::Generate)
        .map(|request| request.output_tokens)
        .sum();
    if generated > 0 {
        metrics.put("generated_tokens", generated as f64);
    }
}

fn accuracy(run: &Measurements, metrics: &mut Collector) {
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
        let time = service_time(run, Mode::Choose);
        metrics.put("question_s", time.map(|seconds| seconds / questions as f64));
    }
}

/// Metrics of a mixture whose experts sit on devices.
fn spread_experts(run: &Measurements, metrics: &mut Collector) {
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

fn distortion(run: &Measurements, metrics: &mut Collector) {
    let rounds: Vec<_> = run
        .blocks
        .iter()
        .filter_map(|block| block.distortion)
        .collect();
    let entries: u64 = rounds.iter().map(|round| round.entries).sum();
    if entries == 0 {
        return;
    }
    let per_entry = |value: fn(&Distortion) -> f64| {
        rounds
            .iter()
            .map(|round| value(round) * round.entries as f64)
            .sum::<f64>()
            / entries as f64
    };
    metrics.put("all_reduce_mse", per_entry(|round| round.mse));
    metrics.put("all_reduce_noise_mse", per_entry(|round| round.noise_mse));
    metrics.put(
        "all_reduce_analytic_mse",
        per_entry(|round| round.analytic_mse),
    );
    metrics.put(
        "all_reduce_nmse",
        mean(rounds.iter().map(|round| round.nmse)),
    );
    metrics.put("all_reduces", rounds.len() as f64);
    metrics.put(
        "subchannel_rounding_s",
        mean(run.blocks.iter().filter_map(|block| block.rounding_s)),
    );
}

fn energy(run: &Measurements, metrics: &mut Collector) {
    let devices = || run.devices.iter().filter(|device| device.device.is_some());
    let server = || run.devices.iter().filter(|device| device.device.is_none());
    let total =
        |joules: fn(&DeviceRecord) -> Option<f64>| devices().map(joules).sum::<Option<f64>>();
    let compute = total(|device| device.compute_j);
    let radio = total(|device| device.radio_j);
    let idle = total(|device| device.idle_j);
    let server: Option<f64> = server()
        .map(|server| Some(server.compute_j? + server.radio_j? + server.idle_j?))
        .sum();
    metrics.put("energy_compute_j", compute);
    metrics.put("energy_radio_j", radio);
    metrics.put("energy_idle_j", idle);
    metrics.put("energy_server_j", server);
    let parts = [compute, radio, idle, server];
    metrics.put("energy_j", parts.into_iter().sum::<Option<f64>>());
    let peak = devices()
        .map(|device| device.weight_bytes + device.kv_cache_bytes + device.activation_bytes)
        .max();
    metrics.put("peak_memory_bytes", peak.map(|bytes| bytes as f64));
    let of = |mode| {
        let joules: Option<f64> = of_mode(run, mode).map(|request| request.energy_j).sum();
        joules.filter(|_| of_mode(run, mode).next().is_some())
    };
    metrics.put("energy_score_j", of(Mode::Score));
    metrics.put("energy_generate_j", of(Mode::Generate));
    metrics.put("energy_choose_j", of(Mode::Choose));
    let generated: u64 = of_mode(run, Mode::Generate)
        .map(|request| request.output_tokens)
        .sum();
    metrics.put(
        "tokens_per_joule",
        of(Mode::Generate).map(|joules| generated as f64 / joules),
    );
}

fn assignment(run: &Measurements, metrics: &mut Collector) {
    let Some(record) = &run.assignment else {
        return;
    };
    for (division, error, compute) in [
        (&record.asked, "assignment_mse", "assignment_compute_s"),
        (
            &record.rounded,
            "assignment_rounded_mse",
            "assignment_rounded_compute_s",
        ),
    ] {
        metrics.put(error, division.error.map(|(mean, _)| mean));
        metrics.put(compute, division.compute_s);
    }
}
