//! The two blocks of a layer, on one device or on all.
//!
//! Every call is checked before anything is computed, so that a refused one
//! changes nothing.

use super::error::StepError;
use super::forward::Sublayer;
use super::kv_cache::{KvCache, LayerShares};
use super::matrix::Matrix;
use super::norm::Norm;
use super::ops::Replace;
use super::sharded::{DevicePart, ShardedLlama};
use super::state::{DeviceBuffers, Hidden, Workspace, check_length};
use rayon::prelude::*;
use std::iter;
use std::sync::Arc;

/// Multiply–adds from which the devices of a block are computed on several
/// threads: several times what waking one costs.
const PARALLEL_WORK: usize = 1 << 17;

impl ShardedLlama {
    /// Attention of `layer` on `device`: norm, projections, and the device's slice
    /// of the output projection, over the cache grown by the step's tokens. The
    /// partial output \[tokens × hidden\] is then [`Workspace::partial`]; on a
    /// device without heads it is zero.
    ///
    /// # Errors
    /// If there is no such layer or device, the model does not cover the layer, the block is
    /// out of turn, the cache is full, the step has several slices, or cache or workspace are
    /// another model's.
    pub fn attention(
        &self,
        layer: usize,
        device: usize,
        hidden: &Hidden,
        cache: &mut KvCache,
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        self.attention_slices(layer, device, hidden, &mut [cache], workspace)
    }

    /// [`ShardedLlama::attention`] of a step of several slices, whose caches are given in
    /// their order. A slice's rows have the same bits as in a step of its own.
    ///
    /// # Errors
    /// As for [`ShardedLlama::attention`], and if there is not one cache per slice.
    pub fn attention_slices(
        &self,
        layer: usize,
        device: usize,
        hidden: &Hidden,
        caches: &mut [&mut KvCache],
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        let local = self.check_block(layer, workspace)?;
        check_index("device", device, self.devices())?;
        let shares = LayerShares {
            caches,
            device,
            layer: local,
        };
        self.check_caches(layer, hidden, shares)?;
        let buffers = &mut workspace.devices[device];
        self.attend(hidden, shares, &self.parts[device], buffers)
    }

    /// [`ShardedLlama::attention`] on every device, on several threads where that
    /// pays; the bits are the same.
    ///
    /// # Errors
    /// As for [`ShardedLlama::attention`].
    pub fn attention_on_all(
        &self,
        layer: usize,
        hidden: &Hidden,
        cache: &mut KvCache,
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        self.attention_slices_on_all(layer, hidden, &mut [cache], workspace)
    }

    /// [`ShardedLlama::attention_slices`] on every device, on several threads where that
    /// pays; the bits are the same.
    ///
    /// # Errors
    /// As for [`ShardedLlama::attention_slices`].
    pub fn attention_slices_on_all(
        &self,
        layer: usize,
        hidden: &Hidden,
        caches: &mut [&mut KvCache],
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        let local = self.check_block(layer, workspace)?;
        let caches = &*caches;
        let shares = |device| LayerShares {
            caches,
            device,
            layer: local,
        };
        for device in 0..self.devices() {
            self.check_caches(layer, hidden, shares(device))?;
        }
        let buffers = &mut workspace.devices;
        let shape = self.shape();
        let outputs = 2 * (shape.heads + shape.kv_heads) * shape.head_dim;
        let compute = |(device, (part, buffers)): (usize, (&DevicePart, &mut DeviceBuffers))| {
            self.attend(hidden, shares(device), part, buffers)
        };
        if self.parallel(hidden, outputs) {
            let places = self.parts.par_iter().zip(buffers);
            places.enumerate().try_for_each(compute)
        } else {
            let places = self.parts.iter().zip(buffers);
            places.enumerate().try_for_each(compute)
        }
    }

    /// Feed-forward network of `layer` on `device`: norm, gate, up and the device's
    /// slice of down. The partial output is then [`Workspace::partial`]; on a
    /// device without columns it is zero.
    ///
    /// # Errors
    /// If there is no such layer or device, or the workspace is another model's.
    pub fn mlp(
        &self,
        layer: usize,
        device: usize,
        hidden: &Hidden,
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        let layer = self.check_block(layer, workspace)?;
        check_index("device", device, self.devices())?;
        self.feed_forward(
            layer,
            hidden,
            &self.parts[device],
            &mut workspace.devices[device],
        )
    }

    /// [`ShardedLlama::mlp`] on every device, on several threads where that pays;
    /// the bits are the same.
    ///
    /// # Errors
    /// As for [`ShardedLlama::mlp`].
    pub fn mlp_on_all(
        &self,
        layer: usize,
        hidden: &Hidden,
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        let layer = self.check_block(layer, workspace)?;
        let buffers = &mut workspace.devices;
        if self.parallel(hidden, 3 * self.shape().ffn) {
            let places = self.parts.par_iter().zip(buffers);
            places.try_for_each(|(part, buffers)| self.feed_forward(layer, hidden, part, buffers))
        } else {
            let mut places = self.parts.iter().zip(buffers);
            places.try_for_each(|(part, buffers)| self.feed_forward(layer, hidden, part, buffers))
        }
    }

