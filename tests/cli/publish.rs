//! What a sweep publishes: tables and figures beside published numbers.

use crate::desk::{Desk, assert_same};
use crate::sweep::rows;
use std::collections::BTreeMap;

/// Two sizes of a batch and two variants, three runs of each, timed from the model's shape.
const SWEEP: &str = r#"    sweep: (
        axes: [
            (name: "batch", path: "workload", values: [[Tokens(prompt: 50)], [Tokens(prompt: 80)]],
             labels: ["50", "80"]),
            (name: "variant", labels: ["neither", "both"], zip: [
                (path: "replicas[0].placement.selection", values: [TopK, WeightToLatency()]),
                (path: "replicas[0].placement.bandwidth", values: [Uniform, MinMax]),
            ]),
        ],
        runs: 3,
        publish: [
            Table(file: "table1", metric: "batch_latency_s", unit: "ms",
                  published: [3000, None, 4000, 2000]),
            Changes(file: "changes", metric: "batch_latency_s", along: "variant", from: "neither",
                    published_in: "table1"),
            Figure(file: "figure1", metric: "batch_latency_s", over: "batch", scale: Log),
            Tradeoff(file: "pareto", x: "batch_latency_s", y: "energy_j", y_unit: "kJ"),
        ],
    ),
)
"#;

const FILES: [&str; 8] = [
    "changes.csv",
    "changes.md",
    "figure1.csv",
    "figure1.svg",
    "pareto.csv",
    "pareto.svg",
    "table1.csv",
    "table1.md",
];

/// A desk with `paper.ron`: the shipped scenario of eight phones, with another sweep.
fn desk() -> Desk {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/wdmoe_simulated.ron");
    let shipped = std::fs::read_to_string(shipped).unwrap();
    let (scenario, _) = shipped.split_once("    sweep: (").unwrap();
    let desk = Desk::new();
    desk.write("paper.ron", &format!("{scenario}{SWEEP}"));
    desk
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column}: {row:?}"))
}

/// Mean and interval of three values by hand: t for two degrees of freedom is
/// 0.95 √(2/(1 − 0.95²)).
fn by_hand(values: &[f64]) -> (f64, f64) {
    let [a, b, c] = values else {
        panic!("{values:?}")
    };
    let mean = (a + b + c) / 3.0;
    // Σ(x − mean)² = ((a − b)² + (b − c)² + (c − a)²)/3.
    let squares = ((a - b).powi(2) + (b - c).powi(2) + (c - a).powi(2)) / 3.0;
    let t = 0.95 * (2.0 / (1.0 - 0.95f64.powi(2))).sqrt();
    (mean, t * (squares / 6.0).sqrt())
}

#[track_caller]
fn close(found: f64, expected: f64) {
    // The tables have six digits.
    assert!(
        (found - expected).abs() <= 1e-5 * expected.abs(),
        "{found} {expected}"
    );
}

