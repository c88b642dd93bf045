//! A scene as PDF 1.7, for LaTeX and printers.
//!
//! Of the font only the letters are embedded that the scene shows, with the characters that they
//! stand for, so that text can be searched and copied. There is no date in it: the same scene has
//! the same bytes.

mod letters;

use super::polygon::{self, Point, QUARTER};
use crate::figures::font::Weight;
use crate::figures::scene::{Area, Colour, Fill, Group, Item, Outline, Scene, Shape, Stroke, Text};
use letters::Letters;
use pdf_writer::types::{ActionType, AnnotationType, LineJoinStyle};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use std::collections::{BTreeMap, BTreeSet};

/// How hard streams are packed, of ten.
const EFFORT: u8 = 6;

/// The PDF bytes of `scene`: one page of its size.
pub fn write(scene: &Scene) -> Vec<u8> {
    let mut writer = Writer {
        content: Content::new(),
        height: scene.height,
        fonts: BTreeMap::new(),
        covers: BTreeSet::new(),
        cover: 100,
        links: Vec::new(),
    };
    writer.content.set_line_join(LineJoinStyle::RoundJoin);
    writer.items(&scene.items);
    writer.file(scene)
}

struct Writer {
    content: Content,
    height: i32,
    fonts: BTreeMap<Weight, Letters>,
    /// Opacities in per cent.
    covers: BTreeSet<u8>,
    cover: u8,
    links: Vec<(Area, String)>,
}

