//! How latencies are spread over requests, and gaps over tokens: means hide who waits longest.

use super::mean::Mean;
use super::percentile::{Counted, percentiles};
use super::{Collector, Definition, of_mode};
use crate::measurement::{Mode, RequestRecord, TokenRecord};
use crate::trust::RestsOn;
use crate::units::{Duration, Instant};
use std::collections::BTreeMap;

const SEVERAL: &str = "two Generate requests or more have it";
const PACED: &str = "two gaps between tokens or more were measured";

/// Definitions of percentiles: of what, in what words, and when they are there.
macro_rules! percentiles {
    ($($rests_on:ident $name:literal $share:literal $meaning:literal $present:expr;)*) => {
        &[$(Definition {
            name: concat!($name, "_p", $share, "_s"),
            symbol: "",
            unit: "s",
            meaning: concat!($share, "th percentile of ", $meaning),
            present: $present,
            rests_on: RestsOn::$rests_on,
        }),*]
    };
}

pub(super) const DEFINITIONS: &[Definition] = percentiles! {
    PROMPTS "ttft" "50" "TTFT over Generate requests: that of NumPy's default, interpolated linearly between neighbours" SEVERAL;
    PROMPTS "ttft" "90" "TTFT over Generate requests" SEVERAL;
    PROMPTS "ttft" "95" "TTFT over Generate requests" SEVERAL;
    PROMPTS "ttft" "99" "TTFT over Generate requests" SEVERAL;
    STEPS "tpot" "50" "TPOT over Generate requests of two tokens or more" SEVERAL;
    STEPS "tpot" "90" "TPOT over Generate requests of two tokens or more" SEVERAL;
    STEPS "tpot" "95" "TPOT over Generate requests of two tokens or more" SEVERAL;
    STEPS "tpot" "99" "TPOT over Generate requests of two tokens or more" SEVERAL;
    TIME "e2e_latency" "50" "end-to-end latency over Generate requests" SEVERAL;
    TIME "e2e_latency" "90" "end-to-end latency over Generate requests" SEVERAL;
    TIME "e2e_latency" "95" "end-to-end latency over Generate requests" SEVERAL;
    TIME "e2e_latency" "99" "end-to-end latency over Generate requests" SEVERAL;
    TIME "queueing" "50" "the time from arrival to the first pass over requests" "two requests or more were served";
    TIME "queueing" "90" "the time from arrival to the first pass over requests" "two requests or more were served";
    TIME "queueing" "95" "the time from arrival to the first pass over requests" "two requests or more were served";
    TIME "queueing" "99" "the time from arrival to the first pass over requests" "two requests or more were served";
    STEPS "itl" "50" "the gaps between neighbouring tokens, over all gaps of all requests; to one part in 8192 where gaps have more than 131 072 lengths" PACED;
    STEPS "itl" "90" "the gaps between neighbouring tokens" PACED;
    STEPS "itl" "95" "the gaps between neighbouring tokens" PACED;
    STEPS "itl" "99" "the gaps between neighbouring tokens" PACED;
};

pub(super) const MEANS: &[Definition] = &[
    Definition {
        name: "itl_s",
        symbol: "ITL",
        unit: "s",
        meaning: "inter-token latency: mean over all gaps between neighbouring tokens of all requests as they are delivered; TPOT is a mean over requests",
        present: "a Generate request yielded two tokens or more",
        rests_on: RestsOn::STEPS,
    },
    Definition {
        name: "token_gaps",
        symbol: "",
        unit: "1",
        meaning: "gaps behind itl_s",
        present: "itl_s is",
        rests_on: RestsOn::NOTHING,
    },
    Definition {
        name: "queueing_s",
        symbol: "",
        unit: "s",
        meaning: "from a request's arrival to its first pass: mean over the requests served",
        present: "two requests or more were served",
        rests_on: RestsOn::TIME,
    },
];

const TTFT: [&str; 4] = ["ttft_p50_s", "ttft_p90_s", "ttft_p95_s", "ttft_p99_s"];
const TPOT: [&str; 4] = ["tpot_p50_s", "tpot_p90_s", "tpot_p95_s", "tpot_p99_s"];
const LATENCY: [&str; 4] = [
    "e2e_latency_p50_s",
    "e2e_latency_p90_s",
    "e2e_latency_p95_s",
    "e2e_latency_p99_s",
];
const QUEUEING: [&str; 4] = [
    "queueing_p50_s",
    "queueing_p90_s",
    "queueing_p95_s",
    "queueing_p99_s",
];
const ITL: [&str; 4] = ["itl_p50_s", "itl_p90_s", "itl_p95_s", "itl_p99_s"];

fn put(metrics: &mut Collector, names: [&'static str; 4], values: Option<[f64; 4]>) {
    for (name, value) in names.into_iter().zip(values.into_iter().flatten()) {
        metrics.put(name, value);
    }
}

fn put_several(metrics: &mut Collector, names: [&'static str; 4], values: Vec<f64>) {
    if values.len() > 1 {
        put(metrics, names, percentiles(values));
    }
}

pub(super) fn collect(requests: &[RequestRecord], metrics: &mut Collector) {
    let generated = || of_mode(requests, Mode::Generate);
    let ttft = generated().filter_map(RequestRecord::ttft);
    let ttft = ttft.map(Duration::as_seconds).collect();
    put_several(metrics, TTFT, ttft);
    let tpot = generated().filter_map(RequestRecord::tpot_s).collect();
    put_several(metrics, TPOT, tpot);
    let latency = generated().filter_map(RequestRecord::latency);
    let latency = latency.map(Duration::as_seconds).collect();
    put_several(metrics, LATENCY, latency);
    let queueing = requests.iter().filter_map(RequestRecord::queueing);
    let queueing: Vec<f64> = queueing.map(Duration::as_seconds).collect();
    if queueing.len() > 1 {
        metrics.put("queueing_s", Mean::of(queueing.iter().copied()));
    }
    put_several(metrics, QUEUEING, queueing);
}

/// Gaps between the tokens of a request so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Gaps {
    /// When the last token of each request was delivered that is not answered yet.
    last: BTreeMap<u32, Instant>,
    gaps: Counted,
}

impl Gaps {
    pub(super) fn enter(&mut self, token: &TokenRecord) {
        if let Some(last) = self.last.insert(token.request, token.at) {
            self.gaps.add(token.at.since(last));
        }
    }

    pub(super) fn end(&mut self, request: u32) {
        self.last.remove(&request);
    }

    pub(super) fn collect(&self, metrics: &mut Collector) {
        metrics.put("itl_s", self.gaps.mean());
        if self.gaps.count() > 0 {
            metrics.put("token_gaps", self.gaps.count() as f64);
        }
        if self.gaps.count() > 1 {
            put(metrics, ITL, self.gaps.percentiles());
        }
    }
}
