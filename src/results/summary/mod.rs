//! The short table that `airloom run` prints.

mod marks;
mod stream;

use crate::measurement::NodeRecord;
use crate::results::metrics::Metrics;
use crate::results::readable::{joules, lines, percent, seconds, seconds_of, significant};
use crate::results::terminal::Table;
use crate::text::Visible;
use crate::trust::Card;
use crate::units::Duration;
use std::fmt;
use stream::Line;

/// The most requests whose texts are shown; more are a stream, of which the spread tells more.
pub const MOST_TEXTS: usize = 12;

/// What one run amounts to, as text for people.
#[derive(Debug)]
pub struct Summary<'a> {
    /// The run's name.
    pub title: &'a str,
    /// Its metrics.
    pub metrics: &'a Metrics,
    /// How far they are known, where that was told.
    pub card: Option<&'a Card>,
    /// The names of its nodes.
    pub nodes: &'a [String],
    /// What each of them did.
    pub per_node: &'a [NodeRecord],
    /// What requests generated, with their numbers.
    pub texts: Vec<(u32, String)>,
    /// How wide lines may be, if anything limits them.
    pub columns: Option<usize>,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in lines(self.title, self.columns.unwrap_or(usize::MAX)) {
            writeln!(f, "{line}")?;
        }
        writeln!(f)?;
        let get = |name: &str| self.metrics.measured(name);
        let mut row = |label: &str, value: Option<String>, note: String| match value {
            Some(value) => {
                let gap = if note.is_empty() { "" } else { "  " };
                let mark = self.mark(label);
                self.line(f, &format!("{mark} {label:<22}{value:>12}{gap}"), &note)
            }
            None => Ok(()),
        };
        let source = get("source_perplexity").map_or(String::new(), |source| {
            format!("the text's own entropy allows {}", significant(source))
        });
        row("perplexity", get("perplexity").map(significant), source)?;
        let chance = get("accuracy_by_chance").map_or(String::new(), |chance| {
            let questions = get("questions").unwrap_or_default();
            let chance = percent(chance);
            format!("of {questions} questions; guessing reaches {chance}")
        });
        row("accuracy", get("accuracy").map(percent), chance)?;
        let predicted = [
            ("all_reduce_analytic_mse", "equation (7) says"),
            (
                "all_reduce_quantiser_mse",
                "entries spread over many quantiser steps Δ would have Δ²/12:",
            ),
        ];
        let predicted = predicted.iter().filter_map(|(name, words)| {
            let value = significant(get(name)?);
            Some(format!("{words} {value}"))
        });
        let predicted = predicted.collect::<Vec<_>>().join(", ");
        row(
            "all-reduce MSE",
            get("all_reduce_mse").map(significant),
            predicted,
        )?;
        let wait = get("attention_wait_s").map_or(String::new(), |wait| {
            format!("from gates to barriers {}", seconds(wait))
        });
        row("batch latency", get("batch_latency_s").map(seconds), wait)?;
        let share = get("waiting_share").map(percent);
        let imbalance = get("expert_imbalance").map_or(String::new(), |ratio| {
            let ratio = significant(ratio);
            format!("of nodes' time from gate to barrier; busiest expert {ratio} × the mean")
        });
        row("waiting for others", share, imbalance)?;
        let fates = ["dropped", "lost"].iter().filter_map(|fate| {
            let visits = get(&format!("expert_visits_{fate}")).filter(|visits| *visits > 0.0)?;
            let why = if *fate == "lost" { " to outage" } else { "" };
            Some(format!("{visits} {fate}{why}"))
        });
        let fates = fates.collect::<Vec<_>>().join(", ");
        let visits = get("expert_visits").map(|visits| visits.to_string());
        row("expert visits", visits, fates)?;
        let arrived = get("requests_arrived").filter(|count| *count > MOST_TEXTS as f64);
        if arrived.is_none() {
            row("TTFT", get("ttft_s").map(seconds), String::new())?;
        }
        let parts = ["compute", "uplink", "downlink", "wait"];
        let part = |name: &str| get(&format!("pass_{name}_s"));
        let whole: f64 = parts.iter().filter_map(|name| part(name)).sum();
        let split = parts
            .iter()
            .filter_map(|name| {
                let value = part(name).filter(|value| *value > 0.0)?;
                let name = if *name == "wait" { "waiting" } else { name };
                Some(format!("{name} {}", seconds_of(value, whole)))
            })
            .collect::<Vec<_>>()
            .join(" + ");
        match arrived {
            None => row("TPOT", get("tpot_s").map(seconds), split)?,
            Some(_) => {
                let step = (!split.is_empty()).then(|| seconds(whole));
                row("decode step", step, split)?;
            }
        }
        for Line { label, value, note } in stream::lines(self.metrics, arrived.is_some()) {
            row(label, Some(value), note)?;
        }
        let generated = get("generated_tokens").filter(|tokens| *tokens > 0.0);
        let pace = get("tokens_per_s").zip(generated);
        row(
            "generation",
            pace.map(|(rate, _)| format!("{} tok/s", significant(rate))),
            pace.map_or(String::new(), |(rate, tokens)| {
                let time = seconds(tokens / rate);
                format!("{tokens} tokens in the {time} of generating requests")
            }),
        )?;
        let left = get("exit_share").zip(get("exit_agreement"));
        let left = left.map_or(String::new(), |(share, agrees)| {
            let (share, agrees) = (percent(share), percent(agrees));
            format!("{share} of tokens left early; the whole model agrees with {agrees}")
        });
        let depth = get("exit_depth_layers").map(significant);
        row("exit depth", depth.map(|it| format!("{it} layers")), left)?;
        row(
            "energy",
            get("energy_j").map(joules),
            match get("energy_idle_j").filter(|idle| *idle > 0.0) {
                Some(idle) => {
                    let idle = joules(idle);
                    format!("of all nodes in the whole run, {idle} of it idling")
                }
                None => "of all nodes in the whole run".to_owned(),
            },
        )?;
        let spent = get("energy_generate_j").zip(generated);
        let each = get("tokens_per_joule").zip(get("energy_j"));
        row(
            "energy per token",
            spent.map(|(energy, tokens)| joules(energy / tokens)),
            spent.map_or(String::new(), |(energy, tokens)| {
                let whole = each.map_or(String::new(), |(each, whole)| {
                    let (each, whole) = (significant(each), joules(whole));
                    format!("; over the {whole} of the run {each} tokens per joule")
                });
                let energy = joules(energy);
                format!("{energy} of generating, idling apart, over {tokens} tokens{whole}")
            }),
        )?;
        row(
            "energy budget",
            get("energy_budget_ratio").map(|ratio| format!("{} ×", significant(ratio))),
            "what a node draws per vector at most, computing and sending, over its P_n".to_owned(),
        )?;
        row(
            "makespan",
            get("makespan_s").map(seconds),
            match get("no_request_s").filter(|idle| *idle > 0.0) {
                Some(idle) => format!("simulated time, {} of it without a request", seconds(idle)),
                None => "simulated time".to_owned(),
            },
        )?;
        writeln!(f)?;
        if arrived.is_some() {
            f.write_str(&stream::percentiles(self.metrics, self.columns))?;
            writeln!(f)?;
        }
        f.write_str(&self.table())?;
        self.write_trust(f)?;
        for (request, text) in &self.texts {
            let head = format!("  request {request} generated: ");
            writeln!(f)?;
            self.line(f, &head, &Visible(text.trim()).to_string())?;
        }
        Ok(())
    }
}

