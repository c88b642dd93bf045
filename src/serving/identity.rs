//! What a request is to the weather: its content, not its place among others.
//!
//! A channel that is drawn for what is transferred must be the same whatever was transferred
//! before. So draws are not counted over a run; they are numbered within a request, and the
//! request is known by what it asks for. The same prompt alone and behind another request then
//! meets the same channels; two prompts meet different ones; the same prompt asked twice meets
//! others the second time.

use super::workload::{Request, Task};
use std::collections::BTreeMap;

/// Bits that number draws within a request.
pub const WITHIN_BITS: u32 = 40;

/// Names draws that belong to one request: an index of its own 2⁴⁰ for every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity(u64);

impl Identity {
    /// The identities of `requests`, in order: 24 bits of BLAKE3 over what each asks for and how
    /// many before it asked the same.
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
            Self(u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]) << WITHIN_BITS)
        };
        requests.iter().map(identify).collect()
    }

    /// The index of its draw number `within`.
    ///
    /// Beyond 2⁴⁰ draws, which no request comes to, they begin anew.
    pub fn draw(self, within: u64) -> u64 {
        self.0 | within & ((1 << WITHIN_BITS) - 1)
    }
}

/// A digest of everything that `task` asks for.
fn content(task: &Task) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let mut enter = |tokens: &[u32]| {
        hasher.update(&(tokens.len() as u64).to_le_bytes());
        for token in tokens {
            hasher.update(&token.to_le_bytes());
        }
    };
    match task {
        Task::Score { windows, stepwise } => {
            enter(&[0, u32::from(*stepwise)]);
            for window in windows {
                enter(&window.inputs);
                enter(&window.targets);
            }
        }
        Task::Generate { prompt, max_tokens } => {
            enter(&[1, *max_tokens]);
            enter(prompt);
        }
        Task::Choose { questions } => {
            enter(&[2]);
            for choice in questions.iter().flat_map(|question| &question.choices) {
                enter(&choice.inputs);
                enter(&choice.targets);
            }
        }
        Task::Tokens { prompt, generate } => enter(&[3, *prompt, *generate]),
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::workload::Arrival;

    fn request(prompt: u32) -> Request {
        Request {
            arrival: Arrival::AfterPrevious,
            task: Task::Tokens {
                prompt,
                generate: 3,
            },
        }
    }

    #[test]
    fn a_request_is_what_it_asks_for_wherever_it_stands() {
        let alone = Identity::of_all(&[request(5)]);
        let behind = Identity::of_all(&[request(4), request(5), request(5)]);
        assert_eq!(alone[0], behind[1]);
        assert_ne!(behind[0], behind[1]);
        assert_ne!(behind[1], behind[2], "asked again it meets other weather");
        assert_ne!(alone[0].draw(0), alone[0].draw(1));
        assert_eq!(alone[0].draw(7) & ((1 << WITHIN_BITS) - 1), 7);
    }
}
