//! Where everything of a chart is.

use super::axis::{Axis, Runs};
use super::categories::Categories;
use super::legend::Legend;
use super::{Mark, Plot};
use crate::figures::Width;
use crate::figures::font::{self, Weight};
use crate::figures::scene::Area;
use crate::figures::style::{LEADING, LINE, MARGIN, SMALL, TEXT};
use crate::scenario::Scale;

/// How long the marks of an axis are; plotters keeps words twice as far from the axis.
pub const TICK: i32 = 220;

/// Where everything is.
pub struct Layout<'a> {
    pub width: i32,
    pub title: Vec<String>,
    pub legend: Legend<'a>,
    /// The data.
    pub frame: Area,
    pub across: Axis,
    pub upwards: Axis,
    /// What stands along the axis that runs upwards.
    pub upright: Vec<String>,
    pub categories: Option<Categories>,
    /// Room of the words below the axis that runs to the right.
    pub below: i32,
    pub label: Vec<String>,
    pub note: Vec<String>,
    pub height: i32,
}

impl<'a> Layout<'a> {
    /// `plot`, laid out for `width`.
    pub fn of(plot: &'a Plot, width: Width) -> Self {
        let width_of = |words: &str| font::width(words, TEXT, Weight::Regular);
        let (width, tall) = (width.length(), width.plot_height());
        let room = width - 2 * MARGIN;
        let title = plot.title.as_deref().unwrap_or_default();
        let title = font::balanced(title, TEXT, Weight::Regular, room);
        let mut top = MARGIN + LINE * title.len() as i32;
        if !title.is_empty() {
            top += TEXT * 30 / 100;
        }
        let legend = Legend::new(&plot.series, width, top);
        let top = top + legend.height + 500;
        let bottom = top + tall;

        let values = |of: fn(&Mark) -> [f64; 3]| -> Vec<f64> {
            let marks = plot.series.iter().flat_map(|series| &series.marks);
            let all = marks.flat_map(of);
            all.filter(|value| value.is_finite()).collect()
        };
        let ys = spread(plot.y.scale, values(|mark| ends(mark.y, mark.y_half)));
        let xs = spread(plot.x.scale, values(|mark| ends(mark.x, mark.x_half)));
        let upwards = Axis::new(&plot.y, &ys, tall, Runs::Upwards);
        let widest = upwards.ticks.iter().map(|(_, tick)| width_of(tick));
        let upright = font::balanced(&plot.y.label, TEXT, Weight::Regular, tall);
        let left =
            MARGIN + LINE * upright.len() as i32 + widest.max().unwrap_or(0) + 2 * TICK + 250;

        let right = width - MARGIN - 500;
        let names = &plot.x.categories;
        let categories = (!names.is_empty()).then(|| Categories::new(names, left, right));
        let left = categories
            .as_ref()
            .map_or(left, |categories| categories.left);
        let mut right = right;
        let mut across = Axis::new(&plot.x, &xs, right - left, Runs::Across);
        if categories.is_none() {
            // The last mark's words may stand out beyond the axis.
            let out = across.ticks.iter().map(|(value, tick)| {
                let at = left + (across.share(*value) * f64::from(right - left)) as i32;
                at + width_of(tick) / 2 - (width - MARGIN)
            });
            right -= out.max().unwrap_or(0).max(0);
            across = Axis::new(&plot.x, &xs, right - left, Runs::Across);
        }
        let numbers = 2 * TICK + LINE;
        let below = categories
            .as_ref()
            .map_or(numbers, |categories| categories.height);
        let label = font::balanced(&plot.x.label, TEXT, Weight::Regular, room);
        let note = plot.note.as_deref().unwrap_or_default();
        let note = font::balanced(note, SMALL, Weight::Regular, room);
        let foot = bottom + below + LINE * label.len() as i32;
        let notes = (f64::from(SMALL) * LEADING) as i32 * note.len() as i32;
        Self {
            width,
            title,
            legend,
            frame: Area::between((left, top), (right, bottom)),
            across,
            upwards,
            upright,
            categories,
            below,
            label,
            height: foot + notes + MARGIN,
            note,
        }
    }
}

fn ends(value: f64, half: Option<f64>) -> [f64; 3] {
    let half = half.unwrap_or(0.0);
    [value - half, value, value + half]
}

/// The values that a scale must show: on a logarithmic one an interval may reach zero, and is
/// cut where its mean alone would be far above the foot.
fn spread(scale: Option<Scale>, values: Vec<f64>) -> Vec<f64> {
    if scale == Some(Scale::Linear) {
        return values;
    }
    let means: Vec<f64> = values.chunks(3).map(|mark| mark[1]).collect();
    let least = means.iter().copied().fold(f64::MAX, f64::min);
    if least <= 0.0 {
        return values;
    }
    let cut = |value: f64| value.max(0.3 * least);
    values.into_iter().map(cut).collect()
}
