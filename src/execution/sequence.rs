//! A request as a replica serves it: which pass it is in, how much of that was read, and what its
//! cache holds.

use super::batch::Slice;
use super::choice::Drafted;
use super::outcome::{Answered, Outcome, Reading};
use crate::engine::TaskId;
use crate::serving::passes::{Pass, RequestPosition};
use crate::serving::workload::{Request, Task};
use crate::serving::{Identity, Job};
use crate::topology::NodeId;
use crate::units::{Duration, Instant};

/// A request that has arrived and is not answered.
#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) replica: usize,
    pub(super) identity: Identity,
    pub(super) arrival: Instant,
    /// When the first batch with a part of it began.
    pub(super) start: Option<Instant>,
    position: RequestPosition,
    pub(super) step: u32,
    /// The pass that it is in; none once all are read.
    pass: Option<Pass>,
    /// Tokens of it before any was forgotten, and how much of it was read.
    asked: usize,
    read: usize,
    /// Whether its cache was taken from it since it began its text.
    pub(super) forgotten: bool,
    /// The tokens in its cache, where tokens are computed.
    history: Vec<u32>,
    /// Where its last token was chosen, if that was at an exit.
    pub(super) chosen_at: Option<NodeId>,
    /// What pieces of the pass have said so far.
    nats: f64,
    /// The drafted tokens of the pass, which are its last, and the bits that they take on their way.
    pub(super) drafted: Vec<Drafted>,
    draft_bits: u64,
    /// What pieces of the pass have chosen so far, and whether nothing after that can stand.
    pub(super) verified: Vec<u32>,
    pub(super) settled: bool,
    /// Tokens of its next draft, if it may have so many.
    pub(super) length: usize,
    /// The replica that answers it if who answers first is not sure.
    pub(super) escalates: Option<usize>,
    /// The least probability that a token of the first answer had.
    pub(super) least: f64,
    /// Whether who drafts for it goes on when its last token has reached who asked.
    pub(super) tells: bool,
    /// Messages and batches of who drafts for it that are under way.
    pub(super) helped: u32,
    pub(super) outcome: Outcome,
    /// Of its part of the batches so far, and of its messages.
    pub(super) joules: f64,
    pub(super) joules_to_first: Option<f64>,
    pub(super) preemptions: u32,
    pub(super) recomputed: u64,
    pub(super) reused: u64,
    /// The replica that will decode it, where that is not the one that reads its prompt.
    pub(super) successor: Option<usize>,
    /// Parts of its cache on their way there.
    pub(super) moving: u32,
    /// Tokens whose keys and values have been sent there.
    pub(super) sent: usize,
    /// The replica that keeps its cache until it is admitted where it is decoded.
    pub(super) kept_by: Option<usize>,
    /// The messages in which its cache was moved away last.
    pub(super) swapped: Vec<TaskId>,
    /// When it had all that it asked for, or was turned away.
    pub(super) done: Option<Instant>,
    /// Why it was.
    pub(super) turned_away: Option<String>,
    /// Tokens on their way to who asked.
    pub(super) under_way: u32,
    /// When the first one was there, and the last, and the longest time between two.
    pub(super) first_token: Option<Instant>,
    pub(super) last_token: Option<Instant>,
    pub(super) longest_gap: Option<Duration>,
}

impl Sequence {
    pub(super) fn new(replica: usize, identity: Identity, arrival: Instant) -> Self {
        Self {
            replica,
            identity,
            arrival,
            start: None,
            position: RequestPosition::default(),
            step: 0,
            pass: None,
            asked: 0,
            read: 0,
            forgotten: false,
            history: Vec::new(),
            chosen_at: None,
            nats: 0.0,
            drafted: Vec::new(),
            draft_bits: 0,
            verified: Vec::new(),
            settled: false,
            length: 0,
            escalates: None,
            least: 1.0,
            tells: false,
            helped: 0,
            outcome: Outcome::default(),
            joules: 0.0,
            joules_to_first: None,
            preemptions: 0,
            recomputed: 0,
            reused: 0,
            successor: None,
            moving: 0,
            sent: 0,
            kept_by: None,
            swapped: Vec::new(),
            done: None,
            turned_away: None,
            under_way: 0,
            first_token: None,
            last_token: None,
            longest_gap: None,
        }
    }

    /// Goes on to its next pass, if there is one.
    pub(super) fn go_on(&mut self, request: &Request, end_tokens: &[u32]) -> Option<&Pass> {
        let last = self.outcome.last();
        self.pass = self.position.next(request, last, end_tokens);
        self.asked = self.pass.as_ref().map_or(0, |pass| pass.count);
        self.begin_again();
        self.drafted.clear();
        self.draft_bits = 0;
        if self.pass.as_ref().is_some_and(|pass| pass.fresh) {
            self.history.clear();
            self.forgotten = false;
        }
        self.pass.as_ref()
    }

    /// Nothing of its pass is read.
    fn begin_again(&mut self) {
        self.read = 0;
        self.nats = 0.0;
        self.verified.clear();
        self.settled = false;
    }

    /// Begins anew in `replica`: nothing that it was told stands.
    pub(super) fn start_over(&mut self, replica: usize) {
        self.replica = replica;
        self.escalates = None;
        self.position = RequestPosition::default();
        self.step = 0;
        self.pass = None;
        self.forgotten = false;
        self.history.clear();
        self.outcome = Outcome::default();
        self.begin_again();
    }

