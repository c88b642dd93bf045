//! What the engine's records add up to: who worked how long, for which energy, and for whom.
//!
//! Nothing here is expected or planned; every number is a start, an end or a cost that the
//! engine recorded.

use super::stage::Stage;
use crate::engine::{Kind, Record, TaskKey};
use crate::topology::NodeId;
use crate::units::{Duration, Instant};
use std::collections::BTreeMap;

/// Time, work and energy of one node.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Account {
    pub(super) compute: Duration,
    pub(super) uplink: Duration,
    pub(super) downlink: Duration,
    pub(super) compute_j: f64,
    pub(super) radio_j: f64,
    pub(super) flops: u64,
    pub(super) uplink_bits: u64,
}

impl Account {
    pub(super) fn add(&mut self, other: &Self) {
        self.compute += other.compute;
        self.uplink += other.uplink;
        self.downlink += other.downlink;
        self.compute_j += other.compute_j;
        self.radio_j += other.radio_j;
        self.flops += other.flops;
        self.uplink_bits += other.uplink_bits;
    }
}

/// The time in which a node did anything, several things at once counted once.
#[derive(Debug, Clone, Default)]
pub(super) struct Occupied {
    /// Of spans that nothing can touch any more.
    past: Duration,
    /// Apart from each other, in order.
    spans: Vec<(Instant, Instant)>,
}

impl Occupied {
    /// Enters a span; spans come in the order of their ends.
    fn enter(&mut self, mut start: Instant, end: Instant) {
        while let Some((first, _)) = self.spans.pop_if(|(_, last)| *last >= start) {
            start = start.min(first);
        }
        if end > start {
            self.spans.push((start, end));
        }
    }

    /// Forgets where spans lay that ended before `instant`, from which all others start.
    fn settle(&mut self, instant: Instant) {
        let over = self.spans.partition_point(|(_, end)| *end < instant);
        self.past += self.spans.drain(..over).map(|(s, e)| e.since(s)).sum();
    }

    pub(super) fn total(&self) -> Duration {
        let open: Duration = self.spans.iter().map(|(s, e)| e.since(*s)).sum();
        self.past + open
    }
}

/// One node's part of a sublayer: what it received, computed and sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) node: NodeId,
    pub(super) downlink: Duration,
    pub(super) compute: Duration,
    pub(super) uplink: Duration,
    /// When it had computed, or where its tokens return one by one, when the last was back.
    pub(super) end: Instant,
    pub(super) joules: f64,
}

/// A sublayer that several nodes compute and then meet.
#[derive(Debug, Clone, Default)]
pub(super) struct Meeting {
    /// When the first of them could begin.
    pub(super) start: Option<Instant>,
    /// In the order of nodes.
    pub(super) parts: Vec<Part>,
    /// When the last of them was there.
    pub(super) gathered: Instant,
}

impl Meeting {
    fn part(&mut self, node: NodeId) -> &mut Part {
        let place = self.parts.partition_point(|part| part.node < node);
        if self.parts.get(place).is_none_or(|part| part.node != node) {
            let part = Part {
                node,
                downlink: Duration::ZERO,
                compute: Duration::ZERO,
                uplink: Duration::ZERO,
                end: Instant::ZERO,
                joules: 0.0,
            };
            self.parts.insert(place, part);
        }
        &mut self.parts[place]
    }

    /// Who was last, of several the first by number.
    pub(super) fn last(&self) -> Option<NodeId> {
        let last = self.parts.iter().map(|part| part.end).max()?;
        let holder = self.parts.iter().find(|part| part.end == last);
        holder.map(|part| part.node)
    }
}

/// What was measured of one batch.
#[derive(Debug)]
pub(super) struct BatchMeter {
    pub(super) accounts: Vec<Account>,
    occupied: Vec<Occupied>,
    start: Instant,
    pub(super) meeting: Meeting,
}

impl BatchMeter {
    /// How long `node` was busy with the batch.
    pub(super) fn occupied(&self, node: NodeId) -> Duration {
        self.occupied[node.index()].total()
    }
}

/// The measurements of a run.
#[derive(Debug)]
pub(super) struct Meter {
    nodes: usize,
    batches: BTreeMap<u32, BatchMeter>,
    /// When letters under way were sent, and how many then.
    letters: BTreeMap<Instant, u32>,
    /// Of batches and letters that are over.
    total: Vec<Account>,
    occupied: Vec<Occupied>,
}

