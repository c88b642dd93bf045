//! Reads where the texts of an SVG stand: what is printed, not what the library thinks it drew.

/// Corners of a text's box, in points of the page.
pub type Corners = [(f64, f64); 4];

/// One text.
#[derive(Debug, Clone)]
pub struct Text {
    pub words: String,
    /// In points.
    pub size: f64,
    pub corners: Corners,
}

/// A picture of texts.
#[derive(Debug)]
pub struct Picture {
    /// In points, as it is printed.
    pub width: f64,
    pub height: f64,
    pub texts: Vec<Text>,
}

impl Picture {
    /// Reads `svg`, whose size is in millimetres and whose `viewBox` starts at the upper left.
    pub fn read(svg: &str) -> Self {
        let head = element(svg, "<svg ").next().expect("an SVG").0;
        let millimetres = |name| {
            let length = attribute(head, name).unwrap();
            number(length.strip_suffix("mm").expect("a size in print")) / 25.4 * 72.0
        };
        let (width, height) = (millimetres("width"), millimetres("height"));
        let view: Vec<f64> = attribute(head, "viewBox")
            .unwrap()
            .split(' ')
            .map(number)
            .collect();
        assert_eq!(view[..2], [0.0, 0.0]);
        // What a unit of the drawing is in print.
        let scale = width / view[2];
        assert!((height / view[3] / scale - 1.0).abs() < 1e-3);
        let texts = element(svg, "<text ").map(|(head, words)| text(head, words, scale));
        Self {
            width,
            height,
            texts: texts.collect(),
        }
    }
}

/// Attributes and content of every element that starts with `open`.
fn element<'a>(svg: &'a str, open: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    svg.split(open).skip(1).map(|rest| {
        let (head, content) = rest.split_once('>').unwrap();
        (head, content.split('<').next().unwrap())
    })
}

fn attribute<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let head = head.split(&format!("{name}=\"")).nth(1)?;
    head.split('"').next()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("no number: {text}"))
}

fn text(head: &str, words: &str, scale: f64) -> Text {
    let of = |name| number(attribute(head, name).unwrap_or_else(|| panic!("{head}: no {name}")));
    let (x, y, size, length) = (of("x"), of("y"), of("font-size"), of("textLength"));
    let start = match attribute(head, "text-anchor") {
        None => 0.0,
        Some("middle") => -0.5 * length,
        Some("end") => -length,
        Some(other) => panic!("{other}"),
    };
    let turn = attribute(head, "transform").map_or(0.0, |turn| {
        let inner = turn.strip_prefix("rotate(").unwrap();
        number(inner.split(' ').next().unwrap()).to_radians()
    });
    // From above a letter like d to below one like p.
    let (top, bottom) = (-0.76 * size, 0.24 * size);
    let box_ = [
        (start, top),
        (start + length, top),
        (start + length, bottom),
        (start, bottom),
    ];
    let corners = box_.map(|(along, across)| {
        let right = along * turn.cos() - across * turn.sin();
        let down = along * turn.sin() + across * turn.cos();
        (scale * (x + right), scale * (y + down))
    });
    Text {
        words: words.to_owned(),
        size: scale * size,
        corners,
    }
}

/// By how much two boxes reach into each other: along every side's direction at least so far
/// (the separating axis theorem). Not positive if they are apart.
pub fn overlap(a: &Corners, b: &Corners) -> f64 {
    let mut least = f64::MAX;
    for corners in [a, b] {
        for side in 0..2 {
            let (from, to) = (corners[side], corners[side + 1]);
            let (dx, dy) = (to.0 - from.0, to.1 - from.1);
            let length = dx.hypot(dy);
            if length == 0.0 {
                continue;
            }
            let along = |(x, y): &(f64, f64)| (x * dx + y * dy) / length;
            let span = |corners: &Corners| {
                let places = corners.iter().map(along);
                places.fold((f64::MAX, f64::MIN), |(low, high), at| {
                    (low.min(at), high.max(at))
                })
            };
            let ((a0, a1), (b0, b1)) = (span(a), span(b));
            least = least.min(a1.min(b1) - a0.max(b0));
        }
    }
    least
}
