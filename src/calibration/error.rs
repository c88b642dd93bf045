//! What is wrong with tables of measurements.

/// Why there is no profile.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// A table cannot be read, or a cell is no measurement.
    #[error("{place}: {fault}")]
    Table {
        /// The file, with line and column where there is one.
        place: String,
        /// What is wrong, and the fix.
        fault: String,
    },
    /// Two rows cannot both be true.
    #[error("{one} and {other} contradict each other: {fault}")]
    Contradiction {
        /// A row.
        one: String,
        /// Another.
        other: String,
        /// How.
        fault: String,
    },
    /// There is nothing to fit, or what to fit is not said.
    #[error("{0}")]
    Choice(String),
}
