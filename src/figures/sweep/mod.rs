//! A sweep's figures: one metric each, over each numeric axis, a line per setting of the others.
//! Where no axis is numeric, the longest is drawn by label.
//!
//! A point of a line is the mean over the runs of one configuration, with its 95 % confidence
//! interval by Student's t distribution.

mod over;

pub use over::{BARS, has_bars, over, readable};

use super::Width;
use super::chart::{self, Direction, Plot, with_unit};
use super::scene::Scene;
use crate::results::comparison::COLUMNS;
use crate::results::metrics::{DEFINITIONS, Definition};
use crate::results::outcomes::{Configuration, Outcomes};
use crate::scenario::{Heading, Scale};
use over::differ;

/// The width for which they are drawn if nobody asks for another.
pub const WIDTH: Width = Width::Page;

/// A figure and the name of its file without the ending.
pub type Named = (String, Scene);

/// For every axis whose values are numbers of one unit that vary, a figure for every metric that
/// the printed table shows too and that some point measured: its name and what it shows.
fn plots(outcomes: &Outcomes<'_>) -> Vec<(String, Plot)> {
    let varied = |heading: &&Heading| outcomes.lengths[heading.axis] > 1;
    let headings: Vec<&Heading> = outcomes.headings.iter().filter(varied).collect();
    let numeric: Vec<&Heading> = headings
        .iter()
        .copied()
        .filter(|heading| heading.numbers().is_some_and(|(places, _)| differ(&places)))
        .collect();
    let drawn = match numeric.is_empty() {
        true => {
            let longest = headings.iter().map(|heading| heading.labels.len()).max();
            let longest = headings
                .iter()
                .find(|heading| Some(heading.labels.len()) == longest);
            longest.into_iter().copied().collect()
        }
        false => numeric,
    };
    let metrics = COLUMNS
        .iter()
        .filter_map(|(name, _, _)| DEFINITIONS.iter().find(|metric| metric.name == *name));
    let metrics: Vec<&Definition> = metrics.collect();
    let pairs = drawn
        .iter()
        .flat_map(|heading| metrics.iter().map(move |metric| (*heading, *metric)));
    pairs
        .filter_map(|(heading, metric)| {
            let plot = figure(outcomes, heading, metric)?;
            let axis = match &heading.field {
                // Brackets mean something to a shell.
                Some((path, _)) => path.to_string().replace('[', ".").replace(']', ""),
                None => heading.name.replace(|c: char| !c.is_alphanumeric(), "_"),
            };
            Some((format!("{}_over_{axis}", metric.name), plot))
        })
        .collect()
}

/// The figures of `plots`, drawn.
pub fn figures(outcomes: &Outcomes<'_>, width: Option<Width>) -> Vec<Named> {
    let width = width.unwrap_or(WIDTH);
    let drawn = plots(outcomes).into_iter();
    drawn
        .map(|(name, plot)| (name, chart::draw(&plot, width)))
        .collect()
}

