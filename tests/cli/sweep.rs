//! `airloom sweep`: its points, their table, and that each is what it would be alone.

use crate::desk::{Desk, TINY, assert_same};
use std::collections::BTreeMap;

pub const AXES: &str = "sweep: (
        axes: [
            (path: \"replicas[0].placement.all_reduce\", values: [AirComp(streams: 2), Ideal]),
            (path: \"nodes.device.count\", values: [1, 2]),
        ],
        runs: 2,
    ),
    workload: [";

/// A desk with `grid.ron`: two schemes, one and two devices, two runs of each.
pub fn desk() -> Desk {
    let desk = Desk::new();
    let grid = TINY.replace("Fixed([0.5, 0.5])", "Equal");
    desk.write("grid.ron", &grid.replace("workload: [", AXES));
    desk
}

/// The rows of `points.csv` by column name.
pub fn rows(desk: &Desk, path: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(desk.path(path)).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// The run folder of point number `point` of the sweep in `out`.
pub fn folder(desk: &Desk, out: &str, point: usize) -> String {
    let rows = rows(desk, &format!("{out}/points.csv"));
    format!("{out}/{}", rows[point]["folder"])
}

#[test]
fn a_dry_run_lists_the_points_and_writes_nothing() {
    let desk = desk();
    let listed = desk.airloom(&["sweep", "grid.ron", "--dry-run"]).good();
    assert_eq!(
        listed.stdout,
        "point 0: all_reduce=AirComp(streams: 2), count=1, run=0: to run\n\
         point 1: all_reduce=AirComp(streams: 2), count=1, run=1: to run\n\
         point 2: all_reduce=AirComp(streams: 2), count=2, run=0: to run\n\
         point 3: all_reduce=AirComp(streams: 2), count=2, run=1: to run\n\
         point 4: all_reduce=Ideal, count=1, run=0: to run\n\
         point 5: all_reduce=Ideal, count=1, run=1: to run\n\
         point 6: all_reduce=Ideal, count=2, run=0: to run\n\
         point 7: all_reduce=Ideal, count=2, run=1: to run\n"
    );
    assert_eq!(desk.names("."), ["grid.ron", "tiny.ron"]);
}

#[test]
fn the_table_has_a_row_for_every_point_with_its_settings_and_metrics() {
    let desk = desk();
    let sweep = desk.airloom(&["sweep", "grid.ron"]).good();
    let folder = "results/grid/sweep-seed3";
    assert!(
        sweep.stdout.ends_with(&format!("written to {folder}\n")),
        "{}",
        sweep.stdout
    );
    assert_eq!(
        desk.names(folder),
        [
            "aggregates.csv",
            "figures",
            "index.html",
            "points",
            "points.csv",
            "sweep.json"
        ]
    );
    let rows = rows(&desk, &format!("{folder}/points.csv"));
    assert_eq!(rows.len(), 8);
    for (index, row) in rows.iter().enumerate() {
        let own = format!("{folder}/{}", row["folder"]);
        let manifest = desk.json(&format!("{own}/manifest.json"));
        // Known by what it is: scenario, seed and run.
        let digest = manifest["identity"].as_str().unwrap();
        assert_eq!(row["folder"], format!("points/{}", &digest[..16]));
        assert_eq!(row["point"], index.to_string());
        assert_eq!(row["run"], manifest["run"].to_string());
        let scheme = ["AirComp(streams: 2)", "Ideal"][index / 4];
        assert_eq!(row["replicas[0].placement.all_reduce"], scheme);
        assert_eq!(row["nodes.device.count"], ["1", "2"][index / 2 % 2]);
        assert_eq!(
            (row["status"].as_str(), row["reason"].as_str()),
            ("done", "")
        );
        let metrics = desk.text(&format!("{own}/metrics.json"));
        // Not by serde_json, whose numbers can be one bit off.
        let metrics: BTreeMap<String, ron::Value> = ron::from_str(&metrics).unwrap();
        for (name, value) in metrics {
            // How far they are known is an object beside them.
            if let ron::Value::Number(value) = value {
                assert_eq!(row[&name].parse(), Ok(value.into_f64()), "{name}");
            } else {
                assert_eq!(name, "trust");
            }
        }
    }
    for name in ["ttft_s", "energy_j", "peak_memory_bytes", "perplexity"] {
        assert!(rows[0].contains_key(name), "{name}");
    }
    // What a point did not measure is absent: an ideal sum has no error.
    assert_eq!(rows[6]["all_reduce_mse"], "");
}

#[test]
fn figures_over_numeric_axes_are_drawn_and_drawn_again_from_the_table() {
    let desk = desk();
    desk.airloom(&["sweep", "grid.ron", "--out", "out"]).good();
    let names = desk.names("out/figures");
    // A figure for every metric of the printed table that some point measured.
    for name in ["all_reduce_mse", "perplexity", "tpot_s"] {
        assert!(
            names.contains(&format!("{name}_over_nodes.device.count.svg")),
            "{names:?}"
        );
    }
    let path = "out/figures/tpot_s_over_nodes.device.count.svg";
    let figure = desk.text(path);
    for words in [
        ">number of device nodes<",
        ">AirComp(streams: 2)<",
        ">Ideal<",
        ">time per output token TPOT (µs)<",
    ] {
        assert!(figure.contains(words), "{words}");
    }
    std::fs::remove_file(desk.path(path)).unwrap();
    let plot = desk.airloom(&["plot", "out"]).good();
    assert_eq!(plot.stdout.lines().count(), names.len() + 1);
    assert!(plot.stdout.ends_with("out/index.html\n"), "{}", plot.stdout);
    assert!(desk.text(path) == figure);
}

#[test]
fn a_page_shows_settings_and_figures_and_leads_to_the_reports_of_points() {
    let desk = desk();
    desk.airloom(&["sweep", "grid.ron", "--out", "out"]).good();
    let page = desk.text("out/index.html");
    let rows = rows(&desk, "out/points.csv");
    for row in &rows {
        let link = format!("href=\"{}/report.html\"", row["folder"]);
        assert!(page.contains(&link), "{link}");
        assert!(
            desk.path("out")
                .join(&row["folder"])
                .join("report.html")
                .is_file()
        );
    }
    for figure in desk.names("out/figures") {
        assert!(
            page.contains(&format!("src=\"figures/{figure}\"")),
            "{figure}"
        );
    }
    // The mean of both runs of the first setting, with its interval.
    let mean = |metric: &str| {
        let value = |row: usize| rows[row][metric].parse::<f64>().unwrap();
        (value(0) + value(1)) / 2.0
    };
    let perplexity = format!("<td>{:.3} ± ", mean("perplexity"));
    assert!(page.contains(&perplexity), "{perplexity}");
    assert!(!page.contains("<script"));
    let before = desk.tree("out");
    desk.airloom(&["plot", "out"]).good();
    assert_same(&desk.tree("out"), &before);
}

#[test]
fn a_point_is_what_it_would_be_alone_and_side_by_side() {
    let desk = desk();
    desk.airloom(&["sweep", "grid.ron", "--out", "one"]).good();
    desk.airloom(&["sweep", "grid.ron", "--out", "two", "--jobs", "2"])
        .good();
    assert_same(&desk.hashed_tree("one"), &desk.hashed_tree("two"));
    let alone = [
        "run",
        "grid.ron",
        "--out",
        "alone",
        "--run",
        "1",
        "--set",
        "nodes.device.count=2",
        "--set",
        "replicas[0].placement.all_reduce=AirComp(streams: 2)",
    ];
    desk.airloom(&alone).good();
    assert_same(
        &desk.hashed_tree("alone"),
        &desk.hashed_tree(&folder(&desk, "one", 3)),
    );
}

#[test]
fn an_infeasible_point_is_recorded_with_its_reason_and_the_rest_go_on() {
    let desk = Desk::new();
    let small = "profile: Custom(peak: \"1 TFLOP/s\", memory: \"4 MB\", memory_bandwidth: \
                 \"10 GB/s\")";
    let scenario = TINY
        .replace("count: 2", &format!("count: 2, {small}"))
        .replace("Fixed([0.5, 0.5])", "Equal")
        .replace("workload: [", AXES);
    desk.write("small.ron", &scenario);
    let sweep = desk.airloom(&["sweep", "small.ron", "--out", "out"]).good();
    let rows = rows(&desk, "out/points.csv");
    for (index, row) in rows.iter().enumerate() {
        if index / 2 % 2 == 0 {
            assert_eq!(row["status"], "infeasible");
            let reason = "device0 (custom) needs 6.39552 MB";
            assert!(row["reason"].starts_with(reason), "{}", row["reason"]);
            assert!(
                row["reason"].contains("but has 4 MB; "),
                "{}",
                row["reason"]
            );
            assert_eq!(
                (row["makespan_s"].as_str(), row["folder"].as_str()),
                ("", "")
            );
            let told = format!("point {index}: ");
            let line = sweep
                .stderr
                .lines()
                .find(|line| line.starts_with(&told))
                .unwrap();
            assert!(
                line.contains(": infeasible: device0 (custom) needs"),
                "{line}"
            );
        } else {
            assert_eq!(row["status"], "done");
        }
    }
    assert_eq!(desk.names("out/points").len(), 4);
}

#[test]
fn a_fault_at_one_point_is_found_before_any_runs() {
    let desk = Desk::new();
    desk.write("grid.ron", &TINY.replace("workload: [", AXES));
    let message = desk.airloom(&["sweep", "grid.ron"]).refused(2);
    assert!(message.contains("2 shares for 1 device"), "{message}");
    assert!(message.contains("count=1"), "{message}");
    assert_eq!(desk.names("."), ["grid.ron", "tiny.ron"]);
}

/// Mean and interval by hand from the table of points: with two runs x and y they are
/// (x + y)/2 and tan(0.475π) |x − y|/2.
#[test]
fn aggregates_are_means_with_confidence_over_the_runs() {
    let desk = desk();
    desk.airloom(&["sweep", "grid.ron", "--out", "out"]).good();
    let points = rows(&desk, "out/points.csv");
    let aggregates = rows(&desk, "out/aggregates.csv");
    let mut checked = 0;
    for row in &aggregates {
        assert_eq!(row["count"], "2");
        let own = points.iter().filter(|point| {
            ["replicas[0].placement.all_reduce", "nodes.device.count"]
                .iter()
                .all(|axis| point[*axis] == row[*axis])
        });
        let values: Vec<f64> = own
            .map(|point| point[&row["metric"]].parse().unwrap())
            .collect();
        let mean = (values[0] + values[1]) / 2.0;
        let half = (0.475 * std::f64::consts::PI).tan() * (values[0] - values[1]).abs() / 2.0;
        for (column, expected) in [("mean", mean), ("half_width_95", half)] {
            let found: f64 = row[column].parse().unwrap();
            assert!(
                (found - expected).abs() <= 1e-9 * mean.abs(),
                "{row:?}: {expected}"
            );
        }
        checked += usize::from(half > 0.0);
    }
    // Most metrics of a run are the same in all; over the air the error is not.
    assert!(checked > 0);
}

/// What statistics programs read: no quoting, no units in cells.
#[test]
fn settings_are_numbers_with_their_unit_in_the_columns_name() {
    let desk = Desk::new();
    let sweep = "sweep: (axes: [
            (path: \"links.air.bandwidth\", values: [\"10 MHz\", \"0.02 GHz\"]),
            (path: \"links.air.budget.snr\", range: (from: \"-5 dB\", to: \"20 dB\", count: 2)),
            (zip: [
                (path: \"links.air.server_antennas\", values: [20, 16]),
                (path: \"replicas[0].placement.all_reduce\", values: [Ideal, AirComp(streams: 2)]),
            ]),
        ]),
        workload: [";
    desk.write("mixed.ron", &TINY.replace("workload: [", sweep));
    desk.airloom(&["sweep", "mixed.ron", "--out", "out"]).good();
    let points = rows(&desk, "out/points.csv");
    let of = |row: &BTreeMap<String, String>| {
        [
            "links.air.bandwidth_hz",
            "links.air.budget.snr_db",
            "links.air.server_antennas",
            "replicas[0].placement.all_reduce",
        ]
        .map(|column| row[column].clone())
    };
    assert_eq!(of(&points[0]), ["10000000", "-5", "20", "Ideal"]);
    assert_eq!(
        of(&points[3]),
        ["10000000", "20", "16", "AirComp(streams: 2)"]
    );
    assert_eq!(
        of(&points[7]),
        ["20000000", "20", "16", "AirComp(streams: 2)"]
    );
    let aggregates = rows(&desk, "out/aggregates.csv");
    assert_eq!(of(&aggregates[0]), of(&points[0]));
}
