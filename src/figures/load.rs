//! `load`: what replicas had to do over time, drawn from `load.csv`: who waits, who is in
//! service, what batches hold, how full caches are, and how fast requests are answered.
//!
//! A line per replica; of more than six the sum. Rates are over stretches of at least a 64th of
//! the run.

use super::Width;
use super::catalogue::Figure;
use super::elements::words;
use super::key::{Key, Sample};
use super::panel::{
    Area, Axis, Fault, Frame, LABELS, LINE, NAME, beside, curve, heading, page, panel, time_unit,
};
use super::scene::{Anchor, Scene};
use super::style::{self, MARGIN, TEXT};
use crate::results::tables::{LOAD, Load, read_load};
use std::collections::BTreeMap;

/// Its line in the catalogue.
pub const FIGURE: Figure = Figure {
    name: "load",
    width: Width::Column,
    has_parts: false,
    wanted: |run| Ok(run.has(LOAD) && is_worth_a_picture(&read_load(run.folder)?)),
    draw: |run, width, _| Ok(draw(&read_load(run.folder)?, width)),
};

/// Requests from which loads are worth a figure.
const FEWEST: u64 = 5;

/// Lines in a panel at most.
const MOST_LINES: usize = 6;

/// Between panels.
const BETWEEN: i32 = 700;

/// Whether `rows` are of so many requests that a picture tells something.
fn is_worth_a_picture(rows: &[Load]) -> bool {
    let arrived = rows.iter().map(|row| row.arrived);
    arrived.fold(0, u64::saturating_add) >= FEWEST
}

/// Stretches of a rate at most.
const RATES: usize = 64;

/// A stretch of time, in picoseconds, and a value in it.
type Step = (u64, u64, f64);

/// A line of a panel.
struct Line {
    name: String,
    style: usize,
    steps: Vec<Step>,
}

/// One picture over time.
struct Panel {
    title: &'static str,
    lines: Vec<Line>,
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
    if found.len() > MOST_LINES {
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
    let length = counts.len().div_ceil(RATES).max(1);
    // What is left over at the end would be a rate over next to no time.
    let whole = counts.len() / length * length;
    let last = whole.saturating_sub(length);
    let ends = (0..last).step_by(length).map(|from| from..from + length);
    let stretches = ends.chain((last < counts.len()).then_some(last..counts.len()));
    let stretches = stretches.map(|range| &counts[range]);
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
            .zip(0..)
            .map(|((name, rows), style)| Line {
                name: match replicas.len() {
                    1 if !name.starts_with("all") => String::new(),
                    _ => name.clone(),
                },
                style,
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
    let line = |name: &str, style, count| Line {
        name: name.to_owned(),
        style,
        steps: rates(rows, count),
    };
    let mut answered = vec![line("answered", 0, |load| load.completed)];
    if rows.iter().any(|row| row.goals_met.is_some()) {
        let met = |load: &Load| load.goals_met.unwrap_or(0);
        answered.push(line("within all goals", 3, met));
    }
    if rows.iter().any(|row| row.rejected > 0) {
        answered.push(line("rejected", 1, |load| load.rejected));
    }
    panels.push(Panel {
        title: "requests per second",
        lines: answered,
    });
    panels
}

/// The picture of `rows` at `width`.
fn draw(rows: &[Load], width: Width) -> Scene {
    let panels = panels(rows);
    let end = rows.iter().map(|row| row.end_ps).max().unwrap_or(0);
    let layout = Layout {
        axes: panels.iter().map(Panel::axis).collect(),
        panels: &panels,
        end: end as f64 * 1e-12,
        width: width.length(),
        tall: match width {
            Width::Column => 4_000,
            Width::Page => 5_500,
        },
    };
    let title = "Load over time";
    let mut scene = page((layout.width, layout.height()), title, |area| {
        layout.draw(area, title)
    });
    let most = panels.iter().map(|panel| {
        let most = panel.most();
        format!(
            "{} up to {}",
            panel.title,
            crate::results::readable::significant(most)
        )
    });
    scene.description = format!("{}.", most.collect::<Vec<_>>().join("; "));
    scene
}

impl Panel {
    fn most(&self) -> f64 {
        let values = self.lines.iter().flat_map(|line| &line.steps);
        values.map(|(_, _, value)| *value).fold(0.0, f64::max)
    }

    fn axis(&self) -> Axis {
        let most = self.most();
        Axis::linear(0.0..1.04 * if most > 0.0 { most } else { 1.0 }, 3)
    }

    /// What tells its lines apart; empty where there is but one.
    fn key(&self) -> Key {
        let named = self.lines.iter().filter(|line| !line.name.is_empty());
        named.fold(Key::default(), |key, line| {
            key.with(Sample::Line(style::curve(line.style)), &line.name)
        })
    }
}

/// Where everything is.
struct Layout<'p> {
    panels: &'p [Panel],
    axes: Vec<Axis>,
    /// The end of the run, in seconds.
    end: f64,
    width: i32,
    tall: i32,
}

impl Layout<'_> {
    fn left(&self) -> i32 {
        MARGIN + self.axes.iter().map(beside).max().unwrap_or(0)
    }

    /// Where the inside of panel `number` begins, if its heading begins at `top`.
    fn inside(&self, number: usize, top: i32) -> i32 {
        let key = self.panels[number]
            .key()
            .height(self.width - MARGIN - self.left());
        top + TEXT * 3 / 4 + key + 350
    }

    fn height(&self) -> i32 {
        let mut y = MARGIN + LINE + 200;
        for number in 0..self.panels.len() {
            y = self.inside(number, y) + self.tall + BETWEEN;
        }
        y - BETWEEN + LABELS + NAME + MARGIN
    }

    fn draw(&self, area: &Area<'_>, title: &str) -> Result<(), Fault> {
        heading(area, (MARGIN, MARGIN + TEXT * 3 / 4), title)?;
        let (unit, seconds) = time_unit(self.end);
        let name = format!("time ({unit})");
        let left = self.left();
        let inside = self.width - MARGIN - 800 - left;
        let mut top = MARGIN + LINE + 200;
        for (number, shown) in self.panels.iter().enumerate() {
            let base = top + TEXT * 3 / 4;
            area.draw(&words((left, base), shown.title, TEXT, Anchor::Start))?;
            shown
                .key()
                .draw(area, (left, base + LINE), self.width - MARGIN - left)?;
            let y = self.inside(number, top);
            let last = number + 1 == self.panels.len();
            let below = if last { LABELS + NAME } else { 0 };
            let part = (left - MARGIN + inside, self.tall + below);
            let part = area.clone().shrink((MARGIN, y), part);
            let frame = Frame {
                x: last.then_some(name.as_str()),
                grid: true,
                inside: Some(left - MARGIN),
                ..Frame::default()
            };
            let across = Axis::linear(
                0.0..(self.end / seconds).max(f64::MIN_POSITIVE),
                (inside / 3500) as usize,
            );
            let mut chart = panel(&part, (across, self.axes[number].clone()), frame)?;
            for line in &shown.lines {
                let at = |ps: u64| ps as f64 * 1e-12 / seconds;
                let steps = line.steps.iter();
                let level = steps
                    .flat_map(|(start, end, value)| [(at(*start), *value), (at(*end), *value)]);
                let points = std::iter::once((0.0, 0.0)).chain(level).collect();
                curve(&mut chart, points, style::curve(line.style))?;
            }
            top = y + self.tall + BETWEEN;
        }
        Ok(())
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
