//! How a stream of requests was served, in lines and in a table of percentiles.

use crate::results::metrics::Metrics;
use crate::results::readable::{percent, seconds, seconds_of, significant};
use crate::results::terminal::Table;

/// A line of the summary.
pub(super) struct Line {
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) note: String,
}

/// What is told of requests, goals, loads and caches; of few requests only what is not as usual.
pub(super) fn lines(metrics: &Metrics, many: bool) -> Vec<Line> {
    let get = |name: &str| metrics.get(name);
    let above_zero = |name: &str| get(name).filter(|value| *value > 0.0);
    let mut lines = Vec::new();
    let mut line = |label, value: Option<String>, note: String| {
        lines.extend(value.map(|value| Line { label, value, note }));
    };
    let (rejected, window) = (above_zero("requests_rejected"), get("window_s"));
    let arrived = get("requests_arrived").filter(|_| many || rejected.is_some());
    let answered = get("requests_completed").unwrap_or_default();
    let turned = rejected.map_or(String::new(), |count| format!(", {count} rejected"));
    let rate = get("requests_per_s").zip(window);
    let rate = rate.map_or(String::new(), |(rate, window)| {
        let (rate, window) = (significant(rate), seconds(window));
        format!(", in {window}: {rate} per second")
    });
    line(
        "requests",
        arrived.map(|count| count.to_string()),
        format!("{answered} answered{turned}{rate}"),
    );
    let met = get("goals_met").zip(get("requests_arrived"));
    line(
        "goals met",
        get("goal_share").map(percent),
        met.map_or(String::new(), |(met, all)| {
            let goodput = get("goodput_per_s").zip(window);
            let goodput = goodput.map_or(String::new(), |(goodput, window)| {
                let (goodput, window) = (significant(goodput), seconds(window));
                format!("; goodput {goodput} per second over {window}")
            });
            format!("{met} of {all} requests met every goal{goodput}")
        }),
    );
    let running = get("requests_running").map_or(String::new(), |count| {
        format!(
            "requests wait on average, {} are served",
            significant(count)
        )
    });
    let batch = get("batch_size").map_or(String::new(), |size| {
        let tokens = get("batch_tokens").map(significant).unwrap_or_default();
        format!(
            ", {} of them in a batch of {tokens} tokens",
            significant(size)
        )
    });
    let queue = get("queue_length").filter(|_| many).map(significant);
    line("queue", queue, format!("{running}{batch}"));
    let peak = get("cache_use_peak").map_or(String::new(), |share| {
        format!(
            "of the cache is allocated on average, {} at most",
            percent(share)
        )
    });
    let empty = get("cache_fragmentation").map_or(String::new(), |share| {
        format!("; {} of what is allocated is empty", percent(share))
    });
    let usage = get("cache_use").filter(|_| many).map(percent);
    line("cache", usage, format!("{peak}{empty}"));
    let again = get("recomputed_tokens").unwrap_or_default();
    line(
        "preemptions",
        above_zero("preemptions").map(|count| count.to_string()),
        format!("{again} tokens read again"),
    );
    let reused = above_zero("reused_tokens").map(|count| count.to_string());
    line(
        "reused",
        reused,
        "tokens of prompts that another cache held".to_owned(),
    );
    lines
}

/// A row per latency: its mean and percentiles.
pub(super) fn percentiles(metrics: &Metrics, columns: Option<usize>) -> String {
    let mut table = Table::new(2, 1, vec![12, 11, 11, 11, 11, 11, 16]);
    let heading = ["", "mean", "p50", "p90", "p95", "p99", "of"];
    table.push(heading.map(str::to_owned).to_vec());
    let requests = |metrics: &Metrics| metrics.get("requests_completed");
    let makespan = metrics.get("makespan_s").unwrap_or_default();
    let time = |value: f64| seconds_of(value, makespan);
    for (label, name, count) in [
        ("TTFT", "ttft", None),
        ("TPOT", "tpot", None),
        (
            "ITL",
            "itl",
            metrics.get("token_gaps").map(|gaps| (gaps, "gaps")),
        ),
        ("end to end", "e2e_latency", None),
        (
            "queueing",
            "queueing",
            requests(metrics).map(|count| (count, "requests")),
        ),
    ] {
        let Some(mean) = metrics.get(&format!("{name}_s")) else {
            continue;
        };
        let mut row = vec![label.to_owned(), time(mean)];
        for share in ["p50", "p90", "p95", "p99"] {
            let value = metrics.get(&format!("{name}_{share}_s"));
            row.push(value.map_or_else(|| "–".to_owned(), time));
        }
        row.push(count.map_or(String::new(), |(count, what)| format!("{count} {what}")));
        table.push(row);
    }
    table.text(columns)
}
