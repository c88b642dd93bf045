//! A group that shares sublayers: who, over which radio, and the division of the model.

use super::links::Links;
use crate::execution::TensorGroup;
use crate::interrupt::Interrupt;
use crate::measurement::AssignmentRecord;
use crate::model::{ModelShape, Parts};
use crate::placement::TensorParallel;
use crate::radio::{Air, Blocks, Channels, Exchange, Pattern, RadioConfig};
use crate::rng::Streams;
use crate::scenario::Resolved;
use crate::simulation::assignment::divide;
use crate::simulation::error::RunError;
use crate::topology::{LinkId, NodeId};
use crate::units::FieldFault;

/// A tensor group as the scenario has it.
pub(in crate::simulation) struct Team<'a> {
    pub(in crate::simulation) resolved: &'a Resolved,
    /// The field of its placement.
    pub(in crate::simulation) path: &'a str,
    pub(in crate::simulation) members: &'a [NodeId],
    pub(in crate::simulation) radio: &'a RadioConfig,
}

impl Team<'_> {
    /// A field of the placement, for what is found wrong with it.
    pub(in crate::simulation) fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }
}

/// What a tensor group is made of.
pub(super) struct TeamParts<'a> {
    pub(super) path: &'a str,
    pub(super) members: &'a [NodeId],
    pub(super) at: NodeId,
    pub(super) link: Option<LinkId>,
    pub(super) fields: &'a TensorParallel,
}

impl TeamParts<'_> {
    /// The group, holding `parts` of a model of `shape`, for sequences of `context` tokens.
    pub(super) fn group(
        &self,
        resolved: &Resolved,
        links: &Links,
        (shape, parts): (&ModelShape, Parts),
        context: usize,
        interrupt: Interrupt<'_>,
    ) -> Result<(TensorGroup, Option<AssignmentRecord>), RunError> {
        let Self {
            path,
            members,
            at,
            link,
            fields,
        } = *self;
        let none = RadioConfig::default();
        // Messages go over whatever joins the nodes.
        let exchange = fields.all_reduce.all_reduce().exchange();
        if let Some(exchange) = exchange {
            self.check_exchange(resolved, exchange, shape.hidden)?;
        }
        let radio = link.filter(|_| exchange.is_none());
        let cell =
            radio.and_then(|link| Some((resolved.link(link).radio()?, links.channels(link)?)));
        let (radio, channels) = match cell {
            Some((radio, channels)) => (radio, channels.clone()),
            None if fields.all_reduce.all_reduce().uses_radio() && members.len() > 1 => {
                let message = "its members and its hub are on no common Radio, which this \
                               all-reduce needs; add one, or use all_reduce: Ideal";
                return Err(FieldFault::new(path, message).into());
            }
            // Nothing is ever drawn of it.
            None => {
                let unused = Streams { seed: 0, run: 0 };
                (&none, Channels::new(&none, members.len(), unused, None)?)
            }
        };
        let around = link.map_or(members, |link| resolved.topology.members(link));
        if cell.is_some() && around != members {
            let message = "an all-reduce takes all members of its radio's cell; give the group \
                           a Radio of its own";
            return Err(FieldFault::new(format!("{path}.over"), message).into());
        }
        let team = Team {
            resolved,
            path,
            members,
            radio,
        };
        let divided = divide(&team, fields, shape, &channels, context, interrupt)?;
        let air = Air::over(
            channels,
            radio.clone(),
            fields.all_reduce.clone(),
            fields.design.transceiver_design(),
        )?
        .charge(&divided.load)?
        .rooted(
            members.iter().position(|member| *member == at),
            shape.hidden,
        );
        let plan = divided
            .plan
            .covering(parts)
            .map_err(crate::numerics::StepError::from)?;
        let group = TensorGroup::new(at, members.to_vec(), cell.and(link), plan, air);
        Ok((group, divided.record))
    }

    /// Refuses messages that have no way, and blocks that do not divide a token.
    fn check_exchange(
        &self,
        resolved: &Resolved,
        exchange: Exchange,
        hidden: usize,
    ) -> Result<(), FieldFault> {
        let Self {
            path, members, at, ..
        } = *self;
        let fault =
            |field: &str, message: String| Err(FieldFault::new(format!("{path}.{field}"), message));
        let Blocks { bits, block } = exchange.entries;
        if bits < 16 && !hidden.is_multiple_of(block) {
            let message = format!(
                "blocks of {block} entries do not divide a state of {hidden}; use a divisor of it"
            );
            return fault("all_reduce.block", message);
        }
        let name = |node: NodeId| resolved.topology.at(node).name.as_str();
        if exchange.pattern == Pattern::Ring {
            if members.len() > 1 && !members.contains(&at) {
                let message = format!(
                    "around a ring the sum comes to members alone, and `{}` is none; name one, \
                     such as `{}`",
                    name(at),
                    name(members[0])
                );
                return fault("at", message);
            }
            let next = members.iter().cycle().skip(1);
            for (one, other) in members.iter().zip(next) {
                if one != other && resolved.topology.route(*one, *other).is_none() {
                    let message = format!(
                        "no link leads from `{}` to `{}`, its neighbour in the ring; add one, or \
                         a Switch that joins all",
                        name(*one),
                        name(*other)
                    );
                    return fault("over", message);
                }
            }
        }
        Ok(())
    }
}
