//! A latency over the load that was served, with the knee of every line.

use crate::figures::chart::{Direction, Look, Mark, Plot, Series, with_unit};
use crate::figures::sweep::{BARS, has_bars};
use crate::results::outcomes::Outcomes;
use crate::results::publish::{Loads, Measure, Point};
use crate::scenario::{LoadCurve, Scale};

/// What `curve` shows, its load and its latency being `both`.
pub(super) fn plot(curve: &LoadCurve, both: &[Measure; 2], outcomes: &Outcomes<'_>) -> Plot {
    let Loads {
        points,
        lines,
        knees,
        ..
    } = Loads::of(curve, both, outcomes);
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
    let mut notes = Vec::new();
    if !knees.is_empty() {
        notes.push("hollow: knee, where load over latency is largest");
    }
    if has_bars(&series) {
        notes.push(BARS);
    }
    let direction = |measure: &Measure, label: &Option<String>, scale: Option<Scale>| {
        let name = label.clone().unwrap_or_else(|| measure.metric.label());
        Direction {
            scale,
            ..Direction::numbers(&with_unit(&name, &measure.unit))
        }
    };
    Plot {
        title: curve.title.clone(),
        x: direction(&both[0], &curve.label, Some(Scale::Linear)),
        y: direction(&both[1], &curve.metric_label, curve.metric_scale),
        series,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    }
}
