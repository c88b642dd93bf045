//! Text: the seeded generator of the bundled world, and plain text files.
//!
//! The generator tells short documents about a small invented world: towns and
//! rivers, people with homes and trades, prices, timetables, animals. A
//! document is a sequence of uniform choices and of sentences that follow from
//! the choices and from the world's facts. Because no two sequences of choices
//! tell the same text, the probability of a text is the product of its choices'
//! probabilities, and its information content
//!
//! ```text
//! −ln p(text) = Σ ln nᵢ   [nats],   nᵢ the number of alternatives of choice i
//! ```
//!
//! is known exactly. A language model trained on such text can therefore be
//! held against the best perplexity that any model could reach.
//! [`World::derivations`] is the other direction: it finds every sequence of
//! choices that tells a given text, and the tests hold it to exactly one.
//!
//! ```
//! use airloom::corpus::{Split, World};
//!
//! let world = World::new(World::BUNDLED_SEED);
//! let document = world.document(Split::HeldOut, 0);
//! let derivations = world.derivations(&document.text);
//! assert_eq!(derivations.len(), 1);
//! assert!((derivations[0] - document.nats).abs() < 1e-9);
//! ```
//!
//! This room knows [`crate::rng`] and [`crate::files`] and nothing else; tokens are not its business.

mod document;
mod facts;
mod question;
mod registers;
mod teller;
mod text_file;
mod world;

pub use document::{Document, Register, Split};
pub use question::{Question, Suite};
pub use text_file::{TextFile, TextFileError, TextPiece};
pub use world::World;
