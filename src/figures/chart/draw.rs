//! Draws a chart that is laid out.

use super::axis::Axis;
use super::layout::{Layout, TICK};
use super::{Drawn, Look, Mark, Plot, Series, labels};
use crate::figures::Width;
use crate::figures::canvas::Canvas;
use crate::figures::elements::{Interval, Line, Marker, Words, words};
use crate::figures::font::{self, Weight};
use crate::figures::scene::{Anchor, Place, Scene, Stroke, Text};
use crate::figures::style::{self, LEADING, LINE, MARGIN, SMALL, TEXT};
use plotters::chart::{ChartBuilder, ChartContext, LabelAreaPosition};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::style::{FontDesc, FontFamily, FontStyle, RGBColor, ShapeStyle, TextStyle};
use std::convert::Infallible;

/// How long small ones are.
const SMALL_TICK: i32 = 130;

/// `plot`, laid out for `width`.
pub fn draw(plot: &Plot, width: Width) -> Scene {
    let layout = Layout::of(plot, width);
    let over = format!("{} over {}", plot.y.label, plot.x.label);
    let title = plot.title.as_ref().unwrap_or(&over);
    let mut scene = Scene::new(layout.width, layout.height, title);
    scene.description = description(plot, &over);
    let page = Canvas::new(&mut scene).into_drawing_area();
    let drawn = layout.draw(plot, &page);
    drop(page);
    drawn.expect("a scene takes everything");
    scene
}

/// What whoever does not see the chart is told of it.
fn description(plot: &Plot, over: &str) -> String {
    let names = plot.series.iter().map(|series| series.name.as_str());
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    let mut words = over.to_owned();
    if !names.is_empty() {
        words += &format!("; {}", names.join(", "));
    }
    if let Some(note) = &plot.note {
        words += &format!("; {note}");
    }
    words + "."
}

