//! What a policy cannot decide.

/// Numbers from which no decision follows.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// A device is to receive tokens over a link that carries nothing.
    #[error(
        "device {device} is to receive tokens, but its link has no rate: move its experts, bring it nearer, or set `on_outage: Drop`"
    )]
    DeadLink {
        /// The device, counted from 0.
        device: usize,
    },
    /// A device that holds experts is cut off.
    #[error(
        "device {device} holds experts, but with the band divided evenly its weaker direction carries {carries:.3e} bit/s/Hz, no more than the `outage` of {outage:.3e}: move its experts, bring it nearer, lower `outage`, or set `on_outage: Drop`"
    )]
    CutOff {
        /// The device, counted from 0.
        device: usize,
        /// Bit/s/Hz of the weaker direction.
        carries: f64,
        /// Bit/s/Hz up to which a link is cut off.
        outage: f64,
    },
    /// No expert can be reached.
    #[error(
        "no expert can be reached: every device that holds one is cut off; bring devices nearer or keep an expert on the server"
    )]
    NoExpert,
    /// Slices that do not fit together.
    #[error("{what} has {entries} entries; it needs {expected}")]
    Shape {
        /// The slice.
        what: &'static str,
        /// Its length.
        entries: usize,
        /// The length that fits.
        expected: usize,
    },
    /// A slice that is to hold rows and does not.
    #[error("{what} has {entries} entries; it needs one or more rows of {width}")]
    Rows {
        /// The slice.
        what: &'static str,
        /// Its length.
        entries: usize,
        /// Entries of a row.
        width: usize,
    },
    /// A number that none of its kind can be.
    #[error("{what} is {value}, which is impossible")]
    Number {
        /// What it is.
        what: &'static str,
        /// Its value.
        value: f64,
    },
}
