//! Whole steps: every block of every layer on every device, with the all-reduce
//! as a function of the caller's.
//!
//! Simulations step block by block instead, for time passes between blocks; this
//! is the same loop where it does not.

use super::error::StepError;
use super::sharded::{Rows, ShardedLlama};
use super::state::{KvCache, Workspace};

/// One of a layer's two blocks, each followed by an all-reduce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Block {
    /// Attention.
    Attention,
    /// The feed-forward network.
    Mlp,
}

impl ShardedLlama {
    /// A whole step, with `all_reduce` called after every block: it gets the
    /// devices' partial outputs in device order and writes their sum, as it came
    /// through its network, \[tokens × hidden\].
    ///
    /// The step begins where the cache ends; [`Workspace::logits`] hold its result.
    ///
    /// # Errors
    /// Those of the blocks, and of `all_reduce`.
    pub fn forward<E: From<StepError>>(
        &self,
        tokens: &[u32],
        cache: &mut KvCache,
        workspace: &mut Workspace,
        rows: Rows,
        mut all_reduce: impl FnMut(usize, Block, &[&[f32]], &mut [f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.steps(
            tokens,
            cache,
            workspace,
            rows,
            |layer, block, workspace, sum| all_reduce(layer, block, &workspace.partials()?, sum),
        )
    }

    /// [`ShardedLlama::forward`] with an ideal all-reduce: the exact partial
    /// outputs, summed in device order. Allocates nothing while the number of
    /// tokens stays the same.
    ///
    /// # Errors
    /// Those of the blocks.
    pub fn forward_ideal(
        &self,
        tokens: &[u32],
        cache: &mut KvCache,
        workspace: &mut Workspace,
        rows: Rows,
    ) -> Result<(), StepError> {
        self.steps(tokens, cache, workspace, rows, |_, _, workspace, sum| {
            sum.copy_from_slice(workspace.partial(0)?);
            for device in 1..self.devices() {
                self.kernels.add(sum, workspace.partial(device)?);
            }
            Ok(())
        })
    }

    fn steps<E: From<StepError>>(
        &self,
        tokens: &[u32],
        cache: &mut KvCache,
        workspace: &mut Workspace,
        rows: Rows,
        mut reduce: impl FnMut(usize, Block, &Workspace, &mut [f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        // Taken out of the workspace, for its buffers are lent out meanwhile.
        let (hidden, mut sum) = (workspace.hidden.take(), std::mem::take(&mut workspace.sum));
        let mut hidden = match hidden {
            Some(mut hidden) => {
                self.embed_into(tokens, cache.tokens(), &mut hidden)?;
                hidden
            }
            None => self.embed(tokens, cache.tokens())?,
        };
        sum.resize(hidden.tokens() * hidden.width(), 0.0);
        for layer in 0..self.shape().layers {
            for block in [Block::Attention, Block::Mlp] {
                match block {
                    Block::Attention => {
                        self.attention_on_all(layer, &hidden, cache, workspace)?;
                    }
                    Block::Mlp => self.mlp_on_all(layer, &hidden, workspace)?,
                }
                reduce(layer, block, workspace, &mut sum)?;
                hidden.add(&sum)?;
            }
        }
        self.logits(&hidden, rows, workspace)?;
        (workspace.hidden, workspace.sum) = (Some(hidden), sum);
        Ok(())
    }
}
