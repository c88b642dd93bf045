//! A scene as SVG 1.1: for browsers, reports and programs that edit drawings.
//!
//! Texts stay texts. A machine may lack the font; each text therefore says how long it is, and
//! whoever shows it fits its letters to that.

use crate::figures::font::{self, Weight};
use crate::figures::scene::{
    Anchor, Area, Colour, Fill, Group, Hatch, Item, Outline, Place, Scene, Shape, Stroke, Text,
};
use crate::text::Markup;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter, Write};

/// Millimetres in an inch.
const INCH: f64 = 25.4;

/// The SVG text of `scene`.
pub fn write(scene: &Scene) -> String {
    let mut writer = Writer::default();
    find_patterns(&scene.items, &mut writer);
    let millimetres = |length: i32| {
        let exact = format!("{:.2}", f64::from(length) / 7_200.0 * INCH);
        exact.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let (width, height) = (Hundredths(scene.width), Hundredths(scene.height));
    writer.put(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}mm\" height=\"{}mm\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\" font-family=\"{}\" \
         style=\"font-kerning:none;font-variant-ligatures:none\">\n<title>{}</title>",
        millimetres(scene.width),
        millimetres(scene.height),
        Attribute(&scene.title),
        font::FAMILY,
        Markup(&scene.title),
    ));
    if !scene.description.is_empty() {
        writer.put(format_args!("<desc>{}</desc>", Markup(&scene.description)));
    }
    writer.definitions();
    writer.put(format_args!(
        "<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"
    ));
    writer.items(&scene.items);
    writer.put(format_args!("</svg>"));
    writer.out
}

/// Text that goes into an attribute.
struct Attribute<'a>(&'a str);

impl Display for Attribute<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&Markup(self.0).to_string().replace('"', "&quot;"))
    }
}

/// A length in points, without zeros at its end.
struct Hundredths(i32);

impl Display for Hundredths {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        if self.0 < 0 {
            f.write_char('-')?;
        }
        match part {
            0 => write!(f, "{whole}"),
            tenths if tenths % 10 == 0 => write!(f, "{whole}.{}", tenths / 10),
            part => write!(f, "{whole}.{part:02}"),
        }
    }
}

struct Rgb(Colour);

impl Display for Rgb {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0.rgb;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// `name="#rrggbb"`, with its opacity if it has one.
struct Paint(&'static str, Colour);

impl Display for Paint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(name, colour) = self;
        write!(f, " {name}=\"{}\"", Rgb(*colour))?;
        match colour.cover {
            100.. => Ok(()),
            cover => write!(f, " {name}-opacity=\"{}\"", Hundredths(i32::from(cover))),
        }
    }
}

#[derive(Default)]
struct Writer {
    out: String,
    hatches: BTreeSet<Hatch>,
    /// Clipping areas with their numbers.
    clips: BTreeMap<[i32; 4], usize>,
}

fn find_patterns(items: &[Item], writer: &mut Writer) {
    for item in items {
        match item {
            Item::Shape(shape) => {
                if let Some(Fill::Hatched(hatch)) = shape.fill {
                    writer.hatches.insert(hatch);
                }
            }
            Item::Group(group) => {
                if let Some(area) = group.clip {
                    let number = writer.clips.len();
                    writer.clips.entry(edges(area)).or_insert(number);
                }
                find_patterns(&group.items, writer);
            }
            Item::Text(_) => {}
        }
    }
}

fn edges(area: Area) -> [i32; 4] {
    [area.left, area.top, area.right, area.bottom]
}

/// A name that says what it is, so that several pictures on one page may define it.
fn hatch_name(hatch: &Hatch) -> String {
    let side = if hatch.falling { "falling" } else { "rising" };
    let name = format!(
        "hatch-{}-{}-{}-{}-{side}",
        Rgb(hatch.ground),
        Rgb(hatch.line),
        hatch.width,
        hatch.gap
    );
    name.replace('#', "")
}

fn clip_name([left, top, right, bottom]: [i32; 4]) -> String {
    format!("clip-{left}-{top}-{right}-{bottom}")
}

impl Writer {
    fn put(&mut self, line: fmt::Arguments<'_>) {
        writeln!(self.out, "{line}").expect("a string takes everything");
    }

