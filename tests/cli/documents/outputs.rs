//! Every output that a page shows is made again and compared.
//!
//! Sweeps of many points are held to by one part of them, and made whole to be written.

use super::pages::{blocks, differ, hold, pages, rewriting, root, text};
use crate::desk::Desk;
use std::collections::BTreeMap;

/// Pages with fenced outputs, and how many; those of `transceivers` are held to by its
/// own tests.
const SHOWN: [(&str, usize); 4] = [
    ("README.md", 1),
    ("src/manual/results.md", 1),
    ("src/manual/sweeps.md", 1),
    ("src/manual/tensor_parallelism.md", 1),
];

#[test]
fn every_page_with_outputs_is_held_to_them() {
    for (page, content) in pages() {
        let known = SHOWN.iter().find(|(name, _)| *name == page);
        let count = blocks(&content, "text").len();
        assert_eq!(count, known.map_or(0, |(_, count)| *count), "{page}");
    }
}

fn shipped(name: &str) -> String {
    root()
        .join("scenarios")
        .join(name)
        .to_str()
        .unwrap()
        .to_owned()
}

/// The README cuts generated text behind the last word that fits.
fn cut(text: &str) -> String {
    const WIDTH: usize = 110;
    let line = |line: &str| {
        if !line.starts_with("  request") || line.chars().count() <= WIDTH {
            return line.to_owned();
        }
        let start: String = line.chars().take(WIDTH - 1).collect();
        let (words, _) = start.rsplit_once(' ').unwrap();
        format!("{words} …")
    };
    text.lines().map(|l| line(l) + "\n").collect()
}

/// Bits do not depend on the machine, so neither does what is printed.
#[test]
fn the_first_run_prints_what_the_readme_shows_and_its_explanation_what_the_manual_does() {
    let desk = Desk::new();
    let readme = text("README.md");
    let scenario = "scenarios/aircomp_tensor_parallel.ron";
    assert!(readme.contains(&format!("-- run {scenario}\n")));
    let run = desk.airloom(&["run", &shipped("aircomp_tensor_parallel.ron")]);
    hold(
        "README.md",
        blocks(&readme, "text")[0],
        &cut(&run.good().stdout),
    );

    let page = "src/manual/results.md";
    let results = text(page);
    let folder = "results/aircomp_tensor_parallel/seed7-run0";
    assert!(results.contains(&format!("\nairloom explain {folder}\n")));
    let explanation = desk.airloom(&["explain", folder]).good().stdout;
    let path: String = explanation
        .lines()
        .skip_while(|line| !line.starts_with("  critical path"))
        .take_while(|line| !line.is_empty())
        .map(|line| format!("{line}\n"))
        .collect();
    let worth = explanation
        .lines()
        .find(|line| line.starts_with("If "))
        .unwrap();
    hold(
        page,
        blocks(&results, "text")[0],
        &format!("{path}\n{worth}\n"),
    );
}

/// The table that a sweep prints, as text and as rows of cells.
fn table(printed: &str) -> (String, Vec<Vec<String>>) {
    let lines = printed.lines().take_while(|line| !line.is_empty());
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    let cells = |line: &str| {
        line.split("  ")
            .map(str::trim)
            .filter(|c| !c.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let rows = text.lines().map(cells).collect();
    (text, rows)
}

#[test]
fn the_manuals_sweep_prints_the_table_that_it_shows() {
    let desk = Desk::new();
    let page = "src/manual/sweeps.md";
    let content = text(page);
    let shown = blocks(&content, "text")[0];
    let scenario = shipped("compare_all_reduce.ron");
    let mut sweep = vec!["sweep", &scenario, "--jobs", "2"];
    if rewriting() {
        hold(page, shown, &table(&desk.airloom(&sweep).good().stdout).0);
        return;
    }
    sweep.extend(["--set", "sweep.axes[1].values=[4]"]);
    let (now, rows) = table(&desk.airloom(&sweep).good().stdout);
    let (_, theirs) = table(shown);
    // The last line says what ± is.
    assert_eq!(rows.len(), 4 + 1);
    for row in rows {
        if !theirs.contains(&row) {
            differ(page, shown, &now);
        }
    }
}

/// Means of a sweep by the labels of its two axes and the metric.
fn means(desk: &Desk, folder: &str) -> BTreeMap<[String; 3], f64> {
    let mut reader = csv::Reader::from_path(desk.path(folder).join("aggregates.csv")).unwrap();
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (metric, mean) = (column("metric"), column("mean"));
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| {
        let key = [0, 1, metric].map(|column| row[column].to_owned());
        (key, row[mean].parse().unwrap())
    })
    .collect()
}

/// 173610 as 173 610.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    match digits.len() {
        length if length > 3 => format!("{} {}", &digits[..length - 3], &digits[length - 3..]),
        _ => digits,
    }
}

