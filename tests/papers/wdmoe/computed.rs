//! The bundled Mixtral, which really computes: the questions of Tables I and III, and Fig. 8.

use super::{COMMITTED, row};
use crate::publishes_what_is_committed;
use std::path::Path;

/// Whether each question of the points `places` of a sweep was answered rightly, in order.
fn answers(sweep: &Path, places: &[usize]) -> Vec<bool> {
    let mut right = Vec::new();
    let mut points = csv::Reader::from_path(sweep.join("points.csv")).unwrap();
    let headers = points.headers().unwrap().clone();
    let column = headers.iter().position(|name| name == "folder").unwrap();
    let folders: Vec<String> = points
        .records()
        .map(|row| row.unwrap()[column].to_owned())
        .collect();
    for place in places {
        let path = sweep.join(&folders[*place]).join("answers.csv");
        let mut reader = csv::Reader::from_path(path).unwrap();
        let headers = reader.headers().unwrap().clone();
        let column = headers.iter().position(|name| name == "right").unwrap();
        right.extend(reader.records().map(|row| &row.unwrap()[column] == "true"));
    }
    right
}

/// The exact probability (McNemar) that `lost` and `gained` answers differ at least so much
/// if each was as likely to go either way.
fn by_chance(lost: u32, gained: u32) -> f64 {
    let all = lost + gained;
    let (mut ways, mut tail) = (1.0, 0.0);
    for k in 0..=lost.min(gained) {
        tail += ways;
        ways *= f64::from(all - k) / f64::from(k + 1);
    }
    (2.0 * tail / 2f64.powi(all as i32)).min(1.0)
}

#[test]
fn a_fair_coin_is_by_chance_and_a_loaded_one_is_not() {
    assert_eq!(by_chance(5, 5), 1.0);
    // 2 (1 + 10 + 45)/2¹⁰.
    assert_eq!(by_chance(2, 8), 0.109375);
    assert!(by_chance(1, 19) < 1e-4);
}

/// Tables I and III ask whether experts can be dropped without losing right answers: a
/// thousand questions, each asked with and without, differ by no more than chance, while
/// latency falls by 40 % or more.
#[test]
fn tables_1_and_3_are_published_again_and_lose_no_answers() {
    for (table, variant) in [("table1", "WDMoE"), ("table3", "Algorithm 2")] {
        let files = [
            format!("{table}.csv"),
            format!("{table}.md"),
            format!("{table}_noise.csv"),
            format!("{table}_noise.md"),
            format!("{table}_latency.csv"),
            format!("{table}_latency.md"),
        ];
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let scenario = format!("wdmoe_{table}.ron");
        let folder = publishes_what_is_committed(&scenario, COMMITTED, &files);
        let sweep = folder.path().join("sweep");
        // Suites, the variants of each side by side.
        let vanilla = answers(&sweep, &[0, 2, 4, 6, 8]);
        let dropped = answers(&sweep, &[1, 3, 5, 7, 9]);
        assert_eq!((vanilla.len(), dropped.len()), (1000, 1000));
        let changed = |from: bool| {
            let pairs = vanilla.iter().zip(&dropped);
            pairs.filter(|pair| *pair == (&from, &!from)).count() as u32
        };
        let (lost, gained) = (changed(true), changed(false));
        assert!(by_chance(lost, gained) > 0.05, "{table}: −{lost} +{gained}");
        let latency = row(&format!("{table}_latency.csv"), &["mean", variant])[0];
        assert!(latency < -40.0, "{table}: {latency}");
    }
}

#[test]
fn figure_8_is_what_its_run_writes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::TempDir::new().unwrap();
    let run = folder.path().join("run");
    assert_cmd::Command::new(env!("CARGO_BIN_EXE_airloom"))
        .arg("run")
        .arg(root.join("scenarios/papers/wdmoe_figure8.ron"))
        .arg("--out")
        .arg(&run)
        .assert()
        .success();
    for ending in ["csv", "svg"] {
        let now = std::fs::read_to_string(run.join(format!("expert_pairs.{ending}"))).unwrap();
        let then = root.join(COMMITTED).join(format!("figure8.{ending}"));
        assert!(
            now == std::fs::read_to_string(then).unwrap(),
            "figure8.{ending}"
        );
    }
}
