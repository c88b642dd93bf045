//! Quantities with units, and simulated time.
//!
//! A quantity in a scenario is text such as `"10 MHz"`; in the program it is a
//! newtype over its SI unit. [`Instant`] and [`Duration`] are whole picoseconds.

mod column;
mod conversion;
mod dimension;
mod field;
mod quantity;
mod spelling;
mod time;

pub use column::columns_of;
pub use conversion::Conversion;
pub use dimension::ParseQuantityError;
pub use field::FieldFault;
pub use quantity::{
    AntennaGain, BitsPerSecond, Bytes, BytesPerSecond, Decibels, FlopsPerSecond, Hertz, Joules,
    JoulesPerBit, JoulesPerByte, JoulesPerFlop, Meters, MetersPerSecond, Oddity,
    ParametersPerSecond, PerSecond, Radians, Seconds, SpectralEfficiency, Watts, WattsPerHertz,
    oddity,
};
pub use spelling::{leading_number, plain};
pub use time::{Duration, DurationError, Instant};