    /// Lets its pass go on with `drafted` tokens, which take so many bits on their way.
    pub(super) fn extend(&mut self, drafted: Vec<Drafted>, bits: u64) {
        let Some(pass) = &mut self.pass else { return };
        pass.tokens
            .extend(drafted.iter().map(|drafted| drafted.token));
        pass.count += drafted.len();
        pass.drafted = drafted.len();
        (self.drafted, self.draft_bits) = (drafted, bits);
    }

    /// The last `tokens` tokens of its cache do not stand.
    pub(super) fn rewind(&mut self, tokens: usize) {
        self.history
            .truncate(self.history.len().saturating_sub(tokens));
    }

    pub(super) fn pass(&self) -> &Pass {
        let pass = self.pass.as_ref();
        pass.expect("who is in a batch is in a pass")
    }

    /// Whether all of it was read.
    pub(super) fn is_read(&self) -> bool {
        self.pass.is_none()
    }

    /// Its next `tokens`, of a sequence that has `context` in its cache.
    pub(super) fn slice(&self, request: u32, tokens: usize, context: usize) -> Slice {
        let pass = self.pass();
        let piece = self.read..self.read + tokens;
        let first_row = pass.count - pass.rows();
        let rows = piece.end.saturating_sub(first_row.max(piece.start));
        Slice {
            request,
            step: self.step,
            identity: self.identity,
            context,
            rows,
            continues: pass.targets.is_empty() && self.step > 0 && piece.start == 0,
            completes: piece.end == pass.count,
            drafted: pass.drafted,
            draft_bits: if piece.end == pass.count {
                self.draft_bits
            } else {
                0
            },
            scores: !pass.targets.is_empty(),
            chosen_at: self.chosen_at,
            piece,
        }
    }

    /// The tokens of `slice`.
    pub(super) fn tokens(&self, slice: &Slice) -> &[u32] {
        let tokens = &self.pass().tokens;
        match tokens.is_empty() {
            true => &[],
            false => &tokens[slice.piece.clone()],
        }
    }

    /// What should follow each of the last tokens of `slice`, as many as there are rows.
    pub(super) fn targets(&self, slice: &Slice) -> &[u32] {
        let pass = self.pass();
        let Some(unasked) = pass.count.checked_sub(pass.targets.len()) else {
            return &[];
        };
        let end = slice.piece.end.saturating_sub(unasked);
        let start = slice.piece.start.saturating_sub(unasked);
        &pass.targets[start..end]
    }

    /// Enters that `slice` was read. If that completes its pass, what the pass said, unless
    /// nothing was computed.
    pub(super) fn enter(&mut self, slice: &Slice, reading: Option<Reading>) -> Option<Reading> {
        let tokens = self.pass.as_ref().map(|pass| &pass.tokens);
        if let Some(tokens) = tokens.filter(|tokens| !tokens.is_empty()) {
            self.history.extend_from_slice(&tokens[slice.piece.clone()]);
        }
        self.read = slice.piece.end;
        self.sent = self.sent.max(slice.context + slice.tokens());
        let reading = reading?;
        // Row by row, as where the pass is read in one piece.
        reading.rows.iter().for_each(|nats| self.nats += nats);
        let chosen = match slice.completes {
            true => std::mem::take(&mut self.verified),
            false => Vec::new(),
        };
        Some(Reading {
            chosen,
            rows: vec![self.nats],
        })
    }

    /// Enters that its pass was read, which `said` something unless nothing was computed; the
    /// answer to a question that it completes.
    pub(super) fn complete(
        &mut self,
        number: u32,
        task: &Task,
        said: Option<Reading>,
    ) -> Option<Answered> {
        self.step += 1;
        let chosen = said.as_ref().map_or(0, |said| said.chosen.len());
        self.position.skip(chosen.saturating_sub(1));
        let pass = self.pass.as_ref()?;
        self.outcome.enter(number, task, (pass, self.asked), said)
    }

    /// Its cache, which holds `context` tokens, is taken from it: it will read them again.
    pub(super) fn forget(&mut self, context: usize) {
        self.preemptions += 1;
        self.recomputed += context as u64;
        self.forgotten = true;
        let Some(pass) = &mut self.pass else { return };
        let rest = pass.tokens.split_off(self.read.min(pass.tokens.len()));
        pass.count += context - self.read;
        pass.tokens = std::mem::take(&mut self.history);
        pass.tokens.extend(rest);
        self.begin_again();
    }

    /// Its cache begins with the first `tokens` of another's.
    pub(super) fn reuse(&mut self, tokens: usize) {
        self.reused += tokens as u64;
        self.read = tokens;
        let known = &self.pass().tokens;
        self.history = known[..tokens.min(known.len())].to_vec();
    }

    /// The job that it is to a scheduler, in the first of its passes.
    pub(super) fn job(&self, number: u32, request: &Request, blocks: Option<Blocks>) -> Job {
        let output = match &request.task {
            Task::Generate { max_tokens, .. } => Some(*max_tokens),
            Task::Tokens { generate, .. } => Some(*generate),
            Task::Score { .. } | Task::Choose { .. } => None,
        };
        Job {
            request: number,
            arrival: self.arrival,
            priority: request.priority,
            output: output.filter(|_| request.tells_output),
            pending: self.pass().count,
            longest: request.task.longest_context() as usize,
            blocks,
            ..Job::default()
        }
    }
}

/// The hashes of a prompt's whole blocks.
pub(super) type Blocks = std::sync::Arc<[u64]>;