/// Every number of the published tables by hand from the table of points.
#[test]
fn published_numbers_are_those_of_the_points() {
    let desk = desk();
    desk.airloom(&["sweep", "paper.ron", "--out", "out", "--publish", "paper"])
        .good();
    assert_eq!(desk.names("paper"), FILES);
    assert_same(&desk.tree("paper"), &desk.tree("out/published"));

    let points = rows(&desk, "out/points.csv");
    let of = |configuration: usize, metric: &str| -> Vec<f64> {
        let own = &points[3 * configuration..3 * configuration + 3];
        own.iter().map(|row| number(row, metric)).collect()
    };
    let mut means = Vec::new();
    let table = rows(&desk, "paper/table1.csv");
    let labels = [
        ("50", "neither"),
        ("50", "both"),
        ("80", "neither"),
        ("80", "both"),
    ];
    let papers = [Some(3000.0), None, Some(4000.0), Some(2000.0)];
    for (index, row) in table.iter().enumerate() {
        assert_eq!(
            (row["batch"].as_str(), row["variant"].as_str()),
            labels[index]
        );
        let (mean, half) = by_hand(&of(index, "batch_latency_s"));
        close(number(row, "ours_ms"), 1e3 * mean);
        close(number(row, "ours_ci95_ms"), 1e3 * half);
        match papers[index] {
            Some(paper) => {
                assert_eq!(number(row, "paper_ms"), paper);
                close(1.0 + number(row, "rel_error"), 1e3 * mean / paper);
            }
            None => assert_eq!(
                (row["paper_ms"].as_str(), row["rel_error"].as_str()),
                ("", "")
            ),
        }
        assert_eq!(row["note"], "");
        means.push(mean);
    }
    let errors = [0, 2, 3].map(|index| (1e3 * means[index] / papers[index].unwrap() - 1.0).abs());
    let worst = errors.iter().copied().fold(0.0, f64::max);
    let text = desk.text("paper/table1.md");
    let summary = text.lines().find(|line| line.contains("compared")).unwrap();
    let found: Vec<f64> = summary
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    assert_eq!(found[0], 3.0, "{summary}");
    assert!(
        (found[1] - 100.0 * errors.iter().sum::<f64>() / 3.0).abs() < 0.06,
        "{summary}"
    );
    assert!((found[2] - 100.0 * worst).abs() < 0.06, "{summary}");

    // The first has no published counterpart, so the mean is over the second alone.
    let changes = rows(&desk, "paper/changes.csv");
    let expected = [
        ("50", means[1] / means[0], None),
        ("80", means[3] / means[2], Some(-50.0)),
        ("mean", means[3] / means[2], Some(-50.0)),
    ];
    assert_eq!(changes.len(), expected.len());
    for (row, (batch, ratio, paper)) in changes.iter().zip(expected) {
        assert_eq!(
            (row["batch"].as_str(), row["variant"].as_str()),
            (batch, "both")
        );
        close(number(row, "ours_%"), 100.0 * (ratio - 1.0));
        let found = row["paper_%"].parse().ok();
        assert_eq!(found, paper);
        if let Some(paper) = paper {
            close(number(row, "difference_pp"), 100.0 * (ratio - 1.0) - paper);
        }
    }
    assert_eq!(changes[2]["note"], "mean of 1 of 2 cells");

    for (index, row) in rows(&desk, "paper/pareto.csv").iter().enumerate() {
        close(number(row, "batch_latency_s"), means[index]);
        close(
            1e3 * number(row, "energy_kJ"),
            by_hand(&of(index, "energy_j")).0,
        );
    }
    let figure = rows(&desk, "paper/figure1.csv");
    for (row, mean) in figure.iter().zip(&means) {
        close(number(row, "ours_s"), *mean);
    }
    assert_eq!(figure.len(), 4);
    let svg = desk.text("paper/figure1.svg");
    for words in [
        "width=\"88mm\"",
        ">batch<",
        ">latency per batch (s)<",
        ">neither<",
        ">both<",
    ] {
        assert!(svg.contains(words), "{words}");
    }
}

#[test]
fn names_and_labels_stand_in_what_people_read_and_paths_in_the_table_of_points() {
    let desk = desk();
    let listed = desk
        .airloom(&["sweep", "paper.ron", "--dry-run"])
        .good()
        .stdout;
    assert!(
        listed.starts_with("point 0: batch=50, variant=neither, run=0: to run\n"),
        "{listed}"
    );
    let swept = desk.airloom(&["sweep", "paper.ron", "--out", "out"]).good();
    let printed: Vec<&str> = swept.stdout.lines().take(2).collect();
    assert!(
        printed[0].starts_with("batch  variant  runs"),
        "{}",
        printed[0]
    );
    assert!(
        printed[1].starts_with("50     neither     3"),
        "{}",
        printed[1]
    );
    let points = rows(&desk, "out/points.csv");
    assert_eq!(points[3]["workload"], "[Tokens(prompt: 50)]");
    assert_eq!(
        points[3]["replicas[0].placement.selection"],
        "WeightToLatency()"
    );
    let figures = desk.names("out/figures");
    let figure = desk.text("out/figures/batch_latency_s_over_workload.svg");
    assert!(
        figure.contains(">neither<") && figure.contains(">batch<"),
        "{figures:?}"
    );
}

/// Other names, labels and publications are no other experiment.
#[test]
fn publishing_otherwise_runs_no_point_again() {
    let desk = desk();
    desk.airloom(&["sweep", "paper.ron", "--out", "out"]).good();
    let text = desk.text("paper.ron");
    let other = text
        .replace("name: \"batch\"", "name: \"tokens\"")
        .replace("over: \"batch\"", "over: \"tokens\"")
        .replace("\"neither\"", "\"plain\"")
        .replace(
            "file: \"table1\", metric: \"batch_latency_s\", unit: \"ms\"",
            "file: \"table1\", metric: \"batch_latency_s\", unit: \"s\"",
        );
    desk.write("paper.ron", &other);
    let again = desk.airloom(&["sweep", "paper.ron", "--out", "out"]).good();
    assert_eq!(
        again.stderr.matches(": was there already\n").count(),
        12,
        "{}",
        again.stderr
    );
    let table = desk.text("out/published/table1.csv");
    assert!(
        table.starts_with("tokens,variant,paper_s,ours_s,"),
        "{table}"
    );
    let published = desk.tree("out/published");
    std::fs::remove_dir_all(desk.path("out/published")).unwrap();
    desk.airloom(&["plot", "out"]).good();
    assert_same(&desk.tree("out/published"), &published);
}

