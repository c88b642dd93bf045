//! The wish that work end early. Whoever may work for long asks about it between steps,
//! before anything is written as well as after.

use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that somebody may raise while work goes on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Interrupt<'a>(Option<&'a AtomicBool>);

/// The work was given up because its interrupt was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

impl<'a> From<&'a AtomicBool> for Interrupt<'a> {
    fn from(flag: &'a AtomicBool) -> Self {
        Self(Some(flag))
    }
}

impl Interrupt<'_> {
    /// Of work that nobody interrupts.
    pub const NEVER: Interrupt<'static> = Interrupt(None);

    /// Whether to go on.
    ///
    /// # Errors
    /// [`Interrupted`] once the flag is raised.
    pub fn check(self) -> Result<(), Interrupted> {
        match self.0 {
            Some(flag) if flag.load(Ordering::Relaxed) => Err(Interrupted),
            _ => Ok(()),
        }
    }
}
