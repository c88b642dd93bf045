//! The blocks of a Mixtral's step, and the published order of them.

use super::super::error::StepError;
use super::super::feed_forward::{FeedForward, FeedForwardBuffers};
use super::super::kv_cache::KvCache;
use super::super::logits::Rows;
use super::super::matrix::Matrix;
use super::super::ops::{AddWeighted, Sigmoid, Softmax};
use super::super::routing::{Routing, strongest, top_experts};
use super::super::state::{Hidden, Workspace, check_length};
use super::{Mixtral, SparseLayer};
use candle_core::{Device, Tensor};
use std::iter;

/// What one expert made of some of a step's tokens, for [`Mixtral::combine`].
#[derive(Debug, Clone, Copy)]
pub struct Contribution<'a> {
    /// The tokens' rows in the step, each at most once.
    pub tokens: &'a [usize],
    /// The weight of each token's output.
    pub weights: &'a [f32],
    /// The outputs \[tokens × hidden\], row-major.
    pub outputs: &'a [f32],
}

impl Mixtral {
    /// The embeddings of `tokens`, the first at `position` of its sequence.
    ///
    /// # Errors
    /// If there is no token, or one is outside the vocabulary.
    pub fn embed(&self, tokens: &[u32], position: usize) -> Result<Hidden, StepError> {
        self.trunk.embed(tokens, position)
    }

    /// [`Mixtral::embed`] into states that exist.
    ///
    /// # Errors
    /// As for [`Mixtral::embed`].
    pub fn embed_into(
        &self,
        tokens: &[u32],
        position: usize,
        hidden: &mut Hidden,
    ) -> Result<(), StepError> {
        self.trunk.embed_into(tokens, position, hidden)
    }

    /// The embeddings of several sequences' tokens, each given with the position of its
    /// first: one slice of the step after the other.
    ///
    /// # Errors
    /// If there is no slice, one has no token, a token is outside the vocabulary, or the
    /// model does not cover the embedding.
    pub fn embed_slices(&self, slices: &[(&[u32], usize)]) -> Result<Hidden, StepError> {
        self.trunk.embed_slices(slices)
    }

    /// [`Mixtral::embed_slices`] into states that exist.
    ///
    /// # Errors
    /// As for [`Mixtral::embed_slices`].
    pub fn embed_slices_into(
        &self,
        slices: &[(&[u32], usize)],
        hidden: &mut Hidden,
    ) -> Result<(), StepError> {
        self.trunk.embed_slices_into(slices, hidden)
    }

    /// Attention of `layer` over the cache grown by the step's tokens, added to the
    /// hidden states: x ← x + O(attention(norm(x))).
    ///
    /// # Errors
    /// If there is no such layer or it is not covered, it is out of turn, the cache is full,
    /// the step has several slices, or cache or workspace are another model's.
    pub fn attend(
        &self,
        layer: usize,
        hidden: &mut Hidden,
        cache: &mut KvCache,
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        self.attend_slices(layer, hidden, &mut [cache], workspace)
    }

    /// [`Mixtral::attend`] in a step of several slices, whose caches are given in their
    /// order. A slice's rows have the same bits as in a step of its own.
    ///
    /// # Errors
    /// As for [`Mixtral::attend`], and if there is not one cache per slice.
    pub fn attend_slices(
        &self,
        layer: usize,
        hidden: &mut Hidden,
        caches: &mut [&mut KvCache],
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        self.trunk
            .attention_slices(layer, 0, hidden, caches, workspace)?;
        hidden.add_matrix(&workspace.devices[0].partial)
    }

