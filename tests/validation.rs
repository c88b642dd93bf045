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
    for (file, mean, worst) in [("compute", 2.0, 2.5), ("total", 2.5, 5.0)] {
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
    let together = format!(
        "TensorParallel(over: \"board\", at: \"board0\", all_reduce: Star(bits: 8, block: 32))"
    );
    let (links, placement) = match devices {
        1 => ("", "Single(at: \"board0\")".to_owned()),
        _ => (
            "links: {\"lan\": Switch(members: [\"board\"], rate: \"1 Gbit/s\", delay: \"0 s\")},",
            together,
        ),
    };
    let text = format!(
        "Scenario(model: Shape(\"{model}\"), precision: (weight_bits: {bits}, cache_bits: {cache}), \
         nodes: {{\"board\": (count: {devices}, profile: Preset(\"{preset}\"))}}, {links} \
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
