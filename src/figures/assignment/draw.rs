//! Draws iterates: their errors, and the shares of the nodes.

use super::Iterates;
use crate::figures::Width;
use crate::figures::elements::{Marker, Words};
use crate::figures::font::{self, Weight};
use crate::figures::key::{Key, Sample};
use crate::figures::panel::{
    Area, Axis, Fault, Frame, LABELS, LINE, NAME, beside, curve, heading, page, panel,
};
use crate::figures::scene::{Scene, Text};
use crate::figures::style::{self, MARGIN, SMALL, TEXT};

/// How far above the largest value a panel reaches.
const ABOVE: f64 = 1.08;

/// From a name behind a curve's end to the next.
const NAMES: i32 = 750;

/// Iterates whose mean is a line, to see through the noise of their channel samples.
const RECENT: usize = 20;

/// The marker of an iterate, and the line of their mean.
const SAMPLE: usize = 5;
const MEAN: usize = 1;

impl Iterates {
    /// The mean error of each iterate and up to [`RECENT`] − 1 before it.
    fn recent(&self) -> Vec<(f64, f64)> {
        let recent = (0..self.steps.len()).map(|x| {
            let window = &self.steps[(x + 1).saturating_sub(RECENT)..=x];
            let sum: f64 = window.iter().map(|step| step.error).sum();
            (x as f64, sum / window.len() as f64)
        });
        recent.collect()
    }

    /// The picture at `width`: error above, shares below, over the iterations.
    pub fn draw(&self, width: Width) -> Scene {
        let layout = Layout::new(self, width);
        let title = "Model assignment: convergence";
        let mut scene = page((layout.width, layout.height()), title, |area| {
            layout.draw(area, title)
        });
        let last = self.steps.last();
        let shares = self.nodes.iter().enumerate().map(|(node, name)| {
            let share = last.map_or(0.0, |step| step.shares[node]);
            format!("{name} {:.1} %", share * 100.0)
        });
        scene.description = format!(
            "After {} iterations the shares of the model are: {}.",
            self.steps.len(),
            shares.collect::<Vec<_>>().join(", ")
        );
        scene
    }
}

/// Where everything is.
struct Layout<'i> {
    iterates: &'i Iterates,
    width: i32,
    /// How tall a panel is inside.
    tall: i32,
    key: Key,
    error: Axis,
    share: Axis,
    /// Where the inside of panels begins and ends.
    left: i32,
    right: i32,
}

impl<'i> Layout<'i> {
    fn new(iterates: &'i Iterates, width: Width) -> Self {
        let tall = match width {
            Width::Column => 9_500,
            Width::Page => 13_000,
        };
        let width = width.length();
        let above = |values: &mut dyn Iterator<Item = f64>, ticks| {
            let most = values.fold(0.0, f64::max);
            Axis::linear(0.0..if most > 0.0 { ABOVE * most } else { 1.0 }, ticks)
        };
        let error = above(&mut iterates.steps.iter().map(|step| step.error), 5);
        let shares = iterates.steps.iter().flat_map(|step| &step.shares);
        let share = above(&mut shares.copied(), 5);
        let mut names = 800;
        if Self::names_fit(iterates, tall) {
            let widths = iterates.nodes.iter();
            let widths = widths.map(|name| font::width(name, SMALL, Weight::Regular));
            names = widths.max().unwrap_or(0).min(width / 4) + 400;
        }
        Self {
            iterates,
            width,
            tall,
            key: Key::default()
                .with(Sample::Marker(SAMPLE), "on the iteration's channel sample")
                .with(Sample::Line(style::curve(MEAN)), "mean of the last 20"),
            left: MARGIN + NAME + beside(&error).max(beside(&share)),
            right: width - MARGIN - names,
            error,
            share,
        }
    }

    /// Whether every node's name has a line of its own behind the ends of the curves.
    fn names_fit(iterates: &Iterates, tall: i32) -> bool {
        iterates.nodes.len() as i32 * NAMES <= tall
    }

    fn top(&self) -> i32 {
        let key = self.key.height(self.width - 2 * MARGIN);
        MARGIN + TEXT * 3 / 4 + LINE + key
    }

    fn second(&self) -> i32 {
        self.top() + self.tall + LABELS + 500
    }

    fn height(&self) -> i32 {
        self.second() + self.tall + LABELS + NAME + MARGIN
    }

