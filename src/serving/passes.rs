//! A request as a sequence of forward passes.

use crate::serving::workload::{Request, Task};

/// One forward pass to be run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pass {
    /// Tokens that go through the model; none where only their number is known.
    pub(crate) tokens: Vec<u32>,
    /// How many they are.
    pub(crate) count: usize,
    /// Whether the KV cache starts empty.
    pub(crate) fresh: bool,
    /// The token that should follow each of the last as many of `tokens`; empty when
    /// generating.
    pub(crate) targets: Vec<u32>,
    /// How many of the last of `tokens` are drafted: what the model says to each decides whether
    /// it stands.
    pub(crate) drafted: usize,
}

impl Pass {
    /// Rows of logits that are wanted, of its last tokens.
    pub(crate) fn rows(&self) -> usize {
        self.targets.len().max(1 + self.drafted)
    }
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RequestPosition {
    /// Window being scored, or question being answered.
    window: usize,
    /// Tokens of it scored, tokens generated or choices read so far.
    position: usize,
}

impl RequestPosition {
    /// Goes past `tokens` more that its last pass has generated.
    pub(crate) fn skip(&mut self, tokens: usize) {
        self.position += tokens;
    }

    /// The pass after those already run; `last` is the token chosen by the pass
    /// before, if any. `None` when the request is answered.
    pub(crate) fn next(
        &mut self,
        request: &Request,
        last: Option<u32>,
        end_tokens: &[u32],
    ) -> Option<Pass> {
        match &request.task {
            Task::Score { windows, stepwise } => loop {
                let window = windows.get(self.window)?;
                let length = window.inputs.len();
                let from = self.position;
                if from == length {
                    self.window += 1;
                    self.position = 0;
                    continue;
                }
                let to = if *stepwise { from + 1 } else { length };
                self.position = to;
                return Some(Pass {
                    tokens: window.inputs[from..to].to_vec(),
                    count: to - from,
                    fresh: from == 0,
                    targets: window.targets[from..to].to_vec(),
                    drafted: 0,
                });
            },
            Task::Choose { questions } => loop {
                let question = questions.get(self.window)?;
                let Some(choice) = question.choices.get(self.position) else {
                    self.window += 1;
                    self.position = 0;
                    continue;
                };
                self.position += 1;
                return Some(Pass {
                    tokens: choice.inputs.clone(),
                    count: choice.inputs.len(),
                    fresh: true,
                    targets: choice.targets.clone(),
                    drafted: 0,
                });
            },
            Task::Generate { prompt, max_tokens } => {
                if self.position >= *max_tokens as usize {
                    return None;
                }
                let tokens = match last {
                    None => prompt.clone(),
                    Some(token) if end_tokens.contains(&token) => return None,
                    Some(token) => vec![token],
                };
                self.position += 1;
                Some(Pass {
                    count: tokens.len(),
                    tokens,
                    fresh: last.is_none(),
                    targets: Vec::new(),
                    drafted: 0,
                })
            }
            Task::Tokens { prompt, generate } => {
                let fresh = self.position == 0;
                if !fresh && self.position >= *generate as usize {
                    return None;
                }
                self.position += 1;
                let count = if fresh { *prompt as usize } else { 1 };
                Some(Pass {
                    tokens: Vec::new(),
                    count,
                    fresh,
                    targets: Vec::new(),
                    drafted: 0,
                })
            }
        }
    }
}

/// Most tokens that the sequence of any of `requests` comes to.
pub(crate) fn longest_context(requests: &[Request]) -> usize {
    let contexts = requests.iter().map(|r| r.task.longest_context());
    contexts.max().unwrap_or(0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Suite;
    use crate::serving::workload::{Arrival, Continuation, Question, Window};

    fn passes(task: Task, chosen: &[u32]) -> Vec<Pass> {
        let request = Request::new(Arrival::after_previous(0), task);
        let mut at = RequestPosition::default();
        let mut answers = chosen.iter().copied();
        let mut last = None;
        let mut passes = Vec::new();
        while let Some(pass) = at.next(&request, last, &[9]) {
            last = answers.next();
            passes.push(pass);
        }
        passes
    }

    fn window(inputs: &[u32], targets: &[u32]) -> Window {
        Window {
            inputs: inputs.to_vec(),
            targets: targets.to_vec(),
            source_nats: None,
        }
    }

    #[test]
    fn a_window_is_one_prefill_and_the_next_starts_afresh() {
        let windows = vec![window(&[1, 2], &[2, 3]), window(&[4], &[5])];
        let passes = passes(
            Task::Score {
                windows,
                stepwise: false,
            },
            &[],
        );
        let shape: Vec<_> = passes.iter().map(|p| (p.tokens.len(), p.fresh)).collect();
        assert_eq!(shape, [(2, true), (1, true)]);
    }

    #[test]
    fn stepwise_scoring_reads_one_token_a_pass() {
        let windows = vec![window(&[1, 2, 3], &[2, 3, 4])];
        let passes = passes(
            Task::Score {
                windows,
                stepwise: true,
            },
            &[],
        );
        let seen: Vec<_> = passes
            .iter()
            .map(|p| (p.tokens[0], p.targets[0], p.fresh))
            .collect();
        assert_eq!(seen, [(1, 2, true), (2, 3, false), (3, 4, false)]);
    }

    #[test]
    fn every_choice_is_read_afresh_and_only_the_answer_is_scored() {
        let choice = |answer| Continuation {
            inputs: vec![1, 2, answer],
            targets: vec![answer, 9],
        };
        let question = |answers: &[u32]| Question {
            suite: Suite::Pairs,
            choices: answers.iter().copied().map(choice).collect(),
            answer: 0,
        };
        let questions = vec![question(&[3, 4]), question(&[5, 6, 7])];
        let passes = passes(Task::Choose { questions }, &[]);
        assert!(passes.iter().all(|pass| pass.fresh));
        let read: Vec<_> = passes.iter().map(|p| (p.tokens[2], p.targets[0])).collect();
        assert_eq!(read, [(3, 3), (4, 4), (5, 5), (6, 6), (7, 7)]);
    }

    #[test]
    fn generation_reads_its_own_tokens_until_the_limit_or_the_end_token() {
        let task = |max_tokens| Task::Generate {
            prompt: vec![1, 2],
            max_tokens,
        };
        let read: Vec<_> = passes(task(3), &[5, 6, 7])
            .into_iter()
            .map(|p| p.tokens)
            .collect();
        assert_eq!(read, [vec![1, 2], vec![5], vec![6]]);
        assert_eq!(passes(task(8), &[5, 9, 7]).len(), 2);
        assert!(passes(task(0), &[]).is_empty());
    }

    #[test]
    fn counted_tokens_are_one_prefill_and_a_pass_for_each_further_token() {
        let lengths = |prompt, generate| -> Vec<usize> {
            let passes = passes(Task::Tokens { prompt, generate }, &[]);
            passes.iter().map(|pass| pass.count).collect()
        };
        assert_eq!(lengths(5, 0), [5]);
        assert_eq!(lengths(5, 1), [5]);
        assert_eq!(lengths(5, 3), [5, 1, 1]);
    }
}