#[test]
fn merged_shards_publish_what_the_whole_sweep_does() {
    let desk = desk();
    desk.airloom(&["sweep", "paper.ron", "--out", "whole"])
        .good();
    for shard in ["0", "1"] {
        let (part, out) = (format!("{shard}/2"), format!("shards/{shard}"));
        desk.airloom(&["sweep", "paper.ron", "--shard", &part, "--out", &out])
            .good();
    }
    desk.airloom(&["merge", "shards/0", "shards/1", "--out", "merged"])
        .good();
    assert_same(
        &desk.tree("merged/published"),
        &desk.tree("whole/published"),
    );
    assert_eq!(
        desk.names("shards/0"),
        ["points", "points.csv", "sweep.json"]
    );
}

#[test]
fn an_infeasible_cell_is_empty_and_says_why() {
    let desk = desk();
    let text = desk.text("paper.ron").replace(
        "(name: \"batch\", path: \"workload\", values: [[Tokens(prompt: 50)], [Tokens(prompt: 80)]],",
        "(name: \"batch\", path: \"nodes.device.profile.memory\", values: [\"16 GB\", \"1 GB\"],",
    );
    desk.write("paper.ron", &text);
    desk.airloom(&["sweep", "paper.ron", "--out", "out"]).good();
    let table = rows(&desk, "out/published/table1.csv");
    assert_eq!(table[0]["note"], "");
    for row in &table[2..] {
        assert_eq!(
            (row["ours_ms"].as_str(), row["rel_error"].as_str()),
            ("", "")
        );
        let note = &row["note"];
        assert!(
            note.starts_with("infeasible: device0 needs ") && !note.contains(';'),
            "{note}"
        );
    }
    let text = desk.text("out/published/table1.md");
    assert!(
        text.contains("1 cells compared") && text.contains("| infeasible: "),
        "{text}"
    );
}

#[test]
fn a_folder_to_publish_to_keeps_what_else_it_holds() {
    let desk = desk();
    desk.write("paper/chapter.txt", "mine");
    desk.airloom(&["sweep", "paper.ron", "--out", "out", "--publish", "paper"])
        .good();
    assert_eq!(desk.names("paper").len(), FILES.len() + 1);
    assert_eq!(desk.text("paper/chapter.txt"), "mine");
    let refused = |arguments: &[&str], expected: &str| {
        let message = desk
            .airloom(&[&["sweep", "--out", "new"], arguments].concat())
            .refused(2);
        assert!(
            message.starts_with(&format!("error: {expected}")),
            "{message}"
        );
        assert!(!desk.path("new").exists());
    };
    refused(
        &["paper.ron", "--publish", "paper/chapter.txt/here"],
        "paper/chapter.txt/here: paper/chapter.txt is a file; ",
    );
    refused(
        &["tiny.ron", "--publish", "paper"],
        "sweep.publish: there is nothing to publish; ",
    );
    let shard = ["sweep", "paper.ron", "--publish", "paper", "--shard", "0/2"];
    assert!(
        desk.airloom(&shard)
            .refused(2)
            .contains("cannot be used with")
    );
}

