//! A small model before a large one: its answer stands if it is sure of each token, else the prompt
//! goes on.

use super::Execution;
use super::error::ExecutionError;
use super::letters::Letter;
use crate::engine::{Graph, TaskId};
use crate::measurement::FirstAnswerRecord;
use crate::serving::workload::Task;

/// Who answers before a replica, and how sure that one must be.
#[derive(Debug, Clone)]
pub struct Cascading {
    /// The replicas that answer first: each the requests that come from its node, the first all
    /// others.
    pub firsts: Vec<usize>,
    /// The least probability of every token of an answer that stands, and of a chosen one.
    pub threshold: f64,
}

impl Execution<'_> {
    /// Who answers request `number`, which `replica` is chosen for, before that one does.
    pub(super) fn answers_first(&self, number: u32, replica: usize) -> Option<usize> {
        let request = &self.requests[number as usize];
        if !matches!(request.task, Task::Generate { .. } | Task::Choose { .. }) {
            return None;
        }
        let firsts = &self.replicas[replica].cascade.as_ref()?.firsts;
        let root = |first: usize| self.replicas[first].stages[0].root();
        let own = firsts
            .iter()
            .find(|first| request.from == Some(root(**first)));
        own.or(firsts.first()).copied()
    }

    /// Whether who answers request `number` first is not sure of the token, or of the choice, that
    /// has this `probability`.
    pub(super) fn is_unsure(&mut self, number: u32, probability: Option<f64>) -> bool {
        let sequence = &self.sequences[&number];
        let Some((replica, probability)) = sequence.escalates.zip(probability) else {
            return false;
        };
        let cascade = self.replicas[replica].cascade.as_ref();
        let threshold = cascade.map_or(0.0, |cascade| cascade.threshold);
        let sequence = self.sequence(number);
        sequence.least = sequence.least.min(probability);
        probability < threshold
    }

    fn note_first(
        &mut self,
        number: u32,
        stands: bool,
        graph: &Graph,
    ) -> Result<(), ExecutionError> {
        let known = self.knows_all_joules();
        let sequence = &self.sequences[&number];
        let own = self.replicas[sequence.replica].stages[0].root();
        let target = sequence.escalates.map(|target| &self.replicas[target]);
        let spared = target.is_some_and(|target| stands && target.stages[0].root() != own);
        let spared_bits = if spared { self.prompt_bits(number)? } else { 0 };
        let record = FirstAnswerRecord {
            request: number,
            replica: sequence.replica as u32,
            stands,
            tokens: sequence.outcome.generated() as u32,
            least_probability: sequence.least,
            at: graph.now(),
            spared_bits,
            energy_j: known.then_some(sequence.joules),
        };
        let noted = self.observer.first_answer(&record);
        noted.map_err(ExecutionError::Observer)
    }

    /// The first answer to request `number`, which `batch` has completed, stands: all of its tokens
    /// go to who asked.
    pub(super) fn stands(
        &mut self,
        (batch, number): (u32, u32),
        sample: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        self.note_first(number, true, graph)?;
        let sequence = self.sequence(number);
        sequence.escalates = None;
        let chosen = sequence.outcome.tokens().to_vec();
        if chosen.is_empty() {
            return Ok(());
        }
        let text = match &self.words {
            Some(words) => Some(words.tokenizer.decode(&chosen)?),
            None => None,
        };
        let place = (0, chosen.len() as u32);
        self.deliver(number, place, (batch, text.as_deref()), sample, graph)
    }

    /// The first answer to request `number` does not stand: its prompt goes on to the replica that
    /// was chosen for it.
    pub(super) fn escalate(
        &mut self,
        number: u32,
        sample: TaskId,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        self.note_first(number, false, graph)?;
        let sequence = self.sequence(number);
        let (first, escalates) = (sequence.replica, sequence.escalates);
        let target = escalates.expect("who is not sure hands the prompt on");
        self.leave_replica(first, number);
        self.sequence(number).start_over(target);
        let root = |replica: usize| self.replicas[replica].stages[0].root();
        let ends = [root(first), root(target)];
        if ends[0] == ends[1] {
            return self.join(number, graph.now());
        }
        let bits = self.prompt_bits(number)?;
        self.in_transit += 1;
        self.replicas[target].coming += 1;
        self.send_letter(Letter::prompt(number, bits), ends, &[sample], graph)?;
        Ok(())
    }
}