    /// What the router of `layer` says of the step's tokens: their normalised
    /// states, and the softmax of its logits over all experts; and what a shared expert, if the
    /// family has one, makes of them ([`Mixtral::add_shared`]).
    ///
    /// # Errors
    /// If there is no such layer.
    pub fn route(
        &self,
        layer: usize,
        hidden: &Hidden,
        routing: &mut Routing,
    ) -> Result<(), StepError> {
        let (kernels, tokens) = (self.kernels, hidden.tokens());
        let layer = self.layer(layer)?;
        let inputs = routing.inputs.fit(tokens, hidden.width())?;
        let rows = iter::once(0..tokens);
        layer
            .norm
            .apply(kernels, hidden.states.tensor(), rows, inputs)?;
        let weights = routing.weights.fit(tokens, layer.router.outputs())?;
        layer.router.multiply(kernels, inputs.tensor(), weights)?;
        weights.apply1(&Softmax { kernels })?;
        routing.shared = match &layer.shared {
            None => None,
            Some((network, gate)) => {
                let outputs = self.compute(network, routing.inputs.tensor())?;
                let mut weights = Matrix::zeros(tokens, 1)?;
                gate.multiply(kernels, routing.inputs.tensor(), &mut weights)?;
                weights.apply1(&Sigmoid { kernels })?;
                let all: Vec<usize> = (0..tokens).collect();
                let mut weighted = Matrix::zeros(tokens, hidden.width())?;
                let weights = weights.values();
                let add = self.add_weighted(&all, &weights);
                weighted.apply2(outputs.tensor(), &add)?;
                Some(weighted)
            }
        };
        Ok(())
    }

    /// Adds to the states what every token of the step went through beside the experts that were
    /// chosen for it: nothing in a family without a shared expert.
    ///
    /// # Errors
    /// If `routing` is that of another step.
    pub fn add_shared(&self, hidden: &mut Hidden, routing: &Routing) -> Result<(), StepError> {
        let Some(shared) = &routing.shared else {
            return Ok(());
        };
        let (tokens, width) = (hidden.tokens(), hidden.width());
        check_length(
            "the shared expert's output",
            shared.values().len(),
            tokens,
            width,
        )?;
        hidden.add_matrix(shared)
    }

    /// Computes `expert` of `layer` on rows of [`Routing::inputs`], any of them in
    /// any order: `inputs` and `outputs` are \[rows × hidden\], row-major. A row's
    /// bits do not depend on the other rows.
    ///
    /// # Errors
    /// If there is no such layer or expert, or the slices differ in length or are
    /// not whole rows.
    pub fn expert(
        &self,
        layer: usize,
        expert: usize,
        inputs: &[f32],
        outputs: &mut [f32],
    ) -> Result<(), StepError> {
        let network = self.network(layer, expert)?;
        let width = self.shape().hidden;
        let rows = inputs.len() / width;
        check_length("the expert's inputs", inputs.len(), rows, width)?;
        check_length("the expert's outputs", outputs.len(), rows, width)?;
        if rows > 0 {
            let inputs = Tensor::from_slice(inputs, (rows, width), &Device::Cpu)?;
            outputs.copy_from_slice(&self.compute(network, &inputs)?.values());
        }
        Ok(())
    }

    /// The outputs of an expert for every row of `inputs`.
    fn compute(&self, network: &FeedForward, inputs: &Tensor) -> Result<Matrix, StepError> {
        let mut outputs = Matrix::default();
        let mut between = FeedForwardBuffers::default();
        network.compute(self.kernels, inputs, &mut between, &mut outputs)?;
        Ok(outputs)
    }

