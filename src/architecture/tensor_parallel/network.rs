//! What computes a half's tensors: a model, or nothing where a shape is only timed.

use super::stage::Half;
use crate::architecture::ArchitectureError;
use crate::architecture::passes::{Pass, Sequence};
use crate::numerics::{Hidden, KvCache, Rows, ShardedLlama, Values, Workspace};
use crate::radio::{Distortion, Round};
use std::fmt;

/// A divided LLaMA as the program steps it, half by half.
pub(super) trait Network: fmt::Debug {
    /// Begins a pass; returns how many tokens its sequence has already.
    ///
    /// # Errors
    /// If the model cannot take the tokens.
    fn begin(&mut self, pass: &Pass) -> Result<usize, ArchitectureError>;

    /// Every device's part of a half, summed by `round` and added to the residual stream;
    /// `None` if nothing is computed.
    ///
    /// # Errors
    /// If the forward pass or the all-reduce fails.
    fn half(
        &mut self,
        half: Half,
        layer: usize,
        round: &Round<'_>,
    ) -> Result<Option<Summed<'_>>, ArchitectureError>;

    /// The logits of the pass; `None` if nothing is computed.
    ///
    /// # Errors
    /// If the forward pass fails.
    fn logits(&mut self, rows: Rows) -> Result<Option<Values<'_>>, ArchitectureError>;
}

/// What an all-reduce made of its tensors.
#[derive(Debug)]
pub(super) struct Summed<'a> {
    /// The partial outputs, in device order.
    pub(super) parts: Vec<Values<'a>>,
    /// What every device goes on with.
    pub(super) sum: &'a [f32],
    /// Entries per token.
    pub(super) columns: usize,
    pub(super) distortion: Distortion,
}

/// A model that computes.
#[derive(Debug)]
pub(super) struct Computed {
    model: ShardedLlama,
    workspace: Workspace,
    cache: KvCache,
    sum: Vec<f32>,
    hidden: Option<Hidden>,
}

impl Computed {
    /// `model` for requests of up to `capacity` tokens.
    pub(super) fn new(model: ShardedLlama, capacity: usize) -> Result<Self, ArchitectureError> {
        Ok(Self {
            workspace: model.workspace(),
            // Any request may be the longest; one cache serves them all.
            cache: model.cache(capacity)?,
            sum: Vec::new(),
            hidden: None,
            model,
        })
    }
}

impl Network for Computed {
    fn begin(&mut self, pass: &Pass) -> Result<usize, ArchitectureError> {
        if pass.fresh {
            self.cache.clear();
        }
        let context = self.cache.tokens();
        let hidden = self.model.embed(&pass.tokens, context)?;
        self.sum.resize(hidden.tokens() * hidden.width(), 0.0);
        self.hidden = Some(hidden);
        Ok(context)
    }

    fn half(
        &mut self,
        half: Half,
        layer: usize,
        round: &Round<'_>,
    ) -> Result<Option<Summed<'_>>, ArchitectureError> {
        let Self {
            model,
            workspace,
            cache,
            sum,
            hidden,
        } = self;
        let hidden = hidden.as_mut().expect("a pass has begun");
        match half {
            Half::Attention => model.attention_on_all(layer, hidden, cache, workspace)?,
            Half::Mlp => model.mlp_on_all(layer, hidden, workspace)?,
        }
        let parts = workspace.partials()?;
        let sent: Vec<&[f32]> = parts.iter().map(|part| &**part).collect();
        let distortion = round.reduce(&sent, sum)?;
        hidden.add(sum)?;
        Ok(Some(Summed {
            parts,
            sum,
            columns: hidden.width(),
            distortion,
        }))
    }

    fn logits(&mut self, rows: Rows) -> Result<Option<Values<'_>>, ArchitectureError> {
        let hidden = self.hidden.as_ref().expect("a pass has begun");
        self.model.logits(hidden, rows, &mut self.workspace)?;
        Ok(Some(self.workspace.logits()?))
    }
}

/// A shape that is timed.
#[derive(Debug, Default)]
pub(super) struct Timed(Sequence);

impl Network for Timed {
    fn begin(&mut self, pass: &Pass) -> Result<usize, ArchitectureError> {
        Ok(self.0.extend(pass))
    }

    fn half(
        &mut self,
        _: Half,
        _: usize,
        _: &Round<'_>,
    ) -> Result<Option<Summed<'_>>, ArchitectureError> {
        Ok(None)
    }

    fn logits(&mut self, _: Rows) -> Result<Option<Values<'_>>, ArchitectureError> {
        Ok(None)
    }
}
