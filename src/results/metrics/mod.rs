//! `metrics.json`: what a run measured, under the field's own names.
//!
//! Every metric is defined once, in the file of its subject, beside the code that
//! computes it; [`SUBJECTS`] lists them, and the manual's page of metrics is made of it.
//! A run that did not measure a metric leaves it out; zero means that zero was measured.

mod accumulator;
mod accuracy;
mod assignment;
mod cascade;
mod distortion;
mod energy;
mod exits;
mod experts;
mod latency;
mod likelihood;
mod load;
mod mean;
mod percentile;
mod serving;
mod speculation;
mod tails;
#[cfg(test)]
mod tests;
mod words;

pub use accumulator::Accumulator;
pub use energy::overdraft;

use crate::measurement::{Goals, Measurements, Mode, RequestRecord};
use crate::trust::{Card, RestsOn};
use crate::units::{Duration, Instant};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The file's name.
pub const FILE_NAME: &str = "metrics.json";

/// The key of the object beside the metrics that says how far each is known.
pub const TRUST: &str = "trust";

/// How far metrics are known, as the text of a `metrics.json` says; `None` of a run from before
/// that was told.
pub fn card(text: &str) -> Option<Card> {
    let map: Map<String, Value> = serde_json::from_str(text).ok()?;
    Card::from_json(map.get(TRUST)?)
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// The key in `metrics.json`.
    pub name: &'static str,
    /// How papers write it; empty if they have no name for it.
    pub symbol: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// How it is measured.
    pub meaning: &'static str,
    /// Which runs have it.
    pub present: &'static str,
    /// What it is worked out from, which may be known well or badly.
    pub rests_on: RestsOn,
}

impl Definition {
    /// The name without the unit at its end: `tpot` of `tpot_s`.
    pub fn stem(&self) -> &'static str {
        let unit = match self.unit {
            "B" => "bytes".to_owned(),
            "nat" => "nats".to_owned(),
            unit => unit.to_lowercase(),
        };
        let end = self.name.strip_suffix(&unit);
        let stem = end.and_then(|rest| rest.strip_suffix('_'));
        stem.unwrap_or(self.name)
    }
}

/// Metrics that tell of one subject.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// What they tell of.
    pub title: &'static str,
    /// The metrics.
    pub definitions: &'static [Definition],
}

const fn subject(title: &'static str, definitions: &'static [Definition]) -> Subject {
    Subject { title, definitions }
}

/// Every metric by subject, in the order of the file.
pub const SUBJECTS: &[Subject] = &[
    subject("Latency", latency::DEFINITIONS),
    subject("Gaps and queueing", tails::MEANS),
    subject("Percentiles", tails::DEFINITIONS),
    subject("Serving", serving::DEFINITIONS),
    subject("Load", load::DEFINITIONS),
    subject("Length classes", serving::CLASSES),
    subject("Likelihood", likelihood::DEFINITIONS),
    subject("Accuracy", accuracy::DEFINITIONS),
    subject("Spread experts", experts::DEFINITIONS),
    subject("Generation", likelihood::GENERATION),
    subject("Speculation", speculation::DEFINITIONS),
    subject("Cascade", cascade::DEFINITIONS),
    subject("Early exit", exits::DEFINITIONS),
    subject("All-reduce error", distortion::DEFINITIONS),
    subject("Energy and memory", energy::DEFINITIONS),
    subject("Model assignment", assignment::DEFINITIONS),
];

const COUNT: usize = {
    let (mut count, mut place) = (0, 0);
    while place < SUBJECTS.len() {
        count += SUBJECTS[place].definitions.len();
        place += 1;
    }
    count
};

/// Every metric, in the order of the file.
pub const DEFINITIONS: &[Definition] = &{
    let mut all = [SUBJECTS[0].definitions[0]; COUNT];
    let (mut subject, mut place, mut next) = (0, 0, 0);
    while next < COUNT {
        let definitions = SUBJECTS[subject].definitions;
        if place == definitions.len() {
            (subject, place) = (subject + 1, 0);
            continue;
        }
        all[next] = definitions[place];
        (place, next) = (place + 1, next + 1);
    }
    all
};

/// The metrics of one run, in the order of [`DEFINITIONS`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics(Vec<(&'static str, f64)>);

