//! A scene as PNG, for slides and programs that take no vectors.
//!
//! Painted by tiny-skia, which is built without vector instructions and with libm, and packed by
//! miniz_oxide: the same bytes on every machine.

mod file;

use super::polygon::{self, Point, QUARTER};
use crate::figures::font::Weight;
use crate::figures::scene::{Area, Colour, Fill, Group, Item, Outline, Scene, Shape, Stroke, Text};
use tiny_skia::{
    FillRule, LineJoin, Mask, Paint, Path, PathBuilder, Pixmap, StrokeDash, Transform,
};
use ttf_parser::OutlineBuilder;

/// Dots per inch that printers and journals ask for.
pub const PRINT: u32 = 600;

/// More pixels than that are refused: 4 bytes each while painting.
const MOST_PIXELS: u64 = 1 << 28;

/// The picture has more pixels than can be painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a picture of {width} by {height} pixels is too large for PNG; write SVG or PDF, which have no pixels"
)]
pub struct TooLarge {
    width: u64,
    height: u64,
}

/// The PNG bytes of `scene` at `dots` per inch.
///
/// # Errors
/// If that makes more than 2²⁸ pixels.
pub fn write(scene: &Scene, dots: u32) -> Result<Vec<u8>, TooLarge> {
    let pixels = |length: i32| (u64::from(length.max(1) as u32) * u64::from(dots)).div_ceil(7_200);
    let (width, height) = (pixels(scene.width), pixels(scene.height));
    let large = TooLarge { width, height };
    if width * height > MOST_PIXELS {
        return Err(large);
    }
    let pixmap = Pixmap::new(width as u32, height as u32);
    let mut painter = Painter {
        pixmap: pixmap.ok_or(large)?,
        scale: f64::from(dots) / 7_200.0,
        clips: Vec::new(),
    };
    painter.pixmap.fill(tiny_skia::Color::WHITE);
    painter.items(&scene.items);
    Ok(file::packed(&painter.pixmap, dots))
}

struct Painter {
    pixmap: Pixmap,
    /// Pixels in a hundredth of a point.
    scale: f64,
    /// What is seen of groups, the innermost last.
    clips: Vec<Mask>,
}

impl Painter {
    fn items(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Shape(shape) => self.shape(shape),
                Item::Text(text) => self.text(text),
                Item::Group(group) => self.group(group),
            }
        }
    }

    fn group(&mut self, group: &Group) {
        let clip = group.clip.and_then(|area| self.mask(area));
        let clipped = clip.is_some();
        self.clips.extend(clip);
        self.items(&group.items);
        if clipped {
            self.clips.pop();
        }
    }

    /// What is within `area` and all clips around it.
    fn mask(&self, area: Area) -> Option<Mask> {
        let path = self.path(&Outline::Rectangle(area))?;
        let around = self.clips.last().cloned();
        let (width, height) = (self.pixmap.width(), self.pixmap.height());
        match around {
            Some(mut mask) => {
                mask.intersect_path(&path, FillRule::Winding, true, Transform::identity());
                Some(mask)
            }
            None => {
                let mut mask = Mask::new(width, height)?;
                mask.fill_path(&path, FillRule::Winding, true, Transform::identity());
                Some(mask)
            }
        }
    }

    fn shape(&mut self, shape: &Shape) {
        let Some(path) = self.path(&shape.outline) else {
            return;
        };
        match shape.fill {
            None => {}
            Some(Fill::Plain(colour)) => self.fill(&path, colour),
            Some(Fill::Hatched(hatch)) => {
                self.fill(&path, hatch.ground);
                let mut lines = PathBuilder::new();
                for line in polygon::lines(&shape.outline, &hatch) {
                    self.push(&mut lines, &line, true);
                }
                if let Some(lines) = lines.finish() {
                    self.fill(&lines, hatch.line);
                }
            }
        }
        if let Some(stroke) = shape.stroke {
            self.stroke(&path, stroke);
        }
    }

    fn fill(&mut self, path: &Path, colour: Colour) {
        let (rule, none) = (FillRule::Winding, Transform::identity());
        self.pixmap
            .fill_path(path, &paint(colour), rule, none, self.clips.last());
    }

    fn stroke(&mut self, path: &Path, stroke: Stroke) {
        let long = |length: i32| (f64::from(length) * self.scale) as f32;
        let dashes: Vec<f32> = stroke.dash.iter().copied().map(long).collect();
        let pen = tiny_skia::Stroke {
            width: long(stroke.width),
            line_join: LineJoin::Round,
            dash: StrokeDash::new(dashes, 0.0),
            ..tiny_skia::Stroke::default()
        };
        let (paint, none) = (paint(stroke.colour), Transform::identity());
        self.pixmap
            .stroke_path(path, &paint, &pen, none, self.clips.last());
    }

    fn text(&mut self, text: &Text) {
        let units = f64::from(text.weight.units());
        let (sin, cos) = libm::sincos(f64::from(text.turn).to_radians());
        let mut pen = Pen {
            path: PathBuilder::new(),
            size: f64::from(text.size) / units,
            along: f64::from(text.start()),
            at: (f64::from(text.at.0), f64::from(text.at.1)),
            turn: (sin, cos),
            scale: self.scale,
        };
        for letter in text.words.chars() {
            text.weight.outline(letter, &mut pen);
            pen.along += f64::from(Weight::advance(text.weight, letter)) * pen.size;
        }
        if let Some(path) = pen.path.finish() {
            self.fill(&path, text.colour);
        }
    }

    fn path(&self, outline: &Outline) -> Option<Path> {
        let mut path = PathBuilder::new();
        match outline {
            Outline::Path { closed, .. } => {
                self.push(&mut path, &polygon::corners(outline), *closed)
            }
            Outline::Rectangle(_) => self.push(&mut path, &polygon::corners(outline), true),
            Outline::Circle { centre, radius } => {
                let (x, y, r) = (f64::from(centre.0), f64::from(centre.1), f64::from(*radius));
                let at = |right: f64, down: f64| self.pixel((x + r * right, y + r * down));
                let (from_x, from_y) = at(1.0, 0.0);
                path.move_to(from_x, from_y);
                for (dx, dy) in [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)] {
                    // A quarter clockwise, from (dx, dy) to (−dy, dx).
                    let (ax, ay) = at(dx - QUARTER * dy, dy + QUARTER * dx);
                    let (bx, by) = at(-dy + QUARTER * dx, dx + QUARTER * dy);
                    let (cx, cy) = at(-dy, dx);
                    path.cubic_to(ax, ay, bx, by, cx, cy);
                }
                path.close();
            }
        }
        path.finish()
    }

    fn push(&self, path: &mut PathBuilder, points: &[Point], closed: bool) {
        for (number, point) in points.iter().enumerate() {
            let (x, y) = self.pixel(*point);
            match number {
                0 => path.move_to(x, y),
                _ => path.line_to(x, y),
            }
        }
        if closed {
            path.close();
        }
    }

    fn pixel(&self, (x, y): Point) -> (f32, f32) {
        ((x * self.scale) as f32, (y * self.scale) as f32)
    }
}

