//! The one style of all figures.
//!
//! Colours are Okabe and Ito's (Color Universal Design, 2008), which colour-blind readers tell
//! apart; curves differ in marker and dash as well, and waiting is hatched, so that a figure
//! survives greyscale. Sizes are those of print: a figure is
//! laid out for the width at which it is shown, and never scaled.

use super::scene::{Colour, Hatch, Stroke};

/// Text of axes, legends and titles.
pub const TEXT: i32 = 700;
/// Text of notes and beside marks: the smallest that is printed.
pub const SMALL: i32 = 650;
/// From the base line of a line of text to that of the next, in sizes.
pub const LEADING: f64 = 1.3;
/// The same for [`TEXT`], in hundredths of a point.
pub const LINE: i32 = TEXT * 130 / 100;
/// What is left free around a figure.
pub const MARGIN: i32 = 300;

/// Text and axes.
pub const BLACK: Colour = Colour::hex(0x000000);
/// The page.
pub const WHITE: Colour = Colour::hex(0xffffff);
/// Text that explains.
pub const GREY: Colour = Colour::hex(0x555555);
/// Lines to read values by.
pub const GRID: Stroke = Stroke::solid(Colour::hex(0xdddddd), 50);
/// Axes and their marks.
pub const AXIS: Stroke = Stroke::solid(BLACK, 60);
/// A line that joins and measures nothing.
pub const FRONT: Stroke = Stroke::solid(Colour::hex(0x888888), 100);

/// Compute.
pub const COMPUTE: Colour = Colour::hex(0x0072b2);
/// Uplinks and slots on a shared air.
pub const UPLINK: Colour = Colour::hex(0xe69f00);
/// Downlinks.
pub const DOWNLINK: Colour = Colour::hex(0x009e73);
/// Transfers over wires and between nodes.
pub const TRANSFER: Colour = Colour::hex(0xcc79a7);
/// Waiting.
pub const WAITING: Hatch = Hatch {
    ground: Colour::hex(0xeeeeee),
    line: Colour::hex(0x8c8c8c),
    width: 45,
    gap: 300,
    falling: false,
};
/// Waiting where there is no room for hatching.
pub const WAITING_GREY: Colour = Colour::hex(0xc8c8c8);
/// Barriers.
pub const BARRIER: Stroke = Stroke {
    colour: Colour::hex(0x464646),
    width: 80,
    dash: &[250, 200],
};

/// Colours of curves, in the order in which they are taken.
pub const CURVES: [Colour; 6] = [
    Colour::hex(0x0072b2),
    Colour::hex(0xd55e00),
    Colour::hex(0x000000),
    Colour::hex(0x009e73),
    Colour::hex(0xcc79a7),
    Colour::hex(0x56b4e9),
];

/// Dashes and gaps of curves, in the order in which they are taken. One fewer than colours, so
/// that both together repeat after thirty curves only.
pub const DASHES: [&[i32]; 5] = [
    &[],
    &[450, 220],
    &[120, 180],
    &[650, 180, 120, 180],
    &[230, 140],
];

/// The line of curve number `number`.
pub fn curve(number: usize) -> Stroke {
    Stroke {
        colour: CURVES[number % CURVES.len()],
        width: 110,
        dash: DASHES[number % DASHES.len()],
    }
}
