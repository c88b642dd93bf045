//! Which token comes next: distributions over a vocabulary, drafts that stand or fall, and what a
//! text has said before.
//!
//! Whoever decides gives the uniform numbers; nothing here draws any.

mod acceptance;
mod categorical;
mod lookup;

pub use acceptance::{Verdict, expected_tokens, judge};
pub use categorical::Categorical;
pub use lookup::continuation;