/// Puts the outlines of letters where they stand.
struct Pen {
    path: PathBuilder,
    /// Hundredths of a point in a part of the font.
    size: f64,
    /// How far along the base line the letter starts.
    along: f64,
    at: Point,
    turn: (f64, f64),
    scale: f64,
}

impl Pen {
    fn pixel(&self, x: f32, y: f32) -> (f32, f32) {
        let along = self.along + f64::from(x) * self.size;
        let across = -f64::from(y) * self.size;
        let (sin, cos) = self.turn;
        let x = self.at.0 + along * cos - across * sin;
        let y = self.at.1 + along * sin + across * cos;
        ((x * self.scale) as f32, (y * self.scale) as f32)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.pixel(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.pixel(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.pixel(x1, y1), self.pixel(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2)) = (self.pixel(x1, y1), self.pixel(x2, y2));
        let (x, y) = self.pixel(x, y);
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

fn paint(colour: Colour) -> Paint<'static> {
    let [red, green, blue] = colour.rgb;
    let mut paint = Paint::default();
    let alpha = (u32::from(colour.cover.min(100)) * 255 + 50) / 100;
    paint.set_color_rgba8(red, green, blue, alpha as u8);
    paint
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::style;

    #[test]
    fn a_picture_is_as_large_as_it_says_and_has_its_colours() {
        let mut scene = Scene::new(7_200, 3_600, "an inch by half an inch");
        let left = Area::between((0, 0), (3_600, 3_600));
        let shape = Shape::filled(Outline::Rectangle(left), Fill::Plain(style::COMPUTE));
        scene.items.push(Item::Shape(shape));
        let file = write(&scene, 100).unwrap();
        assert_eq!(
            &file[16..24],
            [100u32.to_be_bytes(), 50u32.to_be_bytes()].concat()
        );
        let start = file.windows(4).position(|at| at == b"IDAT").unwrap();
        let length = u32::from_be_bytes(file[start - 4..start].try_into().unwrap()) as usize;
        let packed = &file[start + 4..start + 4 + length];
        let rows = miniz_oxide::inflate::decompress_to_vec_zlib(packed).unwrap();
        assert_eq!(rows.len(), 50 * 301);
        assert_eq!(rows[1..4], style::COMPUTE.rgb);
        assert_eq!(rows[1 + 3 * 99..1 + 3 * 100], [255, 255, 255]);
        // The second row is like the first.
        assert!(rows[302..602].iter().all(|difference| *difference == 0));
    }

    #[test]
    fn more_pixels_than_memory_are_refused() {
        let scene = Scene::new(51_024, 100_000_000, "tall");
        assert!(
            write(&scene, PRINT)
                .unwrap_err()
                .to_string()
                .contains("SVG or PDF")
        );
    }
}
