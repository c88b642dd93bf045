//! `airloom list devices`: every preset, and what its numbers rest on.

use super::width;
use crate::device::basis::{Basis, Evidence, Ground};
use crate::device::{PRESETS, Preset};
use crate::results::readable::lines;
use crate::results::terminal::Table;
use std::fmt::Write;

/// The groups of a profile's numbers, as columns.
const GROUPS: [&str; 6] = ["compute", "prefill", "context", "memory", "power", "links"];

/// The page.
pub(super) fn page() -> String {
    let columns = width::columns();
    let longest = PRESETS
        .iter()
        .map(|preset| preset.name.chars().count())
        .max();
    let mut widths = vec![longest.unwrap_or(0)];
    widths.resize(1 + GROUPS.len(), 11);
    let mut table = Table::new(0, 1, widths);
    let heading = ["device"].into_iter().chain(GROUPS);
    table.push(heading.map(str::to_owned).collect());
    for preset in PRESETS {
        let words = GROUPS.iter().map(|group| word(&preset.basis, group));
        let name = std::iter::once(preset.name.to_owned());
        table.push(name.chain(words).collect());
    }
    let mut page = table.text(columns);
    page.push_str(
        "\nmeasured: a measurement's own numbers; fitted: to several measurements; data sheet: as the \
         maker\nstates; assumed: nobody measured it. compute: decoding; context: what each token of \
         context adds;\nlinks: what a message costs its ends, – where the device says nothing of it.\n",
    );
    for preset in PRESETS {
        page.push('\n');
        block(&mut page, preset, columns);
    }
    page
}

fn word(basis: &Basis, group: &str) -> String {
    let ground = basis.groups().find(|(name, _)| *name == group);
    ground
        .map_or("–", |(_, ground)| ground.kind().word())
        .to_owned()
}

/// A preset and the words of everything that it rests on.
fn block(page: &mut String, preset: &Preset, columns: Option<usize>) {
    let mut entry = |indent: usize, text: &str| {
        let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(indent).max(20));
        for line in lines(text, room) {
            // Writing to a String cannot fail.
            let _ = writeln!(page, "{:indent$}{line}", "");
        }
    };
    entry(0, &format!("{}: {}", preset.name, preset.summary));
    for (name, ground) in preset.basis.groups() {
        let kind = ground.kind().word();
        let within = match ground {
            Ground::Measured(evidence) | Ground::Fitted(evidence) => range(evidence),
            Ground::DataSheet { .. } | Ground::Assumed { .. } => String::new(),
        };
        entry(2, &format!("{name}: {kind}, {}{within}", ground.words()));
    }
}

/// Error and range of measurements, in words.
fn range(evidence: &Evidence) -> String {
    let mut words = String::new();
    if let Some(error) = evidence.error {
        let _ = write!(words, "; within {:.1} %", 100.0 * error);
    }
    let span = |least: String, most: String| match least == most {
        true => least,
        false => format!("{least} to {most}"),
    };
    let range = &evidence.range;
    if let Some((least, most)) = range.weights {
        let billions = |weights: f64| format!("{:.1}", weights / 1e9);
        let _ = write!(
            words,
            "; {} G weights",
            span(billions(least), billions(most))
        );
    }
    if let Some((least, most)) = range.weight_bits {
        let _ = write!(
            words,
            "; {} bits each",
            span(least.to_string(), most.to_string())
        );
    }
    if let Some((least, most)) = range.devices {
        let _ = write!(
            words,
            "; on {} devices",
            span(least.to_string(), most.to_string())
        );
    }
    if let Some((least, most)) = range.context {
        let _ = write!(
            words,
            "; context {}",
            span(least.to_string(), most.to_string())
        );
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_says_what_it_rests_on() {
        let page = page();
        for preset in PRESETS {
            let rows = page.lines().filter(|line| line.starts_with(preset.name));
            assert_eq!(rows.count(), 2, "{}", preset.name);
        }
        let row = page
            .lines()
            .find(|line| line.starts_with("raspberry-pi-4b"))
            .unwrap();
        assert!(
            row.contains("fitted") && row.contains("data sheet"),
            "{row}"
        );
        let row = page
            .lines()
            .find(|line| line.starts_with("jetson-orin-nano"))
            .unwrap();
        assert!(!row.contains("measured") && row.contains('–'), "{row}");
    }
}