impl Metrics {
    /// The value of `name`, if the run measured it and it is a number.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.measured(name).filter(|value| value.is_finite())
    }

    /// The value of `name`, if the run measured it: NaN if it is beyond every number.
    pub fn measured(&self, name: &str) -> Option<f64> {
        let (_, value) = self.0.iter().find(|(key, _)| *key == name)?;
        Some(*value)
    }

    /// The names of what was measured and is beyond every number.
    pub fn not_finite(&self) -> impl Iterator<Item = &'static str> + '_ {
        let beyond = self.iter().filter(|(_, value)| !value.is_finite());
        beyond.map(|(name, _)| name)
    }

    /// Name and value of everything measured.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        self.0.iter().copied()
    }

    /// The text of `metrics.json`. Numbers are the shortest that read back to
    /// the same bits; `null` is what is beyond every number.
    pub fn to_json(&self) -> String {
        let map: Map<String, Value> = self
            .iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        let mut text =
            serde_json::to_string_pretty(&map).expect("a map of numbers has a JSON form");
        text.push('\n');
        text
    }

    /// The text of `metrics.json` with, under [`TRUST`], how far each metric is known as `card` has
    /// it.
    pub fn to_trusted_json(&self, card: &Card) -> String {
        let mut map: Map<String, Value> = self
            .iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        map.insert(TRUST.to_owned(), card.to_json(self.rest_on()));
        let mut text =
            serde_json::to_string_pretty(&map).expect("a map of numbers has a JSON form");
        text.push('\n');
        text
    }

    /// What was measured, with what it rests on.
    pub fn rest_on(&self) -> impl Iterator<Item = (&'static str, RestsOn)> + '_ {
        let definitions = DEFINITIONS.iter();
        let measured = definitions.filter(|metric| self.measured(metric.name).is_some());
        measured.map(|metric| (metric.name, metric.rests_on))
    }

    /// Reads the text of a `metrics.json`; `None` if it is not one.
    pub fn from_json(text: &str) -> Option<Self> {
        let mut map: Map<String, Value> = serde_json::from_str(text).ok()?;
        map.remove(TRUST);
        let numbers = map
            .values()
            .all(|value| value.is_number() || value.is_null());
        numbers.then(|| {
            Self::from_values(|name| {
                map.get(name)
                    .map(|value| value.as_f64().unwrap_or(f64::NAN))
            })
        })
    }

    /// The metrics that `value` knows.
    pub fn from_values(value: impl Fn(&str) -> Option<f64>) -> Self {
        let known = DEFINITIONS
            .iter()
            .filter_map(|definition| Some((definition.name, value(definition.name)?)));
        Self(known.collect())
    }

    /// Computes every metric that `run`, its `goals` and the makespan determine.
    pub fn of(run: &Measurements, goals: &Goals, makespan: Instant) -> Self {
        let mut accumulator = Accumulator::default();
        // Sums take note of everything.
        let _ = run.tell(&mut accumulator);
        accumulator.finish(&run.requests, &run.totals, goals, makespan)
    }
}

#[derive(Debug, Default)]
struct Collector(BTreeMap<&'static str, f64>);

impl Collector {
    /// Enters what is a number; of a ratio, that there was something to divide by.
    fn put(&mut self, name: &'static str, value: impl Into<Option<f64>>) {
        let value = value.into();
        self.put_measured(name, value.filter(|value| value.is_finite()));
    }

    /// Enters what was measured even if it is beyond every number, as NaN.
    fn put_measured(&mut self, name: &'static str, value: Option<f64>) {
        let finite = |value: f64| if value.is_finite() { value } else { f64::NAN };
        if let Some(value) = value.map(finite) {
            debug_assert!(DEFINITIONS.iter().any(|definition| definition.name == name));
            self.0.insert(name, value);
        }
    }
}

/// The requests of `mode` that were answered.
fn of_mode(requests: &[RequestRecord], mode: Mode) -> impl Iterator<Item = &RequestRecord> {
    requests
        .iter()
        .filter(move |request| request.mode == mode && request.is_answered())
}

/// Time in which at least one request of `mode` was being served.
fn service_time(requests: &[RequestRecord], mode: Mode) -> Option<f64> {
    let mut spans: Vec<(Instant, Instant)> = of_mode(requests, mode)
        .filter_map(|request| Some((request.admitted?, request.end)))
        .collect();
    spans.sort_unstable();
    let mut reached = spans.first()?.0;
    let mut time = Duration::ZERO;
    for (start, end) in spans {
        let from = start.max(reached);
        if end > from {
            time += end.since(from);
            reached = end;
        }
    }
    Some(time.as_seconds())
}
