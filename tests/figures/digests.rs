//! The same figure has the same bytes on every machine, in each format.

use airloom::figures::chart::{self, Direction, Look, Mark, Plot, Series};
use airloom::figures::elements::{Begin, Block, End, Words, diamond};
use airloom::figures::format::{Format, png};
use airloom::figures::scene::{Anchor, Area, Fill, Group, Scene, Text};
use airloom::figures::{Width, canvas::Canvas, style};
use airloom::scenario::Scale;
use plotters::drawing::IntoDrawingArea;

/// A chart with every look, marker and dash, intervals, labels and a logarithmic scale.
fn chart() -> Scene {
    let looks = [
        Look::Curve,
        Look::Line,
        Look::Dots,
        Look::Hollow,
        Look::Front,
    ];
    let series = (0..7).map(|number| {
        let mark = |step: u32| Mark {
            x: f64::from(step),
            y: f64::from((number + 1) * (step * step + 1)) / 7.0,
            y_half: (number % 2 == 0).then(|| f64::from(step) / 9.0),
            x_half: (number == 2).then_some(0.125),
            label: match number {
                2 => format!("{step} bit"),
                _ => String::new(),
            },
        };
        Series {
            name: format!("curve Σσ² {number}"),
            marks: (1..6).map(mark).collect(),
            look: looks[number as usize % looks.len()],
            style: number as usize,
        }
    });
    let plot = Plot {
        title: Some("Everything that a chart can show, in <one> & the same".to_owned()),
        x: Direction {
            places: (1..6).map(f64::from).collect(),
            from_zero: false,
            ..Direction::numbers("devices N")
        },
        y: Direction {
            scale: Some(Scale::Log),
            ..Direction::numbers("time per output token TPOT (ms)")
        },
        series: series.collect(),
        note: Some("bars: 95 % confidence interval".to_owned()),
    };
    chart::draw(&plot, Width::Column)
}

/// Hatches, clips, opacity, links, turned and bold text.
fn shapes() -> Scene {
    let mut scene = Scene::new(10_000, 5_000, "shapes");
    scene.description = "Hatched, clipped and turned.".to_owned();
    let page = Canvas::new(&mut scene).into_drawing_area();
    let block = |left: i32, fill: Fill| Block {
        corners: [(left, 500), (left + 1_500, 2_500)],
        fill: Some(fill),
        stroke: Some(style::BARRIER),
    };
    page.draw(&block(500, Fill::Hatched(style::WAITING)))
        .unwrap();
    let clip = Group {
        clip: Some(Area::between((2_500, 0), (3_300, 1_700))),
        link: Some("https://example.org/".to_owned()),
        note: Some("a note".to_owned()),
        ..Group::default()
    };
    page.draw(&Begin(clip)).unwrap();
    page.draw(&block(2_300, Fill::Plain(style::UPLINK.covering(40))))
        .unwrap();
    page.draw(&End).unwrap();
    let text = Text::new("turned", 700, (0, 0)).anchored(Anchor::Middle);
    page.draw(&Words::at((6_000, 2_000), text.clone().turned(-30)))
        .unwrap();
    page.draw(&Words::at((8_500, 2_000), text.turned(90).bold()))
        .unwrap();
    drop(page);
    diamond(&mut Canvas::new(&mut scene), (4_500, 4_000), 300);
    scene
}

#[test]
fn figures_have_the_same_bytes_on_every_machine() {
    let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex()[..16].to_owned();
    let mut found = Vec::new();
    for (name, scene) in [("chart", chart()), ("shapes", shapes())] {
        for format in Format::ALL {
            let bytes = match format {
                // Fewer dots than print has: enough to tell, and quick.
                Format::Png => png::write(&scene, 150).unwrap(),
                format => format.write(&scene).unwrap(),
            };
            found.push(format!("{name}.{} {}", format.extension(), digest(&bytes)));
        }
    }
    let held = include_str!("digests.txt");
    if std::env::var_os("AIRLOOM_REWRITE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/figures/digests.txt");
        std::fs::write(path, found.join("\n") + "\n").unwrap();
        return;
    }
    assert_eq!(found, held.lines().collect::<Vec<_>>());
}

/// A PDF embeds its fonts: LaTeX and printers substitute none.
#[test]
fn a_pdf_is_one_page_of_the_size_in_print_with_its_fonts() {
    let bytes = Format::Pdf.write(&shapes()).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.starts_with("%PDF-1.7"));
    assert!(text.contains("/MediaBox [0 0 100 50]"), "{text}");
    for words in [
        "/Count 1",
        "/FontFile2",
        "/ToUnicode",
        "AIRLOO+DejaVuSans-Bold",
    ] {
        assert!(text.contains(words), "{words}");
    }
    assert!(bytes.len() < 60_000, "{}", bytes.len());
}

/// A curve's markers and dashes differ where colours may be lost.
#[test]
fn colours_of_curves_differ_in_lightness_or_dash() {
    let luminance = |[red, green, blue]: [u8; 3]| {
        // ITU-R BT.709, of values linear in light.
        let linear = |part: u8| (f64::from(part) / 255.0).powf(2.2);
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    };
    for (number, colour) in style::CURVES.iter().enumerate() {
        for (other, second) in style::CURVES.iter().enumerate().skip(number + 1) {
            let apart = (luminance(colour.rgb) - luminance(second.rgb)).abs() > 0.1;
            let dashes = style::curve(number).dash != style::curve(other).dash;
            assert!(apart || dashes, "{number} and {other}");
        }
    }
}
