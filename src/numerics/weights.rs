//! The weights of a model as it is published: whole matrices by their published
//! names, in their stored precision. Stepping happens elsewhere, on packed shards.
//!
//! One list of names and shapes serves every source: a folder, random numbers, a
//! training run's variables. Its order is the order in which random weights are
//! drawn, so it must not change.

use super::config::ModelConfig;
use super::families::Names;
use super::stored::Stored;
use crate::model::{Architecture, Design, ModelShape, Norm, Positions};
use candle_core::Tensor;
use std::collections::BTreeMap;

/// One layer's matrices and norms.
#[derive(Debug, Clone)]
pub(super) struct LayerWeights {
    pub(super) attention_norm: NormWeights,
    pub(super) query: Linear,
    pub(super) key: Linear,
    pub(super) value: Linear,
    /// Norms of each head of queries and of keys: \[entries per head\].
    pub(super) head_norms: Option<[Tensor; 2]>,
    pub(super) output: Linear,
    /// The norm of the attention's output, if there is one.
    pub(super) attention_after: Option<NormWeights>,
    pub(super) mlp_norm: NormWeights,
    /// What follows that norm.
    pub(super) feed_forward: FeedForwardWeights,
    /// The norm of its output, if there is one.
    pub(super) mlp_after: Option<NormWeights>,
}

/// A product's matrix, \[outputs, inputs\], and its bias, if it has one.
#[derive(Debug, Clone)]
pub(super) struct Linear {
    pub(super) weight: Stored,
    pub(super) bias: Option<Tensor>,
}

/// A norm's weights, and its biases, if it has some.
#[derive(Debug, Clone)]
pub(super) struct NormWeights {
    pub(super) weight: Tensor,
    pub(super) bias: Option<Tensor>,
}

/// A layer's feed-forward network.
#[derive(Debug, Clone)]
pub(super) enum FeedForwardWeights {
    /// One network, which every token goes through.
    Dense(NetworkWeights),
    /// A mixture of experts.
    Sparse {
        /// \[experts, h\].
        router: Tensor,
        /// The first, the second, …
        experts: Vec<NetworkWeights>,
        /// One that every token goes through, and the gate of its output, \[1, h\].
        shared: Option<(NetworkWeights, Tensor)>,
    },
}

/// down · (f(gate · x) ⊙ (up · x)), or down · f(up · x) without a gate.
#[derive(Debug, Clone)]
pub(super) struct NetworkWeights {
    pub(super) gate: Option<Linear>,
    pub(super) up: Linear,
    pub(super) down: Linear,
}

/// All of them.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    pub(super) embedding: Stored,
    /// Of learned positions: \[rows, h\].
    pub(super) positions: Option<Tensor>,
    pub(super) layers: Vec<LayerWeights>,
    pub(super) norm: NormWeights,
    /// The embedding itself where the two are tied.
    pub(super) head: Stored,
    /// Whether that is so.
    tied: bool,
    by_name: BTreeMap<String, Tensor>,
}

impl Weights {
    /// Gathers the weights of `config` from `source`, which is asked for each
    /// tensor by name and shape: matrices are \[outputs, inputs\], norms \[h\].
    pub(super) fn gather<E: From<candle_core::Error>>(
        config: &ModelConfig,
        mut source: impl FnMut(&str, &[usize]) -> Result<Stored, E>,
    ) -> Result<Self, E> {
        let (shape, names) = (&config.shape, config.names);
        let mut by_name = BTreeMap::new();
        let mut source = |name: &str, sizes: &[usize]| -> Result<Stored, E> {
            let tensor = source(name, sizes)?;
            // Blocks have no name: whoever takes some of their rows would keep them all.
            if let Some(plain) = tensor.as_plain() {
                by_name.insert(name.to_owned(), plain.clone());
            }
            Ok(tensor)
        };
        let hidden = shape.hidden;
        let embedding = source(&weight(names.embedding), &[shape.vocabulary, hidden])?;
        let positions = match shape.design.positions {
            Positions::Rotary => None,
            Positions::Learned { positions, before } => {
                let sizes = [positions + before, hidden];
                Some(source(&weight(names.positions), &sizes)?.plain()?)
            }
        };
        let mut layers = Vec::with_capacity(shape.layers);
        for layer in 0..shape.layers {
            let layer = Layer {
                prefix: format!("{}.{layer}", names.layers),
                names,
                shape,
                design: &shape.design,
                source: &mut source,
            };
            layers.push(layer.gather()?);
        }
        let mut final_norm = Layer {
            prefix: String::new(),
            names,
            shape,
            design: &shape.design,
            source: &mut source,
        };
        let norm = final_norm.norm(names.norm)?;
        let head = if shape.tied_embeddings {
            embedding.clone()
        } else {
            source(&weight(names.head), &[shape.vocabulary, hidden])?
        };
        Ok(Self {
            embedding,
            positions,
            layers,
            norm,
            head,
            tied: shape.tied_embeddings,
            by_name,
        })
    }