impl Summary<'_> {
    fn table(&self) -> String {
        // Only where layers are divided do nodes hold heads.
        let divided = self.per_node.iter().any(|node| node.heads > 0);
        let longest = self.nodes.iter().map(|name| name.chars().count()).max();
        let name = longest.unwrap_or(0).max(8);
        let mut widths = vec![name, if divided { 6 } else { 0 }];
        widths.resize(9, 11);
        let mut table = Table::new(2, 1, widths);
        let heading = [
            "node",
            if divided { "heads" } else { "" },
            "compute",
            "uplink",
            "downlink",
            "waiting",
            "compute E",
            "radio E",
            "idle E",
        ];
        table.push(heading.map(str::to_owned).to_vec());
        let unknown = || "–".to_owned();
        let makespan = self.metrics.get("makespan_s").unwrap_or_default();
        let time = |length: Duration| seconds_of(length.as_seconds(), makespan);
        for node in self.per_node {
            let heads = match node.heads {
                0 => unknown(),
                heads => heads.to_string(),
            };
            table.push(vec![
                self.nodes[node.node as usize].clone(),
                if divided { heads } else { String::new() },
                time(node.compute),
                time(node.uplink),
                time(node.downlink),
                time(node.wait),
                node.compute_j.map_or_else(unknown, joules),
                node.radio_j.map_or_else(unknown, joules),
                node.idle_j.map_or_else(unknown, joules),
            ]);
        }
        table.text(self.columns)
    }

    /// A line of the summary, in several where it is wider than there are columns.
    fn line(&self, f: &mut fmt::Formatter<'_>, head: &str, rest: &str) -> fmt::Result {
        let length = head.chars().count() + rest.chars().count();
        match self.columns {
            Some(columns) if length > columns => {
                writeln!(f, "{}", head.trim_end())?;
                for line in lines(rest, columns.saturating_sub(6)) {
                    writeln!(f, "      {line}")?;
                }
                Ok(())
            }
            _ => writeln!(f, "{head}{rest}"),
        }
    }
}
