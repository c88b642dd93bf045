//! What a sweep measured, configuration by configuration, under the names that people gave.

use super::points::Row;
use super::student;
use crate::scenario::{Heading, Sweep};
use crate::units::FieldFault;
use std::collections::BTreeMap;

/// The rows of a sweep's table, those of one configuration together.
#[derive(Debug)]
pub struct Outcomes<'a> {
    /// The columns that tell configurations apart.
    pub headings: Vec<Heading>,
    /// How many values each axis has.
    pub lengths: Vec<usize>,
    /// Those of which there are rows, in the sweep's order.
    pub configurations: Vec<Configuration<'a>>,
}

/// One configuration and its repetitions.
#[derive(Debug)]
pub struct Configuration<'a> {
    /// Its number in the sweep's order.
    pub index: usize,
    /// The number of the value that it takes on each axis.
    pub choice: Vec<usize>,
    /// A row per repetition.
    pub rows: Vec<&'a Row>,
}

/// The mean over the runs of one configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Half the width of its 95 % confidence interval by Student's t distribution; `None` with a
    /// single run.
    pub half_width: Option<f64>,
}

impl Estimate {
    /// The estimate from `values`; `None` if there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        (!values.is_empty()).then(|| Self {
            mean: student::mean(values),
            half_width: student::half_width(values),
        })
    }

    /// The interval's ends; the mean twice with a single run.
    pub fn interval(&self) -> (f64, f64) {
        let half = self.half_width.unwrap_or(0.0);
        (self.mean - half, self.mean + half)
    }

    /// The same in another unit.
    #[must_use]
    pub fn map(self, convert: impl Fn(f64) -> f64) -> Self {
        Self {
            mean: convert(self.mean),
            half_width: self.half_width.map(convert),
        }
    }
}

impl<'a> Outcomes<'a> {
    /// Groups the rows of `sweep` by configuration.
    ///
    /// # Errors
    /// If the sweep has an axis that is wrong by itself.
    pub fn of(sweep: &Sweep, rows: &'a [Row]) -> Result<Self, FieldFault> {
        let mut grouped: BTreeMap<usize, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            let index = row.point / sweep.runs.max(1) as usize;
            grouped.entry(index).or_default().push(row);
        }
        let configurations = grouped.into_iter().map(|(index, rows)| Configuration {
            index,
            choice: sweep.choice(index),
            rows,
        });
        Ok(Self {
            headings: sweep.headings()?,
            lengths: sweep.lengths(),
            configurations: configurations.collect(),
        })
    }

    /// The column called `name`.
    pub fn heading(&self, name: &str) -> Option<&Heading> {
        self.headings.iter().find(|heading| heading.name == name)
    }

    /// What `configuration` is called in each column.
    pub fn labels(&self, configuration: &Configuration<'_>) -> Vec<String> {
        let label = |heading: &Heading| heading.labels[configuration.choice[heading.axis]].clone();
        self.headings.iter().map(label).collect()
    }

    /// What distinguishes `configuration` beside the axes in `fixed`, in words for a legend.
    pub fn name(&self, configuration: &Configuration<'_>, fixed: &[usize]) -> String {
        let varied = self.headings.iter().filter(|heading| {
            let known = fixed.contains(&heading.axis);
            !known && self.lengths[heading.axis] > 1
        });
        self.words(configuration, &varied.collect::<Vec<_>>())
    }

    /// What `configuration` is called in the columns `headings`, in words.
    pub fn words(&self, configuration: &Configuration<'_>, headings: &[&Heading]) -> String {
        let named = headings.iter().map(|heading| {
            let label = &heading.labels[configuration.choice[heading.axis]];
            // A label, a scheme or a design speaks for itself; a number does not.
            match heading.labelled || label.starts_with(char::is_uppercase) {
                true => label.clone(),
                false => format!("{} {label}", heading.name),
            }
        });
        named.collect::<Vec<_>>().join(", ")
    }
}

impl Configuration<'_> {
    /// The values of `metric` in the runs that measured it.
    pub fn values(&self, metric: &str) -> Vec<f64> {
        let metrics = self.rows.iter().filter_map(|row| row.metrics.as_ref());
        metrics.filter_map(|metrics| metrics.get(metric)).collect()
    }

    /// The mean of `metric` over the runs that measured it, if any did.
    pub fn estimate(&self, metric: &str) -> Option<Estimate> {
        Estimate::of(&self.values(metric))
    }

    /// Why `metric` is not there, or stands on fewer runs than were made; else empty.
    pub fn note(&self, metric: &str) -> String {
        let measured = self.values(metric).len();
        if measured == self.rows.len() {
            return String::new();
        }
        let missing = self.rows.iter().find(|row| row.metrics.is_none());
        let reason = match missing {
            Some(row) => format!("{}: {}", row.status, short(&row.reason)),
            None => "not measured".to_owned(),
        };
        match measured {
            0 => reason,
            some => format!("{some} of {} runs; {reason}", self.rows.len()),
        }
    }
}

/// A reason without its fix, which follows the first semicolon, and what is in parentheses.
fn short(reason: &str) -> String {
    let fault = reason.split("; ").next().unwrap_or_default();
    let mut words = String::new();
    for (number, part) in fault.split(" (").enumerate() {
        words += match (number, part.split_once(')')) {
            (1.., Some((_, rest))) => rest,
            _ => part,
        };
    }
    words
}
