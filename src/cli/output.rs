//! Writing to stdout without panicking when its reader has gone, and the flag
//! that Ctrl-C sets.

use super::Failure;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Prints a result. A closed pipe (`airloom … | head`) is no failure.
pub(super) fn print(text: impl Display) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match write!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Run(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Set by Ctrl-C (and by a termination request); long work polls it.
pub(super) fn interrupt_flag() -> Result<&'static AtomicBool, Failure> {
    static INTERRUPTED: AtomicBool = AtomicBool::new(false);
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed))
        .map_err(|error| Failure::Run(format!("cannot watch for Ctrl-C: {error}")))?;
    Ok(&INTERRUPTED)
}
