//! A latency over the load that was served, with the knee of every line: its table.

use super::File;
use super::measure::Measure;
use super::sheet::{Cell, Sheet};
use crate::results::outcomes::{Configuration, Estimate, Outcomes};
use crate::scenario::LoadCurve;
use std::collections::BTreeMap;

/// Load and latency of one configuration.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// What was served.
    pub load: Estimate,
    /// How long it took.
    pub latency: Estimate,
}

impl Point {
    /// Load over latency; none where nothing was served or nothing took time.
    fn power(&self) -> Option<f64> {
        let power = self.load.mean / self.latency.mean;
        Some(power).filter(|power| power.is_finite())
    }
}

/// What a load curve tells of every configuration.
#[derive(Debug)]
pub struct Loads {
    /// Load and latency, by place among the configurations.
    pub points: Vec<Option<Point>>,
    /// The places of each line.
    pub lines: Lines,
    /// The places of the knees.
    pub knees: Vec<usize>,
    powers: Vec<Option<f64>>,
}

impl Loads {
    /// What `curve` tells of `outcomes`, its load and its latency being `both`.
    pub fn of(curve: &LoadCurve, both: &[Measure; 2], outcomes: &Outcomes<'_>) -> Self {
        let point = |configuration: &Configuration<'_>| {
            Some(Point {
                load: both[0].estimate(configuration)?,
                latency: both[1].estimate(configuration)?,
            })
        };
        let points: Vec<Option<Point>> = outcomes.configurations.iter().map(point).collect();
        let lines = lines(curve, outcomes);
        let powers: Vec<Option<f64>> = points.iter().map(|it| it.as_ref()?.power()).collect();
        let knees = lines.values().filter_map(|it| knee(it, &powers)).collect();
        Self {
            points,
            lines,
            knees,
            powers,
        }
    }
}

pub(super) fn file(
    curve: &LoadCurve,
    both: &[Measure; 2],
    outcomes: &Outcomes<'_>,
) -> csv::Result<File> {
    let sheet = sheet(both, outcomes, &Loads::of(curve, both, outcomes));
    Ok((format!("{}.csv", curve.file), sheet.csv()?))
}

/// The configurations of each line, by the choices of the other axes.
pub type Lines = BTreeMap<Vec<usize>, Vec<usize>>;

fn lines(curve: &LoadCurve, outcomes: &Outcomes<'_>) -> Lines {
    let over = outcomes
        .heading(&curve.over)
        .expect("the sweep was checked");
    let mut lines = Lines::new();
    for (place, configuration) in outcomes.configurations.iter().enumerate() {
        let mut others = configuration.choice.clone();
        others.remove(over.axis);
        lines.entry(others).or_default().push(place);
    }
    lines
}

/// Where on `line` the power is largest, of several the first; none if that is at an end of it:
/// then the knee lies beyond.
fn knee(line: &[usize], powers: &[Option<f64>]) -> Option<usize> {
    let known = line
        .iter()
        .filter_map(|place| Some((*place, powers[*place]?)));
    let known: Vec<(usize, f64)> = known.collect();
    let most = known.iter().map(|(_, power)| *power).reduce(f64::max)?;
    let at = known.iter().position(|(_, power)| *power == most)?;
    let within = at > 0 && at + 1 < known.len();
    within.then(|| known[at].0)
}

