//! A latency over the load that was served, with the knee of every line.

use super::File;
use super::measure::Measure;
use super::sheet::{Cell, Sheet};
use crate::results::curves::{self, Direction, Format, Look, Mark, Plot, Series, with_unit};
use crate::results::outcomes::{Configuration, Estimate, Outcomes};
use crate::scenario::{LoadCurve, Scale};
use std::collections::BTreeMap;

/// Load and latency of one configuration.
#[derive(Debug, Clone, Copy)]
struct Point {
    load: Estimate,
    latency: Estimate,
}

impl Point {
    /// Load over latency; none where nothing was served or nothing took time.
    fn power(&self) -> Option<f64> {
        let power = self.load.mean / self.latency.mean;
        Some(power).filter(|power| power.is_finite())
    }
}

pub(super) fn files(
    curve: &LoadCurve,
    both: &[Measure; 2],
    outcomes: &Outcomes<'_>,
) -> csv::Result<Vec<File>> {
    let point = |configuration: &Configuration<'_>| {
        Some(Point {
            load: both[0].estimate(configuration)?,
            latency: both[1].estimate(configuration)?,
        })
    };
    let points: Vec<Option<Point>> = outcomes.configurations.iter().map(point).collect();
    let lines = lines(curve, outcomes);
    let powers: Vec<Option<f64>> = points.iter().map(|it| it.as_ref()?.power()).collect();
    let knees: Vec<usize> = lines.values().filter_map(|it| knee(it, &powers)).collect();
    let svg = curves::draw(&plot(curve, both, outcomes, (&points, &lines, &knees)));
    let sheet = sheet(both, outcomes, (&points, &powers, &knees));
    Ok(vec![
        (format!("{}.svg", curve.file), svg.into_bytes()),
        (format!("{}.csv", curve.file), sheet.csv()?),
    ])
}

/// The configurations of each line, by the choices of the other axes.
type Lines = BTreeMap<Vec<usize>, Vec<usize>>;

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

fn plot(
    curve: &LoadCurve,
    both: &[Measure; 2],
    outcomes: &Outcomes<'_>,
    (points, lines, knees): (&[Option<Point>], &Lines, &[usize]),
) -> Plot {
    let over = outcomes
        .heading(&curve.over)
        .expect("the sweep was checked");
    let mark = |place: usize| {
        let Point { load, latency } = points[place]?;
        Some(Mark {
            x: load.mean,
            y: latency.mean,
            x_half: load.half_width,
            y_half: latency.half_width,
            ..Mark::default()
        })
    };
    let mut series = Vec::new();
    for (style, line) in lines.values().enumerate() {
        let marks: Vec<Mark> = line.iter().filter_map(|place| mark(*place)).collect();
        if let Some(first) = line.first().filter(|_| !marks.is_empty()) {
            series.push(Series {
                name: outcomes.name(&outcomes.configurations[*first], &[over.axis]),
                marks,
                look: Look::Curve,
                style,
            });
        }
        let knee = line.iter().find(|place| knees.contains(place));
        series.extend(knee.and_then(|place| {
            let Mark { x, y, .. } = mark(*place)?;
            Some(Series {
                name: String::new(),
                marks: vec![Mark {
                    x,
                    y,
                    ..Mark::default()
                }],
                look: Look::Hollow,
                style,
            })
        }));
    }
    let bars = series.iter().flat_map(|series| &series.marks);
    let bars = bars.filter(|mark| mark.y_half.is_some()).count() > 0;
    let mut notes = Vec::new();
    if !knees.is_empty() {
        notes.push("hollow: knee, most load per latency");
    }
    if bars {
        notes.push("bars: 95 % confidence");
    }
    let direction = |measure: &Measure, label: &Option<String>, scale: Option<Scale>| Direction {
        label: with_unit(label.as_deref().unwrap_or(&measure.words()), &measure.unit),
        scale,
        places: Vec::new(),
        categories: Vec::new(),
        from_zero: true,
    };
    Plot {
        title: curve.title.clone(),
        x: direction(&both[0], &curve.label, Some(Scale::Linear)),
        y: direction(&both[1], &curve.metric_label, curve.metric_scale),
        series,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
        format: Format::Column,
    }
}

fn sheet(
    both: &[Measure; 2],
    outcomes: &Outcomes<'_>,
    (points, powers, knees): (&[Option<Point>], &[Option<f64>], &[usize]),
) -> Sheet {
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
        let point = points[place];
        for estimate in [point.map(|it| it.load), point.map(|it| it.latency)] {
            row.push(Cell::Number(estimate.map(|estimate| estimate.mean)));
            if repeated {
                row.push(Cell::Number(
                    estimate.and_then(|estimate| estimate.half_width),
                ));
            }
        }
        row.push(Cell::Number(powers[place]));
        let is_knee = if knees.contains(&place) { "yes" } else { "no" };
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
        let [(svg, picture), (csv, table)] = &files[..] else {
            panic!("a figure and a table")
        };
        assert_eq!((svg.as_str(), csv.as_str()), ("knee.svg", "knee.csv"));
        let picture = std::str::from_utf8(picture).unwrap();
        assert!(picture.contains("hollow: knee"));
        let table = std::str::from_utf8(table).unwrap();
        let mut lines = table.lines();
        let heading = "server,rate,requests_per_s_1/s,e2e_latency_p95_ms,power,knee,note";
        assert_eq!(lines.next(), Some(heading));
        let knees: Vec<bool> = lines.map(|line| line.contains(",yes,")).collect();
        let half = [false, false, true, false, false];
        assert_eq!(knees, [half, half].concat(), "{table}");
    }
}
