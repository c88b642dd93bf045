//! What the logits of a batch say.

use super::batch::{Batch, Slice};
use super::choice::Choice;
use super::error::ExecutionError;
use super::outcome::{Reading, note_logits};
use super::{Execution, Words};

impl Execution<'_> {
    /// What the logits of `batch` say, slice by slice: nothing where none are wanted or computed.
    pub(super) fn read(&mut self, batch: &Batch) -> Result<Vec<Option<Reading>>, ExecutionError> {
        let nothing = || Ok(vec![None; batch.slices.len()]);
        if !batch.wants_logits() {
            return nothing();
        }
        let replica = &mut self.replicas[batch.replica];
        let (vocabulary, sampling) = (replica.vocabulary, replica.sampling);
        let ends = self.words.as_ref();
        let ends = ends.map_or(&[][..], |words: &Words| &words.end_tokens);
        let rows: Vec<_> = batch.slices.iter().map(Slice::wanted).collect();
        let left = replica.network.left(batch.id).to_vec();
        let computed = match batch.logit_rows() {
            0 => None,
            _ => replica.network.logits(batch.id, &rows)?,
        };
        if computed.is_none() && left.is_empty() {
            return nothing();
        }
        let logits = computed.as_deref().unwrap_or_default();
        let mut first = 0;
        let mut readings = Vec::with_capacity(batch.slices.len());
        for (place, slice) in batch.slices.iter().enumerate() {
            let own = match left.iter().find(|left| left.slice == place) {
                Some(left) => &left.logits[..],
                None => {
                    first += slice.rows;
                    &logits[(first - slice.rows) * vocabulary..first * vocabulary]
                }
            };
            if slice.rows == 0 {
                readings.push(None);
                continue;
            }
            let sequence = self.sequences.get_mut(&slice.request);
            let sequence = sequence.expect("who is in a batch is not answered");
            let row = slice.first_row(sequence.pass());
            let place = (slice.request, slice.step, row);
            note_logits(own, vocabulary, place, self.observer, &mut self.logits)?;
            let targets = sequence.targets(slice);
            if !targets.is_empty() {
                readings.push(Some(Reading::of(own, vocabulary, targets)?));
                continue;
            }
            let asked = self.requests[slice.request as usize].sampling;
            let choice = Choice {
                sampling: asked.or(sampling),
                streams: self.streams,
                identity: slice.identity,
            };
            readings.push(Some(sequence.judge(
                slice,
                (own, vocabulary),
                &choice,
                ends,
            )?));
        }
        Ok(readings)
    }

    /// The last token that a reading chose, with the text of all that it chose.
    pub(super) fn word(
        &self,
        reading: Option<&Reading>,
    ) -> Result<Option<(u32, String)>, ExecutionError> {
        let chosen = reading.map_or(&[][..], |reading| &reading.chosen);
        match chosen.last().zip(self.words.as_ref()) {
            Some((token, words)) => Ok(Some((*token, words.tokenizer.decode(chosen)?))),
            None => Ok(None),
        }
    }
}