    fn draw(&self, area: &Area<'_>, title: &str) -> Result<(), Fault> {
        let y = MARGIN + TEXT * 3 / 4;
        heading(area, (MARGIN, y), title)?;
        self.key
            .draw(area, (MARGIN, y + LINE), self.width - 2 * MARGIN)?;
        let steps = &self.iterates.steps;
        let last = (steps.len().max(2) - 1) as f64;
        let ticks = ((self.right - self.left) / 3_500) as usize;
        let axes = |y: &Axis| (Axis::counting(0.0..last, ticks), y.clone());
        let part = |top: i32, below: i32| {
            let size = (self.right - MARGIN, self.tall + below);
            area.clone().shrink((MARGIN, top), size)
        };
        let inside = Some(self.left - MARGIN);
        let frame = Frame {
            x_labels: true,
            y: Some("error per entry"),
            grid: true,
            inside,
            ..Frame::default()
        };
        let mut chart = panel(&part(self.top(), LABELS), axes(&self.error), frame)?;
        let samples = steps.iter().enumerate().map(|(x, step)| Marker {
            at: (x as f64, step.error),
            number: SAMPLE,
            hollow: false,
        });
        chart.draw_series(samples)?;
        curve(&mut chart, self.iterates.recent(), style::curve(MEAN))?;
        let frame = Frame {
            x: Some("iteration"),
            y: Some("share of the model"),
            grid: true,
            inside,
            ..Frame::default()
        };
        let below = part(self.second(), LABELS + NAME);
        let mut chart = panel(&below, axes(&self.share), frame)?;
        for node in 0..self.iterates.nodes.len() {
            let path = steps.iter().enumerate();
            let path = path.map(|(x, step)| (x as f64, step.shares[node]));
            curve(&mut chart, path.collect(), style::curve(node))?;
        }
        self.name_ends(area)
    }

    /// Names each curve behind its end, one name a line where ends are close.
    fn name_ends(&self, area: &Area<'_>) -> Result<(), Fault> {
        if !Self::names_fit(self.iterates, self.tall) {
            return Ok(());
        }
        let Some(last) = self.iterates.steps.last() else {
            return Ok(());
        };
        let (top, bottom) = (self.second(), self.second() + self.tall);
        let y = |share: f64| bottom - (self.share.part(share) * f64::from(self.tall)) as i32;
        let mut ends: Vec<(i32, usize)> = (0..self.iterates.nodes.len())
            .map(|node| (y(last.shares[node]), node))
            .collect();
        ends.sort_unstable();
        for ((_, node), y) in ends.iter().zip(spaced(&ends, top, bottom)) {
            let name = &self.iterates.nodes[*node];
            let room = self.width - MARGIN - self.right - 300;
            let name = font::shortened(name, SMALL, Weight::Regular, room);
            let at = (self.right + 300, y + SMALL * 36 / 100);
            let text = Text::new(&name, SMALL, at).coloured(style::curve(*node).colour);
            area.draw(&Words::at(at, text))?;
        }
        Ok(())
    }
}

/// Heights near `ends`, which ascend, at least [`NAMES`] apart, between `top` and `bottom` where
/// they are not too many.
fn spaced(ends: &[(i32, usize)], top: i32, bottom: i32) -> Vec<i32> {
    let mut places: Vec<i32> = Vec::new();
    let mut lowest = top;
    for (end, _) in ends {
        let place = (*end).max(lowest);
        lowest = place + NAMES;
        places.push(place);
    }
    let mut highest = bottom;
    for place in places.iter_mut().rev() {
        *place = (*place).min(highest);
        highest = *place - NAMES;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::assignment::Iterate;

    #[test]
    fn names_behind_curves_keep_apart_and_within_the_panel() {
        for ends in [
            vec![0, 0, 0, 0],
            vec![9_000, 9_100, 9_500],
            vec![100, 5_000, 5_100],
        ] {
            let ends: Vec<(i32, usize)> = ends.into_iter().zip(0..).collect();
            let places = spaced(&ends, 0, 9_500);
            assert!(
                places.windows(2).all(|pair| pair[1] - pair[0] >= NAMES),
                "{places:?}"
            );
            assert!(
                places.iter().all(|place| (0..=9_500).contains(place)),
                "{places:?}"
            );
        }
    }

    #[test]
    fn the_mean_runs_over_the_last_twenty() {
        let steps = (0..50).map(|k| Iterate {
            error: f64::from(k),
            shares: Vec::new(),
        });
        let iterates = Iterates {
            nodes: Vec::new(),
            steps: steps.collect(),
        };
        let recent = iterates.recent();
        assert_eq!(recent[0], (0.0, 0.0));
        assert_eq!(recent[3], (3.0, 1.5));
        // (30 + 49) / 2
        assert_eq!(recent[49], (49.0, 39.5));
    }
}