impl Writer {
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
        if let (Some(link), Some(area)) = (&group.link, polygon::bounds(&group.items)) {
            self.links.push((area, link.clone()));
        }
        let cover = self.cover;
        if let Some(area) = group.clip {
            self.content.save_state();
            self.path(&Outline::Rectangle(area));
            self.content.clip_nonzero();
            self.content.end_path();
        }
        self.items(&group.items);
        if group.clip.is_some() {
            self.content.restore_state();
            self.cover = cover;
        }
    }

    fn shape(&mut self, shape: &Shape) {
        match shape.fill {
            None => {}
            Some(Fill::Plain(colour)) => {
                self.fill_with(colour);
                self.path(&shape.outline);
                self.content.fill_nonzero();
            }
            Some(Fill::Hatched(hatch)) => {
                self.fill_with(hatch.ground);
                self.path(&shape.outline);
                self.content.fill_nonzero();
                let lines = polygon::lines(&shape.outline, &hatch);
                if !lines.is_empty() {
                    self.fill_with(hatch.line);
                    for line in lines {
                        self.polygon(&line, true);
                    }
                    self.content.fill_nonzero();
                }
            }
        }
        if let Some(stroke) = shape.stroke {
            self.stroke_with(stroke);
            self.path(&shape.outline);
            self.content.stroke();
        }
    }

    fn text(&mut self, text: &Text) {
        let letters = self.fonts.entry(text.weight).or_default();
        let codes = letters.codes(text.weight, &text.words);
        self.fill_with(text.colour);
        let (sin, cos) = libm::sincos(f64::from(text.turn).to_radians());
        let start = f64::from(text.start());
        let at = (
            f64::from(text.at.0) + start * cos,
            f64::from(text.at.1) + start * sin,
        );
        let (x, y) = self.point(at);
        let (sin, cos) = (sin as f32, cos as f32);
        self.content.begin_text();
        self.content
            .set_font(name(text.weight), text.size as f32 / 100.0);
        // Upwards here, downwards there: a clockwise turn has the other sign.
        self.content.set_text_matrix([cos, -sin, sin, cos, x, y]);
        self.content.show(Str(&codes));
        self.content.end_text();
    }

    fn fill_with(&mut self, colour: Colour) {
        self.cover_with(colour.cover);
        let [red, green, blue] = colour.rgb.map(|part| f32::from(part) / 255.0);
        self.content.set_fill_rgb(red, green, blue);
    }

    fn stroke_with(&mut self, stroke: Stroke) {
        self.cover_with(stroke.colour.cover);
        let [red, green, blue] = stroke.colour.rgb.map(|part| f32::from(part) / 255.0);
        self.content.set_stroke_rgb(red, green, blue);
        self.content.set_line_width(stroke.width as f32 / 100.0);
        let dashes = stroke.dash.iter().map(|length| *length as f32 / 100.0);
        self.content.set_dash_pattern(dashes, 0.0);
    }

    fn cover_with(&mut self, cover: u8) {
        if self.cover != cover {
            self.cover = cover;
            self.covers.insert(cover);
            self.content
                .set_parameters(Name(cover_name(cover).as_bytes()));
        }
    }

    fn path(&mut self, outline: &Outline) {
        match outline {
            Outline::Path { closed, .. } => self.polygon(&polygon::corners(outline), *closed),
            Outline::Rectangle(_) => self.polygon(&polygon::corners(outline), true),
            Outline::Circle { centre, radius } => {
                let (x, y, r) = (f64::from(centre.0), f64::from(centre.1), f64::from(*radius));
                let height = self.height;
                let at = |right: f64, down: f64| upwards(height, (x + r * right, y + r * down));
                let (from_x, from_y) = at(1.0, 0.0);
                self.content.move_to(from_x, from_y);
                for (dx, dy) in [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)] {
                    // A quarter clockwise, from (dx, dy) to (−dy, dx).
                    let (ax, ay) = at(dx - QUARTER * dy, dy + QUARTER * dx);
                    let (bx, by) = at(-dy + QUARTER * dx, dx + QUARTER * dy);
                    let (cx, cy) = at(-dy, dx);
                    self.content.cubic_to(ax, ay, bx, by, cx, cy);
                }
                self.content.close_path();
            }
        }
    }

    fn polygon(&mut self, points: &[Point], closed: bool) {
        for (number, point) in points.iter().enumerate() {
            let (x, y) = self.point(*point);
            match number {
                0 => self.content.move_to(x, y),
                _ => self.content.line_to(x, y),
            };
        }
        if closed {
            self.content.close_path();
        }
    }

    fn point(&self, point: Point) -> (f32, f32) {
        upwards(self.height, point)
    }

    fn file(self, scene: &Scene) -> Vec<u8> {
        let mut numbers = 1..;
        let mut next = move || Ref::new(numbers.next().expect("numbers have no end"));
        let mut pdf = Pdf::new();
        let (catalogue, pages, page, content) = (next(), next(), next(), next());
        pdf.catalog(catalogue).pages(pages).lang(TextStr("en"));
        pdf.pages(pages).kids([page]).count(1);
        let info = next();
        pdf.document_info(info)
            .title(TextStr(&scene.title))
            .subject(TextStr(&scene.description))
            .creator(TextStr("airloom"));
        let fonts: Vec<(Weight, Ref)> = self.fonts.keys().map(|weight| (*weight, next())).collect();
        let links: Vec<Ref> = self.links.iter().map(|_| next()).collect();
        let (right, top) = upwards(scene.height, (f64::from(scene.width), 0.0));
        let mut sheet = pdf.page(page);
        sheet.parent(pages).contents(content);
        sheet.media_box(Rect::new(0.0, 0.0, right, top));
        sheet.annotations(links.iter().copied());
        let mut resources = sheet.resources();
        let mut names = resources.fonts();
        for (weight, font) in &fonts {
            names.pair(name(*weight), font);
        }
        names.finish();
        let mut states = resources.ext_g_states();
        for cover in self.covers.iter().chain([&100]) {
            let share = f32::from(*cover) / 100.0;
            states
                .insert(Name(cover_name(*cover).as_bytes()))
                .start::<pdf_writer::writers::ExtGraphicsState<'_>>()
                .non_stroking_alpha(share)
                .stroking_alpha(share);
        }
        states.finish();
        resources.finish();
        sheet.finish();
        for ((area, link), id) in self.links.iter().zip(links) {
            let (left, top) = upwards(scene.height, (f64::from(area.left), f64::from(area.top)));
            let (right, bottom) = upwards(
                scene.height,
                (f64::from(area.right), f64::from(area.bottom)),
            );
            let mut note = pdf.annotation(id);
            note.subtype(AnnotationType::Link);
            note.rect(Rect::new(left, bottom, right, top));
            note.border(0.0, 0.0, 0.0, None);
            note.action()
                .action_type(ActionType::Uri)
                .uri(Str(link.as_bytes()));
        }
        let drawn = miniz_oxide::deflate::compress_to_vec_zlib(&self.content.finish(), EFFORT);
        pdf.stream(content, &drawn).filter(Filter::FlateDecode);
        for ((weight, letters), (_, font)) in self.fonts.iter().zip(fonts) {
            letters.embed(&mut pdf, *weight, font, &mut next);
        }
        pdf.finish()
    }
}

/// Upwards from the lower left corner, in points.
fn upwards(height: i32, (x, y): Point) -> (f32, f32) {
    ((x / 100.0) as f32, ((f64::from(height) - y) / 100.0) as f32)
}

fn name(weight: Weight) -> Name<'static> {
    match weight {
        Weight::Regular => Name(b"R"),
        Weight::Bold => Name(b"B"),
    }
}

fn cover_name(cover: u8) -> String {
    format!("C{cover}")
}
