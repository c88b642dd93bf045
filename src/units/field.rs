//! A configuration field that holds a value it cannot have.

use std::fmt;

/// Which field is wrong, what is wrong with it, and what to write instead.
///
/// Rooms check the part of a scenario that is theirs and name fields relative to
/// it; whoever composes the parts prefixes the path with [`under`](Self::under).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FieldFault {
    /// The field's path, such as `radio.budget.snr`.
    pub path: String,
    /// What is wrong, and the fix.
    pub message: String,
}

impl fmt::Display for FieldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl FieldFault {
    /// A fault of the field at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }

    /// The same fault, seen from one level further out.
    #[must_use]
    pub fn under(mut self, parent: &str) -> Self {
        self.path = format!("{parent}.{}", self.path);
        self
    }

    /// Checks that `value` is finite and greater than zero.
    ///
    /// # Errors
    /// Otherwise.
    pub fn unless_positive(path: &str, value: f64) -> Result<(), Self> {
        if value.is_finite() && value > 0.0 {
            Ok(())
        } else {
            Err(Self::new(
                path,
                format!("{value} must be a finite number above zero"),
            ))
        }
    }

    /// Checks that `value` is finite and not negative.
    ///
    /// # Errors
    /// Otherwise.
    pub fn if_negative(path: &str, value: f64) -> Result<(), Self> {
        if value.is_finite() && value >= 0.0 {
            Ok(())
        } else {
            Err(Self::new(
                path,
                format!("{value} must be a finite number, zero or above"),
            ))
        }
    }
}
