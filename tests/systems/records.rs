//! What comes out of a run as it goes on is what it was: metrics added up on the way are those of
//! all records at once, tables written row by row hold all of them, and Little's law holds.

use super::{Row, Tables, fleet, number, simulated};
use airloom::measurement::{Measurements, Mode};
use airloom::results::metrics::Metrics;
use airloom::rng::Streams;
use airloom::simulation::{RunOptions, prepare, run};
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

const STREAM: &str = r#"workload: [
    Generate(prompt: "Once Clara was in the barn", max_tokens: 5, arrival: At("3 ms")),
    Generate(prompt: "The town of Arden lies in", max_tokens: 4, arrival: At("0 s")),
    Generate(prompt: "The", max_tokens: 3, arrival: At("1 ms")),
    Score(text: World(documents: 1), arrival: At("1 ms")),
    Choose(suite: Pairs, questions: 2),
    Generate(prompt: "A", max_tokens: 6, arrival: At("2 ms")),
    Generate(prompt: "Once", max_tokens: 1, arrival: At("4 s")),
],"#;

const TENSOR: &str = r#"replicas: [(in_flight: 2, placement: Pipeline(stages: [
    TensorParallel(over: "left", at: "edge", all_reduce: AirComp(streams: 4)),
    TensorParallel(over: "right", at: "edge", all_reduce: Digital(bits: 8)),
]))],"#;

/// The metrics and the kept records of a run that wrote a folder.
fn recorded(rest: &str) -> (Metrics, Measurements) {
    let resolved = fleet(rest);
    let folder = TempDir::new().unwrap();
    let options = RunOptions {
        out: folder.path().join("run"),
        interrupt: &AtomicBool::new(false),
    };
    let streams = Streams {
        seed: resolved.seed(),
        run: 0,
    };
    let prepared = prepare(&resolved, streams, Vec::new()).unwrap();
    let mut measured = Measurements::default();
    let finished = run(prepared, &options, &mut measured).unwrap();
    (finished.metrics, measured)
}

#[test]
fn metrics_added_up_on_the_way_are_those_of_all_records_to_the_last_bit() {
    for replicas in [TENSOR, r#"replicas: [(placement: Single(at: "edge"))],"#] {
        for trace in ["Full", "Summary", "Off"] {
            let rest = format!("{STREAM} {replicas} trace: {trace},");
            let (metrics, measured) = recorded(&rest);
            let kept = simulated(&rest);
            assert_eq!(metrics.to_json(), kept.metrics.to_json(), "{trace}");
            assert_eq!(measured.passes.len(), kept.measured.passes.len());
        }
    }
}

fn seconds(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap()
}

#[test]
fn tables_written_on_the_way_hold_every_record_in_order() {
    let rest = format!("{STREAM} {TENSOR}");
    let tables = Tables::of(&rest);
    let (_, measured) = recorded(&rest);
    let passes = tables.rows("batches.csv");
    assert_eq!(passes.len(), measured.passes.len());
    for (row, pass) in passes.iter().zip(&measured.passes) {
        assert_eq!(number(row, "batch"), u64::from(pass.batch));
        assert_eq!(row["phase"], pass.phase());
    }
    assert_eq!(tables.rows("blocks.csv").len(), measured.blocks.len());
    assert_eq!(tables.rows("answers.csv").len(), measured.answers.len());
    let requests = tables.rows("requests.csv");
    assert!(requests.iter().map(|row| number(row, "request")).eq(0..7));
    for (row, request) in requests.iter().zip(&measured.requests) {
        let queueing = seconds(row, "queueing_s");
        let waited = (number(row, "start_ps") - number(row, "arrival_ps")) as f64 * 1e-12;
        assert!((queueing - waited).abs() < 1e-12);
        // Every token but the first follows another one.
        let own = measured.tokens.iter();
        let own = own.filter(|token| token.request == request.request);
        let at: Vec<u64> = own.map(|token| token.at.0).collect();
        assert_eq!(at.len() as u64, request.output_tokens);
        assert_eq!(at.first().copied(), request.first_token.map(|it| it.0));
        let longest = at.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert_eq!(longest, request.longest_gap.map(|gap| gap.0));
        if request.mode == Mode::Generate {
            assert_eq!(at.last().copied(), Some(request.end.0));
            // The radio of these systems has no watts, and so no joules.
            let joules = request.energy_first_token_j.zip(request.energy_j);
            assert_eq!(joules.is_some(), request.energy_j.is_some());
            assert!(joules.is_none_or(|(first, all)| first > 0.0 && first <= all));
        }
    }
}

#[test]
fn littles_law_holds_of_queues_and_of_services() {
    for replicas in [
        TENSOR,
        r#"replicas: [(placement: Single(at: "edge"))],"#,
        r#"replicas: [(placement: Single(at: "edge")), (placement: Single(at: "cloud"))],"#,
    ] {
        let rest = format!("{STREAM} {replicas}");
        let run = simulated(&rest);
        let requests = &run.measured.requests;
        let get = |name: &str| run.metrics.get(name).unwrap();
        let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * b.abs(), "{a} {b}");
        // L T = Σ W, with L from loads and W from requests.
        let window = get("window_s");
        let waited = requests
            .iter()
            .map(|it| it.queueing().unwrap().as_seconds());
        let waited: f64 = waited.sum();
        assert!(waited > 0.0, "somebody waits");
        close(get("queue_length") * window, waited);
        close(get("queueing_s") * requests.len() as f64, waited);
        let served = requests.iter();
        let served = served.map(|it| it.end.since(it.admitted.unwrap()).as_seconds());
        let served: f64 = served.sum();
        close(get("requests_running") * window, served);
        // And from the table.
        let table = Tables::of(&rest).rows("load.csv");
        let integral = |column: &str| -> f64 {
            let area = table.iter().map(|row| {
                let length = number(row, "end_ps") - number(row, "start_ps");
                seconds(row, column) * length as f64 * 1e-12
            });
            area.sum()
        };
        close(integral("waiting"), waited);
        close(integral("running"), served);
        let count = |column: &str| -> u64 { table.iter().map(|row| number(row, column)).sum() };
        assert_eq!((count("arrived"), count("completed")), (7, 7));
        assert_eq!(count("tokens"), 19);
    }
}
