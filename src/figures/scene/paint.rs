//! What shapes are filled and drawn with.

/// A colour with the share of what is behind it that it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Colour {
    /// Red, green and blue of sRGB.
    pub rgb: [u8; 3],
    /// In per cent: 100 hides what is behind.
    pub cover: u8,
}

impl Colour {
    /// The opaque colour `0xRRGGBB`.
    pub const fn hex(code: u32) -> Self {
        let [_, red, green, blue] = code.to_be_bytes();
        Self {
            rgb: [red, green, blue],
            cover: 100,
        }
    }

    /// The same, covering `percent` of what is behind.
    #[must_use]
    pub const fn covering(self, percent: u8) -> Self {
        Self {
            cover: percent,
            ..self
        }
    }
}

/// Parallel lines at 45° on a ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hatch {
    /// Behind the lines.
    pub ground: Colour,
    /// The lines.
    pub line: Colour,
    /// How wide they are.
    pub width: i32,
    /// From a line to the next, measured to the right.
    pub gap: i32,
    /// Whether they fall to the right rather than rise.
    pub falling: bool,
}

/// The inside of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// One colour.
    Plain(Colour),
    /// Lines on a colour.
    Hatched(Hatch),
}

/// The line along a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stroke {
    /// Its colour.
    pub colour: Colour,
    /// Its width.
    pub width: i32,
    /// Dashes and gaps in turn; none for a solid line.
    pub dash: &'static [i32],
}

impl Stroke {
    /// A solid line of `width` hundredths of a point.
    pub const fn solid(colour: Colour, width: i32) -> Self {
        Self {
            colour,
            width,
            dash: &[],
        }
    }
}
