//! Exit heads: what a model would say after some of its layers.
//!
//! After layer e the state x of a token becomes logits by
//!
//! ```text
//! n = x / √(mean(x²) + ε) ⊙ g_e      y = n + U_e (V_e n)      z = W y
//! ```
//!
//! with a norm g_e and a low-rank change of basis U_e V_e of the exit's own, and the model's own
//! LM head W \[vocabulary × hidden\] (through the soft cap of the logits, where the family has one):
//! the affine translators of the tuned lens (Belrose et al. 2023, arXiv:2303.08112, section 3), of
//! low rank. The trunk is as it was: a model with exits has the logits of one without.
//!
//! They lie beside the weights in `exits.safetensors`: `exits.<e>.norm.weight` \[hidden\],
//! `exits.<e>.down.weight` V_e \[rank × hidden\], `exits.<e>.up.weight` U_e \[hidden × rank\], e layers
//! being done; the file's metadata name the weights that they were trained for.
//!
//! Law: a row's logits have the same bits whether it comes alone or with others, on any kernels.

use super::error::{LoadError, StepError};
use super::kernels::Kernels;
use super::llama::Llama;
use super::matrix::{Matrix, Values};
use super::model_file::FileDigest;
use super::ops::{Add, RmsNorm, SoftCap};
use super::packing::PackedMatrix;
use super::stored::{Stored, single};
use super::weights_file::WeightsFile;
use crate::interrupt::Interrupt;
use candle_core::{Device, Tensor};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::iter;
use std::path::Path;

/// The name of the file within a model folder.
pub const EXITS_FILE: &str = "exits.safetensors";

/// The field of the file's metadata that holds the digest of the weights.
pub(super) const TRUNK: &str = "trunk_blake3";

/// What to do about a file that cannot be read.
const FIX: &str = "make it a readable file, or take it away";

/// The layers before the exit that a tensor called `name` is of, and what it is there.
fn place(name: &str) -> Option<(usize, &str)> {
    let (layers, part) = name.strip_prefix("exits.")?.split_once('.')?;
    let parts = ["norm.weight", "down.weight", "up.weight"];
    Some((layers.parse().ok()?, part)).filter(|_| parts.contains(&part))
}

/// The exit heads of a model, packed.
#[derive(Debug)]
pub struct ExitHeads {
    /// By the layers before them.
    heads: Vec<ExitHead>,
    lm_head: PackedMatrix,
    hidden: usize,
    vocabulary: usize,
    epsilon: f32,
    cap: Option<f32>,
    kernels: Kernels,
    digest: Option<FileDigest>,
}

#[derive(Debug)]
struct ExitHead {
    after: usize,
    norm: Tensor,
    down: PackedMatrix,
    up: PackedMatrix,
}

impl ExitHeads {
    /// Those that lie in the folder of `model`; `None` if there are none.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged, was trained for other weights, or holds a tensor
    /// of another name or shape, or an exit after a layer that the model does not have.
    pub fn load(folder: &Path, model: &Llama) -> Result<Option<Self>, LoadError> {
        let file = match WeightsFile::open(folder, EXITS_FILE, FIX) {
            Err(LoadError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Ok(None);
            }
            other => other?,
        };
        let path = folder.join(EXITS_FILE);
        let fault = |fault: String| LoadError::Config {
            path: path.clone(),
            fault,
        };
        let metadata = file.header.metadata().clone().unwrap_or_default();
        let trunk = trunk_digest(model.digests());
        if metadata.get(TRUNK) != Some(&trunk) {
            return Err(fault(
                "its exits were trained for other weights than lie beside it; train them anew \
                 with airloom train --exits"
                    .to_owned(),
            ));
        }
        let mut stored = BTreeMap::new();
        let digest = file.read(|_| true, &mut stored, Interrupt::NEVER)?;
        let plain = |(name, tensor): (String, Stored)| Ok((name, tensor.plain()?));
        let tensors: Result<_, candle_core::Error> = stored.into_iter().map(plain).collect();
        let tensors = tensors.map_err(|error| fault(error.to_string()))?;
        let mut heads = Self::from_tensors(model, &tensors).map_err(|error| match error {
            StepError::Tensor(candle_core::Error::Msg(told)) => fault(told),
            error => fault(error.to_string()),
        })?;
        heads.digest = Some(digest);
        Ok(Some(heads))
    }

    /// After how many layers the model in `folder` has exits, by their names alone.
    ///
    /// # Errors
    /// If the file is there and its header cannot be read.
    pub fn listed(folder: &Path) -> Result<Vec<usize>, LoadError> {
        let file = match WeightsFile::open(folder, EXITS_FILE, FIX) {
            Err(LoadError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Ok(Vec::new());
            }
            other => other?,
        };
        let names = file.header.offset_keys();
        let after: BTreeSet<usize> = names
            .iter()
            .filter_map(|name| Some(place(name)?.0))
            .collect();
        Ok(after.into_iter().collect())
    }

