//! Where a step begins: the embeddings of its tokens, of one sequence or of several.

use super::error::StepError;
use super::ops::{AddRows, Embed, EmbedBlocks};
use super::sharded::{ShardedLlama, Table};
use super::state::{Hidden, Slice};
use crate::model::Positions;

impl ShardedLlama {
    /// The embeddings of `tokens`, the first at `position` of its sequence.
    ///
    /// # Errors
    /// If there is no token, or one is outside the vocabulary.
    pub fn embed(&self, tokens: &[u32], position: usize) -> Result<Hidden, StepError> {
        self.embed_slices(&[(tokens, position)])
    }

    /// The embeddings of several sequences' tokens, each given with the position of its
    /// first: one slice of the step after the other.
    ///
    /// # Errors
    /// If there is no slice, one has no token, a token is outside the vocabulary, or the
    /// model does not cover the embedding.
    pub fn embed_slices(&self, slices: &[(&[u32], usize)]) -> Result<Hidden, StepError> {
        let mut hidden = Hidden::empty(self.kernels);
        self.embed_slices_into(slices, &mut hidden)?;
        Ok(hidden)
    }

    /// [`ShardedLlama::embed`] into states that exist; nothing is allocated if
    /// they hold as many tokens.
    ///
    /// # Errors
    /// As for [`ShardedLlama::embed`].
    pub fn embed_into(
        &self,
        tokens: &[u32],
        position: usize,
        hidden: &mut Hidden,
    ) -> Result<(), StepError> {
        self.embed_slices_into(&[(tokens, position)], hidden)
    }

    /// [`ShardedLlama::embed_slices`] into states that exist; nothing is allocated if they
    /// hold as many slices and tokens.
    ///
    /// # Errors
    /// As for [`ShardedLlama::embed_slices`].
    pub fn embed_slices_into(
        &self,
        slices: &[(&[u32], usize)],
        hidden: &mut Hidden,
    ) -> Result<(), StepError> {
        self.embed_all(slices.iter().copied(), hidden)
    }

    /// States that are known, \[tokens × hidden\] row-major: slices of so many tokens, each with the
    /// position of its first in its sequence.
    ///
    /// # Errors
    /// If there is no slice, one has no token, or `values` have another length.
    pub fn states(&self, values: &[f32], slices: &[(usize, usize)]) -> Result<Hidden, StepError> {
        let width = self.shape().hidden;
        let mut hidden = Hidden::empty(self.kernels);
        let mut total = 0;
        for &(tokens, position) in slices {
            if tokens == 0 {
                return Err(StepError::NoToken);
            }
            let rows = total..total + tokens;
            total = rows.end;
            hidden.slices.push(Slice { rows, position });
        }
        if total == 0 {
            return Err(StepError::NoToken);
        }
        hidden.states.fit(total, width)?;
        hidden.replace(values)?;
        Ok(hidden)
    }

    pub(super) fn embed_all<'a>(
        &self,
        slices: impl Iterator<Item = (&'a [u32], usize)> + Clone,
        hidden: &mut Hidden,
    ) -> Result<(), StepError> {
        let embedding = self.embedding.as_ref();
        let embedding = embedding.ok_or_else(|| self.not_held("the embedding"))?;
        let mut total = 0;
        for (tokens, _) in slices.clone() {
            if tokens.is_empty() {
                return Err(StepError::NoToken);
            }
            self.check_tokens(tokens)?;
            total += tokens.len();
        }
        if total == 0 {
            return Err(StepError::NoToken);
        }
        hidden.kernels = self.kernels;
        hidden.slices.clear();
        let mut first = 0;
        hidden
            .slices
            .extend(slices.clone().map(|(tokens, position)| {
                let rows = first..first + tokens.len();
                first = rows.end;
                Slice { rows, position }
            }));
        let states = hidden.states.fit(total, self.shape().hidden)?;
        let texts = slices.map(|(tokens, _)| tokens);
        match embedding {
            Table::Plain(table, scale) => states.apply2(
                table,
                &Embed {
                    scale: *scale,
                    texts,
                },
            )?,
            Table::Blocks(table, scale) => states.apply1(&EmbedBlocks {
                table,
                scale: *scale,
                texts,
            })?,
        }
        let Some(table) = &self.positions else {
            return Ok(());
        };
        let before = match self.shape().design.positions {
            Positions::Learned { before, .. } => before,
            Positions::Rotary => 0,
        };
        for slice in &hidden.slices {
            let add = AddRows {
                kernels: self.kernels,
                rows: slice.rows.clone(),
                first: before + slice.position,
            };
            states.apply2(table, &add)?;
        }
        Ok(())
    }

    fn check_tokens(&self, tokens: &[u32]) -> Result<(), StepError> {
        let vocabulary = self.shape().vocabulary;
        match tokens
            .iter()
            .position(|token| *token as usize >= vocabulary)
        {
            None => Ok(()),
            Some(position) => Err(StepError::Token {
                token: tokens[position],
                position,
                vocabulary,
            }),
        }
    }
}