/// Each fault with its place, before anything is simulated, by `check` and `sweep` alike.
#[test]
fn what_cannot_be_published_is_refused_with_its_place_and_the_fix() {
    let desk = desk();
    let text = desk.text("paper.ron");
    for (from, to, expected) in [
        (
            "file: \"table1\", metric: \"batch_latency_s\"",
            "file: \"table1\", metric: \"batch_latenzy\"",
            &["publish[1].published_in: the table `table1` is of batch_latenzy"][..],
        ),
        (
            "over: \"batch\"",
            "over: \"size\"",
            &["publish[2].over: no axis is called `size`; the sweep's axes are batch, variant"],
        ),
        (
            "y: \"energy_j\"",
            "y: \"energy\"",
            &["publish[3].y: unknown metric `energy`; did you mean `energy_j`?"],
        ),
        (
            "y_unit: \"kJ\"",
            "y_unit: \"KJ\"",
            &["publish[3].y_unit: energy_j is in J", "did you mean `kJ`?"],
        ),
        (
            "[3000, None, 4000, 2000]",
            "[3000, None, 4000]",
            &["publish[0].published: 3 numbers for 4 configurations; "],
        ),
        (
            "from: \"neither\"",
            "from: \"none\"",
            &[
                "publish[1].from: the axis `variant` has no label `none`; its labels are neither, both",
            ],
        ),
        (
            "published_in: \"table1\"",
            "published_in: \"table7\"",
            &[
                "publish[1].published_in: no Table has the file `table7`; the sweep's tables are table1",
            ],
        ),
        (
            "published_in: \"table1\"",
            "published: [1, 2, 3]",
            &["publish[1].published: 3 numbers for 2 changes from `neither`; "],
        ),
        (
            "file: \"figure1\"",
            "file: \"table1\"",
            &["publish[2].file: `table1` is written twice; "],
        ),
        (
            "file: \"figure1\"",
            "file: \"../figure1\"",
            &["publish[2].file: \"../figure1\" is no plain file name; "],
        ),
        (
            "labels: [\"50\", \"80\"]",
            "labels: [\"50\"]",
            &["axes[0].labels: 1 labels for 2 values; "],
        ),
        (
            "labels: [\"50\", \"80\"]",
            "labels: [\"50\", \"50\"]",
            &["axes[0].labels[1]: `50` is there twice; "],
        ),
        (
            "name: \"batch\"",
            "name: \"variant\"",
            &["axes[0].name: two axes are called `variant`; "],
        ),
        (
            "labels: [\"50\", \"80\"]",
            "labels: [\"50\", \"\"]",
            &["axes[0].labels[1]: it is empty; "],
        ),
    ] {
        assert!(text.contains(from), "{from}");
        desk.write("bad.ron", &text.replacen(from, to, 1));
        for arguments in [
            &["check", "bad.ron"][..],
            &["sweep", "bad.ron", "--out", "out"],
        ] {
            let message = desk.airloom(arguments).refused(2);
            assert!(message.starts_with("error: bad.ron:"), "{message}");
            for part in expected {
                assert!(message.contains(part), "`{part}` is not in:\n{message}");
            }
        }
        assert!(!desk.path("out").exists());
    }
}

/// Labels are words of Markdown and of SVG, whatever characters they have.
#[test]
fn labels_are_escaped_in_tables_and_figures() {
    let desk = Desk::new();
    desk.write(
        "labels.ron",
        r#"Scenario(
    model: Shape("llama-2-7b"),
    nodes: {"device": (count: 2, profile: Preset("jetson-agx-orin"))},
    replicas: [(placement: TensorParallel(all_reduce: Digital(bits: 8, rate: Fixed("12 bit/s/Hz"))))],
    workload: [Tokens(prompt: 8, generate: 4)],
    sweep: (
        axes: [
            (path: "links.air.bandwidth", name: "B & <W>", values: ["10 MHz", "20 MHz"]),
            (path: "replicas[0].placement.all_reduce.bits", name: "scheme <&>", values: [8, 4],
             labels: ["8-bit & \"cheap\" | *", "<4-bit>"]),
        ],
        publish: [
            Table(file: "t", title: "A & <b> | pipe", metric: "tpot_s", unit: "μs",
                  published: [1, 2, 3, 4]),
            Figure(file: "f", metric: "tpot_s", over: "B & <W>", title: "x < y & z"),
        ],
    ),
)"#,
    );
    desk.airloom(&["sweep", "labels.ron", "--out", "s", "--publish", "pub"])
        .good();
    let table = desk.text("pub/t.md");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "## A &amp; &lt;b> \\| pipe");
    assert!(
        lines[2].starts_with("| B &amp; &lt;W> | scheme &lt;&amp;> | paper (µs) | ours (µs) |"),
        "{table}"
    );
    assert!(
        lines[4].starts_with("| 10 MHz | 8-bit &amp; \"cheap\" \\| \\* | "),
        "{table}"
    );
    assert!(lines[5].starts_with("| 10 MHz | &lt;4-bit> | "), "{table}");
    for (name, content) in desk.tree("s") {
        if name.ends_with(".svg") {
            let figure = String::from_utf8(content).unwrap();
            assert!(
                !figure.contains("<4-bit") && !figure.contains("& <"),
                "{name}"
            );
        }
    }
}
