//! Multiple-choice questions whose answers follow from the world.
//!
//! A question is a document that ends by asking something, cut before its answer,
//! and a few answers of the same form of which one is right. So the right answer
//! follows from the document or from the world's facts, and the questions read
//! exactly like the text that a model is trained on. [`Suite`] sorts them by kind,
//! as the benchmarks that papers report do: two choices or four, short or long,
//! knowledge or deduction.
//!
//! Scoring is somebody else's business: a model is right where it gives the right
//! answer the highest log-likelihood after the prompt.

use super::document::Split;
use super::registers;
use super::teller::{Asked, Teller};
use super::world::World;
use crate::rng::{Below, NO_DEVICE, Stream, Streams};
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of questions. The benchmark named beside each is the one whose form it
/// has; the contents are our own world's.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Suite {
    /// Two choices after a short text: odd or even, first or last of an order
    /// (PIQA).
    Pairs,
    /// Four choices; facts of the world, most of them not in the text before
    /// (ARC-Easy).
    Facts,
    /// Four choices; numbers, times and places to be worked out from the text
    /// (ARC-Challenge).
    Reasoning,
    /// Yes or no about a text (BoolQ).
    YesNo,
    /// Four choices after the longest texts: who, where and what colour.
    Stories,
}

impl Suite {
    /// All suites.
    pub const ALL: [Self; 5] = [
        Self::Pairs,
        Self::Facts,
        Self::Reasoning,
        Self::YesNo,
        Self::Stories,
    ];

    /// The suite's name in tables and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pairs => "pairs",
            Self::Facts => "facts",
            Self::Reasoning => "reasoning",
            Self::YesNo => "yes_no",
            Self::Stories => "stories",
        }
    }

    /// What it asks, in a line.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Pairs => "odd or even, first or last of an order; short texts",
            Self::Facts => "facts of the world, most of them not in the text before",
            Self::Reasoning => "numbers, times and places to be worked out from the text",
            Self::YesNo => "yes or no about animals and about an order",
            Self::Stories => "who had a thing, where somebody was, what colour; the longest texts",
        }
    }

    /// Answers to choose from.
    pub fn choices(self) -> usize {
        match self {
            Self::Pairs | Self::YesNo => 2,
            Self::Facts | Self::Reasoning | Self::Stories => 4,
        }
    }

    /// The share of right answers that guessing reaches: 1 / choices.
    pub fn chance(self) -> f64 {
        1.0 / self.choices() as f64
    }

    fn purpose(self, split: Split) -> &'static str {
        match (split, self) {
            (Split::Train, Self::Pairs) => "corpus.question.pairs.train",
            (Split::Train, Self::Facts) => "corpus.question.facts.train",
            (Split::Train, Self::Reasoning) => "corpus.question.reasoning.train",
            (Split::Train, Self::YesNo) => "corpus.question.yes_no.train",
            (Split::Train, Self::Stories) => "corpus.question.stories.train",
            (Split::HeldOut, Self::Pairs) => "corpus.question.pairs.held_out",
            (Split::HeldOut, Self::Facts) => "corpus.question.facts.held_out",
            (Split::HeldOut, Self::Reasoning) => "corpus.question.reasoning.held_out",
            (Split::HeldOut, Self::YesNo) => "corpus.question.yes_no.held_out",
            (Split::HeldOut, Self::Stories) => "corpus.question.stories.held_out",
        }
    }
}

/// One multiple-choice question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its suite.
    pub suite: Suite,
    /// The text up to and with `Answer:`.
    pub prompt: String,
    /// The answers, [`Suite::choices`] of them, distinct, in random order, each
    /// with its leading space and its full stop, so that it continues the prompt.
    pub choices: Vec<String>,
    /// Which of them is right.
    pub answer: usize,
}

impl Question {
    /// The prompt with the right answer: a document of the world.
    pub fn text(&self) -> String {
        format!("{}{}", self.prompt, self.choices[self.answer])
    }
}

