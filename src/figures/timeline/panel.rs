//! One panel of the timeline: every lane over one window of time.
//!
//! What is too narrow to be seen alone is shown by density: a column of the panel is as dark as
//! the share of its time that is covered.

use super::density::densities;
use super::lanes::Lanes;
use super::{Group, Place, Stretch, Timeline};
use crate::engine::Kind;
use crate::figures::elements::{Block, Line};
use crate::figures::marks::Diamond;
use crate::figures::panel::{Axis, Fault, Panel};
use crate::figures::scene::{Colour, Fill, Stroke};
use crate::figures::style;
use crate::units::Instant;
use std::collections::BTreeMap;

/// Below this width, in hundredths of a point, stretches are shown by density.
const NARROW: f64 = 60.0;

/// Above this width a stretch is set off from the next, and waiting is hatched.
const WIDE: f64 = 250.0;

/// How wide a column of density is.
const COLUMN: i32 = 50;

/// Steps in which the density of a column grows.
const SHADES: f64 = 20.0;

/// A place in a panel: time since its window began, in units of its axis, and hundredths of a
/// point from its top.
type At = (f64, f64);

/// The fill of wide stretches, and the colour of columns.
#[derive(Debug, Clone, Copy)]
struct Ink {
    wide: Fill,
    dense: Colour,
}

impl Ink {
    const fn plain(colour: Colour) -> Self {
        Self {
            wide: Fill::Plain(colour),
            dense: colour,
        }
    }
}

const WAITING: Ink = Ink {
    wide: Fill::Hatched(style::WAITING),
    dense: style::WAITING_GREY,
};

/// A window of time on a chart.
pub(super) struct Strip<'t> {
    pub(super) timeline: &'t Timeline,
    pub(super) window: Stretch,
    /// Seconds in a unit of the axis.
    pub(super) unit: f64,
    /// How wide the chart is inside.
    pub(super) width: i32,
    pub(super) lanes: Lanes,
}

fn colour(kind: Kind) -> Colour {
    match kind {
        Kind::Compute => style::COMPUTE,
        Kind::Uplink => style::UPLINK,
        Kind::Downlink => style::DOWNLINK,
        Kind::Transfer => style::TRANSFER,
        Kind::Overhead | Kind::Barrier => style::WAITING_GREY,
    }
}

/// The same for what is done for another pass.
fn pale(kind: Kind) -> Colour {
    match kind {
        Kind::Compute => Colour::hex(0xa9_cde8),
        Kind::Uplink => Colour::hex(0xf3_d9a0),
        Kind::Downlink => Colour::hex(0xa5_dbcb),
        Kind::Transfer => Colour::hex(0xe8_c9db),
        Kind::Overhead | Kind::Barrier => Colour::hex(0xdd_dddd),
    }
}

