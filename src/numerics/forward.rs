//! Whole steps: every sublayer of every layer on every device, with the all-reduce
//! as a function of the caller's.
//!
//! Simulations step sublayer by sublayer instead, for time passes between sublayers; this
//! is the same loop where it does not.

use super::error::StepError;
use super::kv_cache::KvCache;
use super::logits::Rows;
use super::matrix::Matrix;
use super::ops::Add;
use super::sharded::ShardedLlama;
use super::state::{Hidden, WholeStep, Workspace};

/// One of a layer's two sublayers, each followed by an all-reduce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sublayer {
    /// Self-attention, sharded by heads.
    Attention,
    /// The feed-forward network, sharded by columns.
    Mlp,
}

impl Sublayer {
    /// Its place among the sublayers of a layer.
    pub(crate) fn place(self) -> u64 {
        self as u64
    }
}

impl ShardedLlama {
    /// A whole step, with `all_reduce` called after every sublayer: it gets the
    /// devices' partial outputs in device order and writes their sum, as it came
    /// through its network, \[tokens × hidden\].
    ///
    /// The step begins where the cache ends; [`Workspace::logits`] hold its result.
    ///
    /// # Errors
    /// Those of the sublayers, and of `all_reduce`.
    pub fn forward<E: From<StepError>>(
        &self,
        tokens: &[u32],
        cache: &mut KvCache,
        workspace: &mut Workspace,
        rows: Rows,
        mut all_reduce: impl FnMut(usize, Sublayer, &[&[f32]], &mut [f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut sum = Vec::new();
        let (tokens, caches) = (&[tokens], &mut [cache]);
        self.steps(
            tokens,
            caches,
            workspace,
            &[rows],
            |at, workspace, whole| {
                let partials = workspace.partials()?;
                let partials: Vec<&[f32]> = partials.iter().map(|partial| &**partial).collect();
                sum.resize(partials[0].len(), 0.0);
                all_reduce(at.0, at.1, &partials, &mut sum)?;
                Ok(self.add(at.0, at.1, &mut whole.hidden, &sum)?)
            },
        )
    }

    /// [`ShardedLlama::forward`] with an ideal all-reduce: the exact partial
    /// outputs, summed in device order. Allocates nothing while the number of
    /// tokens stays the same.
    ///
    /// # Errors
    /// Those of the sublayers.
    pub fn forward_ideal(
        &self,
        tokens: &[u32],
        cache: &mut KvCache,
        workspace: &mut Workspace,
        rows: Rows,
    ) -> Result<(), StepError> {
        self.forward_slices_ideal(&[tokens], &mut [cache], workspace, &[rows])
    }

    /// [`ShardedLlama::forward_ideal`] of several sequences at once, each with its cache and
    /// the rows of logits wanted of it, in the same order; see
    /// [`ShardedLlama::logits_slices`]. Allocates nothing while the number of sequences and of
    /// tokens stays the same.
    ///
    /// # Errors
    /// Those of the sublayers.
    pub fn forward_slices_ideal(
        &self,
        tokens: &[&[u32]],
        caches: &mut [&mut KvCache],
        workspace: &mut Workspace,
        rows: &[Rows],
    ) -> Result<(), StepError> {
        let kernels = self.kernels;
        self.steps(tokens, caches, workspace, rows, |at, workspace, whole| {
            let [first, others @ ..] = &workspace.devices[..] else {
                unreachable!("a plan has a device")
            };
            let WholeStep { hidden, sum } = whole;
            let sum = sum.fit(hidden.tokens(), hidden.width())?;
            sum.copy_from(&first.partial)?;
            for other in others {
                sum.apply2(other.partial.tensor(), &Add { kernels })?;
            }
            self.add_matrix(at.0, at.1, hidden, sum)
        })
    }

    /// The states of a step that begins where each sequence's cache ends.
    pub(super) fn embed_texts(
        &self,
        tokens: &[&[u32]],
        caches: &[&mut KvCache],
        hidden: &mut Hidden,
    ) -> Result<(), StepError> {
        if tokens.len() != caches.len() {
            return Err(StepError::Slices {
                what: "caches",
                found: caches.len(),
                expected: tokens.len(),
            });
        }
        let texts = tokens.iter().copied();
        let positions = caches.iter().map(|cache| cache.tokens());
        self.embed_all(texts.zip(positions), hidden)
    }

    /// A whole step; `reduce` adds to its states what a sublayer's partial outputs come to.
    fn steps<E: From<StepError>>(
        &self,
        tokens: &[&[u32]],
        caches: &mut [&mut KvCache],
        workspace: &mut Workspace,
        rows: &[Rows],
        mut reduce: impl FnMut((usize, Sublayer), &Workspace, &mut WholeStep) -> Result<(), E>,
    ) -> Result<(), E> {
        // Taken out of the workspace, for its buffers are lent out meanwhile.
        let mut whole = workspace.whole.take().unwrap_or_else(|| WholeStep {
            hidden: Hidden::empty(self.kernels),
            sum: Matrix::default(),
        });
        self.embed_texts(tokens, caches, &mut whole.hidden)?;
        for layer in 0..self.shape().layers {
            self.attention_slices_on_all(layer, &whole.hidden, caches, workspace)?;
            reduce((layer, Sublayer::Attention), workspace, &mut whole)?;
            self.mlp_on_all(layer, &whole.hidden, workspace)?;
            reduce((layer, Sublayer::Mlp), workspace, &mut whole)?;
        }
        self.logits_slices(&whole.hidden, rows, workspace)?;
        workspace.whole = Some(whole);
        Ok(())
    }
}