/// The figure of `metric` over `heading`; `None` if no point measured it.
fn figure(outcomes: &Outcomes<'_>, heading: &Heading, metric: &Definition) -> Option<Plot> {
    let estimate = |configuration: &Configuration<'_>| configuration.estimate(metric.name);
    let means = outcomes.configurations.iter().filter_map(estimate);
    let most = means.map(|estimate| estimate.mean).fold(f64::MIN, f64::max);
    let (unit, factor) = readable(metric.unit, most);
    let convert = |value: f64| value * factor;
    let (series, x) = over(outcomes, heading, |configuration| {
        Some(estimate(configuration)?.map(convert))
    });
    if series.is_empty() {
        return None;
    }
    let runs = outcomes.configurations.iter();
    let runs = runs.map(|configuration| configuration.rows.len()).max();
    Some(Plot {
        title: Some(metric.meaning.to_owned()),
        x: Direction {
            scale: heading
                .logarithmic
                .then_some(Scale::Log)
                .or(Some(Scale::Linear)),
            ..x
        },
        y: Direction {
            scale: None,
            ..Direction::numbers(&with_unit(&metric.label(), &unit))
        },
        note: runs
            .filter(|runs| *runs > 1)
            .map(|runs| match has_bars(&series) {
                true => format!("marks: means over {runs} runs; {BARS}"),
                false => format!("marks: means over {runs} runs"),
            }),
        series,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::chart::{Look, Series};
    use crate::results::metrics::Metrics;
    use crate::results::points::Row;
    use crate::scenario::{Sweep, sweep_of};

    fn sweep(axes: &str, runs: usize) -> Sweep {
        let text = format!(
            "Scenario(model: Shape(\"mixtral-8x7b\"), nodes: {{\"device\": (count: 8)}}, workload: \
             [Tokens(prompt: 9)], sweep: (axes: [{axes}], runs: {runs}))"
        );
        sweep_of(&text, "test").unwrap()
    }

    /// One row per point, with its number as perplexity; `missing` are infeasible.
    fn rows(sweep: &Sweep, missing: &[usize]) -> Vec<Row> {
        let points = sweep.configurations() * sweep.runs as usize;
        let row = |point: usize| {
            let metrics = format!("{{\"perplexity\": {point}, \"all_reduces\": 1}}");
            let done = !missing.contains(&point);
            Row {
                point,
                run: (point % sweep.runs as usize) as u32,
                folder: String::new(),
                settings: Vec::new(),
                status: if done { "done" } else { "infeasible" }.to_owned(),
                reason: String::new(),
                metrics: done.then(|| Metrics::from_json(&metrics).unwrap()),
            }
        };
        (0..points).map(row).collect()
    }

    fn drawn(axes: &str, runs: usize, missing: &[usize]) -> Vec<(String, Plot)> {
        let sweep = sweep(axes, runs);
        let rows = rows(&sweep, missing);
        plots(&Outcomes::of(&sweep, &rows).unwrap())
    }

    fn places(series: &Series) -> Vec<(f64, f64)> {
        series.marks.iter().map(|mark| (mark.x, mark.y)).collect()
    }

    const SCHEMES: &str =
        "(path: \"replicas[0].placement.all_reduce\", values: [Ideal, Digital(bits: 8)])";

    #[test]
    fn lines_are_the_other_settings_and_marks_the_means_of_runs() {
        let axes = format!("{SCHEMES}, (path: \"nodes.device.count\", values: [4, 2, 9])");
        // Points 0 and 1 are Ideal on 4 devices; 10 and 11 are Digital on 9.
        let found = drawn(&axes, 2, &[1, 10, 11]);
        // Of the two metrics the printed table shows one, and one axis is numeric.
        let [(name, plot)] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(name, "perplexity_over_nodes.device.count");
        assert_eq!(
            (plot.x.label.as_str(), plot.y.label.as_str()),
            ("number of device nodes", "perplexity PPL")
        );
        let names: Vec<&str> = plot
            .series
            .iter()
            .map(|series| series.name.as_str())
            .collect();
        assert_eq!(names, ["Ideal", "Digital(bits: 8)"]);
        assert_eq!(
            places(&plot.series[0]),
            [(2.0, 2.5), (4.0, 0.0), (9.0, 4.5)]
        );
        assert_eq!(places(&plot.series[1]), [(2.0, 8.5), (4.0, 6.5)]);
        assert_eq!(plot.series[0].marks[1].y_half, None);
        assert!(plot.series[0].marks[0].y_half.is_some());
    }

    #[test]
    fn an_axis_has_the_unit_of_its_values_and_the_scale_of_its_range() {
        let snr = "(path: \"links.air.budget.snr\", values: [\"0 dB\", \"10 dB\"])";
        let band = "(path: \"links.air.bandwidth\", name: \"band\", \
                    range: (from: \"1 MHz\", to: \"16 MHz\", count: 3, scale: Log))";
        let found = drawn(&format!("{snr}, {band}"), 1, &[]);
        let [(_, over_snr), (name, over_band)] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(over_snr.x.label, "signal-to-noise ratio SNR of air (dB)");
        assert_eq!(over_snr.x.scale, Some(Scale::Linear));
        assert_eq!(over_snr.series[1].name, "band 4 MHz");
        assert_eq!(name, "perplexity_over_links.air.bandwidth");
        assert_eq!(over_band.x.label, "band (MHz)");
        assert_eq!(over_band.x.scale, Some(Scale::Log));
        assert_eq!(
            places(&over_band.series[1]),
            [(1.0, 3.0), (4.0, 4.0), (16.0, 5.0)]
        );
    }

    #[test]
    fn fields_that_advance_together_have_one_line() {
        let zip = "(zip: [(path: \"nodes.device.count\", values: [2, 4]), \
                   (path: \"seed_of_world\", values: [7, 8])])";
        for (name, plot) in drawn(zip, 1, &[]) {
            assert_eq!(plot.series.len(), 1, "{name}");
            assert_eq!(plot.series[0].name, "");
            assert_eq!(plot.series[0].look, Look::Curve);
        }
        let back = zip.replace("values: [2, 4]", "values: [2, 2, 4]");
        let back = back.replace("[7, 8]", "[7, 8, 9]");
        for (name, plot) in drawn(&back, 1, &[]) {
            let look = match name.contains("count") {
                true => Look::Dots,
                false => Look::Curve,
            };
            assert_eq!(plot.series[0].look, look, "{name}");
        }
    }

    #[test]
    fn without_a_numeric_axis_the_longest_is_drawn_by_label() {
        let variants = "(name: \"variant\", labels: [\"a\", \"b\", \"c\"], \
                        path: \"replicas[0].placement.selection\", values: [TopK, All, None])";
        let found = drawn(&format!("{SCHEMES}, {variants}"), 1, &[]);
        let [(name, plot)] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(name, "perplexity_over_replicas.0.placement.selection");
        assert_eq!(plot.x.categories, ["a", "b", "c"]);
        for (number, series) in plot.series.iter().enumerate() {
            assert_eq!(series.look, Look::Dots);
            for (category, mark) in series.marks.iter().enumerate() {
                assert!((mark.x - category as f64).abs() < 0.5);
                assert_eq!(mark.y, (3 * number + category) as f64);
            }
        }
        // Side by side: no two marks at one place.
        assert!(plot.series[0].marks[0].x < plot.series[1].marks[0].x);
    }

    #[test]
    fn without_an_axis_there_is_no_figure() {
        assert!(drawn("", 3, &[]).is_empty());
    }
}
