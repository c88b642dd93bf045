//! `load.svg`: what replicas had to do over time, drawn from `load.csv`: who waits, who is in
//! service, what batches hold, how full caches are, and how fast requests are answered.
//!
//! A line per replica; of more than six the sum. Rates are over stretches of at least a 64th of
//! the run.

use super::svg::{Anchor, Svg, tick_step, time_axis};
use super::tables::{Load, TableError, read_load};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// The figure's file name.
pub const LOADS: &str = "load.svg";

/// Requests from which loads are worth a figure.
const FEWEST: u64 = 5;

/// Whether `rows` are of so many requests that a picture tells something.
pub fn is_worth_a_picture(rows: &[Load]) -> bool {
    let arrived = rows.iter().map(|row| row.arrived);
    arrived.fold(0, u64::saturating_add) >= FEWEST
}

const WIDTH: f64 = 900.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 880.0;
const TOP: f64 = 34.0;
const PANEL: f64 = 84.0;
const GAP: f64 = 34.0;
const AXIS: f64 = 66.0;

/// Okabe–Ito, as the plots have them.
const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#000000", "#009e73", "#cc79a7", "#56b4e9",
];
const GRID: &str = "#dddddd";

/// Stretches of a rate at most.
const RATES: usize = 64;

/// A stretch of time, in picoseconds, and a value in it.
type Step = (u64, u64, f64);

/// A line of a panel.
struct Line {
    name: String,
    colour: &'static str,
    steps: Vec<Step>,
}

/// One picture over time.
struct Panel {
    title: &'static str,
    lines: Vec<Line>,
}

/// Reads the loads of the run in `folder`.
///
/// # Errors
/// If `load.csv` is missing or damaged.
pub fn read(folder: &Path) -> Result<Vec<Load>, TableError> {
    read_load(folder)
}

fn number(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{value:.0e}"),
        // The shortest that reads back: a tick is a round number.
        value => format!("{}", (value * 1e6).round() / 1e6),
    }
}

/// The rows of each replica, or where these are many the rows of all under one name.
fn replicas(rows: &[Load]) -> Vec<(String, Vec<&Load>)> {
    let mut known: BTreeMap<u32, Vec<&Load>> = BTreeMap::new();
    for row in rows {
        known.entry(row.replica).or_default().push(row);
    }
    let named = known.into_iter();
    let named = named.map(|(replica, rows)| (format!("replica {replica}"), rows));
    let found: Vec<(String, Vec<&Load>)> = named.collect();
    if found.len() > COLOURS.len() {
        let name = format!("all {} replicas", found.len());
        let mut all: Vec<&Load> = found.into_iter().flat_map(|(_, rows)| rows).collect();
        all.sort_by_key(|row| (row.start_ps, row.replica));
        return vec![(name, all)];
    }
    found
}

/// `value` in each stretch, summed over rows of the same one.
fn steps(rows: &[&Load], value: impl Fn(&Load) -> f64) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for row in rows {
        match steps.last_mut() {
            Some((start, _, sum)) if *start == row.start_ps => *sum += value(row),
            _ => steps.push((row.start_ps, row.end_ps, value(row))),
        }
    }
    steps
}

/// Counts of all replicas per second.
fn rates(rows: &[Load], count: fn(&Load) -> u64) -> Vec<Step> {
    let mut all: Vec<&Load> = rows.iter().collect();
    all.sort_by_key(|row| (row.start_ps, row.replica));
    let counts = steps(&all, |load| count(load) as f64);
    let stretches = counts.chunks(counts.len().div_ceil(RATES).max(1));
    let rate = |stretch: &[Step]| {
        let (start, end) = (stretch[0].0, stretch[stretch.len() - 1].1);
        let sum: f64 = stretch.iter().map(|(_, _, count)| count).sum();
        (
            start,
            end,
            sum / (end.saturating_sub(start).max(1) as f64 * 1e-12),
        )
    };
    stretches.map(rate).collect()
}

fn panels(rows: &[Load]) -> Vec<Panel> {
    let replicas = replicas(rows);
    let panel = |title, value: fn(&Load) -> f64| Panel {
        title,
        lines: replicas
            .iter()
            .zip(COLOURS)
            .map(|((name, rows), colour)| Line {
                name: match replicas.len() {
                    1 if !name.starts_with("all") => String::new(),
                    _ => name.clone(),
                },
                colour,
                steps: steps(rows, value),
            })
            .collect(),
    };
    let mut panels = vec![
        panel("waiting (requests)", |load| load.waiting),
        panel("in service (requests)", |load| load.running),
        panel("in batches in flight (requests)", |load| {
            load.batch_requests
        }),
    ];
    if rows.iter().any(|row| row.cache_total.is_some()) {
        panels.push(panel("cache allocated (tokens)", |load| {
            load.cache_allocated
        }));
    }
    let line = |name: &str, colour, count| Line {
        name: name.to_owned(),
        colour,
        steps: rates(rows, count),
    };
    let mut answered = vec![line("answered", COLOURS[0], |load| load.completed)];
    if rows.iter().any(|row| row.goals_met.is_some()) {
        let met = |load: &Load| load.goals_met.unwrap_or(0);
        answered.push(line("within all goals", COLOURS[3], met));
    }
    if rows.iter().any(|row| row.rejected > 0) {
        answered.push(line("rejected", COLOURS[1], |load| load.rejected));
    }
    panels.push(Panel {
        title: "requests per second",
        lines: answered,
    });
    panels
}

