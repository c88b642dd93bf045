//! The network that is trained: Hugging Face's `LlamaForCausalLM`, or with experts
//! its `MixtralForCausalLM`, with tied embeddings, as differentiable candle operations
//! over named variables.
//!
//! Block: x ← x + O(attention(norm(x))), x ← x + W_down(silu(W_gate n) ⊙ W_up n)
//! with n = norm(x); logits = norm(x) Eᵀ (Touvron et al. 2023, section 2.2).
//! Inference has an implementation of its own; this one must never serve it.

use rand::RngExt;
use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Result, Tensor, Var};

use super::batch::Batch;
use super::config::{Distilling, NetworkConfig};
use super::experts::{Mixed, Routing};
use super::ops::{
    CausalSoftmax, CrossEntropy, Distillation, NO_TARGET, RmsNorm, Rotation, SplitHeads, SwiGlu,
};
use crate::rng::{NO_DEVICE, Streams};

/// Standard deviation of the initial matrices (GPT-2's and LLaMA's choice).
const INITIAL_DEVIATION: f64 = 0.02;

/// A forward pass.
pub(super) struct Pass {
    /// `[positions, vocabulary]`.
    pub(super) logits: Tensor,
    /// What each layer's sparse block did; none in a LLaMA.
    pub(super) mixed: Vec<Mixed>,
}

/// The trainable network: its variables by Hugging Face name, in name order.
pub(super) struct Network {
    config: NetworkConfig,
    window: usize,
    variables: BTreeMap<String, Var>,
    rotation: Arc<Rotation>,
}

impl Network {
    /// A network with seeded random weights: normal with deviation 0.02, for the
    /// matrices that write to the residual stream divided by √(2·layers), and 1
    /// for the norms.
    pub(super) fn new(
        config: &NetworkConfig,
        vocabulary: usize,
        window: usize,
        seed: u64,
    ) -> Result<Self> {
        let streams = Streams { seed, run: 0 };
        let mut variables = BTreeMap::new();
        let output = INITIAL_DEVIATION / (2.0 * config.layers as f64).sqrt();
        for (index, (name, shape)) in shapes(config, vocabulary).into_iter().enumerate() {
            let count = shape.iter().product();
            let values = if shape.len() == 1 {
                vec![1f32; count]
            } else {
                let writes_to_residual = ["o_proj", "down_proj", "w2"]
                    .iter()
                    .any(|matrix| name.ends_with(&format!("{matrix}.weight")));
                let deviation = if writes_to_residual {
                    output
                } else {
                    INITIAL_DEVIATION
                };
                let mut stream = streams.open("train.weights", NO_DEVICE, index as u64);
                (0..count)
                    .map(|_| {
                        // Box and Muller 1958; 1 − u lies in (0, 1].
                        let radius = (-2.0 * libm::log(1.0 - stream.random::<f64>())).sqrt();
                        let angle = 2.0 * std::f64::consts::PI * stream.random::<f64>();
                        (deviation * radius * libm::cos(angle)) as f32
                    })
                    .collect()
            };
            let tensor = Tensor::from_vec(values, shape, &Device::Cpu)?;
            variables.insert(name, Var::from_tensor(&tensor)?);
        }
        Ok(Self {
            config: config.clone(),
            window,
            variables,
            rotation: Arc::new(Rotation::new(
                window,
                config.hidden / config.heads,
                config.rope_theta,
            )),
        })
    }

    /// The variables in name order.
    pub(super) fn variables(&self) -> &BTreeMap<String, Var> {
        &self.variables
    }

    /// The number of trained numbers.
    pub(super) fn parameters(&self) -> usize {
        self.variables.values().map(|var| var.elem_count()).sum()
    }

    fn weight(&self, name: &str) -> &Tensor {
        self.variables[name].as_tensor()
    }

    /// Logits `[positions, vocabulary]`.
    pub(super) fn logits(&self, batch: &Batch) -> Result<Tensor> {
        Ok(self.pass(batch)?.logits)
    }

    /// A forward pass with what its routers did.
    pub(super) fn pass(&self, batch: &Batch) -> Result<Pass> {
        let embeddings = self.weight("model.embed_tokens.weight");
        let inputs = Tensor::new(batch.inputs.as_slice(), &Device::Cpu)?;
        let mut x = embeddings.index_select(&inputs, 0)?;
        let mut mixed = Vec::new();
        for layer in 0..self.config.layers {
            x = self.block(layer, x, batch, &mut mixed)?;
        }
        let logits = self
            .norm(&x, "model.norm.weight")?
            .matmul(&embeddings.t()?)?;
        Ok(Pass { logits, mixed })
    }

