//! What is no fault but hardly meant: settings that change nothing, budgets and channels
//! that do not belong together, and quantities with absurd prefixes.

mod experts;
mod link_budget;
mod requests;
mod tensor;

use crate::placement::Placed;
use crate::radio::{RadioConfig, Scheme};
use crate::scenario::draft::written;
use crate::scenario::fault::Fault;
use crate::scenario::fields::Fields;
use crate::scenario::resolved::Resolved;
use crate::topology::{LinkId, NodeId};
use crate::units::{FieldFault, oddity};

/// A remark about one field.
#[derive(Debug, Clone, PartialEq)]
struct Remark {
    /// The field, what is the matter, and what to do.
    fault: FieldFault,
    /// The other fields that decide about it: a sweep that varies one of them may have its
    /// reasons.
    decided_by: Vec<String>,
    /// Whether it matters only if the field is written.
    if_written: bool,
}

/// A radio and those who use it for one part of the model.
struct Use<'a> {
    resolved: &'a Resolved,
    placed: &'a Placed,
    radio: &'a RadioConfig,
    /// The radio's field.
    link: String,
    members: &'a [NodeId],
}

impl Use<'_> {
    /// A field of the radio.
    fn of_link(&self, field: &str) -> String {
        format!("{}.{field}", self.link)
    }

    /// The placement's field.
    fn placement(&self) -> String {
        let placement = self.placed.path();
        written(placement).map_or_else(|| placement.to_owned(), |path| path.to_string())
    }

    /// A field of the placement.
    fn of_placement(&self, field: &str) -> String {
        format!("{}.{field}", self.placement())
    }

    /// The field of the group's count.
    fn count(&self) -> String {
        let group = &self.resolved.topology.at(self.members[0]).group;
        format!("nodes.{group}.count")
    }

    /// Whether one member alone has nothing to add and sends nothing.
    fn is_silent_alone(&self) -> bool {
        self.members.len() == 1 && !self.radio.lone_device_transmits
    }

    /// Whether nothing goes through the air.
    fn is_silent(&self) -> bool {
        match self.placed {
            Placed::Tensor { fields, .. } => {
                matches!(fields.all_reduce, Scheme::Ideal) || self.is_silent_alone()
            }
            _ => false,
        }
    }
}

/// The fault of a field at `path` that has no effect.
fn idle(path: String, decided_by: &[String], why: &str) -> Remark {
    Remark {
        fault: FieldFault::new(path, format!("it has no effect: {why}")),
        decided_by: decided_by.to_vec(),
        if_written: true,
    }
}

impl Resolved {
    /// What is no fault but hardly meant, with its place: settings without effect. What the
    /// sweep varies, or what decides about it, is left out.
    pub fn warnings(&self) -> Vec<Fault> {
        let axes = self.scenario.sweep.iter().flat_map(|sweep| &sweep.axes);
        let varied: Vec<String> = axes
            .flat_map(|axis| axis.members())
            .filter_map(|(_, axis)| Some(axis.path.as_ref()?.to_string()))
            .collect();
        let under = |path: &str, outer: &str| {
            let rest = path.strip_prefix(outer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let meant = |remark: &Remark| {
            let path = remark.fault.path.as_str();
            varied.iter().any(|axis| {
                let mut deciding = remark.decided_by.iter();
                under(path, axis) || under(axis, path) || deciding.any(|path| under(path, axis))
            })
        };
        let mut remarks = Vec::new();
        let mut budgeted: Vec<LinkId> = Vec::new();
        let mut last = Vec::new();
        for placed in self.replicas.iter().flat_map(Placed::stages) {
            let Some((id, radio)) = placed
                .link()
                .and_then(|id| Some((id, self.link(id).radio()?)))
            else {
                continue;
            };
            let usage = Use {
                resolved: self,
                placed,
                radio,
                link: self.link_path(id),
                members: self.topology.members(id),
            };
            for remark in match placed {
                Placed::Experts { fields, .. } => experts::remarks(&usage, fields),
                Placed::Tensor { fields, .. } => tensor::remarks(&usage, fields),
                Placed::Single { .. } | Placed::Pipeline { .. } => Vec::new(),
            } {
                if !remarks.contains(&remark) {
                    remarks.push(remark);
                }
            }
            if !usage.is_silent() && !budgeted.contains(&id) {
                budgeted.push(id);
                last.extend(link_budget::remarks(&usage));
            }
        }
        remarks.extend(last);
        remarks.extend(requests::remarks(self));
        remarks
            .into_iter()
            .filter(|remark| !meant(remark))
            .chain(self.odd_prefixes())
            .filter_map(|remark| self.remark(remark.fault, remark.if_written))
            .collect()
    }

    /// Quantities with a prefix that hardly can be meant, `40 mHz` of bandwidth. What a sweep
    /// varies has no field of its own here, and its unit alone says that it is a quantity.
    fn odd_prefixes(&self) -> Vec<Remark> {
        let mut fields = None;
        let mut remarks = Vec::new();
        for (path, text) in self.texts() {
            let Some(odd) = oddity(text) else { continue };
            let path = path.to_string();
            let of_a_sweep = path.starts_with("sweep.axes") && {
                let last = path.rsplit('.').next().unwrap_or_default();
                last == "from" || last == "to" || last.starts_with("values")
            };
            let fields = fields.get_or_insert_with(Fields::new);
            if of_a_sweep || fields.holds_quantity(&path, odd.unit) {
                remarks.push(Remark {
                    fault: FieldFault::new(path, odd.message),
                    decided_by: Vec::new(),
                    if_written: true,
                });
            }
        }
        remarks
    }
}