    /// Adds to the states what the all-reduce after a sublayer of `layer` returned, \[tokens ×
    /// hidden\] row-major; through the norm after it, where the family has one.
    ///
    /// # Errors
    /// If there is no such layer, the model does not cover it, or `sum` has another length.
    pub fn add(
        &self,
        layer: usize,
        sublayer: Sublayer,
        hidden: &mut Hidden,
        sum: &[f32],
    ) -> Result<(), StepError> {
        if self.norm_after(layer, sublayer)?.is_none() {
            return hidden.add(sum);
        }
        let (tokens, width) = (hidden.tokens(), hidden.width());
        check_length("the all-reduced sum", sum.len(), tokens, width)?;
        let mut through = Matrix::zeros(tokens, width)?;
        through.apply1(&Replace { values: sum })?;
        self.add_matrix(layer, sublayer, hidden, &through)
    }

    /// [`ShardedLlama::add`] of a sum that no network carried.
    pub(super) fn add_matrix(
        &self,
        layer: usize,
        sublayer: Sublayer,
        hidden: &mut Hidden,
        sum: &Matrix,
    ) -> Result<(), StepError> {
        let Some(norm) = self.norm_after(layer, sublayer)? else {
            return hidden.add_matrix(sum);
        };
        let mut normed = Matrix::zeros(sum.rows(), sum.columns())?;
        let rows = iter::once(0..sum.rows());
        norm.apply(self.kernels, sum.tensor(), rows, &mut normed)?;
        hidden.add_matrix(&normed)
    }

    fn norm_after(&self, layer: usize, sublayer: Sublayer) -> Result<Option<&Norm>, StepError> {
        let [attention, mlp] = &self.norms_after[self.place(layer)?];
        Ok(match sublayer {
            Sublayer::Attention => attention.as_ref(),
            Sublayer::Mlp => mlp.as_ref(),
        })
    }

    /// Whether a block whose matrices have `outputs` rows of the hidden size
    /// together is worth sharing out by devices.
    fn parallel(&self, hidden: &Hidden, outputs: usize) -> bool {
        let work = hidden.tokens() * hidden.width() * outputs;
        self.devices() > 1 && work >= PARALLEL_WORK && rayon::current_num_threads() > 1
    }

    fn attend(
        &self,
        hidden: &Hidden,
        shares: LayerShares<'_>,
        part: &DevicePart,
        buffers: &mut DeviceBuffers,
    ) -> Result<(), StepError> {
        match &part.layers[shares.layer].attention {
            Some(part) => part.step(self.kernels, hidden, shares, buffers)?,
            None => buffers.no_partial(hidden)?,
        }
        for (index, slice) in hidden.slices.iter().enumerate() {
            shares.with(index, |cache| cache.seen += slice.rows.len());
        }
        Ok(())
    }

    /// The feed-forward network of a layer counted from the first that is covered.
    fn feed_forward(
        &self,
        layer: usize,
        hidden: &Hidden,
        part: &DevicePart,
        buffers: &mut DeviceBuffers,
    ) -> Result<(), StepError> {
        match &part.layers[layer].mlp {
            Some(part) => part.step(self.kernels, hidden, buffers),
            None => buffers.no_partial(hidden),
        }
    }

    /// The place of `layer` among those covered.
    fn check_block(&self, layer: usize, workspace: &Workspace) -> Result<usize, StepError> {
        let place = self.place(layer)?;
        self.check_workspace(workspace)?;
        Ok(place)
    }

    /// The place of `layer` among those covered.
    pub(super) fn place(&self, layer: usize) -> Result<usize, StepError> {
        check_index("layer", layer, self.shape().layers)?;
        let layers = &self.plan.parts().layers;
        if layers.contains(&layer) {
            return Ok(layer - layers.start);
        }
        Err(StepError::NotHeld {
            what: format!("layer {layer}"),
            parts: self.plan.parts().clone(),
        })
    }

    pub(super) fn check_workspace(&self, workspace: &Workspace) -> Result<(), StepError> {
        if Arc::ptr_eq(&self.plan, &workspace.plan) {
            Ok(())
        } else {
            Err(StepError::Foreign { what: "workspace" })
        }
    }

    fn check_caches(
        &self,
        layer: usize,
        hidden: &Hidden,
        shares: LayerShares<'_>,
    ) -> Result<(), StepError> {
        check_slices("caches", shares.caches.len(), hidden)?;
        for (index, (cache, slice)) in shares.caches.iter().zip(&hidden.slices).enumerate() {
            if !Arc::ptr_eq(&self.plan, &cache.plan) {
                return Err(StepError::Foreign { what: "cache" });
            }
            let position = slice.position;
            let needed = position.saturating_add(slice.rows.len());
            let capacity = cache.capacity;
            if needed > capacity {
                return Err(StepError::CacheFull { capacity, needed });
            }
            let cached = shares.with(index, |cache| cache.seen);
            if cached != position {
                return Err(StepError::OutOfTurn {
                    layer,
                    device: shares.device,
                    cached,
                    position,
                });
            }
        }
        Ok(())
    }
}

/// Refuses anything but one of `what` per slice.
pub(super) fn check_slices(
    what: &'static str,
    found: usize,
    hidden: &Hidden,
) -> Result<(), StepError> {
    let expected = hidden.slices.len();
    if found == expected {
        return Ok(());
    }
    Err(StepError::Slices {
        what,
        found,
        expected,
    })
}

fn check_index(what: &'static str, index: usize, count: usize) -> Result<(), StepError> {
    if index < count {
        Ok(())
    } else {
        Err(StepError::Index { what, index, count })
    }
}
