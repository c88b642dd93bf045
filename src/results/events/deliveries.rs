//! Who sends to whom: pairs of tasks between which something crosses a link.

use super::{Event, Events};
use crate::engine::Kind;
use crate::units::Instant;
use std::collections::BTreeMap;

/// Tasks that other tasks waited for, barriers between them left out.
#[derive(Debug, Default)]
struct Sources {
    /// By the node that worked.
    by_node: BTreeMap<u32, Vec<u32>>,
    /// Transmissions, by their other end.
    by_peer: BTreeMap<u32, Vec<u32>>,
}

impl Sources {
    fn enter(&mut self, index: u32, task: &Event) {
        if let Some(node) = task.node {
            self.by_node.entry(node).or_default().push(index);
        }
        if let Some(peer) = task.peer.filter(|_| task.is_transmission()) {
            self.by_peer.entry(peer).or_default().push(index);
        }
    }

    fn absorb(&mut self, other: &Self) {
        for (node, tasks) in &other.by_node {
            self.by_node.entry(*node).or_default().extend(tasks);
        }
        for (peer, tasks) in &other.by_peer {
            self.by_peer.entry(*peer).or_default().extend(tasks);
        }
    }
}

impl Events {
    /// Pairs of tasks, by the first one's place: a sender and who goes on with what it
    /// sent. From each transmission to the tasks at its other end that waited for it; to
    /// each reception from a hub from what that did before, or from the transmission to many
    /// of which it is a part.
    pub fn deliveries(&self) -> Vec<(u32, u32)> {
        let mut before_barriers: BTreeMap<u32, Sources> = BTreeMap::new();
        let to_many = self.to_many();
        let mut pairs = Vec::new();
        for (task, index) in self.tasks.iter().zip(0..) {
            let inputs = self.inputs(index);
            if task.kind == Kind::Barrier {
                let mut sources = Sources::default();
                for input in inputs {
                    match before_barriers.get(input) {
                        Some(met) => sources.absorb(met),
                        None => sources.enter(*input, self.task(*input)),
                    }
                }
                before_barriers.insert(index, sources);
                continue;
            }
            let Some(node) = task.node else { continue };
            let peer = task.peer.filter(|_| task.kind == Kind::Downlink);
            let many = peer.and_then(|peer| to_many.get(&(peer, task.start, inputs)));
            if let Some(sender) = many {
                pairs.push((*sender, index));
            }
            for input in inputs {
                let mut own = Sources::default();
                let sources = before_barriers.get(input).unwrap_or_else(|| {
                    own.enter(*input, self.task(*input));
                    &own
                });
                let of = |known: &BTreeMap<u32, Vec<u32>>, key: Option<u32>| -> Vec<u32> {
                    let found = key.and_then(|key| known.get(&key));
                    let found = found.into_iter().flatten().copied();
                    found
                        .filter(|from| self.task(*from).node != Some(node))
                        .collect()
                };
                for from in of(&sources.by_peer, Some(node)) {
                    pairs.push((from, index));
                }
                for from in of(&sources.by_node, peer.filter(|_| many.is_none())) {
                    pairs.push((from, index));
                }
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// Transmissions to nobody in particular, by sender, start and what they waited for.
    fn to_many(&self) -> BTreeMap<(u32, Instant, &[u32]), u32> {
        let all = self.tasks.iter().zip(0..);
        let sent = all.filter(|(task, _)| task.is_transmission() && task.peer.is_none());
        let sent = sent.filter_map(|(task, index)| {
            Some(((task.node?, task.start, self.inputs(index)), index))
        });
        sent.collect()
    }
}