    /// Adds Σ_k w_jk y_jk to the hidden state of every token j.
    ///
    /// To the bit: a token's sum starts at +0 and goes on by acc ← fma(w, y, acc) in
    /// the order of `contributions`, and is then added to the state. So give them in
    /// an order that does not depend on who delivered them first, such as the
    /// experts'. A token without a contribution keeps its state.
    ///
    /// # Errors
    /// If the lengths of a contribution do not fit each other, or it names a token
    /// that is not in the step; then nothing is added.
    pub fn combine(
        &self,
        hidden: &mut Hidden,
        contributions: &[Contribution<'_>],
    ) -> Result<(), StepError> {
        let (tokens, width) = (hidden.tokens(), hidden.width());
        for contribution in contributions {
            let rows = contribution.tokens.len();
            check_length("the weights", contribution.weights.len(), rows, 1)?;
            check_length("the outputs", contribution.outputs.len(), rows, width)?;
            if let Some(&index) = contribution.tokens.iter().find(|&&token| token >= tokens) {
                return Err(StepError::Index {
                    what: "token",
                    index,
                    count: tokens,
                });
            }
        }
        let mut sum = Matrix::zeros(tokens, width)?;
        for contribution in contributions {
            let size = (contribution.tokens.len(), width);
            let outputs = Tensor::from_slice(contribution.outputs, size, &Device::Cpu)?;
            let add = self.add_weighted(contribution.tokens, contribution.weights);
            sum.apply2(&outputs, &add)?;
        }
        hidden.add_matrix(&sum)
    }

    fn add_weighted<'a>(&self, tokens: &'a [usize], weights: &'a [f32]) -> AddWeighted<'a> {
        AddWeighted {
            kernels: self.kernels,
            tokens,
            weights,
        }
    }

    /// Final norm and LM head; [`Workspace::logits`] are then \[rows × vocabulary\].
    ///
    /// # Errors
    /// As for [`ShardedLlama::logits`](crate::numerics::ShardedLlama::logits).
    pub fn logits(
        &self,
        hidden: &Hidden,
        rows: Rows,
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        self.trunk.logits(hidden, rows, workspace)
    }

    /// [`Mixtral::logits`] of a step of several slices, with the rows wanted of each in
    /// their order.
    ///
    /// # Errors
    /// As for [`ShardedLlama::logits_slices`](crate::numerics::ShardedLlama::logits_slices).
    pub fn logits_slices(
        &self,
        hidden: &Hidden,
        rows: &[Rows],
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        self.trunk.logits_slices(hidden, rows, workspace)
    }

    /// A whole step with the published choice of experts: each token goes to the
    /// `active` ones of the greatest weights ([`top_experts`]), and contributions
    /// are added by ascending expert. It begins where the cache ends;
    /// [`Workspace::logits`] hold its result.
    ///
    /// # Errors
    /// Those of the blocks.
    pub fn forward(
        &self,
        tokens: &[u32],
        cache: &mut KvCache,
        workspace: &mut Workspace,
        rows: Rows,
    ) -> Result<(), StepError> {
        self.forward_slices(&[tokens], &mut [cache], workspace, &[rows])
    }

    /// [`Mixtral::forward`] of several sequences at once, each with its cache and the rows of
    /// logits wanted of it, in the same order.
    ///
    /// # Errors
    /// Those of the blocks.
    pub fn forward_slices(
        &self,
        tokens: &[&[u32]],
        caches: &mut [&mut KvCache],
        workspace: &mut Workspace,
        rows: &[Rows],
    ) -> Result<(), StepError> {
        let mut hidden = Hidden::empty(self.kernels);
        self.trunk.embed_texts(tokens, caches, &mut hidden)?;
        let mut routing = Routing::default();
        for layer in 0..self.shape().layers {
            self.attend_slices(layer, &mut hidden, caches, workspace)?;
            self.route(layer, &hidden, &mut routing)?;
            self.mix(layer, &mut hidden, &routing)?;
        }
        self.logits_slices(&hidden, rows, workspace)
    }

    /// The published feed-forward block of `layer`, added to the hidden states: every token
    /// visits the `active` experts of the greatest weights.
    ///
    /// # Errors
    /// If there is no such layer.
    pub fn mix(
        &self,
        layer: usize,
        hidden: &mut Hidden,
        routing: &Routing,
    ) -> Result<(), StepError> {
        let (experts, active) = (self.shape().expert_count(), self.shape().active_experts());
        let choose = match self.shape().design.sums_to_one {
            true => top_experts,
            false => strongest,
        };
        let mut visits = vec![(Vec::new(), Vec::new()); experts];
        for token in 0..routing.tokens() {
            for (expert, weight) in choose(&routing.weights_of(token)?, active) {
                visits[expert].0.push(token);
                visits[expert].1.push(weight);
            }
        }
        let mut sum = Matrix::zeros(hidden.tokens(), hidden.width())?;
        for (expert, (tokens, weights)) in visits.iter().enumerate() {
            if tokens.is_empty() {
                continue;
            }
            let rows = tokens.iter().map(|&token| token as u32);
            let rows = Tensor::from_iter(rows, &Device::Cpu)?;
            let inputs = routing.inputs.tensor().index_select(&rows, 0)?;
            let outputs = self.compute(self.network(layer, expert)?, &inputs)?;
            sum.apply2(outputs.tensor(), &self.add_weighted(tokens, weights))?;
        }
        hidden.add_matrix(&sum)?;
        self.add_shared(hidden, routing)
    }

    fn network(&self, layer: usize, expert: usize) -> Result<&FeedForward, StepError> {
        let experts = &self.layer(layer)?.experts;
        experts.get(expert).ok_or(StepError::Index {
            what: "expert",
            index: expert,
            count: experts.len(),
        })
    }

    fn layer(&self, index: usize) -> Result<&SparseLayer, StepError> {
        Ok(&self.layers[self.trunk.place(index)?])
    }
}