#[test]
fn the_table_of_policies_for_experts_is_what_its_sweeps_say() {
    let desk = Desk::new();
    for name in ["wdmoe_computed", "wdmoe_simulated"] {
        let scenario = shipped(&format!("{name}.ron"));
        desk.airloom(&["sweep", &scenario, "--jobs", "2", "--out", name])
            .good();
    }
    let (computed, simulated) = (
        means(&desk, "wdmoe_computed"),
        means(&desk, "wdmoe_simulated"),
    );
    let page = "src/manual/experts.md";
    let content = text(page);
    let rows: Vec<&str> = content
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let policies: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        let of = |means: &BTreeMap<[String; 3], f64>, policies: [&str; 2], metric: &str| {
            means[&[policies[0], policies[1], metric].map(str::to_owned)]
        };
        let pair = [policies[0], policies[1]];
        let ours = |metric: &str| of(&computed, pair, metric);
        let batch = |pair| of(&simulated, pair, "batch_latency_s");
        let neither = ["TopK", "Uniform"];
        let change = match pair == neither {
            true => String::new(),
            false => format!(" (−{:.0} %)", 100.0 * (1.0 - batch(pair) / batch(neither))),
        };
        let now = format!(
            "| `{}` | `{}` | {:.3} | {:.1} % | {:.2} ms | {:.0} % | {} | {:.1} J | {:.0} ms{change} |",
            pair[0],
            pair[1],
            ours("perplexity"),
            100.0 * ours("accuracy"),
            1e3 * ours("batch_latency_s"),
            100.0 * ours("waiting_share"),
            grouped(ours("expert_visits")),
            ours("energy_j"),
            1e3 * batch(pair),
        );
        hold(page, row, &now);
    }
}

/// What a share of right answers is written as.
fn percent(share: f64) -> String {
    let text = format!("{:.1}", 100.0 * share);
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

#[test]
fn the_air_costs_as_many_right_answers_as_the_manual_says() {
    let desk = Desk::new();
    let page = "src/manual/models.md";
    let content = text(page);
    assert!(content.contains("airloom sweep scenarios/multiple_choice.ron"));
    let scenario = shipped("multiple_choice.ron");
    let mut sweep = vec!["sweep", &scenario, "--jobs", "2", "--out", "sweep"];
    let one_point = [
        "--set",
        "sweep.axes[0].values=[AirComp(streams: 4)]",
        "--set",
        "sweep.axes[1].values=[\"-10 dB\"]",
    ];
    if !rewriting() {
        sweep.extend(one_point);
    }
    desk.airloom(&sweep).good();
    let means = means(&desk, "sweep");
    let accuracy = |scheme: &str, snr: &str| {
        let level = snr.trim_end_matches(" dB");
        percent(means[&[scheme, level, "accuracy"].map(str::to_owned)])
    };
    let air = |snr: &str| accuracy("AirComp(streams: 4)", snr);
    let (_, sentence) = content.split_once("questions): ").unwrap();
    let sentence = sentence.trim_end();
    if rewriting() {
        let (ideal, digital) = (
            accuracy("Ideal", "0 dB"),
            accuracy("Digital(bits: 8)", "0 dB"),
        );
        let exact = match ideal == digital {
            true => format!("{ideal} % with an ideal or a digital all-reduce"),
            false => format!("{ideal} % with an ideal all-reduce, {digital} % with a digital one"),
        };
        let now = format!(
            "{exact}, and with AirComp {} % at 0 dB, {} % at −10 dB and\n{} % at −20 dB.",
            air("0 dB"),
            air("-10 dB"),
            air("-20 dB")
        );
        hold(page, sentence, &now);
        return;
    }
    let now = format!(" {} % at −10 dB ", air("-10 dB"));
    if !sentence.contains(&now) {
        differ(page, sentence, &now);
    }
}

/// The cards of the models have what the manual repeats of them.
#[test]
fn the_manual_says_of_the_models_what_their_cards_say() {
    let page = text("src/manual/models.md");
    for name in ["tiny-llama", "tiny-llama-draft", "tiny-mixtral"] {
        let card = text(format!("models/{name}/README.md"));
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| {name} |")))
            .unwrap();
        let shares: Vec<&str> = row
            .split('|')
            .skip(2)
            .map(str::trim)
            .filter(|c| !c.is_empty())
            .collect();
        assert_eq!(shares.len(), 5, "{row}");
        for share in shares {
            // The card's table has a digit more where the manual has a round number.
            let longer = share.replace(" %", ".0 %");
            assert!(
                card.contains(share) || card.contains(&longer),
                "{name}: {share}"
            );
        }
    }
}