impl Layout<'_> {
    /// Draws all of it.
    fn draw(&self, plot: &Plot, page: &DrawingArea<Canvas<'_>, Shift>) -> Drawn<Infallible> {
        let frame = self.frame;
        for (number, line) in self.title.iter().enumerate() {
            let foot = MARGIN + TEXT + LINE * number as i32;
            page.draw(&words((self.width / 2, foot), line, TEXT, Anchor::Middle))?;
        }
        self.legend.draw(page)?;
        let mut chart = ChartBuilder::on(page)
            .margin_top(frame.top)
            .margin_right(self.width - frame.right)
            .set_label_area_size(LabelAreaPosition::Left, frame.left)
            .set_label_area_size(LabelAreaPosition::Bottom, self.height - frame.bottom)
            .build_cartesian_2d(self.across.clone(), self.upwards.clone())?;
        self.draw_mesh(plot, &mut chart)?;
        self.draw_small_marks(page)?;
        for series in &plot.series {
            draw_series(series, &mut chart)?;
        }
        self.draw_labels(plot, &chart, page)?;
        self.draw_words(page)
    }

    /// Grid, axes and their marks' words.
    fn draw_mesh<'c>(
        &self,
        plot: &Plot,
        chart: &mut ChartContext<'_, Canvas<'c>, Cartesian2d<Axis, Axis>>,
    ) -> Drawn<Infallible> {
        let font = FontDesc::new(FontFamily::SansSerif, f64::from(TEXT), FontStyle::Normal);
        let nothing = |_: &f64| String::new();
        let mut mesh = chart.configure_mesh();
        mesh.disable_x_mesh()
            .bold_line_style(shape_style(style::GRID))
            .axis_style(shape_style(style::AXIS))
            .label_style(TextStyle::from(font))
            .set_tick_mark_size(LabelAreaPosition::Left, TICK);
        match plot.x.categories.is_empty() {
            true => mesh.set_tick_mark_size(LabelAreaPosition::Bottom, TICK),
            // They are wrapped or turned, which plotters does not do.
            false => mesh
                .set_tick_mark_size(LabelAreaPosition::Bottom, 0)
                .x_label_formatter(&nothing),
        };
        mesh.draw()
    }

    fn draw_small_marks(&self, page: &DrawingArea<Canvas<'_>, Shift>) -> Drawn<Infallible> {
        let frame = self.frame;
        let stroke = style::AXIS;
        for value in &self.across.minor {
            let x = frame.left
                + libm::round(self.across.share(*value) * f64::from(frame.width())) as i32;
            let places = vec![(x, frame.bottom), (x, frame.bottom + SMALL_TICK)];
            page.draw(&Line { places, stroke })?;
        }
        for value in &self.upwards.minor {
            let y = frame.bottom
                - libm::round(self.upwards.share(*value) * f64::from(frame.height())) as i32;
            let places = vec![(frame.left, y), (frame.left - SMALL_TICK, y)];
            page.draw(&Line { places, stroke })?;
        }
        Ok(())
    }

    /// What stands beside marks, where it hides least.
    fn draw_labels(
        &self,
        plot: &Plot,
        chart: &ChartContext<'_, Canvas<'_>, Cartesian2d<Axis, Axis>>,
        page: &DrawingArea<Canvas<'_>, Shift>,
    ) -> Drawn<Infallible> {
        let at = |x: f64, y: f64| chart.backend_coord(&(x, y));
        let mut marks: Vec<&Mark> = Vec::new();
        let mut lines: Vec<[Place; 2]> = Vec::new();
        for series in &plot.series {
            if series.look == Look::Front {
                let pairs = series.marks.windows(2);
                lines
                    .extend(pairs.map(|pair| [at(pair[0].x, pair[0].y), at(pair[1].x, pair[1].y)]));
                continue;
            }
            marks.extend(&series.marks);
        }
        for mark in &marks {
            let (tall, wide) = (mark.y_half.unwrap_or(0.0), mark.x_half.unwrap_or(0.0));
            lines.push([at(mark.x, mark.y - tall), at(mark.x, mark.y + tall)]);
            lines.push([at(mark.x - wide, mark.y), at(mark.x + wide, mark.y)]);
        }
        let places: Vec<Place> = marks.iter().map(|mark| at(mark.x, mark.y)).collect();
        let names: Vec<&str> = marks.iter().map(|mark| mark.label.as_str()).collect();
        if names.iter().all(|name| name.is_empty()) {
            return Ok(());
        }
        let found = labels::place(&names, &places, &lines, self.frame);
        for (name, place) in names.iter().zip(found) {
            if let Some((at, anchor)) = place {
                page.draw(&words(at, name, SMALL, anchor))?;
            }
        }
        Ok(())
    }

    /// Categories, what stands along the axes, and the note.
    fn draw_words(&self, page: &DrawingArea<Canvas<'_>, Shift>) -> Drawn<Infallible> {
        let frame = self.frame;
        let across = |number: usize| {
            let share = self.across.share(number as f64);
            frame.left + libm::round(share * f64::from(frame.width())) as i32
        };
        if let Some(categories) = &self.categories {
            categories.draw(page, across, frame.bottom)?;
        }
        let middle = (frame.left + frame.right) / 2;
        let mut foot = frame.bottom + self.below;
        for line in &self.label {
            foot += LINE;
            let half = font::width(line, TEXT, Weight::Regular) / 2;
            let x = middle.max(MARGIN + half).min(self.width - MARGIN - half);
            page.draw(&words(
                (x, foot - TEXT * 24 / 100),
                line,
                TEXT,
                Anchor::Middle,
            ))?;
        }
        for (number, line) in self.upright.iter().enumerate() {
            let at = (
                MARGIN + TEXT * 76 / 100 + LINE * number as i32,
                (frame.top + frame.bottom) / 2,
            );
            let half = font::width(line, TEXT, Weight::Regular) / 2;
            // A long one runs on below the axis rather than over the top of the page.
            let at = (at.0, at.1.max(MARGIN + half));
            let text = Text::new(line, TEXT, at)
                .anchored(Anchor::Middle)
                .turned(-90);
            page.draw(&Words::at(at, text))?;
        }
        for line in &self.note {
            foot += (f64::from(SMALL) * LEADING) as i32;
            let at = (self.width - MARGIN, foot - SMALL * 24 / 100);
            let text = Text::new(line, SMALL, at).anchored(Anchor::End);
            page.draw(&Words::at(at, text.coloured(style::GREY)))?;
        }
        Ok(())
    }
}

fn draw_series(
    series: &Series,
    chart: &mut ChartContext<'_, Canvas<'_>, Cartesian2d<Axis, Axis>>,
) -> Drawn<Infallible> {
    let line = match series.look {
        Look::Curve | Look::Line => Some(style::curve(series.style)),
        Look::Front => Some(style::FRONT),
        Look::Dots | Look::Hollow => None,
    };
    if let Some(stroke) = line {
        let places = series.marks.iter().map(|mark| (mark.x, mark.y)).collect();
        chart.draw_series([Line { places, stroke }])?;
    }
    let stroke = Stroke::solid(style::curve(series.style).colour, 80);
    let upright = series.marks.iter().filter_map(|mark| {
        let half = mark.y_half?;
        let ends = [(mark.x, mark.y - half), (mark.x, mark.y + half)];
        Some(Interval { ends, stroke })
    });
    chart.draw_series(upright)?;
    let level = series.marks.iter().filter_map(|mark| {
        let half = mark.x_half?;
        let ends = [(mark.x - half, mark.y), (mark.x + half, mark.y)];
        Some(Interval { ends, stroke })
    });
    chart.draw_series(level)?;
    if let Some(hollow) = series.look.marker() {
        let marker = |mark: &Mark| Marker {
            at: (mark.x, mark.y),
            number: series.style,
            hollow,
        };
        chart.draw_series(series.marks.iter().map(marker))?;
    }
    Ok(())
}

fn shape_style(stroke: Stroke) -> ShapeStyle {
    let [red, green, blue] = stroke.colour.rgb;
    ShapeStyle::from(RGBColor(red, green, blue)).stroke_width(stroke.width as u32)
}