impl Strip<'_> {
    fn length(&self) -> f64 {
        self.window.length().as_seconds() / self.unit
    }

    /// Where `at` is on the axis.
    pub(super) fn x(&self, at: Instant) -> f64 {
        let at = at.clamp(self.window.start, self.window.end);
        at.since(self.window.start).as_seconds() / self.unit
    }

    /// How wide `length`, in units of the axis, is on the page.
    fn on_page(&self, length: f64) -> f64 {
        length / self.length() * f64::from(self.width)
    }

    /// The horizontal axis.
    pub(super) fn axis(&self, most: usize) -> Axis {
        Axis::linear(0.0..self.length(), most)
    }

    /// The vertical axis, downwards.
    pub(super) fn down(&self) -> Axis {
        Axis::bare(f64::from(self.lanes.height)..0.0)
    }

    /// Draws `stretches` as boxes, and what is narrow by density.
    fn draw(
        &self,
        chart: &mut Panel<'_>,
        stretches: &[Stretch],
        (top, height): (i32, i32),
        ink: Ink,
    ) -> Result<(), Fault> {
        let (top, bottom) = (f64::from(top), f64::from(top + height));
        let block = |from: f64, to: f64, fill: Fill| Block {
            corners: [(from, top), (to, bottom)],
            fill: Some(fill),
            stroke: None,
        };
        let parts = stretches.iter().filter_map(|it| it.within(self.window));
        let width = |part: &Stretch| self.on_page(part.length().as_seconds() / self.unit);
        let (narrow, wide): (Vec<Stretch>, Vec<Stretch>) =
            parts.partition(|part| width(part) < NARROW);
        let set_off = 40.0 / f64::from(self.width) * self.length();
        let boxes = wide.iter().map(|part| {
            let (from, to) = (self.x(part.start), self.x(part.end));
            match (width(part) > WIDE, ink.wide) {
                (true, fill) => block(from, to - set_off, fill),
                (false, Fill::Hatched(_)) => block(from, to, Fill::Plain(ink.dense)),
                (false, fill) => block(from, to, fill),
            }
        });
        chart.draw_series(boxes)?;
        let count = (self.width / COLUMN).max(1) as u64;
        let column = self.window.length().0.max(1) as f64 / count as f64;
        let shades: Vec<(u64, u8)> = densities(&narrow, self.window, count)
            .into_iter()
            .map(|(place, covered)| {
                let shade = libm::round(covered as f64 / column * SHADES).clamp(1.0, SHADES);
                (place, (shade * 100.0 / SHADES) as u8)
            })
            .collect();
        let wide = self.length() / count as f64;
        let runs = shades.chunk_by(|a, b| a.0 + 1 == b.0 && a.1 == b.1);
        chart.draw_series(runs.map(|run| {
            let (from, to) = (run[0].0, run[run.len() - 1].0 + 1);
            let fill = Fill::Plain(ink.dense.covering(run[0].1));
            block(from as f64 * wide, to as f64 * wide, fill)
        }))?;
        Ok(())
    }

    fn height_of(&self, number: usize, group: &Group) -> i32 {
        group.rows.len() as i32 * self.lanes.lane(number)
    }

    /// Every lane, with waiting behind it.
    pub(super) fn draw_lanes(&self, chart: &mut Panel<'_>) -> Result<(), Fault> {
        for (number, group) in self.timeline.groups.iter().enumerate() {
            let (top, tall) = (self.lanes.top((number, 0)), self.height_of(number, group));
            self.draw(chart, &group.waiting, (top, tall), WAITING)?;
            for (place, row) in group.rows.iter().enumerate() {
                let lane = self.lanes.lane(number);
                let place = (self.lanes.top((number, place)), lane - lane / 12);
                self.draw(chart, &row.others, place, Ink::plain(pale(row.lane.kind)))?;
                self.draw(chart, &row.own, place, Ink::plain(colour(row.lane.kind)))?;
            }
            let base = f64::from(top + tall);
            chart.draw_series(std::iter::once(Line {
                places: vec![(0.0, base), (self.length(), base)],
                stroke: Stroke::solid(Colour::hex(0xbb_bbbb), 40),
            }))?;
        }
        Ok(())
    }

    /// The critical path: a bar below each of its tasks, and a line from each to the next
    /// unless there are too many.
    pub(super) fn draw_path(&self, chart: &mut Panel<'_>) -> Result<(), Fault> {
        let seen = |part: &Stretch| part.within(self.window).is_some();
        let steps = self.timeline.path.iter();
        let steps: Vec<_> = steps.filter(|(_, part)| seen(part)).collect();
        let bar = |group: usize| (self.lanes.lane(group) / 4).max(100);
        let y = |place: Place| self.lanes.top(place) + self.lanes.lane(place.0) - bar(place.0);
        let mut lanes: BTreeMap<Place, Vec<Stretch>> = BTreeMap::new();
        for (place, part) in &steps {
            lanes.entry(*place).or_default().push(*part);
        }
        for (place, parts) in lanes {
            let band = (y(place), bar(place.0));
            self.draw(chart, &parts, band, Ink::plain(style::BLACK))?;
        }
        if steps.len() as i32 * 300 > self.width {
            return Ok(());
        }
        for pair in steps.windows(2) {
            let ((before, part), (after, _)) = (pair[0], pair[1]);
            if before != after {
                let middle = |place: Place| f64::from(y(place) + bar(place.0) / 2);
                let x = self.x(part.end);
                chart.draw_series(std::iter::once(Line {
                    places: vec![(x, middle(*before)), (x, middle(*after))],
                    stroke: Stroke::solid(style::BLACK, 80),
                }))?;
            }
        }
        Ok(())
    }

    /// Whether the barriers in the window are far enough apart to be marked.
    pub(super) fn marks_fit(&self) -> bool {
        let count = self.timeline.barriers_in(self.window).count() as i32;
        count * 700 <= self.width
    }

    /// A line at each barrier in the window, and a diamond at who held it.
    pub(super) fn draw_marks(&self, chart: &mut Panel<'_>) -> Result<(), Fault> {
        let barriers: Vec<_> = self.timeline.barriers_in(self.window).collect();
        let bottom = f64::from(self.lanes.height);
        chart.draw_series(barriers.iter().map(|barrier| {
            let x = self.x(barrier.at);
            Line {
                places: vec![(x, 0.0), (x, bottom)],
                stroke: style::BARRIER,
            }
        }))?;
        let marks = barriers.iter().flat_map(|barrier| {
            let places = barrier.held_by.iter();
            places.map(|place| Diamond {
                at: self.middle(barrier.at, *place),
                half: (self.lanes.lane(place.0) * 2 / 5).clamp(150, 260),
            })
        });
        chart.draw_series(marks)?;
        Ok(())
    }

    fn middle(&self, at: Instant, place: Place) -> At {
        let y = self.lanes.top(place) + self.lanes.lane(place.0) / 2;
        (self.x(at), f64::from(y))
    }
}
