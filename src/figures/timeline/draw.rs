//! Draws a timeline: the whole above, its longest part below.

use super::fold::{Tolerance, fold};
use super::panel::Strip;
use super::words::{described, names};
use super::{Stretch, Timeline};
use crate::figures::Width;
use crate::figures::elements::{Line, Polygon, Words, words};
use crate::figures::font::{self, Weight};
use crate::figures::panel::{
    Area, Fault, Frame, LABELS, LINE, NAME, heading, lines, page, panel, time_unit,
};
use crate::figures::scene::{Anchor, Colour, Fill, Scene, Stroke, Text};
use crate::figures::style::{self, MARGIN, SMALL, TEXT};
use crate::units::Duration;

use super::layout::{GAP, Layout, MANY, Numbers, held, panel_width, widest};

/// Nodes that are nowhere further apart than this on the page are the same.
const SAME: u64 = 50;

/// The picture of `timeline` at `width`, nodes folded that look the same there.
pub fn draw(timeline: Timeline, width: Width) -> Scene {
    let inside = panel_width(&timeline, width.length());
    let hair = |window: Stretch| Duration(window.length().0 / (inside as u64 / SAME).max(1));
    let detail = timeline.detail.as_ref().map(|detail| detail.window);
    let tolerance = Tolerance {
        whole: hair(timeline.whole),
        detail: detail.map_or(Duration::ZERO, hair),
    };
    let timeline = fold(timeline, tolerance);
    let layout = Layout::new(&timeline, width.length());
    let mut scene = page((width.length(), layout.height()), &timeline.title, |area| {
        layout.draw(area)
    });
    scene.description = described(&timeline);
    scene
}

