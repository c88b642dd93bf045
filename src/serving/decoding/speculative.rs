//! Speculative decoding, as a scenario says it.

use super::Sampling;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most tokens of a draft.
const LONGEST: usize = 64;

/// The longest stretch of text that is looked up.
const LONGEST_MATCH: usize = 32;

/// The fields of [`Decoding::Speculative`](super::Decoding::Speculative).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Speculative {
    /// Who drafts.
    pub draft: Draft,
    /// Tokens of a draft. Default: Fixed(4).
    #[serde(default)]
    pub length: Length,
    /// How tokens are drawn. Default: the most probable ones are taken.
    #[serde(default)]
    pub sampling: Option<Sampling>,
    /// What goes to the model beside the numbers of drafted tokens, where tokens are drawn from a
    /// draft model. Default: every probability.
    #[serde(default)]
    pub sends: Sends,
    /// Which of its distributions the draft model draws from. Default: the one that it sends, which
    /// keeps texts distributed as the model's own.
    #[serde(default)]
    pub draws: Draws,
}

/// Who drafts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Draft {
    /// A smaller model with the same vocabulary.
    Model(DraftModel),
    /// The text itself: what followed where its end stood before.
    Lookup(Lookup),
}

/// The fields of [`Draft::Model`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftModel {
    /// Its name among the scenario's `models`.
    pub model: String,
    /// The node that computes it; of a group each node drafts for the requests that come from it.
    pub at: String,
}

/// The fields of [`Draft::Lookup`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lookup {
    /// Last tokens of the text that are looked for first, up to 32. Default 3.
    pub longest: usize,
    /// The fewest that are looked for where no longer stretch stood before, at least 1. Default 1.
    pub shortest: usize,
}

impl Default for Lookup {
    fn default() -> Self {
        Self {
            longest: 3,
            shortest: 1,
        }
    }
}

/// Tokens of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Length {
    /// So many, 1 to 64.
    Fixed(usize),
    /// As many as have been worth it so far.
    Adapted(Adapted),
}

impl Default for Length {
    fn default() -> Self {
        Self::Fixed(4)
    }
}

/// The fields of [`Length::Adapted`]: two more after a draft that was accepted whole, one less
/// after any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Adapted {
    /// Of the first draft. Default 4.
    pub first: usize,
    /// The fewest, at least 1. Default 1.
    pub least: usize,
    /// The most, up to 64. Default 16.
    pub most: usize,
}

impl Default for Adapted {
    fn default() -> Self {
        Self {
            first: 4,
            least: 1,
            most: 16,
        }
    }
}

/// What crosses the link of a drafted token's distribution.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Sends {
    /// Every probability, of 32 bits.
    #[default]
    Full,
    /// The so many largest probabilities, of 32 bits, each with the number of its token, of 32 bits
    /// too; the others count as 0.
    Top(usize),
    /// Every probability as a whole multiple of the largest over 2^q − 1, in q bits, 1 to 16.
    Quantised(u32),
}

/// Which of its distributions a draft model draws from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Draws {
    /// What it sends. The text is then distributed as the model's own, exactly.
    #[default]
    AsSent,
    /// What it computed. Where less than that is sent, the text is distributed otherwise.
    AsComputed,
}

impl Speculative {
    /// Checks its fields.
    ///
    /// # Errors
    /// The first impossible one.
    pub fn validate(&self) -> Result<(), FieldFault> {
        self.length.validate()?;
        if let Some(sampling) = &self.sampling {
            sampling
                .validate()
                .map_err(|fault| fault.under("sampling"))?;
        }
        if let Draft::Lookup(lookup) = &self.draft {
            lookup
                .validate()
                .map_err(|fault| fault.under("draft.Lookup"))?;
        }
        match self.sends {
            Sends::Top(0) => Err(FieldFault::new(
                "sends",
                "Top(0) sends nothing to draw from; use 1 or more",
            )),
            Sends::Quantised(bits) if !(1..=16).contains(&bits) => Err(FieldFault::new(
                "sends",
                format!("{bits} bits per probability; use 1 to 16, or Full"),
            )),
            _ => Ok(()),
        }
    }
}

