//! Which device holds each expert.

use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A map expert → holder, the same for all layers or one for each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Holders {
    /// Expert e of every layer on device e mod U: one each, if there are as many.
    #[default]
    Spread,
    /// One holder per expert, the same in every layer.
    Experts(Vec<Holder>),
    /// For every layer one holder per expert.
    Layers(Vec<Vec<Holder>>),
}

/// Who holds an expert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Holder {
    /// A node of the group, counted from 0.
    Device(u32),
    /// The node that sums: its tokens do not cross a link.
    Server,
}

impl Holders {
    /// Checks the devices' numbers.
    ///
    /// # Errors
    /// If one is not among `devices`.
    pub fn validate(&self, devices: usize) -> Result<(), FieldFault> {
        let known = |path: &str, holder: &Holder| match holder {
            Holder::Device(device) if *device as usize >= devices => Err(FieldFault::new(
                path,
                format!("there is no device {device} among {devices}, counted from 0"),
            )),
            Holder::Device(_) | Holder::Server => Ok(()),
        };
        match self {
            Self::Spread => Ok(()),
            Self::Experts(list) => list.iter().try_for_each(|holder| known("Experts", holder)),
            Self::Layers(layers) => {
                let mut all = layers.iter().flatten();
                all.try_for_each(|holder| known("Layers", holder))
            }
        }
    }

    /// For each of `layers` layers the device of each of `experts` experts; `None` for the
    /// server.
    ///
    /// # Errors
    /// If a list has another length.
    pub fn resolve(
        &self,
        layers: usize,
        experts: usize,
        devices: usize,
    ) -> Result<Vec<Vec<Option<usize>>>, FieldFault> {
        let row = |list: &[Holder]| -> Vec<Option<usize>> {
            let device = |holder: &Holder| match holder {
                Holder::Device(device) => Some(*device as usize),
                Holder::Server => None,
            };
            list.iter().map(device).collect()
        };
        let refuse = |path: &str, have: usize, what: &str, need: usize| {
            let message = format!("{have} entries for {need} {what}; give one each");
            Err(FieldFault::new(path, message))
        };
        match self {
            Self::Spread => {
                let row = (0..experts).map(|expert| Some(expert % devices));
                Ok(vec![row.collect(); layers])
            }
            Self::Experts(list) if list.len() != experts => {
                refuse("Experts", list.len(), "experts", experts)
            }
            Self::Experts(list) => Ok(vec![row(list); layers]),
            Self::Layers(lists) => {
                if lists.len() != layers {
                    return refuse("Layers", lists.len(), "layers", layers);
                }
                if let Some(list) = lists.iter().find(|list| list.len() != experts) {
                    return refuse("Layers", list.len(), "experts", experts);
                }
                Ok(lists.iter().map(|list| row(list)).collect())
            }
        }
    }
}
