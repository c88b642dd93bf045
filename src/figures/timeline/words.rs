//! What a timeline says in words: what it shows, names, who held a barrier, what folded.

use super::fold::Tolerance;
use super::{Barrier, Group, Timeline};
use crate::engine::Kind;
use crate::figures::font::{self, Weight};
use crate::figures::names::in_few_words;
use crate::figures::style::SMALL;
use crate::results::events::Window;
use crate::results::readable::seconds;
use crate::results::tables::{self, Phase};
use std::collections::BTreeMap;

/// More barriers than this are not told in words.
const TOLD: usize = 8;

/// A pass, in words.
pub(super) fn what_passed(window: &Window) -> String {
    let slices: Vec<&tables::Slice> = window.passes.values().flatten().collect();
    let tokens: u64 = slices.iter().map(|slice| slice.tokens).sum();
    let number = window.passes.keys().next().copied().unwrap_or(0);
    let what = match &slices[..] {
        [one] => match one.phase {
            Phase::Prefill => format!("prefill of {tokens} tokens"),
            Phase::Decode => "one decode step".to_owned(),
            Phase::Score => format!("scoring a window of {tokens} tokens"),
            Phase::Choose => format!("reading a choice of {tokens} tokens"),
            Phase::Draft => format!("drafting after {tokens} tokens"),
        },
        several => format!("a batch of {} requests, {tokens} tokens", several.len()),
    };
    format!("Pass {number}, {what}")
}

/// The passes of a request, in words.
pub(super) fn passes(window: &Window) -> String {
    let of = |phase| {
        let slices = window.passes.values().flatten();
        slices.filter(|slice| slice.phase == phase).count()
    };
    let named = [
        (Phase::Prefill, "prefill pass", "prefill passes"),
        (Phase::Decode, "decode step", "decode steps"),
        (Phase::Score, "window scored", "windows scored"),
        (Phase::Choose, "choice read", "choices read"),
        (Phase::Draft, "draft step", "draft steps"),
    ];
    let counts = named
        .into_iter()
        .map(|(phase, one, many)| match of(phase) {
            0 => String::new(),
            1 => format!("1 {one}"),
            count => format!("{count} {many}"),
        })
        .filter(|words| !words.is_empty());
    counts.collect::<Vec<_>>().join(", ")
}

/// The name of a group, and of several nodes how many show the same.
pub(super) fn names(group: &Group) -> [String; 2] {
    let name = in_few_words(&group.nodes);
    match group.nodes.len() {
        0 | 1 => [name, String::new()],
        count => [name, format!("{count}, the same")],
    }
}

/// The numbers of `barriers` at `places`, which are `scale` hundredths of a point to the unit:
/// each in the lowest line in which it touches no other. None where they are not told.
pub(super) fn numbers(
    barriers: &[&Barrier],
    places: Vec<f64>,
    scale: f64,
) -> Vec<(f64, i32, String)> {
    if barriers.len() > TOLD {
        return Vec::new();
    }
    let mut ends: Vec<f64> = Vec::new();
    let mut numbers = Vec::new();
    for (number, place) in places.into_iter().enumerate() {
        let words = (number + 1).to_string();
        let half = f64::from(font::width(&words, SMALL, Weight::Regular)) / 2.0 + 50.0;
        let middle = place * scale;
        let line = ends.iter().position(|end| *end <= middle - half);
        let line = line.unwrap_or_else(|| {
            ends.push(0.0);
            ends.len() - 1
        });
        ends[line] = middle + half;
        numbers.push((place, line as i32, words));
    }
    numbers
}

/// Who held each of `barriers`, in lines of `room`; of many how many there are.
pub(super) fn told(barriers: &[&Barrier], part: &str, room: i32) -> Vec<String> {
    if barriers.len() > TOLD {
        return vec![format!("{} barriers open in this {part}.", barriers.len())];
    }
    let wrapped = |text: String| font::wrapped(&text, SMALL, Weight::Regular, room);
    let numbered = barriers.iter().enumerate();
    numbered
        .flat_map(|(number, barrier)| wrapped(format!("{} {}", number + 1, in_words(barrier))))
        .collect()
}

/// Who held a barrier, and by how much.
fn in_words(barrier: &Barrier) -> String {
    let held = match &barrier.holders[..] {
        [one] => format!("held by {one}"),
        [_, _] if barrier.lead.0 == 0 => "both arrive together".to_owned(),
        several if barrier.lead.0 == 0 => format!("all {} arrive together", several.len()),
        several => format!("held by {} together", several.len()),
    };
    let lead = match barrier.lead.0 {
        0 => String::new(),
        _ => format!(", {} after the others", seconds(barrier.lead.as_seconds())),
    };
    format!("{}: {held}{lead}", barrier.stage)
}

/// Within what nodes folded.
pub(super) fn folded(Tolerance { whole, detail }: Tolerance) -> String {
    let of_detail = match detail.0 {
        0 => String::new(),
        _ => format!(
            ", and in the part below by {}",
            seconds(detail.as_seconds())
        ),
    };
    format!(
        "Nodes named together show the same: nowhere do their busy times so far differ by more than \
         {}{of_detail}. The lanes are those of the first.",
        seconds(whole.as_seconds())
    )
}

/// What can be seen, for whoever does not see it.
pub(super) fn described(timeline: &Timeline) -> String {
    let mut parts: BTreeMap<Kind, u64> = BTreeMap::new();
    for ((group, row), part) in &timeline.path {
        let kind = timeline.groups[*group].rows[*row].lane.kind;
        *parts.entry(kind).or_default() += part.length().0;
    }
    let whole = timeline.whole.length().0.max(1) as f64;
    let mut parts: Vec<(Kind, u64)> = parts.into_iter().collect();
    parts.sort_by_key(|(kind, time)| (std::cmp::Reverse(*time), *kind));
    let shares = parts.iter().map(|(kind, time)| {
        let share = *time as f64 / whole * 100.0;
        format!("{} {share:.0} %", kind.name())
    });
    let shares: Vec<String> = shares.collect();
    let nodes: usize = timeline.groups.iter().map(|group| group.nodes.len()).sum();
    let path = match shares.is_empty() {
        true => String::new(),
        false => format!(" On the critical path: {}.", shares.join(", ")),
    };
    format!(
        "What each of {nodes} owners of lanes does over {}.{path} Barriers at which nodes met: {}.",
        seconds(timeline.whole.length().as_seconds()),
        timeline.barriers.len()
    )
}
