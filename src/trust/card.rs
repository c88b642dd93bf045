//! What a run says of all sources, and so of every metric.

use super::mark::{Mark, Trust};
use super::rests_on::{RestsOn, Source};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How far each source is known in a run. A source that is not there played no part.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Card(BTreeMap<Source, Trust>);

/// How far a metric is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// In one word.
    pub mark: Mark,
    /// The relative error to expect, where every source has one.
    pub error: Option<f64>,
    /// The source that decides, if there is one.
    pub because: Option<Source>,
}

impl Card {
    /// Adds what is known of `source`; of several the least counts.
    pub fn add(&mut self, source: Source, trust: Trust) {
        let known = self.0.remove(&source);
        let trust = match known {
            Some(known) => known.with(trust),
            None => trust,
        };
        self.0.insert(source, trust);
    }

    /// Leaves out a source that played no part.
    pub fn leave_out(&mut self, source: Source) {
        self.0.remove(&source);
    }

    /// What is known of `source`, if it played a part.
    pub fn source(&self, source: Source) -> Option<&Trust> {
        self.0.get(&source)
    }

    /// How far a metric is known that rests on these.
    ///
    /// A time is a sum of parts, so its error is at most the largest of theirs; joules are a time
    /// times a power, whose errors add up.
    pub fn judge(&self, rests_on: RestsOn) -> Judged {
        let known = || {
            let sources = rests_on.sources();
            sources.filter_map(|source| Some((source, self.0.get(&source)?)))
        };
        // Of equals the first decides.
        let worst = known().reduce(|worst, other| {
            if other.1.mark > worst.1.mark {
                other
            } else {
                worst
            }
        });
        let Some((because, worst)) = worst else {
            return Judged {
                mark: Mark::Computed,
                error: None,
                because: None,
            };
        };
        let times = known().filter(|(source, _)| *source != Source::Power);
        let time = times
            .map(|(_, trust)| trust.error)
            .reduce(|one, two| one.zip(two).map(|(one, two)| one.max(two)));
        let power = known().find(|(source, _)| *source == Source::Power);
        let error = match (time.unwrap_or(Some(0.0)), power) {
            (Some(time), Some((_, power))) => power.error.map(|power| time + power),
            (time, _) => time,
        };
        Judged {
            mark: worst.mark,
            error,
            because: Some(because),
        }
    }

