//! Where everything of a timeline is on its page.

use super::lanes::Lanes;
use super::panel::Strip;
use super::words::{names, numbers, told};
use super::{Group, Stretch, Timeline};
use crate::engine::Kind;
use crate::figures::font::{self, Weight};
use crate::figures::key::{Key, Sample};
use crate::figures::panel::{LABELS, LINE, NAME, time_unit};
use crate::figures::scene::{Colour, Fill};
use crate::figures::style::{self, MARGIN, SMALL, TEXT};

/// Between names and what they name.
pub(super) const GAP: i32 = 300;

/// More groups than this have no name beside the whole each, and stand closer.
pub(super) const MANY: usize = 24;

/// Where everything is.
pub(super) struct Layout<'t> {
    pub(super) timeline: &'t Timeline,
    pub(super) width: i32,
    /// Where panels begin and end.
    pub(super) left: i32,
    pub(super) right: i32,
    pub(super) whole: Strip<'t>,
    /// The longest part, with the lines that its barriers' numbers take, and what is told below.
    pub(super) detail: Option<(Strip<'t>, Numbers, Vec<String>)>,
    pub(super) title: Vec<String>,
    pub(super) caption: Vec<String>,
    pub(super) key: Key,
    pub(super) note: Vec<String>,
}

/// The numbers of barriers above a panel: where each is, and in which line.
pub(super) type Numbers = Vec<(f64, i32, String)>;

/// The widest of `texts` at `size`, but at most `most`.
pub(super) fn widest<'s>(texts: impl Iterator<Item = &'s str>, size: i32, most: i32) -> i32 {
    let widths = texts.map(|text| font::width(text, size, Weight::Regular));
    widths.max().unwrap_or(0).min(most)
}

pub(super) fn held(timeline: &Timeline) -> impl Iterator<Item = (usize, String)> {
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

pub(super) fn panel_width(timeline: &Timeline, width: i32) -> i32 {
    let (left, right) = sides(timeline, width);
    (right - left).max(1)
}

impl<'t> Layout<'t> {
    pub(super) fn new(timeline: &'t Timeline, width: i32) -> Self {
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
    pub(super) fn key_top(&self) -> i32 {
        MARGIN + TEXT * 3 / 4 + self.title.len() as i32 * LINE + 100
    }

    pub(super) fn whole_top(&self) -> i32 {
        let room = self.width - 2 * MARGIN;
        self.key_top() + self.key.height(room) + 800
    }

    pub(super) fn whole_bottom(&self) -> i32 {
        self.whole_top() + self.whole.lanes.height
    }

    /// Where the panel of the longest part begins.
    pub(super) fn detail_top(&self) -> i32 {
        let lines = self.detail.as_ref().map(|(_, numbers, _)| {
            let lines = numbers.iter().map(|(_, line, _)| line + 1);
            lines.max().unwrap_or(0)
        });
        let captions = self.caption.len() as i32 * LINE;
        self.whole_bottom() + LABELS + NAME + 700 + captions + lines.unwrap_or(0) * 700
    }

    /// The base line of the first line below all panels.
    pub(super) fn below(&self) -> i32 {
        let panels = match &self.detail {
            None => self.whole_bottom(),
            Some((strip, ..)) => self.detail_top() + strip.lanes.height,
        };
        panels + LABELS + NAME + 900
    }

    pub(super) fn height(&self) -> i32 {
        let told = self.detail.as_ref().map_or(0, |(.., told)| told.len());
        let count = (told + self.note.len()) as i32;
        self.below() - LINE + count * LINE + SMALL / 4 + MARGIN
    }
}