    /// `weight` times the summed cross-entropy of the batch's targets, and what to
    /// descend: that sum and the layers' mean load-balancing loss, the latter by
    /// the batch's share of all targets. With a teacher's logits of the same batch it is
    /// what the teacher and the text say that is descended.
    pub(super) fn loss(
        &self,
        batch: &Batch,
        weight: f32,
        taught: Option<(&Distilling, Arc<Vec<f32>>)>,
    ) -> Result<(Tensor, Tensor)> {
        let pass = self.pass(batch)?;
        let targets = batch.targets.clone();
        let loss = CrossEntropy { targets, weight };
        let loss = pass.logits.apply_op1(loss)?;
        let mut objective = match taught {
            None => loss.clone(),
            Some((distilling, teacher)) => pass.logits.apply_op1(Distillation {
                targets: batch.targets.clone(),
                teacher,
                weight,
                share: distilling.share as f32,
                temperature: distilling.temperature as f32,
            })?,
        };
        let own = batch.targets.iter().filter(|&&target| target != NO_TARGET);
        let share = f64::from(weight) * own.count() as f64 / self.config.layers as f64;
        for mixed in &pass.mixed {
            objective = (objective + (&mixed.balance * share)?)?;
        }
        Ok((loss, objective))
    }

    fn norm(&self, x: &Tensor, name: &str) -> Result<Tensor> {
        let epsilon = self.config.norm_epsilon as f32;
        x.apply_op2(self.weight(name), RmsNorm { epsilon })
    }

    fn block(
        &self,
        layer: usize,
        x: Tensor,
        batch: &Batch,
        sparse: &mut Vec<Mixed>,
    ) -> Result<Tensor> {
        let name = |part: &str| format!("model.layers.{layer}.{part}.weight");
        let linear = |x: &Tensor, part: &str| x.matmul(&self.weight(&name(part)).t()?);
        let heads = self.config.heads;
        let split = |x: Tensor, rotation: Option<&Arc<Rotation>>| {
            x.apply_op1(SplitHeads {
                heads,
                window: self.window,
                rotation: rotation.cloned(),
                merge: false,
            })
        };

        let n = self.norm(&x, &name("input_layernorm"))?;
        let q = split(linear(&n, "self_attn.q_proj")?, Some(&self.rotation))?;
        let k = split(linear(&n, "self_attn.k_proj")?, Some(&self.rotation))?;
        let v = split(linear(&n, "self_attn.v_proj")?, None)?;
        let width = self.config.hidden / heads;
        let mixed = q
            .matmul(&k.t()?)?
            .apply_op1(CausalSoftmax {
                starts: batch.starts.clone(),
                heads,
                window: self.window,
                scale: 1.0 / (width as f32).sqrt(),
            })?
            .matmul(&v)?
            .apply_op1(SplitHeads {
                heads,
                window: self.window,
                rotation: None,
                merge: true,
            })?;
        let x = (x + linear(&mixed, "self_attn.o_proj")?)?;

        let n = self.norm(&x, &name("post_attention_layernorm"))?;
        if let Some(experts) = &self.config.experts {
            let routing = Routing {
                experts: experts.count,
                active: experts.active,
                balance: experts.balance,
                targets: &batch.targets,
            };
            let out = routing.mix(&n, |matrix| {
                self.weight(&name(&format!("block_sparse_moe.{matrix}")))
            })?;
            let x = (x + &out.sum)?;
            sparse.push(out);
            return Ok(x);
        }
        let gated = linear(&n, "mlp.gate_proj")?.apply_op2(&linear(&n, "mlp.up_proj")?, SwiGlu)?;
        x + linear(&gated, "mlp.down_proj")?
    }
}

/// Every weight's Hugging Face name and shape `[out, in]`.
fn shapes(config: &NetworkConfig, vocabulary: usize) -> Vec<(String, Vec<usize>)> {
    let (hidden, ffn) = (config.hidden, config.ffn);
    let mut shapes = vec![
        (
            "model.embed_tokens.weight".to_owned(),
            vec![vocabulary, hidden],
        ),
        ("model.norm.weight".to_owned(), vec![hidden]),
    ];
    for layer in 0..config.layers {
        let mut add = |part: &str, shape| {
            shapes.push((format!("model.layers.{layer}.{part}.weight"), shape));
        };
        for (part, shape) in [
            ("input_layernorm", vec![hidden]),
            ("post_attention_layernorm", vec![hidden]),
            ("self_attn.q_proj", vec![hidden, hidden]),
            ("self_attn.k_proj", vec![hidden, hidden]),
            ("self_attn.v_proj", vec![hidden, hidden]),
            ("self_attn.o_proj", vec![hidden, hidden]),
        ] {
            add(part, shape);
        }
        let Some(experts) = &config.experts else {
            add("mlp.gate_proj", vec![ffn, hidden]);
            add("mlp.up_proj", vec![ffn, hidden]);
            add("mlp.down_proj", vec![hidden, ffn]);
            continue;
        };
        add("block_sparse_moe.gate", vec![experts.count, hidden]);
        for expert in 0..experts.count {
            let mut add = |matrix, shape| {
                add(
                    &format!("block_sparse_moe.experts.{expert}.{matrix}"),
                    shape,
                );
            };
            add("w1", vec![ffn, hidden]);
            add("w2", vec![hidden, ffn]);
            add("w3", vec![ffn, hidden]);
        }
    }
    shapes
}