    /// Exits of `model` from tensors by their names in the file.
    ///
    /// # Errors
    /// If a tensor is missing, has another shape or a name that means nothing, or an exit is after
    /// a layer that is not there or after the last, where the LM head is.
    pub fn from_tensors(
        model: &Llama,
        tensors: &BTreeMap<String, Tensor>,
    ) -> Result<Self, StepError> {
        let (shape, config) = (model.shape(), model.config());
        let fault = |told: String| StepError::Tensor(candle_core::Error::Msg(told));
        let mut after = BTreeSet::new();
        for name in tensors.keys() {
            let Some((layers, _)) = place(name) else {
                return Err(fault(format!(
                    "the tensor `{name}` means nothing here; exits are named as airloom train \
                     --exits names them"
                )));
            };
            if layers == 0 || layers >= shape.layers {
                return Err(fault(format!(
                    "the tensor `{name}` is of an exit after {layers} layers, and {} has exits \
                     after 1 to {}",
                    shape.name,
                    shape.layers.saturating_sub(1)
                )));
            }
            after.insert(layers);
        }
        let tensor = |name: String, sizes: &[usize]| match tensors.get(&name) {
            Some(tensor) if tensor.dims() == sizes => Ok(tensor),
            Some(tensor) => Err(fault(format!(
                "the tensor `{name}` has shape {:?}, expected {sizes:?}",
                tensor.dims()
            ))),
            None => Err(fault(format!(
                "the tensor `{name}` is missing; expected it with shape {sizes:?}"
            ))),
        };
        let hidden = shape.hidden;
        let mut heads = Vec::with_capacity(after.len());
        for layers in after {
            let name = |part: &str| format!("exits.{layers}.{part}.weight");
            let rank = match tensors.get(&name("down")).map(|tensor| tensor.dims()) {
                Some([rank, _]) => *rank,
                _ => 0,
            };
            let pack = |tensor: &Tensor, rows, columns| {
                PackedMatrix::pack(&[(&tensor.clone().into(), 0..rows, 0..columns)])
            };
            heads.push(ExitHead {
                after: layers,
                norm: single(tensor(name("norm"), &[hidden])?)?,
                down: pack(tensor(name("down"), &[rank, hidden])?, rank, hidden)?,
                up: pack(tensor(name("up"), &[hidden, rank])?, hidden, rank)?,
            });
        }
        Ok(Self {
            heads,
            lm_head: PackedMatrix::pack(&[(
                model.stored_head(),
                0..shape.vocabulary,
                0..shape.hidden,
            )])?,
            hidden,
            vocabulary: shape.vocabulary,
            epsilon: config.norm_epsilon,
            cap: shape.design.logit_cap,
            kernels: Kernels::active()?,
            digest: None,
        })
    }

    /// The same exits without those that `keep` refuses, by the layers before them.
    #[must_use]
    pub fn keep(mut self, keep: impl Fn(usize) -> bool) -> Self {
        self.heads.retain(|head| keep(head.after));
        self
    }

    /// After how many layers there is an exit, in order.
    pub fn after(&self) -> Vec<usize> {
        self.heads.iter().map(|head| head.after).collect()
    }

    /// The rank of the change of basis at the exit after `after` layers, if there is one.
    pub fn rank(&self, after: usize) -> Option<usize> {
        Some(self.head(after)?.down.outputs())
    }

    /// What the file held that they were loaded from.
    pub fn digest(&self) -> Option<&FileDigest> {
        self.digest.as_ref()
    }

    fn head(&self, after: usize) -> Option<&ExitHead> {
        self.heads.iter().find(|head| head.after == after)
    }

    /// The logits \[rows × vocabulary\] of the exit after `after` layers, of `states` \[rows × hidden\]
    /// after that many, both row-major.
    ///
    /// # Errors
    /// If there is no such exit, or `states` are not whole rows.
    pub fn logits(&self, after: usize, states: &[f32]) -> Result<Vec<f32>, StepError> {
        let head = self.head(after).ok_or(StepError::Index {
            what: "exit",
            index: after,
            count: self.heads.len(),
        })?;
        let rows = states.len() / self.hidden;
        super::state::check_length("the states", states.len(), rows, self.hidden)?;
        if rows == 0 {
            return Ok(Vec::new());
        }
        let kernels = self.kernels;
        let x = Tensor::from_slice(states, (rows, self.hidden), &Device::Cpu)?;
        let mut normed = Matrix::zeros(rows, self.hidden)?;
        let norm = RmsNorm {
            kernels,
            epsilon: self.epsilon,
            rows: iter::once(0..rows),
        };
        normed.apply3(&x, &head.norm, &norm)?;
        let mut low = Matrix::zeros(rows, head.down.outputs())?;
        head.down.multiply(kernels, normed.tensor(), &mut low)?;
        let mut turned = Matrix::zeros(rows, self.hidden)?;
        head.up.multiply(kernels, low.tensor(), &mut turned)?;
        normed.apply2(turned.tensor(), &Add { kernels })?;
        let mut logits = Matrix::zeros(rows, self.vocabulary)?;
        self.lm_head
            .multiply(kernels, normed.tensor(), &mut logits)?;
        if let Some(cap) = self.cap {
            logits.apply1(&SoftCap { kernels, cap })?;
        }
        let values: Values<'_> = logits.values();
        Ok(values.to_vec())
    }
}

/// What names the weights of a model: the digests of its weights files, one after the other.
pub(super) fn trunk_digest(files: &[FileDigest]) -> String {
    let weights = files
        .iter()
        .filter(|file| file.name.ends_with(".safetensors"));
    weights.map(|file| file.blake3.as_str()).collect()
}