    /// The parallel object of `metrics.json`: what is known of each source, and of each of
    /// `metrics`, with what it rests on.
    pub fn to_json<'a>(&self, metrics: impl Iterator<Item = (&'a str, RestsOn)>) -> Value {
        let sources = self.0.iter().map(|(source, trust)| {
            let mut entry = Map::new();
            entry.insert("mark".to_owned(), trust.mark.word().into());
            if let Some(error) = trust.error {
                entry.insert("error".to_owned(), error.into());
            }
            entry.insert("reason".to_owned(), trust.reason.as_str().into());
            (source.name().to_owned(), Value::Object(entry))
        });
        let metrics = metrics.map(|(name, rests_on)| {
            let judged = self.judge(rests_on);
            let mut entry = Map::new();
            entry.insert("mark".to_owned(), judged.mark.word().into());
            if let Some(error) = judged.error {
                entry.insert("error".to_owned(), error.into());
            }
            if let Some(because) = judged.because {
                entry.insert("reason".to_owned(), because.name().into());
            }
            (name.to_owned(), Value::Object(entry))
        });
        json!({
            "sources": sources.collect::<Map<_, _>>(),
            "metrics": metrics.collect::<Map<_, _>>(),
        })
    }

    /// The card in the parallel object of a `metrics.json`; `None` if it is none.
    pub fn from_json(value: &Value) -> Option<Self> {
        let mut card = Self::default();
        for (name, entry) in value["sources"].as_object()? {
            let trust = Trust {
                mark: Mark::of_word(entry["mark"].as_str()?)?,
                error: entry["error"].as_f64(),
                reason: entry["reason"].as_str()?.to_owned(),
            };
            card.0.insert(Source::of_name(name)?, trust);
        }
        Some(card)
    }

    /// In one line, for people: each mark that `metrics` have, with why.
    pub fn line(&self, metrics: impl Iterator<Item = RestsOn>) -> String {
        let mut marks: BTreeMap<Mark, (Option<Source>, Option<f64>)> = BTreeMap::new();
        for rests_on in metrics {
            let judged = self.judge(rests_on);
            let known = marks
                .entry(judged.mark)
                .or_insert((judged.because, judged.error));
            known.1 = known.1.zip(judged.error).map(|(one, two)| one.max(two));
        }
        let parts = marks.iter().map(|(mark, (because, error))| {
            let (sign, word) = (mark.sign(), mark.word());
            let within = error.map_or(String::new(), |error| {
                format!(" within {:.0} %", (100.0 * error - 1e-9).ceil())
            });
            match because.and_then(|source| self.0.get(&source)) {
                Some(trust) => format!("{sign} {word}{within} ({})", trust.reason),
                None => format!("{sign} {word} by the run"),
            }
        });
        parts.collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(mark: Mark, error: Option<f64>) -> Trust {
        Trust {
            mark,
            error,
            reason: format!("{} by somebody", mark.word()),
        }
    }

    fn card() -> Card {
        let mut card = Card::default();
        card.add(Source::Compute, trust(Mark::Measured, Some(0.02)));
        card.add(Source::Context, trust(Mark::Fitted, Some(0.05)));
        card.add(Source::Power, trust(Mark::Fitted, Some(0.1)));
        card
    }

    /// No better than the worst of what it rests on, and no source that played no part counts.
    #[test]
    fn a_metric_is_known_as_its_worst_source_is() {
        let mut card = card();
        let step = card.judge(RestsOn::STEPS);
        assert_eq!((step.mark, step.error), (Mark::Fitted, Some(0.05)));
        assert_eq!(step.because, Some(Source::Context));
        let joules = card.judge(RestsOn::ENERGY);
        assert!(
            (joules.error.unwrap() - 0.15).abs() < 1e-12,
            "errors of time and power add up"
        );
        card.add(Source::Links, Trust::assumed("the scenario states it"));
        let step = card.judge(RestsOn::STEPS);
        assert_eq!(
            (step.mark, step.error, step.because),
            (Mark::Assumed, None, Some(Source::Links))
        );
        assert_eq!(card.judge(RestsOn::COMPUTE).mark, Mark::Fitted);
        for rests_on in [RestsOn::NOTHING, RestsOn::TENSORS] {
            assert_eq!(card.judge(rests_on).mark, Mark::Computed);
        }
    }

    #[test]
    fn a_card_comes_back_from_its_json() {
        let card = card();
        let metrics = [
            ("tpot_s", RestsOn::STEPS),
            ("generated_tokens", RestsOn::NOTHING),
        ];
        let value = card.to_json(metrics.into_iter());
        assert_eq!(Card::from_json(&value), Some(card));
        assert_eq!(value["metrics"]["tpot_s"]["mark"], "fitted");
        assert_eq!(value["metrics"]["tpot_s"]["error"], 0.05);
        assert_eq!(value["metrics"]["tpot_s"]["reason"], "context");
        assert_eq!(
            value["metrics"]["generated_tokens"],
            json!({"mark": "computed"})
        );
        assert_eq!(Card::from_json(&json!({})), None);
    }

    #[test]
    fn one_line_says_every_mark_and_why() {
        let line = card().line([RestsOn::NOTHING, RestsOn::COMPUTE, RestsOn::NOTHING].into_iter());
        assert_eq!(
            line,
            "= computed by the run; ~ fitted within 5 % (fitted by somebody)"
        );
    }
}