/// The SVG text of `rows`.
pub fn draw(rows: &[Load]) -> String {
    let panels = panels(rows);
    let bottom = TOP + panels.len() as f64 * (PANEL + GAP);
    let mut svg = Svg::new(WIDTH, bottom + AXIS - GAP);
    svg.text((12.0, 22.0), 15.0, Anchor::Start, "Load over time");
    let end = rows.iter().map(|row| row.end_ps).max().unwrap_or(0);
    for (number, panel) in panels.iter().enumerate() {
        let top = TOP + number as f64 * (PANEL + GAP) + 20.0;
        draw_panel(&mut svg, panel, top, end);
    }
    let axis = (LEFT, RIGHT, bottom - GAP + 22.0);
    time_axis(&mut svg, axis, end as f64 * 1e-12, 8.0, "time");
    svg.finish()
}

fn draw_panel(svg: &mut Svg, panel: &Panel, top: f64, end: u64) {
    let base = top + PANEL - 4.0;
    let values = panel.lines.iter().flat_map(|line| &line.steps);
    let most = values.map(|(_, _, value)| *value).fold(0.0, f64::max);
    let most = if most > 0.0 { most } else { 1.0 };
    let y = |value: f64| base - value / (1.04 * most) * (base - top);
    svg.text((LEFT, top - 6.0), 12.0, Anchor::Start, panel.title);
    let mut place = RIGHT;
    for line in panel.lines.iter().rev().filter(|it| !it.name.is_empty()) {
        svg.text((place, top - 6.0), 12.0, Anchor::End, &line.name);
        place -= 7.2 * line.name.chars().count() as f64 + 8.0;
        let sample = format!("M{:.1},{:.1} h14", place - 14.0, top - 10.0);
        svg.lines(&sample, line.colour, 2.0);
        place -= 28.0;
    }
    let step = tick_step(most / 3.0);
    for count in 0..=3 {
        let value = f64::from(count) * step;
        if value > most * (1.0 + 1e-9) {
            break;
        }
        let line = format!("M{LEFT},{:.1} H{RIGHT}", y(value));
        svg.lines(&line, GRID, 1.0);
        let at = (LEFT - 6.0, y(value) + 4.0);
        svg.text(at, 11.0, Anchor::End, &number(value));
    }
    let x = |at: u64| LEFT + at as f64 / end.max(1) as f64 * (RIGHT - LEFT);
    for line in &panel.lines {
        let mut path = format!("M{LEFT},{base:.1}");
        for (start, end, value) in &line.steps {
            // Writing to a String cannot fail.
            let _ = write!(path, " L{:.2},{:.2} H{:.2}", x(*start), y(*value), x(*end));
        }
        svg.lines(&path, line.colour, 1.3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(replica: u32, start: u64, waiting: f64, completed: u64) -> Load {
        Load {
            replica,
            start_ps: start,
            end_ps: start + 1_000_000_000_000,
            waiting,
            running: 1.0,
            batch_requests: 1.0,
            batch_tokens: 1.0,
            cache_allocated: 0.0,
            cache_held: 0.0,
            cache_total: None,
            arrived: completed,
            completed,
            rejected: 0,
            goals_met: None,
            tokens: 0,
        }
    }

    #[test]
    fn rates_add_replicas_up_and_of_many_replicas_so_do_lines() {
        let second = 1_000_000_000_000;
        let rows = |replicas: u32| -> Vec<Load> {
            let of = |replica| [row(replica, 0, 2.0, 3), row(replica, second, 4.0, 1)];
            (0..replicas).flat_map(of).collect()
        };
        let rates = rates(&rows(2), |load| load.completed);
        assert_eq!(rates, [(0, second, 6.0), (second, 2 * second, 2.0)]);
        let two = &panels(&rows(2))[0];
        assert_eq!(two.lines.len(), 2);
        assert_eq!(two.lines[1].steps[1].2, 4.0);
        let many = &panels(&rows(9))[0];
        assert_eq!(many.lines.len(), 1);
        assert_eq!(many.lines[0].name, "all 9 replicas");
        assert_eq!(many.lines[0].steps[0].2, 18.0);
    }
}
