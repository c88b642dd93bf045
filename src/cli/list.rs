//! `airloom list`: what a scenario may name, from the registries.

use super::Failure;
use super::list_devices;
use super::output::print;
use super::width;
use crate::results::readable::lines;
use crate::serving::Scheduling;
use crate::{corpus, device, medium, model, placement, policy, radio, results, serving};
use std::fmt::Write;

/// List what a scenario may name; or every metric, every device, or every column of every table.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    airloom list\n  \
    airloom list metrics\n  \
    airloom list devices\n\n\
    What the fields of a name mean `airloom fields` tells.")]
pub(super) struct ListArgs {
    /// A page of the manual to print instead
    #[arg(value_enum)]
    page: Option<Page>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Page {
    /// Every metric: symbol, unit, definition, when it is present
    Metrics,
    /// Every device preset, and what its numbers rest on: measurements, data sheets, guesses
    Devices,
    /// Every column of every table that airloom writes
    Columns,
}

/// Summaries are set in no less, however long the names beside them are.
const NARROWEST: usize = 20;

fn section(text: &mut String, title: &str, entries: impl Iterator<Item = (String, String)>) {
    // Writing to a String cannot fail.
    let columns = width::columns();
    let _ = writeln!(text, "{title}");
    for (name, summary) in entries {
        let head = format!("  {name:<24} ");
        let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(head.len()));
        let mut lines = lines(&summary, room.max(NARROWEST)).into_iter();
        let _ = writeln!(text, "{head}{}", lines.next().unwrap_or_default());
        for line in lines {
            let _ = writeln!(text, "{:indent$}{line}", "", indent = head.len());
        }
    }
    text.push('\n');
}

fn owned(
    entries: &'static [(&'static str, &'static str)],
) -> impl Iterator<Item = (String, String)> {
    entries
        .iter()
        .map(|(name, summary)| ((*name).to_owned(), (*summary).to_owned()))
}

pub(super) fn list(args: &ListArgs) -> Result<(), Failure> {
    match args.page {
        Some(Page::Metrics) => return print(results::pages::metrics()),
        Some(Page::Devices) => return print(list_devices::page()),
        Some(Page::Columns) => return print(results::pages::columns()),
        None => {}
    }
    let mut text = String::new();
    section(
        &mut text,
        "placements",
        owned(placement::Placement::REGISTRY),
    );
    section(
        &mut text,
        "partitions of a pipeline",
        owned(policy::Partition::REGISTRY),
    );
    section(&mut text, "schedulers", owned(Scheduling::REGISTRY));
    section(&mut text, "orders", owned(serving::Order::REGISTRY));
    section(&mut text, "caches", owned(serving::Cache::REGISTRY));
    section(
        &mut text,
        "decoding schemes",
        owned(serving::Decoding::REGISTRY),
    );
    section(
        &mut text,
        "choices of a replica",
        owned(serving::Router::REGISTRY),
    );
    section(&mut text, "links", owned(medium::Link::REGISTRY));
    section(&mut text, "channel models", owned(radio::Fading::REGISTRY));
    section(
        &mut text,
        "all-reduce schemes",
        owned(radio::Scheme::REGISTRY),
    );
    section(
        &mut text,
        "transceiver designs",
        owned(policy::Design::REGISTRY),
    );
    section(
        &mut text,
        "model assignments",
        owned(policy::Assignment::REGISTRY),
    );
    section(&mut text, "routers", owned(placement::Router::REGISTRY));
    section(
        &mut text,
        "expert selections",
        owned(policy::ExpertSelection::REGISTRY),
    );
    section(
        &mut text,
        "bandwidth allocations",
        owned(policy::Bandwidth::REGISTRY),
    );
    let shapes = model::ModelShape::published().map(|(name, parameters, source)| {
        let billions = parameters as f64 / 1e9;
        (
            name.to_owned(),
            format!("{billions:.2} G parameters; {source}"),
        )
    });
    section(&mut text, "model shapes", shapes);
    let presets = device::PRESETS
        .iter()
        .map(|preset| (preset.name.to_owned(), preset.summary.to_owned()));
    section(&mut text, "device presets", presets);
    let suites = corpus::Suite::ALL.iter().map(|suite| {
        (
            format!("{suite:?}"),
            format!("{} choices: {}", suite.choices(), suite.summary()),
        )
    });
    section(&mut text, "question suites", suites);
    let metrics = results::metrics::DEFINITIONS.iter().map(|metric| {
        (
            metric.name.to_owned(),
            format!("[{}] {}", metric.unit, metric.meaning),
        )
    });
    section(&mut text, "metrics", metrics);
    print(text)
}