fn sheet(both: &[Measure; 2], outcomes: &Outcomes<'_>, loads: &Loads) -> Sheet {
    let mut sheet = Sheet::default();
    for heading in &outcomes.headings {
        sheet.column(&heading.name, &heading.name);
    }
    let mut configurations = outcomes.configurations.iter();
    let repeated = configurations.any(|configuration| configuration.rows.len() > 1);
    for measure in both {
        let name = measure.metric.stem();
        sheet.column(measure.column(name), name);
        if repeated {
            sheet.column(measure.column(&format!("{name}_ci95")), "± 95 %");
        }
    }
    for name in ["power", "knee", "note"] {
        sheet.column(name, name);
    }
    for (place, configuration) in outcomes.configurations.iter().enumerate() {
        let labels = outcomes.labels(configuration);
        let mut row: Vec<Cell> = labels.into_iter().map(Cell::Words).collect();
        let point = loads.points[place];
        for estimate in [point.map(|it| it.load), point.map(|it| it.latency)] {
            row.push(Cell::Number(estimate.map(|estimate| estimate.mean)));
            if repeated {
                row.push(Cell::Number(
                    estimate.and_then(|estimate| estimate.half_width),
                ));
            }
        }
        row.push(Cell::Number(loads.powers[place]));
        let is_knee = if loads.knees.contains(&place) {
            "yes"
        } else {
            "no"
        };
        row.push(Cell::Words(is_knee.to_owned()));
        let notes = both
            .iter()
            .map(|measure| configuration.note(measure.metric.name));
        let mut notes: Vec<String> = notes.filter(|note| !note.is_empty()).collect();
        notes.dedup();
        row.push(Cell::Words(notes.join("; ")));
        sheet.rows.push(row);
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::metrics::Metrics;
    use crate::results::points::Row;
    use crate::results::publish::Plan;
    use crate::scenario::sweep_of;

    /// M/M/1 with a service of one second: T = 1/(1 − ρ), so that the power is ρ(1 − ρ).
    #[test]
    fn the_knee_of_an_m_m_1_queue_is_at_half_its_capacity() {
        let loads: Vec<f64> = (1..10).map(|tenth| f64::from(tenth) / 10.0).collect();
        let estimate = |mean: f64| Estimate {
            mean,
            half_width: None,
        };
        let powers: Vec<Option<f64>> = loads
            .iter()
            .map(|load| {
                Point {
                    load: estimate(*load),
                    latency: estimate(1.0 / (1.0 - load)),
                }
                .power()
            })
            .collect();
        let line: Vec<usize> = (0..powers.len()).collect();
        assert_eq!(knee(&line, &powers).map(|place| loads[place]), Some(0.5));
        assert_eq!(knee(&line[..4], &powers), None, "it still grows");
        assert_eq!(knee(&line[4..], &powers), None, "it has been passed");
        assert_eq!(knee(&[], &powers), None);
    }

    #[test]
    fn every_line_has_its_own_knee_in_figure_and_table() {
        // Two M/M/1 queues, of one request per second and of two, at five shares of capacity.
        let text = "Scenario(model: Shape(\"mixtral-8x7b\"), nodes: {\"device\": (count: 8)}, \
            workload: [Tokens(prompt: 9)], sweep: (axes: [\
                (path: \"seed_of_world\", name: \"server\", values: [1, 2]), \
                (path: \"nodes.device.count\", name: \"rate\", values: [1, 2, 3, 4, 5])], \
            publish: [LoadCurve(file: \"knee\", over: \"rate\", unit: \"ms\")]))";
        let sweep = sweep_of(text, "test").unwrap();
        let row = |point: usize| {
            let capacity = (1 + point / 5) as f64;
            let load = capacity * (1 + point % 5) as f64 / 6.0;
            let latency = 1.0 / (capacity - load);
            let text = format!("{{\"requests_per_s\": {load}, \"e2e_latency_p95_s\": {latency}}}");
            Row {
                point,
                run: 0,
                folder: String::new(),
                settings: Vec::new(),
                status: "done".to_owned(),
                reason: String::new(),
                metrics: Metrics::from_json(&text),
            }
        };
        let rows: Vec<Row> = (0..10).map(row).collect();
        let outcomes = Outcomes::of(&sweep, &rows).unwrap();
        let files = Plan::of(&sweep).unwrap().files(&outcomes).unwrap();
        let [(csv, table)] = &files[..] else {
            panic!("a table")
        };
        assert_eq!(csv, "knee.csv");
        let table = std::str::from_utf8(table).unwrap();
        let mut lines = table.lines();
        let heading = "server,rate,requests_per_s_1/s,e2e_latency_p95_ms,power,knee,note";
        assert_eq!(lines.next(), Some(heading));
        let knees: Vec<bool> = lines.map(|line| line.contains(",yes,")).collect();
        let half = [false, false, true, false, false];
        assert_eq!(knees, [half, half].concat(), "{table}");
    }
}