    /// Whether the head is the embedding.
    pub(super) fn is_tied(&self) -> bool {
        self.tied
    }

    /// Gives up tensors by their names: what is in place of them is not what was published.
    pub(super) fn forget_names(&mut self) {
        self.by_name.clear();
    }

    /// A tensor by its published name, unless it is in blocks.
    pub(super) fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.by_name.get(name)
    }
}

fn weight(name: &str) -> String {
    format!("{name}.weight")
}

/// One layer on its way from a source.
struct Layer<'a, S> {
    prefix: String,
    names: &'a Names,
    shape: &'a ModelShape,
    design: &'a Design,
    source: &'a mut S,
}

impl<E: From<candle_core::Error>, S: FnMut(&str, &[usize]) -> Result<Stored, E>> Layer<'_, S> {
    fn gather(mut self) -> Result<LayerWeights, E> {
        let (names, design) = (self.names, self.design);
        let dim = self.shape.head_dim;
        let attention_norm = self.norm(names.attention_norm)?;
        let [query, key, value] = self.query_key_value()?;
        let head_norms = match design.head_norms {
            true => {
                let query = self.tensor(&weight(names.query_norm), &[dim])?;
                Some([query, self.tensor(&weight(names.key_norm), &[dim])?])
            }
            false => None,
        };
        let sizes = [self.shape.hidden, self.shape.heads * dim];
        let output = self.linear(names.output, sizes, design.biases.attention_output)?;
        let attention_after = self.norm_after(names.attention_after)?;
        let mlp_norm = self.norm(names.mlp_norm)?;
        let feed_forward = match self.shape.architecture {
            Architecture::Llama => FeedForwardWeights::Dense(self.dense()?),
            Architecture::Mixtral => self.sparse()?,
        };
        let mlp_after = self.norm_after(names.mlp_after)?;
        Ok(LayerWeights {
            attention_norm,
            query,
            key,
            value,
            head_norms,
            output,
            attention_after,
            mlp_norm,
            feed_forward,
            mlp_after,
        })
    }

    fn tensor(&mut self, name: &str, sizes: &[usize]) -> Result<Tensor, E> {
        Ok(self.stored(name, sizes)?.plain()?)
    }

    fn stored(&mut self, name: &str, sizes: &[usize]) -> Result<Stored, E> {
        match self.prefix.is_empty() {
            true => (self.source)(name, sizes),
            false => (self.source)(&format!("{}.{name}", self.prefix), sizes),
        }
    }

    fn norm(&mut self, name: &str) -> Result<NormWeights, E> {
        let hidden = self.shape.hidden;
        let weights = self.tensor(&weight(name), &[hidden])?;
        let bias = match self.design.norm {
            Norm::Rms => None,
            Norm::Layer => Some(self.tensor(&format!("{name}.bias"), &[hidden])?),
        };
        Ok(NormWeights {
            weight: weights,
            bias,
        })
    }

    fn norm_after(&mut self, name: &str) -> Result<Option<NormWeights>, E> {
        match self.design.norms_after {
            true => self.norm(name).map(Some),
            false => Ok(None),
        }
    }

    fn linear(&mut self, name: &str, sizes: [usize; 2], biased: bool) -> Result<Linear, E> {
        let matrix = self.stored(&weight(name), &sizes)?;
        let bias = match biased {
            true => Some(self.tensor(&format!("{name}.bias"), &sizes[..1])?),
            false => None,
        };
        Ok(Linear {
            weight: matrix,
            bias,
        })
    }

    /// Products of `rows` each that stand one below the other in one tensor.
    fn joined<const N: usize>(
        &mut self,
        name: &str,
        rows: [usize; N],
        biased: bool,
    ) -> Result<[Linear; N], E> {
        let sizes = [rows.iter().sum(), self.shape.hidden];
        let all = self.linear(name, sizes, biased)?;
        let mut parts = Vec::with_capacity(N);
        let mut first = 0;
        for count in rows {
            // A stand-in while a file's header is checked has no rows.
            let weight = match all.weight.first_size() {
                Some(rows) if rows == sizes[0] => all.weight.rows(first, count)?,
                _ => all.weight.clone(),
            };
            let bias = all.bias.as_ref().map(|bias| match bias.dims().first() {
                Some(rows) if *rows == sizes[0] => bias.narrow(0, first, count),
                _ => Ok(bias.clone()),
            });
            parts.push(Linear {
                weight,
                bias: bias.transpose()?,
            });
            first += count;
        }
        let parts: Result<[Linear; N], _> = parts.try_into();
        Ok(parts.unwrap_or_else(|_| unreachable!("one part per number of rows")))
    }

    fn query_key_value(&mut self) -> Result<[Linear; 3], E> {
        let (names, shape) = (self.names, self.shape);
        let biased = self.design.biases.queries_keys_values;
        let queries = shape.heads * shape.head_dim;
        let keys = shape.kv_heads * shape.head_dim;
        if let Some(name) = names.query_key_value {
            return self.joined(name, [queries, keys, keys], biased);
        }
        Ok([
            self.linear(names.query, [queries, shape.hidden], biased)?,
            self.linear(names.key, [keys, shape.hidden], biased)?,
            self.linear(names.value, [keys, shape.hidden], biased)?,
        ])
    }

    fn dense(&mut self) -> Result<NetworkWeights, E> {
        let (names, shape) = (self.names, self.shape);
        let biased = self.design.biases.feed_forward;
        let sizes = [shape.ffn, shape.hidden];
        let (gate, up) = match (self.design.gated, names.gate_up) {
            (true, Some(name)) => {
                let [gate, up] = self.joined(name, [shape.ffn; 2], biased)?;
                (Some(gate), up)
            }
            (true, None) => {
                let gate = self.linear(names.gate, sizes, biased)?;
                (Some(gate), self.linear(names.up, sizes, biased)?)
            }
            (false, _) => (None, self.linear(names.up, sizes, biased)?),
        };
        let down = self.linear(names.down, [shape.hidden, shape.ffn], biased)?;
        Ok(NetworkWeights { gate, up, down })
    }

    fn sparse(&mut self) -> Result<FeedForwardWeights, E> {
        let (names, shape) = (self.names, self.shape);
        let count = shape.expert_count();
        let router = self.tensor(&weight(names.router), &[count, shape.hidden])?;
        let mut experts = Vec::with_capacity(count);
        for expert in 0..count {
            let prefix = format!("{}.{expert}", names.experts);
            experts.push(self.expert(&prefix, shape.ffn)?);
        }
        let shared = match self.design.shared_expert {
            Some(columns) => {
                let network = self.expert(names.shared, columns)?;
                let gate = self.tensor(&weight(names.shared_gate), &[1, shape.hidden])?;
                Some((network, gate))
            }
            None => None,
        };
        Ok(FeedForwardWeights::Sparse {
            router,
            experts,
            shared,
        })
    }

    /// Random experts are drawn in this order: gate, down, up.
    fn expert(&mut self, prefix: &str, columns: usize) -> Result<NetworkWeights, E> {
        let names = &self.names.expert;
        let (into, out) = ([columns, self.shape.hidden], [self.shape.hidden, columns]);
        let mut part = |name: &str, sizes| self.linear(&format!("{prefix}.{name}"), sizes, false);
        let gate = part(names.gate, into)?;
        let down = part(names.down, out)?;
        Ok(NetworkWeights {
            gate: Some(gate),
            up: part(names.up, into)?,
            down,
        })
    }
}
