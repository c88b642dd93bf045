//! The longest part of what a timeline shows: of a pass a block, of a request a pass.

use super::read::stretch;
use super::{Detail, Stretch};
use crate::results::events::{Events, Window};
use crate::results::readable::seconds;
use std::collections::BTreeMap;

/// The longest of the pass's blocks; of several the first.
pub(super) fn longest_block(events: &Events, own: &[u32]) -> Option<Detail> {
    let mut blocks: BTreeMap<u32, Stretch> = BTreeMap::new();
    for index in own {
        let task = events.task(*index);
        let Some(layer) = task.layer else { continue };
        let block = blocks.entry(layer).or_insert_with(|| stretch(task));
        block.start = block.start.min(task.start);
        block.end = block.end.max(task.end);
    }
    let (layer, window) = longest(&blocks)?;
    let length = seconds(window.length().as_seconds());
    let caption = match blocks.len() {
        1 => format!("its block: {length}"),
        count => format!("the longest of its {count} blocks, number {layer}: {length}"),
    };
    Some(Detail {
        caption,
        name: "block",
        window,
    })
}

/// The longest of the request's passes; of several the first.
pub(super) fn longest_pass(window: &Window) -> Option<Detail> {
    let passes: BTreeMap<u32, Stretch> = window
        .passes
        .iter()
        .filter_map(|(batch, slices)| {
            let start = slices.iter().map(|slice| slice.start).min()?;
            let end = slices.iter().map(|slice| slice.end).max()?;
            Some((*batch, Stretch { start, end }))
        })
        .collect();
    let (batch, window) = longest(&passes)?;
    let length = seconds(window.length().as_seconds());
    let caption = match passes.len() {
        1 => format!("its pass, number {batch}: {length}"),
        count => format!("the longest of its {count} passes, number {batch}: {length}"),
    };
    Some(Detail {
        caption,
        name: "pass",
        window,
    })
}

/// The longest of some stretches, with its number; of several the first; none if none takes
/// time.
fn longest(parts: &BTreeMap<u32, Stretch>) -> Option<(u32, Stretch)> {
    let most = parts.values().map(|part| part.length()).max()?;
    let mut found = parts.iter().filter(|(_, part)| part.length() == most);
    let (number, part) = found.next()?;
    (part.end > part.start).then_some((*number, *part))
}
