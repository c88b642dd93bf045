//! The blocks of a Mixtral's step, and the published order of them.

use super::super::error::StepError;
use super::super::ops::{Project, RmsNorm, Softmax};
use super::super::routing::{Routing, top_experts};
use super::super::sharded::Rows;
use super::super::state::{Hidden, KvCache, Workspace, check_length};
use super::{Mixtral, SparseLayer};

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

    /// Attention of `layer` over the cache grown by the step's tokens, added to the
    /// hidden states: x ← x + O(attention(norm(x))).
    ///
    /// # Errors
    /// If there is no such layer, it is out of turn, the cache is full, or cache or
    /// workspace are another model's.
    pub fn attend(
        &self,
        layer: usize,
        hidden: &mut Hidden,
        cache: &mut KvCache,
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        self.trunk.attention(layer, 0, hidden, cache, workspace)?;
        hidden.add(workspace.partial(0)?)
    }

    /// What the router of `layer` says of the step's tokens: their normalised
    /// states, and the softmax of its logits over all experts.
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
        let norm = RmsNorm {
            kernels,
            epsilon: self.config().norm_epsilon,
            first: 0,
        };
        let inputs = routing.inputs.fit(tokens, hidden.width());
        inputs.apply3(&hidden.states, &layer.norm, &norm)?;
        let weights = routing.weights.fit(tokens, layer.router.outputs());
        let project = Project {
            kernels,
            weights: &layer.router,
        };
        weights.apply2(inputs, &project)?;
        weights.apply1(&Softmax { kernels })
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
        let experts = &self.layer(layer)?.experts;
        let network = experts.get(expert).ok_or(StepError::Index {
            what: "expert",
            index: expert,
            count: experts.len(),
        })?;
        let width = self.shape().hidden;
        let rows = inputs.len() / width;
        check_length("the expert's inputs", inputs.len(), rows, width)?;
        check_length("the expert's outputs", outputs.len(), rows, width)?;
        network.compute(self.kernels, inputs, rows, outputs);
        Ok(())
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
        let mut sum = vec![0.0; tokens * width];
        for contribution in contributions {
            let rows = contribution.outputs.chunks_exact(width);
            let places = contribution.tokens.iter().zip(contribution.weights);
            for ((&token, &weight), output) in places.zip(rows) {
                let row = &mut sum[token * width..(token + 1) * width];
                self.kernels.add_scaled(row, weight, output);
            }
        }
        hidden.add(&sum)
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
        let mut hidden = self.embed(tokens, cache.tokens())?;
        let mut routing = Routing::default();
        for layer in 0..self.shape().layers {
            self.attend(layer, &mut hidden, cache, workspace)?;
            self.route(layer, &hidden, &mut routing)?;
            self.mix(layer, &mut hidden, &routing)?;
        }
        self.logits(&hidden, rows, workspace)
    }

    /// The published feed-forward block of `layer`.
    fn mix(&self, layer: usize, hidden: &mut Hidden, routing: &Routing) -> Result<(), StepError> {
        let (experts, active) = (self.shape().expert_count(), self.shape().active_experts());
        let width = hidden.width();
        let mut visits = vec![(Vec::new(), Vec::new()); experts];
        for token in 0..routing.tokens() {
            for (expert, weight) in top_experts(routing.weights_of(token)?, active) {
                visits[expert].0.push(token);
                visits[expert].1.push(weight);
            }
        }
        let mut outputs = Vec::with_capacity(experts);
        for (expert, (tokens, _)) in visits.iter().enumerate() {
            let mut inputs = Vec::with_capacity(tokens.len() * width);
            for &token in tokens {
                inputs.extend_from_slice(routing.input(token)?);
            }
            let mut output = vec![0.0; inputs.len()];
            self.expert(layer, expert, &inputs, &mut output)?;
            outputs.push(output);
        }
        let contributions: Vec<Contribution<'_>> = visits
            .iter()
            .zip(&outputs)
            .map(|((tokens, weights), outputs)| Contribution {
                tokens,
                weights,
                outputs,
            })
            .collect();
        self.combine(hidden, &contributions)
    }

    fn layer(&self, index: usize) -> Result<&SparseLayer, StepError> {
        self.layers.get(index).ok_or(StepError::Index {
            what: "layer",
            index,
            count: self.layers.len(),
        })
    }
}