impl Length {
    /// Tokens of the first draft of a request.
    pub fn first(self) -> usize {
        match self {
            Self::Fixed(length) => length,
            Self::Adapted(adapted) => adapted.first,
        }
    }

    /// Tokens of the draft after one of `drafted` tokens, of which `accepted` stood; `length` was
    /// asked for.
    pub fn next(self, length: usize, drafted: usize, accepted: usize) -> usize {
        match self {
            Self::Fixed(length) => length,
            // Nothing was drafted, so nothing was learned.
            Self::Adapted(_) if drafted == 0 => length,
            Self::Adapted(adapted) if accepted == drafted => (length + 2).min(adapted.most),
            Self::Adapted(adapted) => length.saturating_sub(1).max(adapted.least),
        }
    }

    fn validate(self) -> Result<(), FieldFault> {
        let fault = |path: &str, message: String| Err(FieldFault::new(path, message));
        let range = format!("use 1 to {LONGEST}");
        match self {
            Self::Fixed(0) => fault(
                "length",
                format!("a draft of 0 tokens drafts nothing; {range}, or the decoding Greedy"),
            ),
            Self::Fixed(length) if length > LONGEST => {
                fault("length", format!("a draft of {length} tokens; {range}"))
            }
            Self::Fixed(_) => Ok(()),
            Self::Adapted(Adapted { first, least, most }) => {
                if least == 0 || most > LONGEST || !(least..=most).contains(&first) {
                    return fault(
                        "length.Adapted",
                        format!(
                            "drafts of {least} to {most} tokens, at first of {first}; {range}, \
                             with least ≤ first ≤ most"
                        ),
                    );
                }
                Ok(())
            }
        }
    }
}

impl Lookup {
    fn validate(self) -> Result<(), FieldFault> {
        let Self { longest, shortest } = self;
        if shortest == 0 || longest < shortest || longest > LONGEST_MATCH {
            return Err(FieldFault::new(
                "longest",
                format!(
                    "stretches of {shortest} to {longest} tokens; use 1 ≤ shortest ≤ longest ≤ \
                     {LONGEST_MATCH}"
                ),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speculative(length: Length) -> Speculative {
        Speculative {
            draft: Draft::Lookup(Lookup::default()),
            length,
            sampling: None,
            sends: Sends::Full,
            draws: Draws::AsSent,
        }
    }

    #[test]
    fn drafts_of_no_token_and_of_too_many_are_refused() {
        let fault = |length| speculative(length).validate().unwrap_err().to_string();
        assert!(fault(Length::Fixed(0)).starts_with("length: a draft of 0"));
        assert!(fault(Length::Fixed(65)).starts_with("length: a draft of 65"));
        let adapted = Adapted {
            first: 9,
            least: 1,
            most: 8,
        };
        assert!(fault(Length::Adapted(adapted)).starts_with("length.Adapted: "));
        for sends in [Sends::Top(0), Sends::Quantised(0), Sends::Quantised(17)] {
            let sending = Speculative {
                sends,
                ..speculative(Length::Fixed(4))
            };
            assert!(sending.validate().is_err());
        }
    }

    #[test]
    fn an_adapted_length_grows_by_two_and_shrinks_by_one_within_its_limits() {
        let length = Length::Adapted(Adapted {
            first: 4,
            least: 2,
            most: 7,
        });
        assert_eq!(length.next(4, 4, 4), 6);
        assert_eq!(length.next(6, 6, 6), 7);
        assert_eq!(length.next(7, 7, 3), 6);
        assert_eq!(length.next(2, 2, 0), 2);
        assert_eq!(length.next(5, 0, 0), 5);
        assert_eq!(Length::Fixed(3).next(3, 3, 3), 3);
    }
}
