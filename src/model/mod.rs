//! Shapes of models: parameters, FLOPs, bytes, footprints and shard plans.
//!
//! There is not one tensor in this room, so a 70-billion-parameter model costs
//! nothing here, and nothing here may ever need one. [`ModelShape`] says what a
//! model is, [`Shares`] how much of it each device shall hold, [`ShardPlan`]
//! which heads, columns and vocabulary rows that comes to, and [`Work`]
//! what a step costs on one device. A plan covers the whole model or some [`Parts`] of it.
//!
//! The division is the tensor parallelism of the over-the-air paper, (1)–(4)
//! (after Megatron-LM, Shoeybi et al. 2019, section 3): attention by heads, and by parts of heads where devices are more (`cut`), the
//! feed-forward network by columns of its first and rows of its second matrix,
//! so that each device makes a partial output of full width and the sum over
//! devices is the layer's output.
//!
//! # What is counted
//!
//! One FLOP is one addition, multiplication, division, square root or
//! exponential in f32; a multiply–add is two. The constants of the element-wise
//! parts are in [`Work`]'s docs. Counts are exact integers; beyond `u64::MAX`
//! they saturate.

mod cut;
mod design;
mod named;
mod parameters;
mod parts;
mod plan;
mod shape;
mod shares;
mod work;

pub use design::{Activation, Biases, Design, Norm, Positions, Window, WindowLayers};
pub use parts::Parts;
pub use plan::{DeviceShard, Realised, ShardPlan};
pub use shape::{Architecture, Experts, ModelShape, ShapeError};
pub use shares::{Shares, SharesError};
pub use work::Work;
