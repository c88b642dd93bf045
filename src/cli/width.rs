//! How wide a text may be, and breaking it there.
//!
//! The width is that of the terminal that stdout leads to; where there is none, the
//! environment variable `COLUMNS`; where that is missing too, text that is broken into
//! lines gets 100 columns. Help obeys the same rules.

use terminal_size::{Width, terminal_size};

/// Lines are no longer than that, since nobody reads them.
const WIDEST: usize = 100;

/// Narrower than that nothing can be set.
const NARROWEST: usize = 20;

/// The columns that there are, if anything limits them.
pub(super) fn columns() -> Option<usize> {
    let terminal = || terminal_size().map(|(Width(width), _)| usize::from(width));
    let variable = || std::env::var("COLUMNS").ok()?.parse().ok();
    let width = terminal().or_else(variable)?;
    Some(width.max(NARROWEST))
}

/// The columns in which prose is set.
pub(super) fn prose() -> usize {
    columns().map_or(WIDEST, |columns| columns.min(WIDEST))
}
