//! Where a step ends: which tokens' logits are wanted, and how they are made.

use super::blocks::check_slices;
use super::error::StepError;
use super::ops::SoftCap;
use super::sharded::ShardedLlama;
use super::state::{Hidden, Slice, Workspace};
use std::ops::Range;

/// Which tokens' logits are wanted of a sequence in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Those of none: of a piece of a prompt, say.
    None,
    /// Those of the last token.
    Last,
    /// Those of so many last tokens.
    Final(usize),
    /// Those of every token.
    All,
}

impl Rows {
    /// How many rows of logits that makes of so many tokens.
    pub fn count(self, tokens: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Last => 1,
            Self::Final(count) => count,
            Self::All => tokens,
        }
    }

    /// Which rows of the step those are.
    fn of(self, slice: &Slice) -> Result<Range<usize>, StepError> {
        let rows = &slice.rows;
        let count = self.count(rows.len());
        match (self, rows.len().checked_sub(count)) {
            (Self::Final(0), _) => Err(StepError::NoToken),
            (_, Some(before)) => Ok(rows.start + before..rows.end),
            (_, None) => Err(StepError::Index {
                what: "row",
                index: count - 1,
                count: rows.len(),
            }),
        }
    }
}

impl ShardedLlama {
    /// Final norm and LM head: each device makes the logits of its vocabulary
    /// rows, and [`Workspace::logits`] are all of them, \[rows × vocabulary\], with
    /// the same bits on any number of devices.
    ///
    /// # Errors
    /// If the workspace is another model's, more rows are asked for than the step
    /// has tokens, or none in number, the step has several slices, or the model does not
    /// cover the head.
    pub fn logits(
        &self,
        hidden: &Hidden,
        rows: Rows,
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        self.logits_slices(hidden, &[rows], workspace)
    }

    /// [`ShardedLlama::logits`] of a step of several slices, with the rows wanted of each in
    /// their order: the rows of one slice come after those of the other. If none is wanted of
    /// any, there are no logits.
    ///
    /// # Errors
    /// As for [`ShardedLlama::logits`], and if there is not one choice of rows per slice.
    pub fn logits_slices(
        &self,
        hidden: &Hidden,
        rows: &[Rows],
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        self.check_workspace(workspace)?;
        if !self.plan.parts().head {
            return Err(self.not_held("the LM head"));
        }
        check_slices("choices of rows", rows.len(), hidden)?;
        let kernels = self.kernels;
        let wanted = hidden.slices.iter().zip(rows);
        let mut count = 0;
        for (slice, rows) in wanted.clone() {
            count += rows.of(slice)?.len();
        }
        let wanted = wanted.map(|(slice, rows)| rows.of(slice).unwrap_or_default());
        let all = workspace.logits.fit(count, self.shape().vocabulary)?;
        if count == 0 {
            return Ok(());
        }
        for (device, part) in self.parts.iter().enumerate() {
            let Some(weights) = &part.head else { continue };
            let buffers = &mut workspace.devices[device];
            let normed = buffers.normed.fit(count, hidden.width())?;
            let states = hidden.states.tensor();
            self.norm.apply(kernels, states, wanted.clone(), normed)?;
            if weights.outputs() == self.shape().vocabulary {
                weights.multiply(kernels, normed.tensor(), all)?;
                continue;
            }
            let own = buffers.logits.fit(count, weights.outputs())?;
            weights.multiply(kernels, normed.tensor(), own)?;
            all.place_columns(own, self.plan.shards()[device].rows.start)?;
        }
        if let Some(cap) = self.shape().design.logit_cap {
            all.apply1(&SoftCap { kernels, cap })?;
        }
        Ok(())
    }
}
