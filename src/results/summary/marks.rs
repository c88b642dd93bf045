//! How far each row can be trusted: a sign before it, and below all one line of what signs mean.

use super::Summary;
use crate::results::metrics::DEFINITIONS;
use crate::results::readable::lines;
use std::fmt;

/// The metric that a row shows.
const ROWS: &[(&str, &str)] = &[
    ("perplexity", "perplexity"),
    ("accuracy", "accuracy"),
    ("all-reduce MSE", "all_reduce_mse"),
    ("batch latency", "batch_latency_s"),
    ("waiting for others", "waiting_share"),
    ("expert visits", "expert_visits"),
    ("TTFT", "ttft_s"),
    ("TPOT", "tpot_s"),
    ("decode step", "tpot_s"),
    ("requests", "requests_per_s"),
    ("goals met", "goal_share"),
    ("queue", "queue_length"),
    ("cache", "cache_use"),
    ("preemptions", "preemptions"),
    ("reused", "reused_tokens"),
    ("generation", "tokens_per_s"),
    ("exit depth", "exit_depth_layers"),
    ("energy", "energy_j"),
    ("energy per token", "energy_per_token_j"),
    ("energy budget", "energy_budget_ratio"),
    ("makespan", "makespan_s"),
];

/// Narrower lines are not broken.
const INDENT: &str = "  ";

impl Summary<'_> {
    /// The sign before the row called `label`; a space where nothing is known of it.
    pub(super) fn mark(&self, label: &str) -> char {
        let name = ROWS.iter().find(|(row, _)| *row == label).map(|row| row.1);
        let metric = DEFINITIONS.iter().find(|metric| Some(metric.name) == name);
        match self.card.zip(metric) {
            Some((card, metric)) => card.judge(metric.rests_on).mark.sign(),
            None => ' ',
        }
    }

    /// What the signs mean, and why.
    pub(super) fn write_trust(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(card) = self.card else {
            return Ok(());
        };
        let shown = DEFINITIONS.iter().filter(|metric| {
            let row = ROWS.iter().any(|(_, name)| *name == metric.name);
            row && self.metrics.measured(metric.name).is_some()
        });
        let line = card.line(shown.map(|metric| metric.rests_on));
        writeln!(f)?;
        let room = self.columns.map_or(usize::MAX, |columns| {
            columns.saturating_sub(INDENT.len()).max(1)
        });
        for line in lines(&line, room) {
            writeln!(f, "{INDENT}{line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_shows_a_metric() {
        for (_, name) in ROWS {
            assert!(
                DEFINITIONS.iter().any(|metric| metric.name == *name),
                "{name}"
            );
        }
    }
}
