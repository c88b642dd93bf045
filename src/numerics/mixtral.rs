//! A Mixtral, stepped block by block, with its experts apart.
//!
//! Jiang et al. 2024 (arXiv:2401.04088), section 2.1: a LLaMA whose feed-forward
//! networks are mixtures of experts. For a token with normalised state x the
//! router's weights are w = softmax(x · W_g) over all experts, and the block adds
//! Σ_k w'_k E_k(x) over the chosen ones, w' being their weights divided by their
//! sum. Which experts see which tokens is the caller's choice: [`Mixtral::route`]
//! says what the router thinks, [`Mixtral::expert`] computes one expert on any
//! rows, [`Mixtral::combine`] adds weighted outputs wherever they came from. So an
//! expert may sit across a network, or be left out. One step:
//!
//! ```text
//! embed ─▶ for each layer:  attend ─▶ route ─▶ expert on its rows … ─▶ combine
//!       ─▶ logits
//! ```
//!
//! [`Mixtral::forward`] is that loop with the published choice, the top-k.
//!
//! Law: a row's result has the same bits whether its token comes alone or with
//! others, on any kernels and any number of threads.

use super::buffer::Buffer;
use super::checkpoint::FileDigest;
use super::config::ModelConfig;
use super::error::{LoadError, StepError};
use super::expert::Expert;
use super::folder::Published;
use super::kernels::{Kernels, Packed};
use super::ops::{Project, RmsNorm, Softmax};
use super::packing::pack;
use super::routing::{Routing, top_experts};
use super::sharded::{Rows, ShardedLlama};
use super::source;
use super::state::{Hidden, KvCache, Workspace};
use super::weights::{FeedForwardWeights, Weights};
use crate::model::{Architecture, ModelShape, ShardPlan};
use crate::rng::Stream;
use candle_core::Tensor;
use std::collections::BTreeMap;
use std::path::Path;

/// A Mixtral, packed on the kernels that this process runs on.
#[derive(Debug)]
pub struct Mixtral {
    /// Everything but the feed-forward networks, on one device.
    trunk: ShardedLlama,
    layers: Vec<SparseLayer>,
    kernels: Kernels,
    weights: Weights,
    digests: Vec<FileDigest>,
}

/// A layer's mixture of experts, with the norm before it.
#[derive(Debug)]
struct SparseLayer {
    norm: Buffer,
    router: Packed,
    experts: Vec<Expert>,
}

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
    /// Loads a Hugging Face folder: `config.json` and `model.safetensors`, or the
    /// shards that `model.safetensors.index.json` lists, in f32, f16 or bf16, with
    /// one tensor per expert and matrix.
    ///
    /// The shape's precisions become that of the stored weights.
    ///
    /// # Errors
    /// If a file is missing or damaged, the architecture is another, a tensor is
    /// missing or has another shape, or the kernels cannot be had; the error says
    /// which, what was expected and what to do.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let published = Published::load(folder, Architecture::Mixtral)?;
        let packed = Kernels::active()
            .map_err(StepError::from)
            .and_then(|kernels| Self::pack(published.config, published.weights, kernels));
        let mixtral = packed.map_err(|error| LoadError::Config {
            path: folder.to_owned(),
            fault: error.to_string(),
        })?;
        Ok(Self {
            digests: published.digests,
            ..mixtral
        })
    }

    /// A Mixtral with random f32 weights: norms 1, embedding entries standard
    /// normal, matrix entries normal with variance 1 / inputs. Tensors are drawn in
    /// the order: embedding; per layer norm, q, k, v, o, norm, router, then each
    /// expert's w₁, w₂, w₃; norm, LM head.
    ///
    /// # Errors
    /// If the shape is not that of a Mixtral, or the kernels cannot be had.
    pub fn random(shape: &ModelShape, stream: &mut Stream) -> Result<Self, StepError> {
        let config = ModelConfig::plain(shape);
        let weights = source::gather(&config, Architecture::Mixtral, source::random(stream))?;
        Self::pack(config, weights, Kernels::active()?)
    }

    /// A Mixtral from tensors by their published names.
    ///
    /// # Errors
    /// If the shape is not that of a Mixtral, a tensor is missing or has another
    /// shape, or the kernels cannot be had.
    pub fn from_tensors(
        config: ModelConfig,
        tensors: &BTreeMap<String, Tensor>,
    ) -> Result<Self, StepError> {
        let weights = source::gather(&config, Architecture::Mixtral, source::named(tensors))?;
        Self::pack(config, weights, Kernels::active()?)
    }

    /// The same model on chosen kernels; results do not depend on the choice.
    ///
    /// # Errors
    /// If the weights cannot be packed.
    pub fn on(&self, kernels: Kernels) -> Result<Self, StepError> {
        let packed = Self::pack(self.config().clone(), self.weights.clone(), kernels)?;
        Ok(Self {
            digests: self.digests.clone(),
            ..packed
        })
    }

    fn pack(config: ModelConfig, weights: Weights, kernels: Kernels) -> Result<Self, StepError> {
        let shape = &config.shape;
        let plan = ShardPlan::whole(shape)?;
        let trunk = ShardedLlama::pack(&config, &weights, &plan, kernels)?;
        let mut layers = Vec::with_capacity(shape.layers);
        for layer in &weights.layers {
            let FeedForwardWeights::Sparse { router, experts } = &layer.feed_forward else {
                unreachable!("a Mixtral's weights are gathered with experts")
            };
            let experts = experts.iter().map(|expert| Expert::pack(expert, shape));
            layers.push(SparseLayer {
                norm: Buffer::copy_of(&layer.mlp_norm)?,
                router: pack(&[(router, 0..shape.expert_count(), 0..shape.hidden)])?,
                experts: experts.collect::<Result<_, _>>()?,
            });
        }
        Ok(Self {
            trunk,
            layers,
            kernels,
            weights,
            digests: Vec::new(),
        })
    }

    /// The shape of the model.
    pub fn shape(&self) -> &ModelShape {
        self.trunk.shape()
    }

    /// Everything about the model that is not a weight.
    pub fn config(&self) -> &ModelConfig {
        self.trunk.config()
    }

    /// A tensor by its published name, as stored, or `None` if there is none such.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.weights.tensor(name)
    }

    /// Digests of the files it was loaded from; none for a model made here.
    pub fn digests(&self) -> &[FileDigest] {
        &self.digests
    }

    /// An empty cache for a request of up to `capacity` tokens.
    ///
    /// # Errors
    /// If the model was made for fewer positions.
    pub fn cache(&self, capacity: usize) -> Result<KvCache, StepError> {
        self.trunk.cache(capacity)
    }

    /// Buffers for stepping this model.
    pub fn workspace(&self) -> Workspace {
        self.trunk.workspace()
    }

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
    /// As for [`ShardedLlama::logits`].
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

fn check_length(
    what: &'static str,
    found: usize,
    tokens: usize,
    width: usize,
) -> Result<(), StepError> {
    let expected = tokens * width;
    if found == expected {
        return Ok(());
    }
    Err(StepError::Length {
        what,
        found,
        expected,
        tokens,
        width,
    })
}
