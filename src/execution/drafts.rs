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
use super::choice::{Choice, Drafted};
use super::cut::TOKEN_BITS;
use super::drafting::Drafting;
use super::error::ExecutionError;
use super::letters::Letter;
use super::stage::Stage;
use crate::engine::{Graph, TaskId};
use crate::policy::tokens::continuation;
use crate::serving::workload::Task;
use crate::serving::{Draws, Job, Length, Lookup, Sends};
use crate::topology::NodeId;
use crate::units::Instant;

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
            has_prompt: false,
            is_there: false,
            step: 0,
        };
        self.drafts.insert(number, drafting);
        if from == to {
            self.draft_prompt_arrives(number, graph.now());
            return Ok(());
        }
        let bits = self.prompt_bits(number)?;
        self.send_helping(Letter::draft_prompt(number, bits), [from, to], after, graph)
    }

    /// Sends a message to or from who drafts.
    pub(super) fn send_helping(
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
    pub(super) fn draft_prompt_arrives(&mut self, number: u32, now: Instant) {
        if let Some(drafting) = self.drafts.get_mut(&number) {
            drafting.has_prompt = true;
        }
        if self.sequences[&number].start.is_some() {
            self.draft_joins(number, now);
        }
    }

    /// Request number `number` is begun: so is its draft, if its prompt is there. Were that begun
    /// before, it might keep its place from another that is served before it.
    pub(super) fn draft_joins(&mut self, number: u32, now: Instant) {
        let longest = self.requests[number as usize].task.longest_context() as usize;
        let priority = self.requests[number as usize].priority;
        let drafting = self.drafts.get_mut(&number);
        let waits = |drafting: &&mut Drafting| drafting.has_prompt && !drafting.is_there;
        let Some(drafting) = drafting.filter(waits) else {
            return;
        };
        drafting.is_there = true;
        self.replicas[drafting.replica].jobs.join(Job {
            request: number,
            arrival: now,
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
        (batch, number): (u32, u32),
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
        let letter = Letter::verdict(number, batch, index, 2 * TOKEN_BITS);
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

    /// The draft for request `number` is where its pass begins.
    pub(super) fn draft_arrives(&mut self, number: u32) {
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
            Stage::DraftPrompt => self.draft_prompt_arrives(number, graph.now()),
            Stage::Draft => self.draft_arrives(number),
            _ => self.draft_goes_on(number)?,
        }
        Ok(())
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
