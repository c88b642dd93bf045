//! Draws a timeline: the whole above, its longest part below.

use super::fold::{Tolerance, fold};
use super::panel::{Lanes, Strip};
use super::words::{described, names, numbers, told};
use super::{Group, Stretch, Timeline};
use crate::engine::Kind;
use crate::figures::Width;
use crate::figures::elements::{Line, Polygon, Words, words};
use crate::figures::font::{self, Weight};
use crate::figures::key::{Key, Sample};
use crate::figures::panel::{
    Area, Fault, Frame, LABELS, LINE, NAME, heading, lines, page, panel, time_unit,
};
use crate::figures::scene::{Anchor, Colour, Fill, Scene, Stroke, Text};
use crate::figures::style::{self, MARGIN, SMALL, TEXT};
use crate::units::Duration;

/// Nodes that are nowhere further apart than this on the page are the same.
const SAME: u64 = 50;

/// Between names and what they name.
const GAP: i32 = 300;

/// More groups than this have no name beside the whole each, and stand closer.
const MANY: usize = 24;

/// Where everything is.
struct Layout<'t> {
    timeline: &'t Timeline,
    width: i32,
    /// Where panels begin and end.
    left: i32,
    right: i32,
    whole: Strip<'t>,
    /// The longest part, with the lines that its barriers' numbers take, and what is told below.
    detail: Option<(Strip<'t>, Numbers, Vec<String>)>,
    title: Vec<String>,
    caption: Vec<String>,
    key: Key,
    note: Vec<String>,
}

/// The numbers of barriers above a panel: where each is, and in which line.
type Numbers = Vec<(f64, i32, String)>;

/// The widest of `texts` at `size`, but at most `most`.
fn widest<'s>(texts: impl Iterator<Item = &'s str>, size: i32, most: i32) -> i32 {
    let widths = texts.map(|text| font::width(text, size, Weight::Regular));
    widths.max().unwrap_or(0).min(most)
}

fn held(timeline: &Timeline) -> impl Iterator<Item = (usize, String)> {
    let count = timeline.barriers.len();
    let groups = timeline.groups.iter().enumerate();
    let held = groups.filter(|(_, group)| group.held > 0);
    held.map(move |(number, group)| (number, format!("{} of {count}", group.held)))
}

fn key(timeline: &Timeline) -> Key {
    let mut key = Key::default();
    let rows = || timeline.groups.iter().flat_map(|group| &group.rows);
    for (kind, colour) in [
        (Kind::Compute, style::COMPUTE),
        (Kind::Uplink, style::UPLINK),
        (Kind::Downlink, style::DOWNLINK),
        (Kind::Transfer, style::TRANSFER),
    ] {
        if rows().any(|row| row.lane.kind == kind) {
            key = key.with(Sample::Fill(Fill::Plain(colour)), kind.name());
        }
    }
    key = key
        .with(Sample::Fill(Fill::Hatched(style::WAITING)), "waiting")
        .with(Sample::Bar, "critical path");
    if !timeline.barriers.is_empty() {
        key = key
            .with(Sample::Upright(style::BARRIER), "barrier opens")
            .with(Sample::Diamond, "who held it: the last to arrive");
    }
    if rows().any(|row| !row.others.is_empty()) {
        key = key.with(
            Sample::Fill(Fill::Plain(Colour::hex(0xa9_cde8))),
            "pale: other passes",
        );
    }
    key
}

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

/// Where panels begin and end on a page of `width`.
fn sides(timeline: &Timeline, width: i32) -> (i32, i32) {
    let names: Vec<String> = timeline.groups.iter().flat_map(names).collect();
    let names = widest(names.iter().map(String::as_str), SMALL, width * 30 / 100);
    let rows = timeline.groups.iter().flat_map(|group| &group.rows);
    let lanes = widest(
        rows.map(|row| row.lane.name.as_str()),
        SMALL,
        width * 18 / 100,
    );
    let left = MARGIN + names + GAP + lanes + GAP;
    let held: Vec<String> = held(timeline).map(|(_, words)| words).collect();
    let together = "together".to_owned();
    let held = match timeline.barriers.is_empty() {
        true => 0,
        false => widest(
            held.iter().chain([&together]).map(String::as_str),
            SMALL,
            width / 4,
        ),
    };
    // The label of the last tick is half outside its panel.
    (left, width - MARGIN - (held + GAP).max(1200))
}

