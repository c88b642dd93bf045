//! Draws a timeline: the whole pass above, its longest block below.

use super::panel::Panel;
use super::{Barrier, Slice, Timeline};
use crate::results::readable::seconds;
use crate::results::svg::{self, Anchor, Svg, time_axis};

const WIDTH: f64 = 1280.0;
const LEFT: f64 = 132.0;
/// Where panels end; behind it is room for who holds how many barriers.
const RIGHT: f64 = 1180.0;
const TOP: f64 = 88.0;
/// Room for a time axis and its name.
const AXIS: f64 = 44.0;
/// Room above the block's lanes: its caption, and the barriers' numbers.
const HEAD: f64 = 66.0;
const LINE: f64 = 17.0;
/// Room for a node's name beside those of its lanes.
const NAME: f64 = 70.0;

/// More lanes than this are drawn thinner.
const MANY: usize = 48;

/// Barriers in a panel are this far apart on average, or have no marks.
const APART: f64 = 14.0;

/// More barriers of a block than this are not told in words.
const TOLD: usize = 8;

/// The SVG text of `timeline`.
pub fn draw(timeline: &Timeline) -> String {
    let lanes: usize = timeline.groups.iter().map(|group| group.lanes.len()).sum();
    let (thin, thick) = if lanes > MANY {
        (3.0, 6.0)
    } else {
        (5.0, 13.0)
    };
    let panel = |window, top, lane, gap| Panel {
        timeline,
        window,
        left: LEFT,
        right: RIGHT,
        top,
        lane,
        gap,
    };
    let whole = panel(timeline.whole, TOP, thin, 5.0);
    let after = whole.bottom() + AXIS;
    let block = timeline.block.as_ref().map(|(caption, window)| {
        let told = told(timeline, *window).len();
        (
            caption,
            panel(*window, after + HEAD, thick, 8.0),
            if told > TOLD { 1 } else { told },
        )
    });
    let height = block.as_ref().map_or(after, |(_, panel, lines)| {
        panel.bottom() + AXIS + *lines as f64 * LINE + 12.0
    });
    let mut svg = Svg::new(WIDTH, height);
    svg.text((12.0, 24.0), 17.0, Anchor::Start, &timeline.title);
    legend(&mut svg, timeline);
    if let Some((_, block, _)) = &block {
        magnifier(&mut svg, &whole, block);
    }
    overview(&mut svg, &whole);
    if let Some((caption, panel, _)) = &block {
        zoomed(&mut svg, panel, caption);
    }
    svg.finish()
}

fn legend(svg: &mut Svg, timeline: &Timeline) {
    let y = 44.0;
    let mut x = LEFT;
    for (fill, name) in [
        (svg::COMPUTE, "compute"),
        (svg::UPLINK, "uplink"),
        (svg::DOWNLINK, "downlink"),
        (svg::TRANSFER, "transfer"),
        (svg::WAITING, "waiting"),
    ] {
        svg.rect((x, y - 10.0), (18.0, 12.0), fill);
        svg.text((x + 24.0, y), 12.0, Anchor::Start, name);
        x += 34.0 + 7.0 * name.len() as f64;
    }
    x += 6.0;
    svg.rect((x, y - 5.0), (22.0, 3.0), "black");
    svg.text((x + 28.0, y), 12.0, Anchor::Start, "critical path");
    x += 124.0;
    svg.dashed(x, (y - 11.0, y + 3.0));
    svg.text((x + 8.0, y), 12.0, Anchor::Start, "barrier opens");
    x += 110.0;
    svg.diamond((x, y - 4.0), 4.0);
    svg.text(
        (x + 10.0, y),
        12.0,
        Anchor::Start,
        "who held it: the last to arrive",
    );
    let mut others = timeline.groups.iter().flat_map(|group| &group.others);
    if others.any(|slices| !slices.is_empty()) {
        svg.text((x + 204.0, y), 12.0, Anchor::Start, "pale: other requests");
    }
}

/// What of the whole the block is.
fn magnifier(svg: &mut Svg, whole: &Panel<'_>, block: &Panel<'_>) {
    let (from, to) = (whole.x(block.window.start), whole.x(block.window.end));
    let (top, bottom) = (whole.top - 4.0, whole.bottom() + 4.0);
    let width = (to - from).max(1.0);
    svg.rect((from, top), (width, bottom - top), "#FFF0B3");
    let reach = block.top - HEAD + 14.0;
    let sides = format!(
        "M{from:.1},{bottom:.1} L{:.1},{reach:.1} M{to:.1},{bottom:.1} L{:.1},{reach:.1}",
        block.left, block.right
    );
    svg.lines(&sides, "#B59B3A", 0.8);
}

