//! The figures that a sweep publishes, beside the numbers of a paper.

mod curve;
mod load_curve;
mod speed_up;
mod tradeoff;

use super::Width;
use super::chart;
use super::sweep::Named;
use crate::results::outcomes::Outcomes;
use crate::results::publish::{Entry, Plan};

/// The width for which they are drawn if nobody asks for another.
pub const WIDTH: Width = Width::Column;

/// The figures of `plan`, of a sweep of which every point is done, infeasible or failed.
pub fn figures(plan: &Plan<'_>, outcomes: &Outcomes<'_>, width: Option<Width>) -> Vec<Named> {
    let plots = plan.entries().iter().filter_map(|entry| match entry {
        Entry::Table(..) | Entry::Changes(_) => None,
        Entry::Figure(figure, measure) => {
            Some((&figure.file, curve::plot(figure, measure, outcomes)))
        }
        Entry::Tradeoff(tradeoff, both) => {
            Some((&tradeoff.file, tradeoff::plot(tradeoff, both, outcomes)))
        }
        Entry::SpeedUp(gain, measure) => {
            Some((&gain.file, speed_up::plot(gain, measure, outcomes)))
        }
        Entry::LoadCurve(curve, both) => {
            Some((&curve.file, load_curve::plot(curve, both, outcomes)))
        }
    });
    let width = width.unwrap_or(WIDTH);
    plots
        .map(|(file, plot)| (file.clone(), chart::draw(&plot, width)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::metrics::Metrics;
    use crate::results::points::Row;
    use crate::scenario::sweep_of;

    /// Two servers under five loads, each with three runs.
    #[test]
    fn figures_say_what_hollow_marks_and_bars_are() {
        let text = "Scenario(model: Shape(\"mixtral-8x7b\"), nodes: {\"device\": (count: 8)}, \
            workload: [Tokens(prompt: 9)], sweep: (axes: [\
                (path: \"seed_of_world\", name: \"server\", values: [1, 2]), \
                (path: \"nodes.device.count\", name: \"rate\", values: [1, 2, 3, 4, 5])], \
            runs: 3, publish: [LoadCurve(file: \"knee\", over: \"rate\", unit: \"ms\"), \
                Tradeoff(file: \"pareto\", x: \"ttft_s\", y: \"perplexity\"), \
                SpeedUp(file: \"gain\", metric: \"ttft_s\", along: \"server\", from: \"1\", \
                        over: \"rate\"), \
                Figure(file: \"plain\", metric: \"perplexity\", over: \"rate\", \
                       published: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])]))";
        let sweep = sweep_of(text, "test").unwrap();
        let row = |point: usize| {
            let (choice, run) = (point / 3, point % 3);
            let capacity = (1 + choice / 5) as f64 * (1.0 + 0.01 * run as f64);
            let load = capacity * (1 + choice % 5) as f64 / 6.0;
            let latency = 1.0 / (capacity - load);
            let text = format!(
                "{{\"requests_per_s\": {load}, \"e2e_latency_p95_s\": {latency}, \
                 \"ttft_s\": {latency}, \"perplexity\": {load}}}"
            );
            Row {
                point,
                run: run as u32,
                folder: String::new(),
                settings: Vec::new(),
                status: "done".to_owned(),
                reason: String::new(),
                metrics: Metrics::from_json(&text),
            }
        };
        let rows: Vec<Row> = (0..30).map(row).collect();
        let outcomes = Outcomes::of(&sweep, &rows).unwrap();
        let plan = Plan::of(&sweep).unwrap();
        let drawn = figures(&plan, &outcomes, None);
        let expected = [
            ("knee", "hollow: knee, where load over latency is largest"),
            ("pareto", "Pareto front"),
            ("gain", "above the grey line: faster than 1"),
            ("plain", "filled: ours, hollow: published"),
        ];
        assert_eq!(drawn.len(), expected.len());
        for ((name, scene), (file, words)) in drawn.iter().zip(expected) {
            assert_eq!(name, file);
            let texts: Vec<&str> = scene
                .texts()
                .iter()
                .map(|text| text.words.as_str())
                .collect();
            // A note takes as many lines as it needs.
            let all = texts.join(" ");
            assert!(all.contains(words), "{all}");
            assert!(all.contains("95 % confidence interval"), "{all}");
            assert_eq!(scene.width, Width::Column.length());
        }
    }
}
