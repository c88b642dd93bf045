//! Requests on their way in: who arrives, which replica takes them, how their prompts get there,
//! and who is turned away.

use super::error::ExecutionError;
use super::letters::Letter;
use super::sequence::{Blocks, Sequence};
use super::stage::Stage;
use super::{Duty, Execution};
use crate::engine::{self, Cost, Graph, Kind, TaskId, TaskKey};
use crate::serving::workload::{Request, Task};
use crate::serving::{Job, Reason, ReplicaView, Role, Waiting, block_hashes};
use crate::units::{Duration, Instant};

impl Execution<'_> {
    /// Lets everybody in who has arrived, begins the batches that schedulers choose, and waits
    /// for the next arrival. `after` is the task whose end is the occasion.
    pub(super) fn admit(
        &mut self,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let now = graph.now();
        loop {
            while let Some(waiting) = self.queue.arrived(now) {
                self.awaited.remove(&waiting);
                self.arrive(waiting, after, graph)?;
            }
            for replica in 0..self.replicas.len() {
                self.serve(replica, after, graph)?;
            }
            // Whoever was turned away may be followed by others at once, and a replica whose
            // cache was taken over may go on.
            let gave_room = std::mem::take(&mut self.gave_room);
            if !gave_room && self.queue.next_arrival().is_none_or(|(at, _)| at > now) {
                break;
            }
        }
        if let Some((instant, request)) = self.queue.next_arrival()
            && self.awaited.insert((instant, request))
        {
            let key = TaskKey {
                sequence: request,
                ..Stage::Arrival.outside()
            };
            await_instant(key, instant, after, graph)?;
        }
        self.note_loads(now)
    }

    /// A request arrives: chooses its replica, and sends its prompt there.
    fn arrive(
        &mut self,
        (arrival, number): Waiting,
        after: Option<TaskId>,
        graph: &mut Graph,
    ) -> Result<(), ExecutionError> {
        let request = &self.requests[number as usize];
        let from = request.from;
        let chosen = self.route(number, Role::Prefill, graph.now())?;
        let first = self.answers_first(number, chosen);
        let replica = first.unwrap_or(chosen);
        let identity = self.identities[number as usize];
        let mut sequence = Sequence::new(replica, identity, arrival);
        sequence.escalates = first.map(|_| chosen);
        let speculation = self.replicas[replica].speculation.as_ref();
        sequence.length = speculation.map_or(0, |speculation| speculation.length.first());
        self.sequences.insert(number, sequence);
        self.in_service.begin(graph.now());
        self.open_draft(number, after.as_slice(), graph)?;
        let root = self.replicas[replica].stages[0].root();
        match from.filter(|from| *from != root) {
            None => self.join(number, graph.now()),
            Some(from) => {
                let bits = self.prompt_bits(number)?;
                self.in_transit += 1;
                self.replicas[replica].coming += 1;
                let letter = Letter::prompt(number, bits);
                self.send_letter(letter, [from, root], after.as_slice(), graph)?;
                Ok(())
            }
        }
    }

    /// The replica that takes request `number` in the `role`.
    ///
    /// # Errors
    /// If the tokenizer cannot write the prompt.
    pub(super) fn route(
        &mut self,
        number: u32,
        role: Role,
        now: Instant,
    ) -> Result<usize, ExecutionError> {
        let mut views = Vec::with_capacity(self.replicas.len());
        for replica in 0..self.replicas.len() {
            let serving = &self.replicas[replica];
            if serving.duty != Duty::Serves {
                continue;
            }
            let own = serving.role;
            if own == Role::Both || own == role {
                views.push(self.view(replica, number, now)?);
            }
        }
        if role == Role::Decode {
            let longest = self.requests[number as usize].task.longest_context() as usize;
            views.retain(|view| self.replicas[view.replica].pool.fits_ever(longest));
        }
        Ok(views[self.routing.next(&views)].replica)
    }

    /// What a router may know of `replica` where request `number` comes.
    fn view(
        &self,
        replica: usize,
        number: u32,
        now: Instant,
    ) -> Result<ReplicaView, ExecutionError> {
        let serving = &self.replicas[replica];
        let from = self.requests[number as usize].from;
        let root = serving.stages[0].root();
        let uplink_s = match from {
            Some(from) if from != root => {
                Some(self.expected_seconds([from, root], self.prompt_bits(number)?, now))
            }
            _ => None,
        };
        Ok(ReplicaView {
            replica,
            waiting: serving.jobs.waiting_len() + serving.coming,
            running: serving.jobs.running_len(),
            pending_tokens: serving.jobs.pending_tokens(),
            free_cache: serving.pool.free_tokens(),
            uplink_s,
        })
    }

    /// The prompt of request `number` is where it is served: it waits there, or is turned away.
    pub(super) fn join(&mut self, number: u32, now: Instant) -> Result<(), ExecutionError> {
        let ends = self.words.as_ref();
        let ends = ends.map_or(&[][..], |words| &words.end_tokens);
        let request = &self.requests[number as usize];
        let sequence = self.sequences.get_mut(&number);
        let sequence = sequence.expect("who joins has arrived");
        let replica = sequence.replica;
        if sequence.go_on(request, ends).is_none() {
            return self.answer_if_done(number, now);
        }
        let serving = &mut self.replicas[replica];
        let block = serving.pool.prefix_block();
        let blocks = block.and_then(|block| blocks(request, &sequence.pass().tokens, block));
        let mut job = Job {
            arrival: now,
            ..sequence.job(number, request, blocks)
        };
        if serving.role == Role::Prefill && self.goes_on_elsewhere(number) {
            if let Some(reason) = self.refused_by_successors(job.longest) {
                return self.reject(number, now, reason.to_string());
            }
            job.longest = job.pending;
        }
        let serving = &mut self.replicas[replica];
        if let Some(reason) = serving
            .admission
            .turns_away(&job, &serving.jobs, &serving.pool)
        {
            return self.reject(number, now, reason.to_string());
        }
        serving.jobs.join(job);
        Ok(())
    }

    /// Why no replica can decode a request that comes to `longest` tokens, if none can.
    fn refused_by_successors(&self, longest: usize) -> Option<Reason> {
        let successors = self.replicas.iter();
        let successors = successors.filter(|replica| replica.role != Role::Prefill);
        let mut reason = None;
        for successor in successors {
            reason = Some(successor.pool.refuses(longest)?);
        }
        reason
    }
}

/// The hashes of the whole blocks of the prompt of `request`; of tokens that are only counted, of
/// those that it shares with its group. None of who reads several texts.
fn blocks(request: &Request, tokens: &[u32], block: usize) -> Option<Blocks> {
    if matches!(request.task, Task::Score { .. } | Task::Choose { .. }) {
        return None;
    }
    if !tokens.is_empty() {
        let tokens = tokens.iter().map(|token| u64::from(*token));
        return Some(block_hashes(tokens, block));
    }
    let shared = request.shared_prefix as usize;
    let group = u64::from(request.prefix_group);
    (shared > 0).then(|| block_hashes(std::iter::repeat_n(group, shared), block))
}

/// A task that ends at `instant`, of which the program is told.
pub(super) fn await_instant(
    key: TaskKey,
    instant: Instant,
    after: Option<TaskId>,
    graph: &mut Graph,
) -> Result<(), ExecutionError> {
    let duration: Duration = instant.since(graph.now());
    let task = engine::Task {
        key,
        kind: Kind::Overhead,
        resource: None,
        duration,
        cost: Cost::default(),
    };
    let id = graph.add(task, after.as_slice())?;
    Ok(graph.notify(id)?)
}