fn overview(svg: &mut Svg, panel: &Panel<'_>) {
    let timeline = panel.timeline;
    let barriers = timeline.barriers.len();
    svg.text((LEFT, TOP - 10.0), 13.0, Anchor::Start, "the whole pass");
    panel.lanes(svg);
    panel.path(svg);
    if barriers as f64 * APART <= panel.right - panel.left {
        marks(svg, panel, &timeline.barriers.iter().collect::<Vec<_>>());
    }
    let count = RIGHT + 12.0;
    if barriers > 0 {
        svg.text((count, TOP - 10.0), 11.0, Anchor::Start, "barriers held");
    }
    for (number, group) in timeline.groups.iter().enumerate() {
        let height = group.lanes.len() as f64 * panel.lane;
        let size = (height + 1.0).min(12.0);
        let middle = panel.lane_top((number, 0)) + height / 2.0 + 0.35 * size;
        svg.text((12.0, middle), size, Anchor::Start, &group.name);
        if barriers > 0 && group.held > 0 {
            let held = format!("{} of {barriers}", group.held);
            svg.text((count, middle), size, Anchor::Start, &held);
        }
    }
    let together = timeline.barriers.iter();
    let together = together.filter(|barrier| barrier.held_by.len() > 1).count();
    let below = panel.bottom();
    if together > 0 {
        let words = format!("{together} together");
        svg.text((count, below + 14.0), 11.0, Anchor::Start, &words);
    }
    let length = panel.window.length().as_seconds();
    let place = (panel.left, panel.right, below + 4.0);
    time_axis(svg, place, length, 10.0, "time since the pass began");
}

/// The barriers within a window.
fn told(timeline: &Timeline, window: Slice) -> Vec<&Barrier> {
    let inside = |barrier: &&Barrier| barrier.at > window.start && barrier.at <= window.end;
    timeline.barriers.iter().filter(inside).collect()
}

fn marks(svg: &mut Svg, panel: &Panel<'_>, barriers: &[&Barrier]) {
    for barrier in barriers {
        svg.dashed(panel.x(barrier.at), (panel.top - 4.0, panel.bottom()));
    }
    for barrier in barriers {
        for place in &barrier.held_by {
            let middle = panel.lane_top(*place) + panel.lane / 2.0;
            svg.diamond((panel.x(barrier.at), middle), (panel.lane * 0.4).max(2.5));
        }
    }
}

fn zoomed(svg: &mut Svg, panel: &Panel<'_>, caption: &str) {
    let timeline = panel.timeline;
    let head = panel.top - HEAD + 30.0;
    svg.text((LEFT, head), 13.0, Anchor::Start, caption);
    panel.lanes(svg);
    panel.path(svg);
    let size = (panel.lane - 2.0).min(10.0);
    for (number, group) in timeline.groups.iter().enumerate() {
        let height = group.lanes.len() as f64 * panel.lane;
        let middle = panel.lane_top((number, 0)) + height / 2.0 + 4.0;
        // The lanes' names begin where this ends.
        let letters = group.name.chars().count().max(1) as f64;
        let fitting = (NAME / (0.58 * letters)).clamp(6.5, 12.0);
        svg.text((12.0, middle), fitting, Anchor::Start, &group.name);
        for (row, (lane, _)) in group.lanes.iter().enumerate() {
            let y = panel.lane_top((number, row)) + panel.lane / 2.0 + 0.35 * size;
            svg.text((LEFT - 6.0, y), size, Anchor::End, &lane.name);
        }
    }
    let barriers = told(timeline, panel.window);
    let apart = barriers.len() as f64 * APART <= panel.right - panel.left;
    if apart {
        marks(svg, panel, &barriers);
    }
    let y = panel.bottom() + 4.0;
    let length = panel.window.length().as_seconds();
    let place = (panel.left, panel.right, y);
    time_axis(svg, place, length, 10.0, "time since the block began");
    let mut y = y + AXIS + 8.0;
    if barriers.len() > TOLD {
        let words = format!("{} barriers open in this block.", barriers.len());
        svg.text((LEFT, y), 12.0, Anchor::Start, &words);
        return;
    }
    for (number, barrier) in barriers.iter().enumerate() {
        // Every other number is higher, for neighbours may be close.
        let above = panel.top - 9.0 - 12.0 * (number % 2) as f64;
        let name = (number + 1).to_string();
        svg.text((panel.x(barrier.at), above), 11.0, Anchor::Middle, &name);
        let words = format!("{name}  {}", in_words(timeline, barrier));
        svg.text((LEFT, y), 12.0, Anchor::Start, &words);
        y += LINE;
    }
}

/// Who held a barrier, by how much.
fn in_words(timeline: &Timeline, barrier: &Barrier) -> String {
    let who = |(group, lane): &(usize, usize)| {
        let group = &timeline.groups[*group];
        format!("{}, {}", group.name, group.lanes[*lane].0.name)
    };
    let held = match &barrier.held_by[..] {
        [one] => format!("held by {}", who(one)),
        several if barrier.lead.0 == 0 => format!("all {} arrive together", several.len()),
        several => format!("held by {} together", several.len()),
    };
    let lead = match barrier.lead.0 {
        0 => String::new(),
        _ => format!(", {} after the others", seconds(barrier.lead.as_seconds())),
    };
    format!("{}: {held}{lead}", barrier.stage)
}
