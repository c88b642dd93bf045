//! Drafts: a smaller model, or the text itself, says what may come next, and the replica verifies
//! it in one pass.
//!
//! ```text
//!  prompt ─▶ draft model reads it ─┐
//!         └▶ model reads it ─▶ token ─▶ verdict ─▶ draft, draft, … ─▶ draft message ─▶ one pass ─▶ verdict ─▶ …
//! ```
//!
//! A draft model is a replica of its own, with its own batches and caches, that serves nobody else.
//! It goes on when the verdict on its last draft is there: with the tokens themselves where who asks
//! is where it lies, else by a message of its own.

use super::Execution;
use super::batch::{Batch, Slice};
use super::choice::{Choice, Drafted, distribution_bits};
use super::cut::TOKEN_BITS;
use super::error::ExecutionError;
use super::letters::Letter;
use super::outcome::Reading;
use super::stage::Stage;
use crate::engine::{Graph, TaskId};
use crate::measurement::{Mode, PassRecord, RoundRecord, TimeSplit};
use crate::numerics::Rows;
use crate::policy::tokens::continuation;
use crate::serving::workload::Task;
use crate::serving::{Draws, Identity, Job, Length, Lookup, Piece, Sends};
use crate::topology::NodeId;

/// How a replica speculates.
#[derive(Debug, Clone)]
pub struct Speculation {
    /// Tokens of a draft.
    pub length: Length,
    /// Where drafts come from the text itself.
    pub lookup: Option<Lookup>,
    /// The replicas that draft for it: each for the requests that come from its node, the first for
    /// all others.
    pub drafters: Vec<usize>,
    /// What goes along with the drafted tokens.
    pub sends: Sends,
    /// What they are drawn from.
    pub draws: Draws,
}

/// A request at the replica that drafts for it.
#[derive(Debug)]
pub(super) struct Drafting {
    pub(super) replica: usize,
    /// The prompt, what stands of the answer, and the draft.
    pub(super) text: Vec<u32>,
    /// Tokens of it in the draft model's cache.
    pub(super) cached: usize,
    /// Tokens that the draft in the making will have; 0 while a verdict is awaited.
    wanted: usize,
    /// Those that it has.
    drafted: Vec<Drafted>,
    /// What each took.
    spent: Vec<Spent>,
    /// Bits of the draft on its way.
    bits: u64,
    /// Whether its prompt has come.
    is_there: bool,
    step: u32,
}

/// What work took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) flops: f64,
    pub(super) joules: f64,
}

impl Spent {
    /// Its part of each of so many tokens.
    pub(super) fn over(self, tokens: usize) -> Self {
        Self {
            flops: self.flops / tokens as f64,
            joules: self.joules / tokens as f64,
        }
    }

    fn times(self, tokens: usize) -> Self {
        Self {
            flops: self.flops * tokens as f64,
            joules: self.joules * tokens as f64,
        }
    }

    fn and(self, other: &Self) -> Self {
        Self {
            flops: self.flops + other.flops,
            joules: self.joules + other.joules,
        }
    }
}

impl Drafting {
    /// The slice that reads the next tokens of it. Its last token's logits are wanted if a draft
    /// is, and if that is where the text ends.
    pub(super) fn slice(&self, piece: &Piece, identity: Identity) -> Slice {
        let ends = self.cached + piece.tokens == self.text.len();
        let asks = self.wanted > self.drafted.len() && ends;
        Slice {
            request: piece.request,
            step: self.step,
            identity,
            piece: 0..piece.tokens,
            context: self.cached,
            rows: usize::from(asks),
            continues: false,
            scores: false,
            chosen_at: None,
            completes: true,
            drafted: 0,
            draft_bits: 0,
        }
    }

    /// The tokens of `slice`.
    pub(super) fn tokens(&self, slice: &Slice) -> &[u32] {
        &self.text[slice.context..][..slice.tokens()]
    }
}

