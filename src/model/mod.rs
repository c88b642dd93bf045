//! Shapes of models: FLOPs, bytes, footprints and shard plans; no tensors.