fn panel_width(timeline: &Timeline, width: i32) -> i32 {
    let (left, right) = sides(timeline, width);
    (right - left).max(1)
}

impl<'t> Layout<'t> {
    fn new(timeline: &'t Timeline, width: i32) -> Self {
        let (left, right) = sides(timeline, width);
        let room = width - 2 * MARGIN;
        let count = timeline.lanes().max(1) as i32;
        let many = timeline.groups.len() > MANY;
        let (gap, least) = if many { (30, 0) } else { (150, SMALL + 60) };
        let thin = (14_000 / count).clamp(150, 500);
        let thick = if timeline.lanes() > MANY {
            SMALL + 50
        } else {
            800
        };
        let strip = |window: Stretch, lanes| Strip {
            timeline,
            window,
            unit: time_unit(window.length().as_seconds()).1,
            width: right - left,
            lanes,
        };
        let whole = strip(timeline.whole, Lanes::new(timeline, thin, |_| least, gap));
        // Below the name of several nodes stands how many they are.
        let named = |group: &Group| match group.nodes.len() {
            0 | 1 => SMALL + 50,
            _ => 2 * SMALL + 50,
        };
        let detail = timeline.detail.as_ref().map(|detail| {
            let lanes = Lanes::new(timeline, thick, named, if many { 20 } else { gap });
            let strip = strip(detail.window, lanes);
            let barriers: Vec<_> = timeline.barriers_in(detail.window).collect();
            let places = barriers.iter().map(|barrier| strip.x(barrier.at)).collect();
            let scale = f64::from(right - left) / strip.x(detail.window.end).max(f64::MIN_POSITIVE);
            let (numbers, told) = (
                numbers(&barriers, places, scale),
                told(&barriers, detail.name, room),
            );
            (strip, numbers, told)
        });
        let wrapped = |text: &str, size, weight| font::wrapped(text, size, weight, room);
        let note = match timeline.folded {
            None => Vec::new(),
            Some(tolerance) => wrapped(&super::words::folded(tolerance), SMALL, Weight::Regular),
        };
        Self {
            title: wrapped(&timeline.title, TEXT, Weight::Bold),
            caption: timeline.detail.as_ref().map_or(Vec::new(), |detail| {
                font::wrapped(&detail.caption, TEXT, Weight::Bold, width - MARGIN - left)
            }),
            key: key(timeline),
            timeline,
            width,
            left,
            right,
            whole,
            detail,
            note,
        }
    }

    /// The base line of the first line of the key.
    fn key_top(&self) -> i32 {
        MARGIN + TEXT * 3 / 4 + self.title.len() as i32 * LINE + 100
    }

    fn whole_top(&self) -> i32 {
        let room = self.width - 2 * MARGIN;
        self.key_top() + self.key.height(room) + 800
    }

    fn whole_bottom(&self) -> i32 {
        self.whole_top() + self.whole.lanes.height
    }

    /// Where the panel of the longest part begins.
    fn detail_top(&self) -> i32 {
        let lines = self.detail.as_ref().map(|(_, numbers, _)| {
            let lines = numbers.iter().map(|(_, line, _)| line + 1);
            lines.max().unwrap_or(0)
        });
        let captions = self.caption.len() as i32 * LINE;
        self.whole_bottom() + LABELS + NAME + 700 + captions + lines.unwrap_or(0) * 700
    }

    /// The base line of the first line below all panels.
    fn below(&self) -> i32 {
        let panels = match &self.detail {
            None => self.whole_bottom(),
            Some((strip, ..)) => self.detail_top() + strip.lanes.height,
        };
        panels + LABELS + NAME + 900
    }

    fn height(&self) -> i32 {
        let told = self.detail.as_ref().map_or(0, |(.., told)| told.len());
        let count = (told + self.note.len()) as i32;
        self.below() - LINE + count * LINE + SMALL / 4 + MARGIN
    }

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
