//! Everything that is printed: results on stdout, all else on stderr. Neither panics when its
//! reader has gone, and no character of it acts on the terminal. And the flag that Ctrl-C
//! sets.

use super::Failure;
use crate::text::VisibleLines;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Prints a result. A closed pipe (`airloom … | head`) is no failure.
pub(super) fn print(text: impl Display) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let text = text.to_string();
    match write!(stdout, "{}", VisibleLines(&text)).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Run(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Tells on stderr what is no result: progress, warnings, errors. What cannot be written, on a
/// full disk or to a reader that has gone, is dropped: it decides about nothing.
pub(super) fn tell(text: impl Display) {
    let text = format!("{text}\n");
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{}", VisibleLines(&text)).and_then(|()| stderr.flush());
}

/// Set by Ctrl-C (and by a termination request); long work polls it.
pub(super) fn interrupt_flag() -> Result<&'static AtomicBool, Failure> {
    static INTERRUPTED: AtomicBool = AtomicBool::new(false);
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed))
        .map_err(|error| Failure::Run(format!("cannot watch for Ctrl-C: {error}")))?;
    Ok(&INTERRUPTED)
}