impl Execution<'_> {
    /// Sends the prompt of request `number`, which arrives, to who drafts for it.
    pub(super) fn open_draft(
        &mut self,
        number: u32,
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let request = &self.requests[number as usize];
        let Task::Generate { prompt, .. } = &request.task else {
            return Ok(());
        };
        let asked_at = self.replicas[self.sequences[&number].replica].stages[0].root();
        let Some(speculation) = &self.replicas[self.sequences[&number].replica].speculation else {
            return Ok(());
        };
        let root = |drafter: &usize| self.replicas[*drafter].stages[0].root();
        let own = |drafter: &&usize| request.from == Some(root(drafter));
        let drafters = &speculation.drafters;
        let Some(drafter) = drafters.iter().find(own).or(drafters.first()).copied() else {
            return Ok(());
        };
        let [from, to] = [request.from.unwrap_or(asked_at), root(&drafter)];
        let drafting = Drafting {
            replica: drafter,
            text: prompt.clone(),
            cached: 0,
            wanted: 0,
            drafted: Vec::new(),
            spent: Vec::new(),
            bits: 0,
            is_there: false,
            step: 0,
        };
        self.drafts.insert(number, drafting);
        if from == to {
            self.draft_joins(number, graph);
            return Ok(());
        }
        let bits = self.prompt_bits(number)?;
        self.send_helping(Letter::draft_prompt(number, bits), [from, to], after, graph)
    }

    /// Sends a message to or from who drafts.
    fn send_helping(
        &mut self,
        letter: Letter,
        ends: [NodeId; 2],
        after: &[TaskId],
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        self.sequence(letter.request).helped += 1;
        self.send_letter(letter, ends, after, graph)?;
        Ok(())
    }

    /// The prompt of request `number` is where it is drafted for.
    pub(super) fn draft_joins(&mut self, number: u32, graph: &Graph) {
        let longest = self.requests[number as usize].task.longest_context() as usize;
        let priority = self.requests[number as usize].priority;
        let Some(drafting) = self.drafts.get_mut(&number) else {
            return;
        };
        drafting.is_there = true;
        self.replicas[drafting.replica].jobs.join(Job {
            request: number,
            arrival: graph.now(),
            priority,
            pending: drafting.text.len(),
            longest,
            ..Job::default()
        });
    }

    /// How many tokens may be drafted for the next pass of request `number`, which decodes.
    fn draft_length(&self, number: u32) -> usize {
        let sequence = &self.sequences[&number];
        match self.requests[number as usize].task {
            Task::Generate { max_tokens, .. } => {
                let rest = u64::from(max_tokens) - sequence.outcome.generated();
                sequence.length.min(rest.saturating_sub(1) as usize)
            }
            _ => 0,
        }
    }

    /// The prompt of request `number` and what stands of its answer.
    fn text(&self, number: u32) -> Vec<u32> {
        let prompt: &[u32] = match &self.requests[number as usize].task {
            Task::Generate { prompt, .. } => prompt,
            _ => &[],
        };
        [prompt, self.sequences[&number].outcome.tokens()].concat()
    }

    /// Drafts for the next pass of request `number` from its own text, if that is how its replica
    /// speculates. Whether a draft model is to do it, which takes a while.
    pub(super) fn speculate(&mut self, number: u32) -> bool {
        let replica = &self.replicas[self.sequences[&number].replica];
        let Some(speculation) = &replica.speculation else {
            return false;
        };
        let length = self.draft_length(number);
        if length == 0 {
            return false;
        }
        let Some(lookup) = speculation.lookup else {
            return true;
        };
        let text = self.text(number);
        let sizes = [lookup.shortest, lookup.longest];
        let drafted = continuation(&text, sizes, length).iter();
        let drafted = drafted.map(|token| Drafted {
            token: *token,
            from: None,
        });
        let drafted: Vec<Drafted> = drafted.collect();
        let bits = TOKEN_BITS * drafted.len() as u64;
        self.sequence(number).extend(drafted, bits);
        false
    }

    /// Tells who drafts for request `number` what stands, after `sample`, if the tokens on their
    /// way to who asks do not.
    pub(super) fn tell_draft(
        &mut self,
        number: u32,
        sample: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let stages = &self.replicas[self.sequences[&number].replica].stages;
        let root = stages[stages.len() - 1].root();
        let at = self.replicas[self.drafts[&number].replica].stages[0].root();
        if at == root {
            return self.draft_goes_on(number);
        }
        if self.requests[number as usize].from == Some(at) {
            self.sequence(number).tells = true;
            return Ok(());
        }
        let index = self.sequences[&number].outcome.generated();
        // The token that is the model's own, and how many before it stand.
        let letter = Letter::verdict(number, index, 2 * TOKEN_BITS);
        self.send_helping(letter, [root, at], &[sample], graph)
    }

    /// Who drafts for request `number` knows what stands: what it drafted beyond is forgotten, and
    /// the next draft begins.
    pub(super) fn draft_goes_on(&mut self, number: u32) -> Result<(), ExecutionError> {
        let (text, length) = (self.text(number), self.draft_length(number));
        let Some(drafting) = self.drafts.get_mut(&number) else {
            return Ok(());
        };
        let alike = text.iter().zip(&drafting.text);
        let alike = alike.take_while(|(one, other)| one == other).count();
        let serving = &mut self.replicas[drafting.replica];
        if drafting.cached > alike {
            serving.jobs.rewind(number, drafting.cached - alike);
            serving.pool.rewind(number, drafting.cached - alike);
            serving.network.rewind(number, alike)?;
            drafting.cached = alike;
        }
        // Where it has not drafted yet, the rest of the prompt is pending already; else nothing is.
        let known = match drafting.drafted.is_empty() {
            true => drafting.text.len(),
            false => drafting.cached,
        };
        if drafting.is_there {
            serving.jobs.extend(number, text.len() - known);
        }
        drafting.text = text;
        drafting.wanted = length;
        drafting.drafted.clear();
        drafting.spent.clear();
        Ok(())
    }

    /// Ends a batch of a replica that drafts for others: the requests in it have one drafted token
    /// more, or those who were read to no end the beginning of their prompts.
    pub(super) fn end_draft(
        &mut self,
        state: &Batch,
        (split, spent): (TimeSplit, Spent),
        sample: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let now = graph.now();
        let replica = &mut self.replicas[state.replica];
        let vocabulary = replica.vocabulary;
        let mut logits = Vec::new();
        if state.logit_rows() > 0 {
            let rows: Vec<Rows> = state.slices.iter().map(Slice::wanted).collect();
            if let Some(values) = replica.network.logits(state.id, &rows)? {
                logits = values.to_vec();
            }
        }
        replica.network.end(state.id);
        let each = spent.over(state.tokens);
        let mut rows = logits.chunks_exact(vocabulary);
        for slice in &state.slices {
            let own = each.times(slice.tokens());
            let sequence = self.sequence(slice.request);
            sequence.joules += own.joules;
            sequence.helped -= 1;
            let record = PassRecord {
                batch: state.id,
                replica: state.replica as u32,
                request: slice.request,
                step: slice.step,
                mode: Mode::Draft,
                tokens: slice.tokens() as u64,
                context: slice.context as u64,
                start: state.start,
                end: now,
                slices: state.slices.len() as u32,
                batch_tokens: state.tokens as u64,
                decodes: slice.rows > 0,
                last: true,
                split,
                chosen: None,
                negative_log_likelihood: None,
            };
            let noted = self.observer.pass(&record);
            noted.map_err(ExecutionError::Observer)?;
            let row = (slice.rows > 0).then(|| rows.next()).flatten();
            self.enter_draft((slice, own), row, sample, graph)?;
            self.write_if_quiet(slice.request, now)?;
        }
        self.admit(Some(sample), graph)
    }

    /// Enters that who drafts has read `slice`, and made `logits` if any were wanted.
    fn enter_draft(
        &mut self,
        (slice, own): (&Slice, Spent),
        logits: Option<&[f32]>,
        sample: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let number = slice.request;
        let choice = self.choice(number);
        let sequence = &self.sequences[&number];
        let generated = sequence.outcome.generated();
        let target = &self.replicas[sequence.replica];
        let to = target.stages[0].root();
        let speculation = target.speculation.as_ref();
        let speculation = speculation.expect("who is drafted for is served by who speculates");
        let how = (speculation.sends, speculation.draws);
        let ends = self.words.as_ref();
        let ends = ends.map_or(&[][..], |words| &words.end_tokens);
        let drafting = self.drafts.get_mut(&number);
        let drafting = drafting.expect("who is in a draft's batch is drafted for");
        let serving = &mut self.replicas[drafting.replica];
        serving.jobs.advance(number, slice.tokens());
        drafting.cached += slice.tokens();
        drafting.step += 1;
        let Some(logits) = logits else {
            return Ok(());
        };
        let index = generated + drafting.drafted.len() as u64;
        let drafted = choice.draft(logits, index, how)?;
        let ended = ends.contains(&drafted.token);
        drafting.text.push(drafted.token);
        drafting.drafted.push(drafted);
        drafting.spent.push(own);
        if drafting.drafted.len() < drafting.wanted && !ended {
            serving.jobs.extend(number, 1);
            return Ok(());
        }
        drafting.wanted = 0;
        let each = match choice.sampling {
            None => TOKEN_BITS,
            Some(_) => TOKEN_BITS + distribution_bits(how.0, serving.vocabulary, TOKEN_BITS),
        };
        drafting.bits = each * drafting.drafted.len() as u64;
        let (at, bits) = (serving.stages[0].root(), drafting.bits);
        if at == to {
            self.draft_arrives(number);
            return Ok(());
        }
        let letter = Letter::draft(number, generated, bits);
        self.send_helping(letter, [at, to], &[sample], graph)
    }

    /// The draft for request `number` is where its pass begins.
    fn draft_arrives(&mut self, number: u32) {
        let drafting = &self.drafts[&number];
        let (drafted, bits) = (drafting.drafted.clone(), drafting.bits);
        let tokens = 1 + drafted.len();
        let sequence = self.sequence(number);
        sequence.extend(drafted, bits);
        let replica = sequence.replica;
        self.replicas[replica].jobs.extend(number, tokens);
    }

    /// A message to or from who drafts has arrived.
    pub(super) fn draft_letter_arrives(
        &mut self,
        letter: &Letter,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let number = letter.request;
        let sequence = self.sequence(number);
        sequence.helped -= 1;
        if sequence.done.is_some() {
            return self.write_if_quiet(number, graph.now());
        }
        match letter.stage {
            Stage::DraftPrompt => self.draft_joins(number, graph),
            Stage::Draft => self.draft_arrives(number),
            _ => self.draft_goes_on(number)?,
        }
        Ok(())
    }

    /// Enters what stands of the draft in the pass that `slice` completes, of which each token took
    /// so much; the rest leaves the cache.
    pub(super) fn settle_draft(
        &mut self,
        (slice, each): (&Slice, Spent),
        said: Option<&Reading>,
        record: &PassRecord,
    ) -> Result<(), ExecutionError> {
        let Some(said) = said.filter(|_| slice.drafted > 0) else {
            return Ok(());
        };
        let number = slice.request;
        let known = self.knows_all_joules();
        let sequence = self.sequence(number);
        let (drafted, chosen) = (slice.drafted, said.chosen.len());
        let (accepted, rejected) = (sequence.accepted(&said.chosen), drafted + 1 - chosen);
        sequence.rewind(rejected);
        let (replica, length) = (sequence.replica, sequence.length);
        let serving = &mut self.replicas[replica];
        if rejected > 0 {
            serving.jobs.rewind(number, rejected);
            serving.pool.rewind(number, rejected);
            let stands = slice.context + slice.tokens() - rejected;
            serving.network.rewind(number, stands)?;
        }
        if let Some(speculation) = &serving.speculation {
            let next = speculation.length.next(length, drafted, accepted);
            self.sequence(number).length = next;
        }
        let drafting = self.drafts.get(&number);
        let drafts = drafting.map_or(&[][..], |drafting| &drafting.spent);
        let unused = drafts.iter().skip(accepted);
        let wasted = unused.fold(each.times(rejected), Spent::and);
        let round = RoundRecord {
            request: number,
            replica: record.replica,
            step: record.step,
            drafted: drafted as u32,
            accepted: accepted as u32,
            tokens: chosen as u32,
            at: record.end,
            wasted_flops: wasted.flops,
            wasted_j: known.then_some(wasted.joules),
        };
        let noted = self.observer.round(&round);
        noted.map_err(ExecutionError::Observer)
    }

    /// Takes request `number` away from who drafts for it.
    pub(super) fn close_draft(&mut self, number: u32) {
        let drafting = self.drafts.remove(&number);
        if let Some(drafting) = drafting.filter(|drafting| drafting.is_there) {
            self.leave_replica(drafting.replica, number);
        }
    }

    /// How the tokens of request `number` are chosen.
    pub(super) fn choice(&self, number: u32) -> Choice {
        let request = &self.requests[number as usize];
        let replica = &self.replicas[self.sequences[&number].replica];
        Choice {
            sampling: request.sampling.or(replica.sampling),
            streams: self.streams,
            identity: self.identities[number as usize],
        }
    }
}
