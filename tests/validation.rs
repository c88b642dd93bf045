//! Measured boards against what is predicted of them, through scenarios: the committed profiles are
//! the fits that leave a row out, the committed tables are what those come to, and no row is
//! further off than the manual says.
//!
//! To write the profiles again: AIRLOOM_REWRITE=1 cargo test --release --test validation left_out

use airloom::calibration::{self, Choice, Row};
use airloom::scenario;
use airloom::simulation::{Simulated, simulate};
use assert_cmd::Command;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The rows of `tensor_parallel.csv` that the others of their board determine, by line.
const ROWS: [(&str, usize); 6] = [
    ("raspberry-pi-4b", 3),
    ("raspberry-pi-4b", 4),
    ("gcp-c3d-highcpu-30", 5),
    ("gcp-c3d-highcpu-30", 6),
    ("gcp-c3d-highcpu-30", 7),
    ("gcp-c3d-highcpu-30", 8),
];

const TABLE: &str = "tensor_parallel.csv";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rows() -> Vec<Row> {
    let path = root().join("src/calibration/measurements").join(TABLE);
    calibration::read(&std::fs::read_to_string(path).unwrap(), TABLE).unwrap()
}

#[test]
fn profiles_left_out_are_the_fits_of_the_other_rows() {
    for (board, line) in ROWS {
        let place = format!("{TABLE}:{line}");
        let mut others = rows();
        others.retain(|row| row.place != place);
        assert_eq!(others.len() + 1, rows().len());
        let choice = Choice {
            board: Some(board.to_owned()),
            base: None,
        };
        let text = calibration::calibrate(&others, &choice).unwrap();
        let text = text.calibrated.to_ron();
        let file = root().join(format!(
            "results/validation/left_out/{board}-line-{line}.ron"
        ));
        if std::env::var_os("AIRLOOM_REWRITE").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            text,
            "{}",
            file.display()
        );
    }
}

/// Percentages of the column `error` of a published table.
fn errors(table: &str) -> Vec<f64> {
    let rows = table
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains('%'));
    let error = |line: &str| {
        let cell = line
            .split('|')
            .map(str::trim)
            .find(|cell| cell.ends_with('%'));
        let cell = cell.unwrap().trim_end_matches(" %").replace('−', "-");
        cell.parse::<f64>().unwrap()
    };
    rows.map(error).collect()
}

#[test]
fn the_sweep_gives_the_committed_tables_and_they_are_near_what_was_measured() {
    let folder = TempDir::new().unwrap();
    let published = folder.path().join("published");
    Command::new(env!("CARGO_BIN_EXE_airloom"))
        .arg("sweep")
        .arg(root().join("scenarios/validation/boards.ron"))
        .arg("--out")
        .arg(folder.path().join("sweep"))
        .arg("--publish")
        .arg(&published)
        .assert()
        .success();
    for (file, mean, worst) in [("compute", 2.0, 2.5), ("total", 1.5, 2.5)] {
        let read =
            |folder: &Path| std::fs::read_to_string(folder.join(format!("{file}.md"))).unwrap();
        let now = read(&published);
        let held = root().join("results/validation");
        if std::env::var_os("AIRLOOM_REWRITE").is_some() {
            for ending in ["md", "csv"] {
                let name = format!("{file}.{ending}");
                if published.join(&name).exists() {
                    std::fs::copy(published.join(&name), held.join(&name)).unwrap();
                }
            }
        }
        assert_eq!(now, read(&held), "{file}");
        let errors = errors(&now);
        assert_eq!(errors.len(), ROWS.len(), "{now}");
        let sum: f64 = errors.iter().map(|error| error.abs()).sum();
        assert!(sum / 6.0 < mean, "{file}: {errors:?}");
        assert!(
            errors.iter().all(|error| error.abs() < worst),
            "{file}: {errors:?}"
        );
    }
}

/// Devices of a preset that decode alone or together, as the tables' rows were measured.
fn run(preset: &str, devices: usize, model: &str, bits: f64, rest: [&str; 2]) -> Simulated {
    let [cache, tokens] = rest;
    let rate = match preset.starts_with("gcp") {
        true => "10 Gbit/s",
        false => "1 Gbit/s",
    };
    let (count, links, placement) = match devices {
        1 => (String::new(), String::new(), "Single(at: \"board\")"),
        _ => (
            format!("count: {devices}, "),
            format!(
                "links: {{\"lan\": Switch(members: [\"board\"], rate: \"{rate}\", delay: \"0 s\")}},"
            ),
            "TensorParallel(over: \"board\", at: \"board0\", all_reduce: Star(bits: 8, block: 32))",
        ),
    };
    let text = format!(
        "Scenario(model: Shape(\"{model}\"), precision: (weight_bits: {bits:?}, cache_bits: {cache}), \
         nodes: {{\"board\": ({count}profile: Preset(\"{preset}\"))}}, {links} \
         replicas: [(placement: {placement})], workload: [{tokens}])"
    );
    let resolved = scenario::parse(&text, Path::new("test.ron"), &[]);
    let resolved = resolved.unwrap_or_else(|error| panic!("{error}"));
    simulate(&resolved, &mut ()).unwrap_or_else(|error| panic!("{error}"))
}

fn near(ours: f64, measured: f64, within: f64) {
    let off = ours / measured - 1.0;
    assert!(off.abs() < within, "{ours} for {measured}: {off}");
}

/// The fit counts work by itself; a run of the preset comes to the same time.
#[test]
fn a_run_takes_what_the_fit_says() {
    for row in rows() {
        let devices = row.devices as usize;
        let tokens = ["32", "Tokens(prompt: 1, generate: 2)"];
        let run = run(&row.board, devices, &row.shape.name, 4.5, tokens);
        let compute = run.metrics.get("pass_compute_s").unwrap();
        near(compute, row.compute().unwrap(), 0.02);
        near(
            run.metrics.get("tpot_s").unwrap(),
            row.total().unwrap(),
            0.03,
        );
    }
}

