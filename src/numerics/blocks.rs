//! The two blocks of a layer, on one device or on all.
//!
//! Every call is checked before anything is computed, so that a refused one
//! changes nothing.

use super::error::StepError;
use super::kernels::RopeTable;
use super::sharded::{DevicePart, ShardedLlama};
use super::state::{DeviceBuffers, DeviceCache, Hidden, KvCache, Workspace};
use rayon::prelude::*;
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
    /// If there is no such layer or device, the block is out of turn, the cache is
    /// full, or cache or workspace are another model's.
    pub fn attention(
        &self,
        layer: usize,
        device: usize,
        hidden: &Hidden,
        cache: &mut KvCache,
        workspace: &mut Workspace,
    ) -> Result<(), StepError> {
        self.check_block(layer, workspace)?;
        check_index("device", device, self.devices())?;
        self.check_cache(layer, device, hidden, cache)?;
        self.attend(
            layer,
            hidden,
            &cache.rope,
            &self.parts[device],
            &mut cache.devices[device],
            &mut workspace.devices[device],
        )
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
        self.check_block(layer, workspace)?;
        for device in 0..self.devices() {
            self.check_cache(layer, device, hidden, cache)?;
        }
        let (rope, buffers) = (&cache.rope, &mut workspace.devices);
        let shape = self.shape();
        let outputs = 2 * (shape.heads + shape.kv_heads) * shape.head_dim;
        if self.parallel(hidden, outputs) {
            let shares = self.parts.par_iter().zip(&mut cache.devices);
            shares
                .zip(buffers)
                .try_for_each(|((part, cache), buffers)| {
                    self.attend(layer, hidden, rope, part, cache, buffers)
                })
        } else {
            let mut shares = self.parts.iter().zip(&mut cache.devices).zip(buffers);
            shares.try_for_each(|((part, cache), buffers)| {
                self.attend(layer, hidden, rope, part, cache, buffers)
            })
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
        self.check_block(layer, workspace)?;
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
        self.check_block(layer, workspace)?;
        let buffers = &mut workspace.devices;
        if self.parallel(hidden, 3 * self.shape().ffn) {
            let places = self.parts.par_iter().zip(buffers);
            places.try_for_each(|(part, buffers)| self.feed_forward(layer, hidden, part, buffers))
        } else {
            let mut places = self.parts.iter().zip(buffers);
            places.try_for_each(|(part, buffers)| self.feed_forward(layer, hidden, part, buffers))
        }
    }

    /// Whether a block whose matrices have `outputs` rows of the hidden size
    /// together is worth sharing out by devices.
    fn parallel(&self, hidden: &Hidden, outputs: usize) -> bool {
        let work = hidden.tokens() * hidden.width() * outputs;
        self.devices() > 1 && work >= PARALLEL_WORK && rayon::current_num_threads() > 1
    }

    fn attend(
        &self,
        layer: usize,
        hidden: &Hidden,
        rope: &RopeTable,
        part: &DevicePart,
        cache: &mut DeviceCache,
        buffers: &mut DeviceBuffers,
    ) -> Result<(), StepError> {
        let (kernels, epsilon) = (self.kernels, self.config().norm_epsilon);
        let share = &mut cache.layers[layer];
        match &part.layers[layer].attention {
            Some(part) => part.step(kernels, epsilon, hidden, share, rope, buffers)?,
            None => buffers.no_partial(hidden)?,
        }
        share.seen += hidden.tokens();
        Ok(())
    }

    fn feed_forward(
        &self,
        layer: usize,
        hidden: &Hidden,
        part: &DevicePart,
        buffers: &mut DeviceBuffers,
    ) -> Result<(), StepError> {
        let (kernels, epsilon) = (self.kernels, self.config().norm_epsilon);
        match &part.layers[layer].mlp {
            Some(part) => part.step(kernels, epsilon, hidden, buffers),
            None => buffers.no_partial(hidden),
        }
    }

    fn check_block(&self, layer: usize, workspace: &Workspace) -> Result<(), StepError> {
        check_index("layer", layer, self.shape().layers)?;
        self.check_workspace(workspace)
    }

    pub(super) fn check_workspace(&self, workspace: &Workspace) -> Result<(), StepError> {
        if Arc::ptr_eq(&self.plan, &workspace.plan) {
            Ok(())
        } else {
            Err(StepError::Foreign { what: "workspace" })
        }
    }

    fn check_cache(
        &self,
        layer: usize,
        device: usize,
        hidden: &Hidden,
        cache: &KvCache,
    ) -> Result<(), StepError> {
        if !Arc::ptr_eq(&self.plan, &cache.plan) {
            return Err(StepError::Foreign { what: "cache" });
        }
        let needed = hidden.position.saturating_add(hidden.tokens());
        let capacity = cache.capacity;
        if needed > capacity {
            return Err(StepError::CacheFull { capacity, needed });
        }
        let cached = cache.devices[device].layers[layer].seen;
        let position = hidden.position;
        if cached == position {
            return Ok(());
        }
        Err(StepError::OutOfTurn {
            layer,
            device,
            cached,
            position,
        })
    }
}

fn check_index(what: &'static str, index: usize, count: usize) -> Result<(), StepError> {
    if index < count {
        Ok(())
    } else {
        Err(StepError::Index { what, index, count })
    }
}
