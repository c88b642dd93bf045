//! What logits let stand of a request's draft, and which token follows.

use super::batch::Slice;
use super::choice::Choice;
use super::error::ExecutionError;
use super::outcome::Reading;
use super::sequence::Sequence;
use crate::numerics::score;

impl Sequence {
    /// Reads `logits`, the rows of `vocabulary` wanted of `slice`, whose request generates: drafted
    /// tokens stand up to the first that does not, and a token of the model's own follows, unless
    /// one of `ends` ended the text. Without a draft that is the one token which the last row says.
    pub(super) fn judge(
        &mut self,
        slice: &Slice,
        (logits, vocabulary): (&[f32], usize),
        choice: &Choice,
        ends: &[u32],
    ) -> Result<Reading, ExecutionError> {
        let first = slice.first_row(self.pass());
        let mut reading = Reading {
            chosen: Vec::new(),
            rows: Vec::new(),
        };
        for (row, logits) in logits.chunks_exact(vocabulary).enumerate() {
            if self.settled {
                break;
            }
            let index = self.outcome.generated() + self.verified.len() as u64;
            let token = match self.drafted.get(first + row) {
                None => {
                    self.settled = true;
                    choice.token(logits, index)?
                }
                Some(drafted) => match choice.instead(logits, drafted, index)? {
                    None => drafted.token,
                    Some(other) => {
                        self.settled = true;
                        other
                    }
                },
            };
            self.settled |= ends.contains(&token);
            self.verified.push(token);
            reading.chosen.push(token);
            reading.rows.extend(score(logits, vocabulary, &[token])?);
        }
        Ok(reading)
    }

    /// How many of the drafted tokens of its pass begin what was chosen.
    pub(super) fn accepted(&self, chosen: &[u32]) -> usize {
        let both = self.drafted.iter().zip(chosen);
        both.take_while(|(drafted, chosen)| drafted.token == **chosen)
            .count()
    }
}
