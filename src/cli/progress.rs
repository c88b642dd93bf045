//! Progress bars on stderr, short enough for 60 columns; indicatif hides them where nobody
//! watches.

use crate::measurement::{Mode, PassRecord};
use crate::observer::Observer;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io;

/// A bar over `total` steps of what `unit` names.
pub(super) fn bar(total: u64, unit: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let template = format!("{{bar:24}} {{pos}}/{{len}} {unit}, {{eta}} left");
    bar.set_style(ProgressStyle::with_template(&template).expect("the template is well-formed"));
    bar
}

/// Moves a bar on with every pass.
pub(super) struct Passes<'a>(pub(super) &'a ProgressBar);

impl Observer for Passes<'_> {
    fn pass(&mut self, pass: &PassRecord) -> io::Result<()> {
        if pass.last && pass.mode != Mode::Draft {
            self.0.inc(1);
        }
        Ok(())
    }
}
