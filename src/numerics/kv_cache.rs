//! Keys and values of one request, divided like the model that makes them.
//!
//! The devices' shares are locked one by one, because the devices of a block may compute on
//! several threads, each on its own share of the caches of all slices in the step; no two
//! ever want the same one, so nobody waits.

use super::error::StepError;
use super::kernels::{Cache, CacheFormat, RopeTable};
use super::matrix::Matrix;
use super::ops::Forget;
use crate::model::{DeviceShard, ShardPlan};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keys and values of one request, with each device's share apart.
#[derive(Debug)]
pub struct KvCache {
    pub(super) plan: Arc<ShardPlan>,
    pub(super) rope: Arc<RopeTable>,
    pub(super) capacity: usize,
    format: CacheFormat,
    devices: Vec<Mutex<DeviceCache>>,
}

/// The layers of caches, in order, between one cache and another.
#[derive(Debug, Default)]
pub struct CachedLayers(VecDeque<LayerCache>);

impl CachedLayers {
    /// Those of `later` after these.
    pub fn extend(&mut self, later: Self) {
        self.0.extend(later.0);
    }
}

/// One device's share of a cache, by layer that the model covers.
#[derive(Debug, Clone)]
struct DeviceCache {
    layers: Vec<LayerCache>,
}

/// One layer of it: the key–value heads held there.
#[derive(Debug)]
pub(super) struct LayerCache {
    pub(super) heads: Cache,
    /// Their keys and values.
    pub(super) memory: Matrix,
    /// Tokens seen; counted here because a device may hold no head.
    pub(super) seen: usize,
}

/// A cache of its own: no memory is shared.
impl Clone for LayerCache {
    fn clone(&self) -> Self {
        Self {
            heads: self.heads.clone(),
            memory: self.memory.copy().expect("tensors on the CPU are copied"),
            seen: self.seen,
        }
    }
}

/// A cache of its own: no memory is shared.
impl Clone for KvCache {
    fn clone(&self) -> Self {
        let devices = self.devices.iter();
        Self {
            plan: self.plan.clone(),
            rope: self.rope.clone(),
            capacity: self.capacity,
            format: self.format,
            devices: devices
                .map(|device| Mutex::new(held(device).clone()))
                .collect(),
        }
    }
}

/// A share of which a step may have failed half way: a refused step changes nothing, and one
/// that fails otherwise ends the run.
fn held(device: &Mutex<DeviceCache>) -> MutexGuard<'_, DeviceCache> {
    device.lock().unwrap_or_else(PoisonError::into_inner)
}

impl KvCache {
    pub(super) fn new(
        plan: &Arc<ShardPlan>,
        rope: Arc<RopeTable>,
        capacity: usize,
        format: CacheFormat,
    ) -> Result<Self, StepError> {
        let shape = plan.shape();
        let layer = |shard: &DeviceShard| -> Result<LayerCache, StepError> {
            let (kv_heads, values) = (shard.kv_heads.len(), shard.values.len());
            let heads = Cache::divided(kv_heads, shape.head_dim, values, capacity);
            let heads = heads.in_format(format);
            Ok(LayerCache {
                memory: Matrix::zeros(kv_heads, heads.head_memory())?,
                heads,
                seen: 0,
            })
        };
        let devices = plan.shards().iter().map(|shard| {
            let layers = plan.parts().layers.clone();
            let layers = layers.map(|_| layer(shard));
            let layers = layers.collect::<Result<_, StepError>>()?;
            Ok(Mutex::new(DeviceCache { layers }))
        });
        Ok(Self {
            devices: devices.collect::<Result<_, StepError>>()?,
            plan: plan.clone(),
            rope,
            capacity,
            format,
        })
    }

    /// Tokens that all layers on all devices have seen: the position of the next.
    pub fn tokens(&self) -> usize {
        let seen = |device| held(device).layers.iter().map(|layer| layer.seen).min();
        self.devices.iter().filter_map(seen).min().unwrap_or(0)
    }

    /// A cache of its own that begins with the first `tokens` of this one, or all if there are
    /// fewer: what a request goes on from whose prompt begins alike. What it is stepped with
    /// then has the bits of a cache that read those tokens itself.
    ///
    /// # Errors
    /// If its memory cannot be written.
    pub fn fork(&self, tokens: usize) -> Result<Self, StepError> {
        let mut own = self.clone();
        for device in &mut own.devices {
            let device = device.get_mut().unwrap_or_else(PoisonError::into_inner);
            for layer in &mut device.layers {
                let LayerCache {
                    heads,
                    memory,
                    seen,
                } = layer;
                let forget = Forget {
                    cache: RefCell::new(heads),
                    positions: tokens,
                };
                memory.apply1(&forget)?;
                *seen = tokens.min(*seen);
            }
        }
        Ok(own)
    }

    /// Takes the layers out of the cache of one device, which cannot be used any more: for caches
    /// of other parts of the same model, in which a sequence goes on elsewhere.
    ///
    /// # Errors
    /// If several devices share it: then no layer is in one place.
    pub fn into_layers(self) -> Result<CachedLayers, StepError> {
        let count = self.devices.len();
        let mut devices = self.devices.into_iter();
        match (devices.next(), count) {
            (Some(only), 1) => {
                let only = only.into_inner().unwrap_or_else(PoisonError::into_inner);
                Ok(CachedLayers(only.layers.into()))
            }
            _ => Err(StepError::Index {
                what: "device",
                index: 1,
                count: 1,
            }),
        }
    }

    /// Puts as many of `layers`, from the first on, in the place of its own as it has.
    ///
    /// # Errors
    /// If several devices share it, or the layers are fewer, or of another size or format.
    pub fn adopt(&mut self, layers: &mut CachedLayers) -> Result<(), StepError> {
        let [device] = self.devices.as_mut_slice() else {
            return Err(StepError::Index {
                what: "device",
                index: 1,
                count: 1,
            });
        };
        let device = device.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (index, own) in device.layers.iter_mut().enumerate() {
            let same = |other: &LayerCache| {
                let [own, other] = [&own.heads, &other.heads];
                own.format() == other.format()
                    && own.memory() == other.memory()
                    && own.head_dim() == other.head_dim()
                    && own.value_dim() == other.value_dim()
            };
            match layers.0.pop_front().filter(same) {
                Some(layer) => *own = layer,
                None => {
                    return Err(StepError::Index {
                        what: "layer",
                        index,
                        count: index,
                    });
                }
            }
        }
        Ok(())
    }

    /// How it keeps keys and values.
    pub fn format(&self) -> CacheFormat {
        self.format
    }

    /// Tokens it can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets all tokens and keeps the memory, for the next request.
    pub fn clear(&mut self) {
        for device in &mut self.devices {
            let device = device.get_mut().unwrap_or_else(PoisonError::into_inner);
            for layer in &mut device.layers {
                layer.heads.clear();
                layer.seen = 0;
            }
        }
    }
}

/// One device's share of one layer of the caches of a step's slices.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerShares<'a> {
    pub(super) caches: &'a [&'a mut KvCache],
    pub(super) device: usize,
    /// Counted from the first layer that the model covers.
    pub(super) layer: usize,
}

impl<'a> LayerShares<'a> {
    /// The angles of positions in slice `index`.
    pub(super) fn rope(self, index: usize) -> &'a RopeTable {
        &self.caches[index].rope
    }

    /// What `work` makes of the share of slice `index`.
    pub(super) fn with<T>(self, index: usize, work: impl FnOnce(&mut LayerCache) -> T) -> T {
        let mut device = held(&self.caches[index].devices[self.device]);
        work(&mut device.layers[self.layer])
    }
}
