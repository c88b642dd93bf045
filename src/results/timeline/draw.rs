//! Draws a timeline: lanes per device, the whole pass beside its first layers.
//!
//! Fills are Okabe–Ito colours whose lightness differs too, and waiting is
//! hatched, so the figure survives greyscale and colour blindness.

use super::{Lane, Slice, Timeline, TimelineError};
use crate::units::Instant;
use plotters::coord::Shift;
use plotters::prelude::*;

const COMPUTE: RGBColor = RGBColor(0, 114, 178);
const UPLINK: RGBColor = RGBColor(230, 159, 0);
const DOWNLINK: RGBColor = RGBColor(0, 158, 115);
const WAITING: RGBColor = RGBColor(238, 238, 238);
const HATCH: RGBColor = RGBColor(150, 150, 150);
const BARRIER: RGBColor = RGBColor(70, 70, 70);

const WIDTH: u32 = 1280;
const LANE_HEIGHT: u32 = 15;
const GROUP_GAP: u32 = 9;
const LABEL_WIDTH: u32 = 128;
const TOP: u32 = 74;
const BOTTOM: u32 = 52;
const PANEL_GAP: u32 = 34;

/// Share of the plot's width that the whole pass gets; the rest is the zoom.
const OVERVIEW_SHARE: f64 = 0.52;

/// Below this width on screen, in pixels, a slice has no outline of its own.
const OUTLINE_FROM: f64 = 4.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type DrawResult<T = ()> = Result<T, String>;

fn fault(error: impl std::fmt::Display) -> String {
    error.to_string()
}

struct Window {
    from: Instant,
    to: Instant,
}

impl Window {
    fn length(&self) -> f64 {
        self.to.since(self.from).0 as f64
    }
}

/// Where everything goes, in pixels.
struct Layout<'t> {
    timeline: &'t Timeline,
    height: u32,
}

impl<'t> Layout<'t> {
    fn of(timeline: &'t Timeline) -> Self {
        let groups = timeline.owners.len() as u32;
        let lanes: u32 = timeline
            .owners
            .iter()
            .map(|owner| owner.lanes.len() as u32)
            .sum();
        Self {
            timeline,
            height: TOP + lanes * LANE_HEIGHT + groups * GROUP_GAP + BOTTOM,
        }
    }

    /// Top edge of a lane.
    fn lane_top(&self, owner: usize, lane: usize) -> i32 {
        let above: u32 = self.timeline.owners[..owner]
            .iter()
            .map(|owner| owner.lanes.len() as u32 * LANE_HEIGHT + GROUP_GAP)
            .sum();
        (TOP + above + lane as u32 * LANE_HEIGHT) as i32
    }

    fn plot_bottom(&self) -> i32 {
        (self.height - BOTTOM) as i32
    }
}

/// The SVG text of `timeline`.
///
/// # Errors
/// If the backend refuses to draw.
pub fn draw(timeline: &Timeline) -> Result<String, TimelineError> {
    render(timeline).map_err(TimelineError::Drawing)
}

fn render(timeline: &Timeline) -> DrawResult<String> {
    let layout = Layout::of(timeline);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, layout.height)).into_drawing_area();
        root.fill(&WHITE).map_err(fault)?;
        title(&root, timeline)?;
        legend(&root, timeline.barrier_name)?;
        labels(&root, &layout)?;
        let plot = (WIDTH - LABEL_WIDTH - PANEL_GAP - 16) as f64;
        let overview_right = LABEL_WIDTH as i32 + (plot * OVERVIEW_SHARE) as i32;
        let whole = Window {
            from: timeline.start,
            to: timeline.end,
        };
        let zoom = Window {
            from: timeline.start,
            to: timeline.zoom_end,
        };
        panel(
            &root,
            &layout,
            &whole,
            LABEL_WIDTH as i32,
            overview_right,
            "whole pass",
        )?;
        let zoom_left = overview_right + PANEL_GAP as i32;
        let caption = format!("first {}", timeline.zoom_caption);
        panel(
            &root,
            &layout,
            &zoom,
            zoom_left,
            WIDTH as i32 - 16,
            &caption,
        )?;
        root.present().map_err(fault)?;
    }
    Ok(svg)
}

