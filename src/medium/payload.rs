//! What crosses a cut between two stages: every token's state, rounded as the link's
//! [`Payload`] says, each token by itself, so that a batch changes nobody's bits.

pub use crate::radio::Payload;

/// The states that cross a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activations {
    /// What is sent of an entry.
    pub payload: Payload,
    /// Entries of a token's state: the hidden size.
    pub width: usize,
}

impl Activations {
    /// Bits of `tokens` tokens, their scales included.
    pub fn bits(self, tokens: usize) -> u64 {
        tokens as u64 * self.payload.bits(self.width)
    }

    /// Replaces `states`, token by token, by what arrives of them.
    ///
    /// # Panics
    /// If `states` holds no whole number of tokens.
    pub fn carry(self, states: &mut [f32]) {
        assert!(
            states.len().is_multiple_of(self.width),
            "{} entries are no whole number of tokens of {}",
            states.len(),
            self.width
        );
        for token in states.chunks_exact_mut(self.width) {
            self.payload.carry(token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_has_its_own_scale() {
        let cut = |bits, width| Activations {
            payload: Payload(bits),
            width,
        };
        assert_eq!(cut(16, 4096).bits(3), 3 * 65536);
        assert_eq!(cut(4, 64).bits(3), 3 * (4 * 64 + 32));
        let mut states = [7.0, 3.4, 0.07, 0.034];
        cut(4, 2).carry(&mut states);
        let mut alone = [0.07, 0.034];
        cut(4, 2).carry(&mut alone);
        assert_eq!(states[..2], [7.0, 3.0]);
        assert_eq!(states[2..], alone);
        assert!((alone[1] - 0.03).abs() < 1e-6);
    }
}
