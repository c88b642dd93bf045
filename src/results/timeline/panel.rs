//! One panel of the timeline: every lane over one window of time.

use super::{Group, Place, Slice, Timeline};
use crate::engine::Kind;
use crate::results::svg::{self, Svg};
use crate::units::Instant;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Below this width, in pixels, slices are merged into the shade of their pixel.
const NARROW: f64 = 0.75;

/// Above this width a slice is set off from the next.
const WIDE: f64 = 4.0;

/// Steps in which the shade of a pixel grows.
const SHADES: f64 = 8.0;

/// A window of time and where it lies in the picture.
pub(super) struct Panel<'t> {
    pub(super) timeline: &'t Timeline,
    pub(super) window: Slice,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    /// Height of a lane.
    pub(super) lane: f64,
    /// Space between groups.
    pub(super) gap: f64,
}

fn colour(kind: Kind) -> &'static str {
    match kind {
        Kind::Compute => svg::COMPUTE,
        Kind::Uplink => svg::UPLINK,
        Kind::Downlink => svg::DOWNLINK,
        Kind::Transfer => svg::TRANSFER,
        Kind::Overhead | Kind::Barrier => svg::WAITING_GREY,
    }
}

/// The same for what is done for another pass.
fn pale(kind: Kind) -> &'static str {
    match kind {
        Kind::Compute => "#A9CDE8",
        Kind::Uplink => "#F3D9A0",
        Kind::Downlink => "#A5DBCB",
        Kind::Transfer => "#E8C9DB",
        Kind::Overhead | Kind::Barrier => "#DDDDDD",
    }
}

impl Panel<'_> {
    fn height_of(&self, group: &Group) -> f64 {
        group.lanes.len() as f64 * self.lane
    }

    /// Height of all groups.
    pub(super) fn height(&self) -> f64 {
        let groups = self.timeline.groups.iter();
        groups.map(|group| self.height_of(group) + self.gap).sum()
    }

    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height() - self.gap
    }

    /// Upper edge of a lane.
    pub(super) fn lane_top(&self, (group, lane): Place) -> f64 {
        let above = self.timeline.groups[..group].iter();
        let above: f64 = above.map(|group| self.height_of(group) + self.gap).sum();
        self.top + above + lane as f64 * self.lane
    }

    pub(super) fn x(&self, at: Instant) -> f64 {
        let at = at.clamp(self.window.start, self.window.end);
        let share = at.since(self.window.start).0 as f64 / self.window.length().0.max(1) as f64;
        self.left + share * (self.right - self.left)
    }

    /// Draws `slices` as boxes, and what is narrower than a pixel as the shade of its pixel.
    fn strip(
        &self,
        svg: &mut Svg,
        slices: impl Iterator<Item = Slice>,
        (top, height): (f64, f64),
        (fill, shade): (&str, &str),
    ) {
        let mut pixels: BTreeMap<u32, f64> = BTreeMap::new();
        for slice in slices.filter_map(|slice| slice.within(self.window)) {
            let (from, to) = (self.x(slice.start), self.x(slice.end));
            let width = to - from;
            if width < NARROW {
                *pixels.entry(from as u32).or_default() += width;
                continue;
            }
            let set_off = if width > WIDE { 0.6 } else { 0.0 };
            svg.rect((from, top), (width - set_off, height), fill);
        }
        let shades: Vec<(u32, u32)> = pixels
            .into_iter()
            .map(|(pixel, covered)| (pixel, (covered * SHADES).ceil().min(SHADES) as u32))
            .collect();
        for run in shades.chunk_by(|a, b| a.0 + 1 == b.0 && a.1 == b.1) {
            let (from, opacity) = (f64::from(run[0].0), f64::from(run[0].1) / SHADES);
            svg.faint_rect((from, top), (run.len() as f64, height), (shade, opacity));
        }
    }

    /// Every lane, with waiting behind it.
    pub(super) fn lanes(&self, svg: &mut Svg) {
        for (number, group) in self.timeline.groups.iter().enumerate() {
            let top = self.lane_top((number, 0));
            let tall = self.height_of(group);
            let waiting = group.waiting.iter().copied();
            let fill = (svg::WAITING, svg::WAITING_GREY);
            self.strip(svg, waiting, (top, tall), fill);
            for (row, (lane, slices)) in group.lanes.iter().enumerate() {
                let (top, fill) = (top + row as f64 * self.lane, colour(lane.kind));
                let place = (top, self.lane - 1.0);
                let others = group.others[row].iter().copied();
                self.strip(svg, others, place, (pale(lane.kind), pale(lane.kind)));
                self.strip(svg, slices.iter().copied(), place, (fill, fill));
            }
            let line = format!("M{:.1},{:.1} H{:.1}", self.left, top + tall, self.right);
            svg.lines(&line, "#BBBBBB", 0.6);
        }
    }

    /// The critical path: a bar below each of its tasks, and a line from each to the next
    /// unless there are too many.
    pub(super) fn path(&self, svg: &mut Svg) {
        let seen = |slice: &Slice| slice.within(self.window).is_some();
        let steps = self.timeline.path.iter();
        let steps: Vec<_> = steps.filter(|(_, slice)| seen(slice)).collect();
        let bar = (self.lane * 0.25).max(2.0);
        let y = |place: Place| self.lane_top(place) + self.lane - bar;
        let mut lanes: BTreeMap<Place, Vec<Slice>> = BTreeMap::new();
        for (place, slice) in &steps {
            lanes.entry(*place).or_default().push(*slice);
        }
        for (place, slices) in lanes {
            let fill = ("black", "black");
            self.strip(svg, slices.into_iter(), (y(place), bar), fill);
        }
        if steps.len() as f64 * 6.0 > self.right - self.left {
            return;
        }
        let mut joints = String::new();
        for pair in steps.windows(2) {
            let ((before, slice), (after, _)) = (pair[0], pair[1]);
            if before != after {
                // Writing to a String cannot fail.
                let (from, to) = (y(*before) + bar / 2.0, y(*after) + bar / 2.0);
                let _ = write!(joints, "M{:.1},{from:.1} V{to:.1} ", self.x(slice.end));
            }
        }
        svg.lines(joints.trim_end(), "black", 1.4);
    }
}
