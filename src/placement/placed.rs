//! A placement on the nodes and links of a topology.

use super::config::{Pipeline, TensorParallel};
use super::experts::Experts;
use crate::policy::Partition;
use crate::policy::partition::Fixed;
use crate::topology::{LinkId, NodeId};
use crate::units::FieldFault;

/// A placement whose names are found. Each knows its `path` in the scenario, such as
/// `replicas[0].placement.TensorParallel`, for what is found wrong with it later.
#[derive(Debug, Clone, PartialEq)]
pub enum Placed {
    /// Everything on one node.
    Single {
        /// Its field.
        path: String,
        /// That node.
        at: NodeId,
    },
    /// Layers divided among nodes.
    Tensor {
        /// Its field.
        path: String,
        /// The nodes that share the layers, in order.
        members: Vec<NodeId>,
        /// The node that embeds, sums and samples.
        at: NodeId,
        /// The one link that joins all of them with it; none where they are several.
        link: Option<LinkId>,
        /// Everything else.
        fields: Box<TensorParallel>,
    },
    /// Experts on nodes.
    Experts {
        /// Its field.
        path: String,
        /// The nodes that hold experts, in order.
        members: Vec<NodeId>,
        /// The node that does everything else.
        at: NodeId,
        /// The one link that joins all of them with it; none where they are several.
        link: Option<LinkId>,
        /// Everything else.
        fields: Box<Experts>,
    },
    /// Layers one after another.
    Pipeline {
        /// Its field.
        path: String,
        /// The stages in order, of which none is a pipeline.
        stages: Vec<Placed>,
        /// Everything else.
        fields: Pipeline,
    },
}

impl Placed {
    /// Its field in the scenario.
    pub fn path(&self) -> &str {
        match self {
            Self::Single { path, .. }
            | Self::Tensor { path, .. }
            | Self::Experts { path, .. }
            | Self::Pipeline { path, .. } => path,
        }
    }

    /// The nodes that share its work, in order; of a pipeline those of its first stage.
    pub fn members(&self) -> &[NodeId] {
        match self {
            Self::Single { at, .. } => std::slice::from_ref(at),
            Self::Tensor { members, .. } | Self::Experts { members, .. } => members,
            Self::Pipeline { stages, .. } => stages[0].members(),
        }
    }

    /// The one link that joins its members with the node that puts their parts together.
    pub fn link(&self) -> Option<LinkId> {
        match self {
            Self::Tensor { link, .. } | Self::Experts { link, .. } => *link,
            Self::Single { .. } | Self::Pipeline { .. } => None,
        }
    }

    /// The stages one after another: those of a pipeline, else itself.
    pub fn stages(&self) -> &[Self] {
        match self {
            Self::Pipeline { stages, .. } => stages,
            one => std::slice::from_ref(one),
        }
    }

    /// The node where the hidden state comes in and goes out; of a pipeline that of its first
    /// stage.
    pub fn at(&self) -> NodeId {
        match self {
            Self::Single { at, .. } | Self::Tensor { at, .. } | Self::Experts { at, .. } => *at,
            Self::Pipeline { stages, .. } => stages[0].at(),
        }
    }

    /// Refuses a fixed partition that does not divide a model of `layers` layers.
    ///
    /// # Errors
    /// If its numbers do not add up to them.
    pub fn check_layers(&self, layers: usize) -> Result<(), FieldFault> {
        let Self::Pipeline {
            path,
            stages,
            fields,
        } = self
        else {
            return Ok(());
        };
        let fault = |message: String| Err(FieldFault::new(format!("{path}.partition"), message));
        match &fields.partition {
            Partition::Fixed(Fixed(parts)) => {
                let sum = parts
                    .iter()
                    .fold(0, |sum: usize, part| sum.saturating_add(*part));
                if sum == layers {
                    return Ok(());
                }
                fault(format!(
                    "its parts have {sum} layers together, and the model has {layers}; let them \
                     add up to that"
                ))
            }
            _ if stages.len() > layers => fault(format!(
                "{} stages, and the model has {layers} layers; use {layers} stages or fewer",
                stages.len()
            )),
            _ => Ok(()),
        }
    }
}
