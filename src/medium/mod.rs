//! Links as a system uses them: what a message takes in time and energy on a wire or on a
//! radio channel, alone or beside others on one band, and what names the draws it meets.
//!
//! Everything here is arithmetic on numbers: who sends what when is decided elsewhere, and
//! this room tells how long it lasts. It fails with a located error where a link carries
//! nothing.
//!
//! | module | holds |
//! | --- | --- |
//! | [`cell`] | a radio channel between a hub and a member, either way |
//! | [`collective`] | stars and rings of messages, in closed form |
//! | [`fluid`] | transfers that share a band, whose rates change as others begin and end |
//! | [`wire`] | a wire's time and energy per message |
//! | [`payload`] | what activations weigh on a link, and what arrives of them |
//! | [`weather`] | which draw of a channel a transfer meets: by what it is, not by how many came before |

pub mod cell;
pub mod collective;
mod config;
pub mod fluid;
pub mod payload;
pub mod weather;
pub mod wire;

pub use cell::{Cell, Direction, Sending};
pub use config::{Link, Switch, Wire, WireSharing};
pub use fluid::{Band, Ending, FluidError, Moved, Rate, Rates};
pub use payload::Activations;
pub use weather::{Numbering, Transferred, Unnumbered};
pub use wire::{Sent, WireTerms};
