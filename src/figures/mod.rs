//! Every picture: charts, timelines, tables of colours; drawn by plotters on one canvas of our
//! own, in one style, and written as SVG, PDF or PNG.
//!
//! ```text
//! tables of a run folder ─▶ a figure ─▶ plotters ─▶ Canvas ─▶ Scene ─▶ svg │ pdf │ png
//!                          (one file)                (ours)    (vector shapes)
//! ```
//!
//! A figure is laid out for the [`Width`] at which it is printed: text has the same size in one
//! column and in two, and nothing is scaled afterwards.

pub mod assignment;
pub mod canvas;
pub mod catalogue;
pub mod channel;
pub mod chart;
pub mod choice;
pub mod elements;
mod expert_pairs;
pub mod font;
pub mod format;
pub mod key;
mod latencies;
pub mod load;
pub mod marks;
pub mod memory;
pub mod names;
pub mod panel;
pub mod published;
pub mod scene;
pub mod style;
pub mod sweep;
mod ticks;
pub mod timeline;
pub mod training;
pub mod waiting;

use std::str::FromStr;

/// How wide a figure is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// One column of a paper of two: 88 mm.
    Column,
    /// The whole width of a page: 180 mm.
    Page,
}

impl Width {
    /// Both, the narrower one first.
    pub const ALL: [Self; 2] = [Self::Column, Self::Page];

    /// It, in hundredths of a point.
    pub fn length(self) -> i32 {
        match self {
            Self::Column => 24_945,
            Self::Page => 51_024,
        }
    }

    /// How tall the data of a chart is at this width.
    pub fn plot_height(self) -> i32 {
        match self {
            Self::Column => 13_500,
            Self::Page => 19_500,
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Column => "88mm",
            Self::Page => "180mm",
        }
    }
}

impl FromStr for Width {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare: String = text.split_whitespace().collect();
        let found = Self::ALL.into_iter().find(|width| width.name() == bare);
        found.ok_or_else(|| "a figure is 88mm wide (one column) or 180mm (a page)".to_owned())
    }
}
