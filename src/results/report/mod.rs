//! `report.html`: a run on one page, in one file that needs no network.
//!
//! Summary, an interactive timeline, what each node waited for, its energy and
//! memory, the run's figures and its resolved scenario. It holds nothing that another
//! run of the same scenario would not: no dates, no wall-clock times.

mod data;

use super::events::{Events, Owner};
use super::readable::{bytes, joules, seconds};
use crate::measurement::NodeRecord;
use crate::text::Markup;
use crate::units::Duration;
use std::fmt::Write as _;
use std::io::{self, Write};

/// The file's name.
pub const FILE_NAME: &str = "report.html";

/// Tasks that the timeline holds at most; a page of more would be slow to load.
/// The trace for Perfetto has them all.
pub const MOST_TASKS: usize = 200_000;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What the page shows.
#[derive(Debug)]
pub struct Page<'a> {
    /// The run's name.
    pub title: &'a str,
    /// The table for people.
    pub summary: String,
    /// The resolved scenario.
    pub scenario: &'a str,
    /// The names of the nodes.
    pub nodes: &'a [String],
    /// What each of them did and held.
    pub per_node: &'a [NodeRecord],
    /// The executed tasks.
    pub events: &'a Events,
    /// Names and SVG texts of figures.
    pub figures: &'a [(&'a str, String)],
}

/// A bar that fills `share` of its cell.
fn bar(share: f64) -> String {
    format!(
        "<td class=bar><i style=\"width:{:.1}%\"></i></td>",
        100.0 * share.clamp(0.0, 1.0)
    )
}

impl Page<'_> {
    /// Writes the page.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        let title = Markup(self.title);
        write!(
            out,
            "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<title>{title}</title>\n\
             <link rel=icon href=\"data:,\">\n<style>\n{STYLE}</style>\n<h1>{title}</h1>\n\
             <pre>{}</pre>\n<h2>Timeline</h2>\n",
            Markup(&self.summary)
        )?;
        out.write_all(include_bytes!("timeline.html"))?;
        let (shown, all) = (self.events.tasks.len(), self.events.rows);
        if self.events.goes_on() {
            writeln!(
                out,
                "<p>Shown, here and under Waiting, are the first {shown} of {all} tasks, up to {}; <code>airloom plot --perfetto</code> shows all.</p>",
                seconds(self.events.makespan().as_seconds())
            )?;
        }
        out.write_all(self.waiting().as_bytes())?;
        out.write_all(self.energy().as_bytes())?;
        out.write_all(self.memory().as_bytes())?;
        if !self.figures.is_empty() {
            writeln!(out, "<h2>Figures</h2>")?;
        }
        for (name, figure) in self.figures {
            writeln!(
                out,
                "<figure>{figure}<figcaption>{}</figcaption></figure>",
                Markup(name)
            )?;
        }
        write!(
            out,
            "<h2>Scenario</h2>\n<pre>{}</pre>\n<script type=\"application/json\" id=run>",
            Markup(self.scenario)
        )?;
        data::write(self.events, &mut out)?;
        write!(out, "</script>\n<script>\n{SCRIPT}</script>\n</html>\n")
    }

    /// What each node waited for, longest first.
    fn waiting(&self) -> String {
        let mut waiting: Vec<_> = self.events.waiting().into_iter().collect();
        waiting.sort_by_key(|((who, cause, whose), time)| {
            (*who, std::cmp::Reverse(*time), *cause, *whose)
        });
        let makespan = self.events.makespan().0.max(1) as f64;
        let whole = match self.events.goes_on() {
            true => "that time",
            false => "the run",
        };
        let mut html = format!(
            "<h2>Waiting</h2>\n<table><tr><th>who<th>waited for<th>time<th>of {whole}<th></tr>\n"
        );
        for ((who, cause, whose), time) in waiting {
            let whose = match whose {
                Owner::Nobody => String::new(),
                owner => format!(" of {}", self.events.owner_name(owner)),
            };
            let share = time.0 as f64 / makespan;
            let _ = writeln!(
                html,
                "<tr><td>{}<td>{cause}{}<td>{}<td>{:.2} %{}</tr>",
                Markup(self.events.owner_name(who)),
                Markup(&whose),
                seconds(Duration::as_seconds(time)),
                100.0 * share,
                bar(share)
            );
        }
        html.push_str("</table>\n");
        html
    }

    fn energy(&self) -> String {
        let parts = |node: &NodeRecord| [node.compute_j, node.radio_j, node.idle_j];
        let whole = |node: &NodeRecord| parts(node).into_iter().flatten().sum::<f64>();
        let most = self.per_node.iter().map(whole).fold(0.0, f64::max);
        let mut html = "<h2>Energy</h2>\n<table><tr><th>who<th>profile<th>compute<th>radio<th>idle<th>in all<th></tr>\n"
            .to_owned();
        for node in self.per_node {
            let _ = write!(
                html,
                "<tr><td>{}<td>{}",
                self.name(node),
                Markup(&node.profile)
            );
            for part in parts(node) {
                let _ = write!(html, "<td>{}", part.map_or("–".to_owned(), joules));
            }
            let share = if most > 0.0 { whole(node) / most } else { 0.0 };
            let _ = writeln!(html, "<td>{}{}</tr>", joules(whole(node)), bar(share));
        }
        html.push_str("</table>\n");
        html
    }

    fn memory(&self) -> String {
        let mut html = "<h2>Memory</h2>\n<table><tr><th>who<th>weights<th>KV cache<th>activations<th>of<th>used<th></tr>\n"
            .to_owned();
        for node in self.per_node {
            let parts = [
                node.weight_bytes,
                node.kv_cache_bytes,
                node.activation_bytes,
            ];
            let used: f64 = parts.iter().map(|part| *part as f64).sum();
            let share = used / node.memory_bytes.max(1) as f64;
            let [weights, cache, activations] = parts.map(bytes);
            let _ = writeln!(
                html,
                "<tr><td>{}<td>{weights}<td>{cache}<td>{activations}<td>{}<td>{:.2} %{}</tr>",
                self.name(node),
                bytes(node.memory_bytes),
                100.0 * share,
                bar(share)
            );
        }
        html.push_str("</table>\n");
        html
    }

    fn name(&self, node: &NodeRecord) -> Markup<'_> {
        Markup(&self.nodes[node.node as usize])
    }
}