impl Meter {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            nodes,
            batches: BTreeMap::new(),
            letters: BTreeMap::new(),
            total: vec![Account::default(); nodes],
            occupied: vec![Occupied::default(); nodes],
        }
    }

    /// Begins to measure `batch`.
    pub(super) fn open(&mut self, batch: u32, now: Instant) {
        let meter = BatchMeter {
            accounts: vec![Account::default(); self.nodes],
            occupied: vec![Occupied::default(); self.nodes],
            start: now,
            meeting: Meeting::default(),
        };
        self.batches.insert(batch, meter);
    }

    /// Enters a task that has ended.
    pub(super) fn enter(&mut self, record: &Record<'_>) {
        let key = record.key;
        if Stage::of(key.stage).is_letter() {
            return self.enter_letter(record);
        }
        let Some(batch) = self.batches.get_mut(&key.batch) else {
            return;
        };
        if key.node == TaskKey::NO_NODE {
            if let Stage::AttentionGather | Stage::MlpGather | Stage::ExpertGather =
                Stage::of(key.stage)
            {
                batch.meeting.gathered = record.end;
            }
            return;
        }
        let node = NodeId(key.node);
        let service = record.end.since(record.start);
        if record.resource.is_some() {
            batch.occupied[node.index()].enter(record.start, record.end);
            self.occupied[node.index()].enter(record.start, record.end);
        }
        charge(&mut batch.accounts, record);
        let stage = Stage::of(key.stage);
        let computes = matches!(stage, Stage::Attention | Stage::Mlp | Stage::Expert);
        let sums = matches!(stage, Stage::AttentionUplink | Stage::MlpUplink);
        let dispatches = matches!(stage, Stage::TokenDownlink | Stage::TokenUplink);
        if !(computes || sums || dispatches) {
            return;
        }
        if computes || dispatches {
            let start = batch.meeting.start.get_or_insert(record.ready);
            *start = record.ready.min(*start);
        }
        let part = batch.meeting.part(node);
        match record.kind {
            Kind::Compute => part.compute += service,
            Kind::Downlink => part.downlink += service,
            _ => part.uplink += service,
        }
        if computes || stage == Stage::TokenUplink {
            part.end = record.end;
        }
        if computes || sums {
            part.joules += record.cost.joules;
        }
    }

    /// Enters a message of a request that no batch has to wait for.
    fn enter_letter(&mut self, record: &Record<'_>) {
        if record.resource.is_some() {
            charge(&mut self.total, record);
            self.occupied[usize::from(record.key.node)].enter(record.start, record.end);
        }
    }

    /// The sublayer of `batch` whose nodes have met; the next one begins.
    pub(super) fn met(&mut self, batch: u32) -> Meeting {
        let batch = self.batches.get_mut(&batch);
        batch.map_or_else(Meeting::default, |batch| std::mem::take(&mut batch.meeting))
    }

    /// Ends the measurement of `batch`.
    pub(super) fn close(&mut self, batch: u32) -> BatchMeter {
        let closed = self.batches.remove(&batch);
        let closed = closed.expect("a batch is closed once");
        for (total, account) in self.total.iter_mut().zip(&closed.accounts) {
            total.add(account);
        }
        // No task of an open batch began before its batch did, and none of a letter before that
        // was sent.
        let batches = self.batches.values().map(|batch| batch.start);
        let first = batches.chain(self.letters.keys().next().copied()).min();
        let first = first.unwrap_or(Instant(u64::MAX));
        let spans = self.occupied.iter_mut();
        spans.for_each(|spans| spans.settle(first));
        closed
    }

    /// Notes that a letter was sent at `now`.
    pub(super) fn letter_sent(&mut self, now: Instant) {
        *self.letters.entry(now).or_insert(0) += 1;
    }

    /// Notes that a letter has arrived that was sent at `sent`.
    pub(super) fn letter_arrived(&mut self, sent: Instant) {
        if let Some(count) = self.letters.get_mut(&sent) {
            *count -= 1;
            if *count == 0 {
                self.letters.remove(&sent);
            }
        }
    }

    /// What `node` did in all batches.
    pub(super) fn account(&self, node: NodeId) -> &Account {
        &self.total[node.index()]
    }

    /// How long `node` was busy.
    pub(super) fn occupied(&self, node: NodeId) -> Duration {
        self.occupied[node.index()].total()
    }
}

/// Enters a node's task in the `accounts` of all nodes.
fn charge(accounts: &mut [Account], record: &Record<'_>) {
    let key = record.key;
    let service = record.end.since(record.start);
    let own = &mut accounts[usize::from(key.node)];
    match record.kind {
        Kind::Compute => {
            own.compute += service;
            own.compute_j += record.cost.joules;
            own.flops += record.cost.flops;
        }
        Kind::Uplink | Kind::Transfer => {
            own.uplink += service;
            own.uplink_bits += record.cost.bits;
            own.radio_j += record.cost.joules;
        }
        Kind::Downlink => {
            own.downlink += service;
            // Whoever sends radiates, on whichever lane it is heard.
            let payer = match key.peer {
                TaskKey::NO_PEER => key.node,
                peer => peer,
            };
            accounts[usize::from(payer)].radio_j += record.cost.joules;
        }
        Kind::Overhead if Stage::of(key.stage).is_send_cost() => own.uplink += service,
        Kind::Overhead if Stage::of(key.stage).is_receive_cost() => own.downlink += service,
        Kind::Overhead | Kind::Barrier => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn time_in_which_anything_is_done_counts_once(
            mut spans in proptest::collection::vec((0..60u64, 0..20u64), 0..30),
        ) {
            spans.sort_by_key(|(start, length)| start + length);
            let mut occupied = Occupied::default();
            for (start, length) in &spans {
                occupied.enter(Instant(*start), Instant(start + length));
            }
            let busy = |t: &u64| spans.iter().any(|(s, length)| (*s..s + length).contains(t));
            prop_assert_eq!(occupied.total().0, (0..100).filter(busy).count() as u64);
            occupied.settle(Instant(40));
            prop_assert_eq!(occupied.total().0, (0..100).filter(busy).count() as u64);
        }
    }
}