impl Layout<'_> {
    fn draw(&self, area: &Area<'_>) -> Result<(), Fault> {
        let mut y = MARGIN + TEXT * 3 / 4;
        for line in &self.title {
            heading(area, (MARGIN, y), line)?;
            y += LINE;
        }
        let room = self.width - 2 * MARGIN;
        self.key.draw(area, (MARGIN, self.key_top()), room)?;
        if let Some((strip, ..)) = &self.detail {
            self.draw_magnifier(area, strip.window)?;
        }
        self.draw_whole(area)?;
        let Some((strip, numbers, told)) = &self.detail else {
            lines(area, (MARGIN, self.below()), SMALL, &self.note)?;
            return Ok(());
        };
        self.draw_detail(area, strip, numbers)?;
        let next = lines(area, (MARGIN, self.below()), SMALL, told)?;
        lines(area, (MARGIN, next), SMALL, &self.note)?;
        Ok(())
    }

    /// What of the whole the longest part is.
    fn draw_magnifier(&self, area: &Area<'_>, part: Stretch) -> Result<(), Fault> {
        let scale = f64::from(self.right - self.left) / self.whole.x(self.whole.window.end);
        let x = |at| self.left + libm::round(self.whole.x(at) * scale) as i32;
        let (from, to) = (x(part.start), x(part.end).max(x(part.start) + 60));
        let (top, bottom) = (self.whole_top() - 150, self.whole_bottom() + 100);
        area.draw(&Polygon {
            corners: vec![(from, top), (to, top), (to, bottom), (from, bottom)],
            fill: Fill::Plain(Colour::hex(0xff_f0b3)),
            stroke: None,
        })?;
        let stroke = Stroke::solid(Colour::hex(0xb5_9b3a), 50);
        let reach = self.detail_top();
        for (above, below) in [(from, self.left), (to, self.right)] {
            area.draw(&Line {
                places: vec![(above, bottom), (below, reach)],
                stroke,
            })?;
        }
        Ok(())
    }

    /// A chart over the lanes of `strip`, its inside at `top`.
    fn draw_strip(
        &self,
        area: &Area<'_>,
        strip: &Strip<'_>,
        (top, name): (i32, &str),
    ) -> Result<(), Fault> {
        let (unit, _) = time_unit(strip.window.length().as_seconds());
        let name = format!("{name} ({unit})");
        let height = strip.lanes.height + LABELS + NAME;
        let part = area.clone().shrink((self.left, top), (strip.width, height));
        let frame = Frame {
            x: Some(&name),
            inside: Some(0),
            ..Frame::default()
        };
        let ticks = (strip.width / 3000).clamp(2, 10) as usize;
        let mut chart = panel(&part, (strip.axis(ticks), strip.down()), frame)?;
        strip.draw_lanes(&mut chart)?;
        strip.draw_path(&mut chart)?;
        if strip.marks_fit() {
            strip.draw_marks(&mut chart)?;
        }
        Ok(())
    }

    fn draw_whole(&self, area: &Area<'_>) -> Result<(), Fault> {
        let (timeline, strip, top) = (self.timeline, &self.whole, self.whole_top());
        let subject = timeline.subject;
        heading(area, (self.left, top - 300), subject)?;
        let axis = format!("time since {} began", subject.replace("whole ", ""));
        self.draw_strip(area, strip, (top, &axis))?;
        let end = self.width - MARGIN;
        // Where groups are lower than a line, a name hides the next ones.
        let mut free = 0;
        for (number, group) in timeline.groups.iter().enumerate() {
            let height = group.rows.len() as i32 * strip.lanes.lane(number);
            let base = top + strip.lanes.top((number, 0)) + height / 2 + SMALL * 36 / 100;
            if base < free {
                continue;
            }
            free = base + SMALL;
            let [name, _] = names(group);
            let name = font::shortened(&name, SMALL, Weight::Regular, self.left - MARGIN - GAP);
            area.draw(&words((MARGIN, base), &name, SMALL, Anchor::Start))?;
        }
        if !self.counts_below() {
            self.draw_counts(area, strip, (top, top - 300))?;
        }
        let together = timeline.barriers.iter();
        let together = together.filter(|barrier| barrier.holders.len() > 1).count();
        if together > 0 {
            let below = self.whole_bottom() + LABELS + 300;
            for (line, text) in [format!("{together} held"), "together".to_owned()]
                .iter()
                .enumerate()
            {
                let at = (end, below + line as i32 * 750);
                area.draw(&words(at, text, SMALL, Anchor::End))?;
            }
        }
        Ok(())
    }

    /// Whether who held how many barriers stands beside the longest part: beside the whole not
    /// every group has a line of its own.
    fn counts_below(&self) -> bool {
        self.detail.is_some() && self.timeline.groups.len() > MANY
    }

    /// Who held how many barriers, beside the lanes of `strip` from `top` on; what that is, at
    /// `name`.
    fn draw_counts(
        &self,
        area: &Area<'_>,
        strip: &Strip<'_>,
        (top, name): (i32, i32),
    ) -> Result<(), Fault> {
        let end = self.width - MARGIN;
        for (line, (number, held)) in held(self.timeline).enumerate() {
            if line == 0 {
                area.draw(&words((end, name), "barriers held", SMALL, Anchor::End))?;
            }
            let rows = self.timeline.groups[number].rows.len() as i32;
            let height = rows * strip.lanes.lane(number);
            let base = top + strip.lanes.top((number, 0)) + height / 2 + SMALL * 36 / 100;
            area.draw(&words((end, base), &held, SMALL, Anchor::End))?;
        }
        Ok(())
    }

    fn draw_detail(
        &self,
        area: &Area<'_>,
        strip: &Strip<'_>,
        numbers: &Numbers,
    ) -> Result<(), Fault> {
        let Some(detail) = &self.timeline.detail else {
            return Ok(());
        };
        let top = self.detail_top();
        let rows = numbers
            .iter()
            .map(|(_, line, _)| line + 1)
            .max()
            .unwrap_or(0);
        let mut y = top - 300 - rows * 700 - (self.caption.len() as i32 - 1) * LINE;
        for line in &self.caption {
            heading(area, (self.left, y), line)?;
            y += LINE;
        }
        let axis = format!("time since the {} began", detail.name);
        self.draw_strip(area, strip, (top, &axis))?;
        let scale = f64::from(strip.width) / strip.x(strip.window.end).max(f64::MIN_POSITIVE);
        for (x, line, number) in numbers {
            let at = (
                self.left + libm::round(x * scale) as i32,
                top - 200 - line * 700,
            );
            area.draw(&words(at, number, SMALL, Anchor::Middle))?;
        }
        if self.counts_below() {
            let below = top + strip.lanes.height + LABELS + 500;
            self.draw_counts(area, strip, (top, below))?;
        }
        let lane_room = self.lane_room();
        for (number, group) in self.timeline.groups.iter().enumerate() {
            let lane = strip.lanes.lane(number);
            let middle = top + strip.lanes.top((number, 0)) + group.rows.len() as i32 * lane / 2;
            let [name, count] = names(group);
            let room = self.left - MARGIN - 2 * GAP - lane_room;
            let name = font::shortened(&name, SMALL, Weight::Regular, room);
            let two = !count.is_empty();
            let base = middle + SMALL * 36 / 100 - if two { SMALL / 2 } else { 0 };
            area.draw(&words((MARGIN, base), &name, SMALL, Anchor::Start))?;
            if two {
                let text = Text::new(&count, SMALL, (MARGIN, base + SMALL + 30));
                area.draw(&Words::at(text.at, text.coloured(style::GREY)))?;
            }
            for (row, lane_row) in group.rows.iter().enumerate() {
                let y = top + strip.lanes.top((number, row)) + lane / 2 + SMALL * 36 / 100;
                let name = &lane_row.lane.name;
                let name = font::shortened(name, SMALL, Weight::Regular, lane_room);
                area.draw(&words((self.left - GAP, y), &name, SMALL, Anchor::End))?;
            }
        }
        Ok(())
    }

    /// How wide names of lanes may be.
    fn lane_room(&self) -> i32 {
        let rows = self.timeline.groups.iter().flat_map(|group| &group.rows);
        let names = rows.map(|row| row.lane.name.as_str());
        widest(names, SMALL, self.width * 18 / 100)
    }
}