fn text(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&BLACK)
}

fn centred(style: TextStyle<'static>) -> TextStyle<'static> {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    style.pos(Pos::new(HPos::Center, VPos::Top))
}

fn put(root: &Area, words: &str, style: &TextStyle, at: (i32, i32)) -> DrawResult {
    root.draw_text(words, style, at).map_err(fault)
}

fn title(root: &Area, timeline: &Timeline) -> DrawResult {
    put(root, &timeline.title, &text(17), (12, 8))
}

fn legend(root: &Area, barriers: &str) -> DrawResult {
    let mut x = LABEL_WIDTH as i32;
    let y = 34;
    for (lane, name, width) in [
        (Some(Lane::Compute), "compute", 92),
        (Some(Lane::Uplink), "uplink", 80),
        (Some(Lane::Downlink), "downlink", 98),
        (None, "waiting", 86),
    ] {
        match lane {
            Some(lane) => fill(root, (x, y), (x + 18, y + 12), colour(lane), true)?,
            None => hatch(root, (x, y), (x + 18, y + 12))?,
        }
        put(root, name, &text(13), (x + 24, y))?;
        x += width;
    }
    dashed(root, x + 8, y - 2, y + 14)?;
    let name = format!("{barriers} barrier opens");
    put(root, &name, &text(13), (x + 18, y))
}

fn labels(root: &Area, layout: &Layout) -> DrawResult {
    for (group, owner) in layout.timeline.owners.iter().enumerate() {
        let top = layout.lane_top(group, 0);
        let middle = top + (owner.lanes.len() as i32 * LANE_HEIGHT as i32) / 2 - 7;
        put(root, &owner.name, &text(13), (12, middle))?;
        for (row, lane) in owner.lanes.iter().enumerate() {
            let at = (LABEL_WIDTH as i32 - 54, layout.lane_top(group, row) + 2);
            put(root, lane.name(), &text(10), at)?;
        }
    }
    Ok(())
}

fn colour(lane: Lane) -> RGBColor {
    match lane {
        Lane::Compute => COMPUTE,
        Lane::Uplink => UPLINK,
        Lane::Downlink => DOWNLINK,
    }
}

fn fill(root: &Area, a: (i32, i32), b: (i32, i32), colour: RGBColor, outline: bool) -> DrawResult {
    root.draw(&Rectangle::new([a, b], colour.filled()))
        .map_err(fault)?;
    if outline {
        root.draw(&Rectangle::new([a, b], WHITE.stroke_width(1)))
            .map_err(fault)?;
    }
    Ok(())
}

fn hatch(root: &Area, a: (i32, i32), b: (i32, i32)) -> DrawResult {
    fill(root, a, b, WAITING, false)?;
    let height = b.1 - a.1;
    let mut x = a.0 - height;
    while x < b.0 {
        // The stroke from (x, bottom) to (x + height, top), clipped to the box.
        let left = x.max(a.0);
        let right = (x + height).min(b.0);
        if left < right {
            let stroke = [(left, b.1 - (left - x)), (right, b.1 - (right - x))];
            root.draw(&PathElement::new(stroke, HATCH.stroke_width(1)))
                .map_err(fault)?;
        }
        x += 6;
    }
    Ok(())
}

fn dashed(root: &Area, x: i32, top: i32, bottom: i32) -> DrawResult {
    let mut y = top;
    while y < bottom {
        let stroke = [(x, y), (x, (y + 4).min(bottom))];
        root.draw(&PathElement::new(stroke, BARRIER.stroke_width(1)))
            .map_err(fault)?;
        y += 7;
    }
    Ok(())
}

fn panel(
    root: &Area,
    layout: &Layout,
    window: &Window,
    left: i32,
    right: i32,
    caption: &str,
) -> DrawResult {
    let width = f64::from(right - left);
    let scale = width / window.length().max(1.0);
    let x_of = |at: Instant| {
        let clamped = at.clamp(window.from, window.to);
        left + (clamped.since(window.from).0 as f64 * scale).round() as i32
    };
    let visible = |slice: &&Slice| slice.end > window.from && slice.start < window.to;
    for (group, owner) in layout.timeline.owners.iter().enumerate() {
        for slice in owner.waiting.iter().filter(visible) {
            let (from, to) = (x_of(slice.start), x_of(slice.end));
            if to > from {
                let top = layout.lane_top(group, 0);
                hatch(root, (from, top), (to, top + LANE_HEIGHT as i32 - 2))?;
            }
        }
        for (row, lane) in owner.lanes.iter().enumerate() {
            let top = layout.lane_top(group, row);
            let bottom = top + LANE_HEIGHT as i32 - 2;
            let base = [(left, bottom), (right, bottom)];
            root.draw(&PathElement::new(base, WAITING.stroke_width(1)))
                .map_err(fault)?;
            for slice in owner.busy.iter().filter(|slice| slice.lane == Some(*lane)) {
                if !visible(&slice) {
                    continue;
                }
                let (from, to) = (
                    x_of(slice.start),
                    x_of(slice.end).max(x_of(slice.start) + 1),
                );
                let outline = f64::from(to - from) >= OUTLINE_FROM;
                fill(root, (from, top), (to, bottom), colour(*lane), outline)?;
            }
        }
    }
    let crowded = layout.timeline.barriers.len() as f64 > width / 6.0;
    for barrier in &layout.timeline.barriers {
        if (window.from..=window.to).contains(barrier)
            && !(crowded && window.to == layout.timeline.end)
        {
            dashed(root, x_of(*barrier), TOP as i32 - 4, layout.plot_bottom())?;
        }
    }
    axis(root, layout, window, left, right)?;
    put(
        root,
        caption,
        &centred(text(13)),
        ((left + right) / 2, TOP as i32 - 20),
    )
}

/// The time axis, in the largest unit that keeps the last tick above one.
fn axis(root: &Area, layout: &Layout, window: &Window, left: i32, right: i32) -> DrawResult {
    let y = layout.plot_bottom();
    root.draw(&PathElement::new(
        [(left, y), (right, y)],
        BLACK.stroke_width(1),
    ))
    .map_err(fault)?;
    let length = window.length().max(1.0);
    let (unit, per_unit) = [("s", 1e12), ("ms", 1e9), ("µs", 1e6), ("ns", 1e3)]
        .into_iter()
        .find(|(_, per_unit)| length >= *per_unit)
        .unwrap_or(("ps", 1.0));
    let step = tick_step(length / per_unit);
    let mut tick = 0.0;
    let mut count = 0;
    while tick <= length / per_unit * (1.0 + 1e-9) {
        let x = left + (tick * per_unit / length * f64::from(right - left)).round() as i32;
        root.draw(&PathElement::new(
            [(x, y), (x, y + 5)],
            BLACK.stroke_width(1),
        ))
        .map_err(fault)?;
        let digits = if step < 0.1 {
            2
        } else if step < 1.0 {
            1
        } else {
            0
        };
        put(
            root,
            &format!("{tick:.digits$}"),
            &centred(text(12)),
            (x, y + 8),
        )?;
        count += 1;
        tick = f64::from(count) * step;
    }
    let name = format!("time since the pass began ({unit})");
    put(
        root,
        &name,
        &centred(text(13)),
        ((left + right) / 2, y + 26),
    )
}

/// A step of 1, 2 or 5 times a power of ten that gives 4 to 10 ticks.
fn tick_step(length: f64) -> f64 {
    let raw = length / 6.0;
    let magnitude = libm::pow(10.0, libm::floor(libm::log10(raw)));
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|factor| factor * magnitude >= raw)
        .unwrap_or(10.0);
    factor * magnitude
}
