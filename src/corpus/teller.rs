//! A [`Teller`] writes one document: it makes the choices, keeps the text and
//! counts the nats.
//!
//! The registers' grammars are plain functions over a teller, so one and the
//! same grammar draws documents, enumerates all of them, and parses a text. The
//! teller must never let a grammar choose by any other way than
//! [`Teller::pick`]: the count of nats rests on it.

use super::question::Suite;
use crate::rng::{Below, Stream};
use rand::RngExt;

/// The text being followed says something else than the grammar was about to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Departure;

/// What a grammar returns: it either told its part or departed from the text
/// it was to follow.
pub(super) type Told = Result<(), Departure>;

/// Where the choices come from.
enum Chooser<'a> {
    /// Each choice is drawn uniformly.
    Draw(Box<Stream>),
    /// Each choice is the next of the script, or the first alternative beyond
    /// the script's end; the text must stay a prefix of `target`, where given.
    Script {
        steps: Vec<Step>,
        position: usize,
        target: Option<&'a str>,
    },
}

/// One scripted choice: alternative `taken` of `alternatives`.
struct Step {
    taken: usize,
    alternatives: usize,
}

/// The question that a document ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// The suite of its kind.
    pub(super) suite: Suite,
    /// Bytes of the text before the answer.
    pub(super) before: usize,
    /// Answers of the same form that are wrong, distinct, at least
    /// [`Suite::choices`] − 1 of them.
    pub(super) rivals: Vec<String>,
}

/// Writes one document.
pub(super) struct Teller<'a> {
    source: Chooser<'a>,
    text: String,
    nats: f64,
    asked: Option<Asked>,
}

impl Teller<'_> {
    /// A teller that draws its choices from `stream`.
    pub(super) fn drawing(stream: Stream) -> Self {
        Self::with(Chooser::Draw(Box::new(stream)))
    }

    /// The text told and its information content in nats.
    pub(super) fn finish(self) -> (String, f64) {
        (self.text, self.nats)
    }

    /// The text told, its question if it asks one, and the stream as the choices
    /// left it.
    ///
    /// # Panics
    /// If the teller follows a script.
    pub(super) fn into_question(self) -> (String, Option<Asked>, Stream) {
        match self.source {
            Chooser::Draw(stream) => (self.text, self.asked, *stream),
            Chooser::Script { .. } => unreachable!("only a drawing teller has a stream"),
        }
    }

    /// Chooses one of `alternatives` (at least one), each as likely as the
    /// others, and adds ln(alternatives) nats.
    pub(super) fn pick(&mut self, alternatives: usize) -> Result<usize, Departure> {
        self.nats += libm::log(alternatives as f64);
        match &mut self.source {
            Chooser::Draw(stream) => Ok(stream.sample(Below::new(alternatives))),
            Chooser::Script {
                steps, position, ..
            } => {
                if *position == steps.len() {
                    steps.push(Step {
                        taken: 0,
                        alternatives,
                    });
                }
                *position += 1;
                Ok(steps[*position - 1].taken)
            }
        }
    }

    /// Chooses an index below `count` that is not among `taken` (distinct
    /// indices, not all of them).
    pub(super) fn pick_other(&mut self, count: usize, taken: &[usize]) -> Result<usize, Departure> {
        let rank = self.pick(count - taken.len())?;
        let mut free = (0..count).filter(|index| !taken.contains(index));
        Ok(free
            .nth(rank)
            .expect("the rank is below the number of free indices"))
    }

    /// Chooses one of `items`.
    pub(super) fn pick_from<T: Copy>(&mut self, items: &[T]) -> Result<T, Departure> {
        Ok(items[self.pick(items.len())?])
    }

    /// Notes that what is said next answers a question of `suite`, and what else
    /// might be answered. No choice: the text does not depend on it.
    pub(super) fn note_question(&mut self, suite: Suite, rivals: impl FnOnce() -> Vec<String>) {
        // A script is followed for its text alone.
        if let Chooser::Draw(_) = self.source {
            self.asked = Some(Asked {
                suite,
                before: self.text.len(),
                rivals: rivals(),
            });
        }
    }

    /// Appends `words` to the text.
    pub(super) fn say(&mut self, words: impl AsRef<str>) -> Told {
        self.text.push_str(words.as_ref());
        match &self.source {
            Chooser::Script {
                target: Some(target),
                ..
            } if !target.starts_with(&self.text) => Err(Departure),
            _ => Ok(()),
        }
    }
}

impl<'a> Teller<'a> {
    fn with(source: Chooser<'a>) -> Self {
        Self {
            source,
            text: String::new(),
            nats: 0.0,
            asked: None,
        }
    }
}

/// Every derivation of `grammar`, in the order of the choices, as (text, nats);
/// with a `target`, those that tell exactly that text.
///
/// A depth-first walk over the choices: after each telling the last choice that
/// has an untried alternative moves on. With a target a telling stops at the
/// first word that departs from it, which prunes all that would have followed.
pub(super) fn derivations(
    target: Option<&str>,
    grammar: impl Fn(&mut Teller<'_>) -> Told,
) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    let mut steps = Vec::new();
    loop {
        let mut teller = Teller::with(Chooser::Script {
            steps,
            position: 0,
            target,
        });
        let told = grammar(&mut teller);
        let Chooser::Script {
            steps: mut tried,
            position,
            ..
        } = teller.source
        else {
            unreachable!("a scripted teller stays scripted")
        };
        tried.truncate(position);
        if told.is_ok() && target.is_none_or(|text| text == teller.text) {
            found.push((teller.text, teller.nats));
        }
        while tried
            .pop_if(|last| last.taken + 1 == last.alternatives)
            .is_some()
        {}
        match tried.last_mut() {
            Some(last) => last.taken += 1,
            None => return found,
        }
        steps = tried;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_visits_every_branch_of_a_tree_of_unequal_depth_once() {
        let grammar = |teller: &mut Teller<'_>| -> Told {
            let first = teller.pick(3)?;
            teller.say(format!("{first}"))?;
            for _ in 0..first {
                let next = teller.pick(2)?;
                teller.say(format!("{next}"))?;
            }
            Ok(())
        };
        let all = derivations(None, grammar);
        let texts: Vec<&str> = all.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["0", "10", "11", "200", "201", "210", "211"]);
        let total: f64 = all.iter().map(|(_, nats)| libm::exp(-nats)).sum();
        assert!((total - 1.0).abs() < 1e-12, "probabilities sum to {total}");
        assert_eq!(derivations(Some("210"), grammar).len(), 1);
        assert!(derivations(Some("3"), grammar).is_empty());
    }

    #[test]
    fn an_ambiguous_grammar_shows_two_derivations() {
        let twice = derivations(Some("a"), |teller| {
            teller.pick(2)?;
            teller.say("a")
        });
        assert_eq!(twice.len(), 2);
    }
}
