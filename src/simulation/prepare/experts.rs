//! An experts stage: who holds which expert, and what its gate says.

use super::links::Links;
use super::served::Served;
use crate::execution::{ExpertGroup, ExpertParts, GateTrace, Source};
use crate::files;
use crate::model::{Architecture as Family, ModelShape};
use crate::placement::{Experts, Router};
use crate::results::folder::FileDigest;
use crate::scenario::Resolved;
use crate::simulation::error::RunError;
use crate::topology::{LinkId, NodeId};
use crate::units::FieldFault;
use std::sync::Arc;

/// The longest recorded router that is read.
const MOST_TRACE: u64 = 1 << 30;

/// An experts stage as the scenario has it.
pub(super) struct Spread<'a> {
    pub(super) path: &'a str,
    pub(super) members: &'a [NodeId],
    pub(super) at: NodeId,
    pub(super) link: Option<LinkId>,
    pub(super) fields: &'a Experts,
}

impl Spread<'_> {
    fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// Which member holds which expert of each layer of a model of `shape`, if any does.
    pub(super) fn holders(
        &self,
        shape: &ModelShape,
    ) -> Result<Vec<Vec<Option<usize>>>, FieldFault> {
        if shape.architecture != Family::Mixtral {
            let message = format!("`{}` has no experts; use mixtral-8x7b", shape.name);
            return Err(FieldFault::new("model", message));
        }
        let experts = shape.expert_count();
        let visits = self.fields.experts_per_token;
        if let Some(visits) = visits.filter(|visits| *visits > experts) {
            let message = format!("{visits} of {experts} experts; use {experts} or fewer");
            return Err(FieldFault::new(self.field("experts_per_token"), message));
        }
        let holders = &self.fields.experts;
        let holders = holders.resolve(shape.layers, experts, self.members.len());
        holders.map_err(|fault| fault.under(&self.field("experts")))
    }

    /// The group at work.
    pub(super) fn group(
        &self,
        resolved: &Resolved,
        links: &Links,
        shape: &ModelShape,
    ) -> Result<ExpertGroup, RunError> {
        let holders = self.holders(shape)?;
        let link = self.link.filter(|link| links.channels(*link).is_some());
        let Some(link) = link else {
            let message = "its tokens cross a Radio around `at`, and there is none that all \
                           of them share; add one";
            return Err(FieldFault::new(self.path, message).into());
        };
        if resolved.topology.members(link) != self.members {
            let message = "tokens are dispatched to all members of the radio's cell; give the \
                           group a Radio of its own";
            return Err(FieldFault::new(self.field("over"), message).into());
        }
        let channels = links.channels(link).expect("a cell has channels").clone();
        let members = self.members.iter();
        Ok(ExpertGroup::new(ExpertParts {
            hub: self.at,
            members: self.members.to_vec(),
            link,
            fields: self.fields.clone(),
            holders,
            profiles: members.map(|node| *resolved.profile(*node)).collect(),
            hub_profile: *resolved.profile(self.at),
            shape: shape.clone(),
            radio: resolved.radio(link).clone(),
            channels,
        })?)
    }

    /// Where the gate's weights come from.
    pub(super) fn source(
        &self,
        resolved: &Resolved,
        served: &Served,
        inputs: &mut Vec<FileDigest>,
    ) -> Result<Source, RunError> {
        match (served, &self.fields.router) {
            (Served::Sparse(model, _), _) => {
                Ok(Source::Sparse(Arc::clone(model), self.fields.bits))
            }
            (_, Router::Synthetic(synthetic)) => Ok(Source::Drawn(*synthetic)),
            (served, Router::Trace(written)) => {
                let (trace, read) = self.recorded(resolved, written, served.shape())?;
                inputs.push(read);
                Ok(Source::Recorded(trace))
            }
            (_, Router::Model) => {
                let message = "a Shape computes no weights; use Synthetic() or Trace";
                Err(FieldFault::new(self.field("router"), message).into())
            }
        }
    }

    /// The recorded router in the file `written`, for a model of `shape`.
    pub(super) fn recorded(
        &self,
        resolved: &Resolved,
        written: &str,
        shape: &ModelShape,
    ) -> Result<(GateTrace, FileDigest), RunError> {
        let fault = |message: String| FieldFault::new(self.field("router"), message);
        let path = resolved.path(written);
        let read = files::read(&path, MOST_TRACE)
            .map_err(|error| fault(format!("cannot read {}: {error}", path.display())))?;
        let digest = FileDigest {
            name: written.to_owned(),
            bytes: read.len() as u64,
            blake3: blake3::hash(&read).to_hex().to_string(),
        };
        let file = path.display().to_string();
        let trace = GateTrace::parse(&file, &read, shape.layers, shape.expert_count())
            .map_err(|error| fault(error.to_string()))?;
        Ok((trace, digest))
    }
}