/// Single boards: tokens per second and joules per token of the tables, idling included.
#[test]
fn boards_alone_decode_as_fast_and_draw_as_much_as_measured() {
    let decode = ["16", "Tokens(prompt: 1, generate: 128)"];
    let cm5 = run("raspberry-pi-cm5", 1, "llama-3.2-3b", 5.0, decode);
    near(1.0 / cm5.metrics.get("tpot_s").unwrap(), 6.07, 0.01);
    let prompt = ["16", "Tokens(prompt: 512, generate: 1)"];
    let prefill = run("raspberry-pi-cm5", 1, "llama-3.2-3b", 5.0, prompt);
    near(512.0 / prefill.makespan.as_seconds(), 15.08, 0.01);
    for (preset, rate, watts) in [
        ("raspberry-pi-5", 4.88, 11.9),
        ("framework-13-ai-340", 23.81, 51.1),
        ("minisforum-ms-r1", 12.12, 35.0),
        ("nvidia-gb10", 97.93, 128.5),
    ] {
        let tokens = ["16", "Tokens(prompt: 1, generate: 10)"];
        let run = run(preset, 1, "llama-3.2-3b", 5.0, tokens);
        near(1.0 / run.metrics.get("tpot_s").unwrap(), rate, 0.01);
        let joules = run.metrics.get("energy_j").unwrap() / 10.0;
        near(joules, watts / rate, 0.02);
    }
}

/// Every token of context adds its keys and values over the rate of the cache.
#[test]
fn time_grows_with_the_context_by_the_rate_of_the_cache() {
    let at = |prompt: u32| {
        let tokens = format!("Tokens(prompt: {prompt}, generate: 2)");
        let run = run("raspberry-pi-5", 1, "llama-2-7b", 4.5, ["32", &tokens]);
        run.metrics.get("tpot_s").unwrap()
    };
    let slope = (at(2000) - at(100)) / 1900.0;
    let bytes = 32.0 * 2.0 * 4096.0 * 4.0;
    near(slope, bytes / (15.68e9 * 4.5 / 8.0 / 2.0), 1e-3);
}

/// A file's profile is read once, from beside the scenario, and kept in what a run writes down.
#[test]
fn a_scenario_keeps_what_a_profiles_file_held() {
    let file = "../results/validation/left_out/raspberry-pi-4b-line-3.ron";
    let text = |file: &str| {
        format!(
            "Scenario(model: Shape(\"llama-2-7b\"), nodes: {{\"pi\": (profile: File(\"{file}\"))}}, \
             workload: [Tokens(prompt: 1, generate: 2)])"
        )
    };
    let here = root().join("scenarios/test.ron");
    let resolved = scenario::parse(&text(file), &here, &[]).unwrap();
    let node = &resolved.topology.nodes[0];
    assert_eq!(node.label, "raspberry-pi-4b");
    assert!(node.basis.compute.words().contains("tensor_parallel.csv:4"));
    // Read again elsewhere, it is the same, with no file beside it.
    let kept = resolved.to_ron();
    let again = scenario::parse(&kept, Path::new("elsewhere/test.ron"), &[]).unwrap();
    assert_eq!(again.topology.nodes[0], *node);
    assert_eq!(again.to_ron(), kept);
    let error = scenario::parse(&text("nowhere.ron"), &here, &[])
        .unwrap_err()
        .to_string();
    for word in ["test.ron:1:", "nowhere.ron", "cannot read the profile"] {
        assert!(error.contains(word), "{error}");
    }
}

/// A node that warms up ends later than one that stays cool and earlier than one that is hot from
/// the start; a limit that it never reaches changes no bit.
#[test]
fn heat_slows_a_node_down_once_it_is_hot() {
    let run = |heat: &str, clock: &str| {
        let text = format!(
            "Scenario(model: Shape(\"llama-2-7b\"), nodes: {{\"pi\": (profile: Custom( \
             peak: \"10 GFLOP/s\", memory_bandwidth: \"1000 GB/s\", memory: \"64 GB\", \
             power: (idle: \"2 W\", compute_bound: \"20 W\", memory_bound: \"20 W\", \
             measured_at: Board){clock}{heat}))}}, workload: [Tokens(prompt: 1, generate: 8)])"
        );
        let resolved = scenario::parse(&text, Path::new("test.ron"), &[]);
        let resolved = resolved.unwrap_or_else(|error| panic!("{error}"));
        simulate(&resolved, &mut ()).unwrap_or_else(|error| panic!("{error}"))
    };
    let heat = |limit: u32| {
        format!(", heat: (limit: {limit}, resistance: 5, time_constant: \"5 s\", throttle: 0.5)")
    };
    let cool = run("", "");
    let hot = run("", ", frequency: (nominal: \"2 GHz\", at: \"1 GHz\")");
    let warm = run(&heat(60), "");
    assert!(warm.makespan > cool.makespan && warm.makespan < hot.makespan);
    assert_eq!(run(&heat(60), "").log_blake3, warm.log_blake3);
    assert_eq!(run(&heat(900), "").log_blake3, cool.log_blake3);
    // A slower clock takes twice as long at an eighth of the power above idling.
    let ratio = hot.makespan.as_seconds() / cool.makespan.as_seconds();
    assert!((ratio - 2.0).abs() < 1e-6, "{ratio}");
    let compute = |run: &Simulated| run.metrics.get("energy_compute_j").unwrap();
    assert!((compute(&hot) / compute(&cool) - 0.25).abs() < 1e-6);
}
