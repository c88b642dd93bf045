//! What a request is to the weather: what it asks for, not its place among others.
//!
//! A channel that is drawn for what is transferred must be the same whatever was transferred
//! before. So draws are not counted over a run; they are numbered within a request, and the
//! request is known by how many tokens it asks for. The same prompt alone and behind another
//! request then meets the same channels; prompts of different lengths meet different ones; what
//! asks for the same as one before it meets others than that.

use super::workload::{Request, Task};
use crate::radio::Coherence;
use std::collections::BTreeMap;

/// Names draws that belong to one request: an index of its own 2⁴⁰ for every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity(u64);

impl Identity {
    /// The identities of `requests`, in order: 24 bits of BLAKE3 over the tokens that each asks
    /// for and how many before it asked for the same. Of a thousand, two share one by chance in 3 %
    /// of workloads, and then meet the same weather.
    pub fn of_all(requests: &[Request]) -> Vec<Self> {
        let mut seen: BTreeMap<[u8; 32], u64> = BTreeMap::new();
        let identify = |request: &Request| {
            let content = *content(&request.task).as_bytes();
            let occurrence = seen.entry(content).or_insert(0);
            let mut hasher = blake3::Hasher::new();
            hasher.update(&content);
            hasher.update(&occurrence.to_le_bytes());
            *occurrence += 1;
            let digest = hasher.finalize();
            let [a, b, c, ..] = *digest.as_bytes();
            Self(u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]) * Coherence::DRAWS_OF_REQUEST)
        };
        requests.iter().map(identify).collect()
    }

    /// The index of its draw number `within`.
    ///
    /// Beyond 2⁴⁰ draws, which no request comes to, they begin anew.
    pub fn draw(self, within: u64) -> u64 {
        self.0 + within % Coherence::DRAWS_OF_REQUEST
    }
}

/// A digest of how many tokens `task` asks for. Which tokens they are does not matter: a run that
/// is timed and not computed meets the weather of the computed one.
fn content(task: &Task) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let mut enter = |count: usize| {
        hasher.update(&(count as u64).to_le_bytes());
    };
    match task {
        Task::Score { windows, stepwise } => {
            enter(usize::from(*stepwise));
            for window in windows {
                enter(window.inputs.len());
            }
        }
        Task::Generate { prompt, max_tokens } => {
            enter(prompt.len());
            enter(*max_tokens as usize);
        }
        Task::Tokens { prompt, generate } => {
            enter(*prompt as usize);
            enter(*generate as usize);
        }
        Task::Choose { questions } => {
            for choice in questions.iter().flat_map(|question| &question.choices) {
                enter(choice.inputs.len());
            }
        }
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::workload::Arrival;

    fn request(prompt: u32) -> Request {
        let task = Task::Tokens {
            prompt,
            generate: 3,
        };
        Request::new(Arrival::after_previous(0), task)
    }

    #[test]
    fn a_request_is_what_it_asks_for_wherever_it_stands() {
        let alone = Identity::of_all(&[request(5)]);
        let behind = Identity::of_all(&[request(4), request(5), request(5)]);
        assert_eq!(alone[0], behind[1]);
        assert_ne!(behind[0], behind[1]);
        assert_ne!(behind[1], behind[2], "asked again it meets other weather");
        assert_ne!(alone[0].draw(0), alone[0].draw(1));
        assert_eq!(alone[0].draw(7) % Coherence::DRAWS_OF_REQUEST, 7);
    }
}