impl World {
    /// Question number `index` of `suite` in `split`.
    ///
    /// Documents are drawn until one ends with a question of the suite, so within
    /// a suite the kinds are as frequent as in documents; then the wrong answers
    /// and the order are drawn, each choice equally likely. All from one stream of
    /// the suite, the split and the index.
    pub fn question(&self, suite: Suite, split: Split, index: u64) -> Question {
        let streams = Streams {
            seed: self.seed,
            run: 0,
        };
        let mut stream = streams.open(suite.purpose(split), NO_DEVICE, index);
        loop {
            let mut teller = Teller::drawing(stream);
            registers::tell(self, &mut teller)
                .unwrap_or_else(|_| unreachable!("a drawing teller follows no text"));
            let (text, asked, rest) = teller.into_question();
            stream = rest;
            if let Some(asked) = asked
                && asked.suite == suite
            {
                return put(&text, asked, &mut stream);
            }
        }
    }
}

/// Cuts the text before the answer and places it among wrong ones.
fn put(text: &str, asked: Asked, stream: &mut Stream) -> Question {
    let (prompt, right) = text.split_at(asked.before);
    let wrong = asked.suite.choices() - 1;
    let mut rivals = asked.rivals;
    // Fisher and Yates 1938, as far as needed.
    for place in 0..wrong {
        let other = place + stream.sample(Below::new(rivals.len() - place));
        rivals.swap(place, other);
    }
    let mut choices: Vec<String> = rivals[..wrong]
        .iter()
        .map(|rival| format!(" {rival}."))
        .collect();
    let answer = stream.sample(Below::new(wrong + 1));
    choices.insert(answer, right.to_owned());
    Question {
        suite: asked.suite,
        prompt: prompt.to_owned(),
        choices,
        answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn questions(suite: Suite, split: Split, count: u64) -> Vec<Question> {
        let world = World::new(World::BUNDLED_SEED);
        (0..count)
            .map(|index| world.question(suite, split, index))
            .collect()
    }

    /// The world tells the text with the right answer and with no other, so the
    /// right one follows and the wrong ones are wrong.
    #[test]
    fn only_the_right_answer_makes_a_document_of_the_world() {
        let world = World::new(World::BUNDLED_SEED);
        for suite in Suite::ALL {
            for question in questions(suite, Split::HeldOut, 12) {
                assert_eq!(question.choices.len(), suite.choices());
                for (choice, text) in question.choices.iter().enumerate() {
                    let told = world.derivations(&format!("{}{text}", question.prompt));
                    let right = choice == question.answer;
                    assert_eq!(told.len(), usize::from(right), "{question:?}, {text}");
                }
            }
        }
    }

    #[test]
    fn choices_are_distinct_and_the_right_one_stands_anywhere() {
        for suite in Suite::ALL {
            let questions = questions(suite, Split::HeldOut, 400);
            let mut places = vec![0; suite.choices()];
            for question in &questions {
                let distinct: BTreeSet<&String> = question.choices.iter().collect();
                assert_eq!(distinct.len(), question.choices.len(), "{question:?}");
                assert!(question.prompt.ends_with(" Answer:"), "{question:?}");
                assert!(question.choices.iter().all(|c| c.starts_with(' ')));
                places[question.answer] += 1;
            }
            // Five standard deviations of a binomial count.
            let mean = 400.0 * suite.chance();
            let bound = 5.0 * (mean * (1.0 - suite.chance())).sqrt();
            for place in places {
                assert!(
                    (f64::from(place) - mean).abs() < bound,
                    "{suite:?}: {place}"
                );
            }
        }
    }

    /// A constant answer must not do: within a suite of two words both are right
    /// about as often.
    #[test]
    fn yes_and_no_are_right_in_comparable_shares() {
        let yes = questions(Suite::YesNo, Split::HeldOut, 400)
            .iter()
            .filter(|question| question.choices[question.answer] == " Yes.")
            .count();
        assert!((120..280).contains(&yes), "{yes} of 400");
    }

    #[test]
    fn an_index_names_one_question_and_the_splits_share_few() {
        for suite in Suite::ALL {
            let held_out = questions(suite, Split::HeldOut, 100);
            assert_eq!(held_out, questions(suite, Split::HeldOut, 100));
            let train: BTreeSet<String> = questions(suite, Split::Train, 400)
                .iter()
                .map(Question::text)
                .collect();
            let shared = held_out.iter().filter(|q| train.contains(&q.text()));
            assert!(shared.count() < 10, "{suite:?}");
        }
    }
}
