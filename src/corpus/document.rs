//! Documents: one register's text, complete, with its exact information content.

use super::registers;
use super::teller::{Teller, derivations};
use super::world::World;
use crate::rng::{NO_DEVICE, Streams};

/// Which of the two disjoint sequences of documents.
///
/// They are drawn from streams of their own. A document that is short on
/// choices may still turn up in both by chance, as sentences do in any language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Split {
    /// For training.
    Train,
    /// For evaluation only.
    HeldOut,
}

impl Split {
    fn purpose(self) -> &'static str {
        match self {
            Self::Train => "corpus.train",
            Self::HeldOut => "corpus.held_out",
        }
    }
}

/// What a document is about, and so which grammar tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Register {
    /// Somebody wants a thing that somebody else has.
    Story,
    /// A running total: add, take away, double.
    Arithmetic,
    /// Towns, their lands, rivers and products.
    Geography,
    /// A train ride, hour by hour.
    Schedule,
    /// Shopping with a purse of coins.
    Market,
    /// Animals, what they share and how many are left.
    Nature,
    /// Four people put in order.
    Order,
    /// Who somebody is, and a friend.
    People,
}

impl Register {
    /// All registers, in the order of the first choice of a document.
    pub const ALL: [Self; 8] = [
        Self::Story,
        Self::Arithmetic,
        Self::Geography,
        Self::Schedule,
        Self::Market,
        Self::Nature,
        Self::Order,
        Self::People,
    ];

    /// The register's name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Story => "story",
            Self::Arithmetic => "arithmetic",
            Self::Geography => "geography",
            Self::Schedule => "schedule",
            Self::Market => "market",
            Self::Nature => "nature",
            Self::Order => "order",
            Self::People => "people",
        }
    }
}

/// One complete document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The text.
    pub text: String,
    /// What it is about.
    pub register: Register,
    /// Its information content −ln p(text) in nats, the choice of the register
    /// and the decision to end where it ends included.
    pub nats: f64,
}

impl World {
    /// Tells document number `index` of `split`.
    pub fn document(&self, split: Split, index: u64) -> Document {
        let streams = Streams {
            seed: self.seed,
            run: 0,
        };
        let mut teller = Teller::drawing(streams.open(split.purpose(), NO_DEVICE, index));
        let register = registers::tell(self, &mut teller)
            .unwrap_or_else(|_| unreachable!("a drawing teller follows no text"));
        let (text, nats) = teller.finish();
        Document {
            text,
            register,
            nats,
        }
    }

    /// The nats of every derivation of `text`: none where this world never tells
    /// it, and for a text of this world exactly one, equal to
    /// [`Document::nats`], because its derivations are unambiguous.
    pub fn derivations(&self, text: &str) -> Vec<f64> {
        derivations(Some(text), |teller| {
            registers::tell(self, teller).map(|_| ())
        })
        .into_iter()
        .map(|(_, nats)| nats)
        .collect()
    }
}
