//! A scene as the bytes of a file.

pub mod pdf;
pub mod png;
mod polygon;
pub mod svg;

use super::scene::Scene;
use std::str::FromStr;

/// What a figure is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Scalable Vector Graphics, for browsers.
    Svg,
    /// Portable Document Format, for LaTeX.
    Pdf,
    /// Portable Network Graphics at 600 dots per inch.
    Png,
}

impl Format {
    /// All, the usual one first.
    pub const ALL: [Self; 3] = [Self::Svg, Self::Pdf, Self::Png];

    /// The end of its files' names.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Png => "png",
        }
    }

    /// `scene` in this format.
    ///
    /// # Errors
    /// If it would be a PNG of too many pixels.
    pub fn write(self, scene: &Scene) -> Result<Vec<u8>, png::TooLarge> {
        match self {
            Self::Svg => Ok(svg::write(scene).into_bytes()),
            Self::Pdf => Ok(pdf::write(scene)),
            Self::Png => png::write(scene, png::PRINT),
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL
            .into_iter()
            .find(|format| format.extension().eq_ignore_ascii_case(text));
        found.ok_or_else(|| "figures are written as svg, pdf or png".to_owned())
    }
}