    fn definitions(&mut self) {
        if self.hatches.is_empty() && self.clips.is_empty() {
            return;
        }
        self.put(format_args!("<defs>"));
        for hatch in self.hatches.clone() {
            let gap = Hundredths(hatch.gap);
            // A line through the middle, and one through each corner that it does not meet.
            let half = hatch.gap / 2;
            let [a, b] = match hatch.falling {
                true => [(-half, -half), (hatch.gap + half, hatch.gap + half)],
                false => [(-half, hatch.gap + half), (hatch.gap + half, -half)],
            };
            let lines = [-hatch.gap, 0, hatch.gap].map(|aside| {
                format!(
                    "M{},{} L{},{}",
                    Hundredths(a.0 + aside),
                    Hundredths(a.1),
                    Hundredths(b.0 + aside),
                    Hundredths(b.1)
                )
            });
            self.put(format_args!(
                "<pattern id=\"{}\" width=\"{gap}\" height=\"{gap}\" patternUnits=\"userSpaceOnUse\">\
                 <rect width=\"{gap}\" height=\"{gap}\"{}/><path d=\"{}\" \
                 stroke-width=\"{}\"{}/></pattern>",
                hatch_name(&hatch),
                Paint("fill", hatch.ground),
                lines.join(" "),
                Hundredths(hatch.width),
                Paint("stroke", hatch.line),
            ));
        }
        for area in self.clips.clone().into_keys() {
            let [left, top, right, bottom] = area;
            self.put(format_args!(
                "<clipPath id=\"{}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>",
                clip_name(area),
                Hundredths(left),
                Hundredths(top),
                Hundredths(right - left),
                Hundredths(bottom - top),
            ));
        }
        self.put(format_args!("</defs>"));
    }

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
        if let Some(link) = &group.link {
            self.put(format_args!("<a href=\"{}\">", Attribute(link)));
        }
        let id = group
            .id
            .as_ref()
            .map(|id| format!(" id=\"{}\"", Attribute(id)));
        let clip = group.clip.map(|area| {
            let name = clip_name(edges(area));
            format!(" clip-path=\"url(#{name})\"")
        });
        self.put(format_args!(
            "<g{}{}>",
            id.unwrap_or_default(),
            clip.unwrap_or_default()
        ));
        if let Some(note) = &group.note {
            self.put(format_args!("<title>{}</title>", Markup(note)));
        }
        self.items(&group.items);
        self.put(format_args!("</g>"));
        if group.link.is_some() {
            self.put(format_args!("</a>"));
        }
    }

    fn shape(&mut self, shape: &Shape) {
        let fill = match shape.fill {
            None => " fill=\"none\"".to_owned(),
            Some(Fill::Plain(colour)) => Paint("fill", colour).to_string(),
            Some(Fill::Hatched(hatch)) => format!(" fill=\"url(#{})\"", hatch_name(&hatch)),
        };
        let stroke = shape.stroke.map_or(String::new(), stroke);
        match &shape.outline {
            Outline::Rectangle(area) => self.put(format_args!(
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{fill}{stroke}/>",
                Hundredths(area.left),
                Hundredths(area.top),
                Hundredths(area.width()),
                Hundredths(area.height()),
            )),
            Outline::Circle { centre, radius } => self.put(format_args!(
                "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{fill}{stroke}/>",
                Hundredths(centre.0),
                Hundredths(centre.1),
                Hundredths(*radius),
            )),
            Outline::Path { places, closed } => {
                let end = if *closed { "z" } else { "" };
                self.put(format_args!(
                    "<path d=\"{}{end}\"{fill}{stroke}/>",
                    path(places)
                ));
            }
        }
    }

    fn text(&mut self, text: &Text) {
        let (x, y) = (Hundredths(text.at.0), Hundredths(text.at.1));
        let anchor = match text.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let turn = match text.turn {
            0 => String::new(),
            degrees => format!(" transform=\"rotate({degrees} {x} {y})\""),
        };
        let weight = match text.weight {
            Weight::Regular => "",
            Weight::Bold => " font-weight=\"bold\"",
        };
        let colour = match text.colour.rgb {
            [0, 0, 0] => String::new(),
            _ => Paint("fill", text.colour).to_string(),
        };
        self.put(format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" textLength=\"{}\" \
             lengthAdjust=\"spacingAndGlyphs\"{anchor}{weight}{colour}{turn}>{}</text>",
            Hundredths(text.size),
            Hundredths(text.width()),
            Markup(&text.words)
        ));
    }
}

fn stroke(stroke: Stroke) -> String {
    let mut out = format!(
        "{} stroke-width=\"{}\" stroke-linejoin=\"round\"",
        Paint("stroke", stroke.colour),
        Hundredths(stroke.width)
    );
    if !stroke.dash.is_empty() {
        let dashes: Vec<String> = stroke
            .dash
            .iter()
            .map(|length| Hundredths(*length).to_string())
            .collect();
        let _ = write!(out, " stroke-dasharray=\"{}\"", dashes.join(" "));
    }
    out
}

/// Places after the first as steps where that is shorter: most lines are many short steps.
fn path(places: &[Place]) -> String {
    let mut out = String::new();
    let mut last = None;
    for (x, y) in places.iter().copied() {
        // Writing to a String cannot fail.
        let _ = match last {
            None => write!(out, "M{} {}", Hundredths(x), Hundredths(y)),
            Some((_, from)) if from == y => write!(out, "H{}", Hundredths(x)),
            Some((from, _)) if from == x => write!(out, "V{}", Hundredths(y)),
            Some(_) => write!(out, "L{} {}", Hundredths(x), Hundredths(y)),
        };
        last = Some((x, y));
    }
    out
}
