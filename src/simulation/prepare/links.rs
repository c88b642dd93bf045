//! The links of a system: the channels of every cell, and what carries messages.

use crate::device::MessageCost;
use crate::execution::{Medium, Radio, WireLink};
use crate::medium::wire::Wire;
use crate::medium::{Cell, Link, WireSharing, WireTerms};
use crate::radio::Channels;
use crate::results::folder::FileDigest;
use crate::rng::Streams;
use crate::scenario::Resolved;
use crate::simulation::channel_trace::channel_trace;
use crate::simulation::error::RunError;
use crate::topology::LinkId;
use crate::units::FieldFault;

/// The links of a run, with what they draw from.
pub(super) struct Links {
    /// Of every cell.
    channels: Vec<Option<Channels>>,
    streams: Vec<Streams>,
}

impl Links {
    /// Reads the traces of cells into `inputs` and opens their channels.
    pub(super) fn open(
        resolved: &Resolved,
        streams: Streams,
        inputs: &mut Vec<FileDigest>,
    ) -> Result<Self, RunError> {
        let mut links = Self {
            channels: Vec::new(),
            streams: Vec::new(),
        };
        for (number, link) in resolved.topology.links.iter().enumerate() {
            let id = LinkId(number as u16);
            let own = streams.of_link(&link.name);
            links.streams.push(own);
            let channels = match resolved.link(id) {
                Link::Wire(_) | Link::Switch(_) => None,
                Link::Radio(config) => {
                    let (trace, read) = channel_trace(resolved, id)?.unzip();
                    inputs.extend(read);
                    let members = resolved.topology.members(id).len();
                    Some(Channels::new(config, members, own, trace)?)
                }
            };
            links.channels.push(channels);
        }
        Ok(links)
    }

    /// The channels of the cell `link`.
    pub(super) fn channels(&self, link: LinkId) -> Option<&Channels> {
        self.channels[link.index()].as_ref()
    }

    /// What carries messages on every link.
    pub(super) fn media(&self, resolved: &Resolved) -> Result<Vec<Medium>, RunError> {
        let links = (0..resolved.topology.links.len()).map(|number| LinkId(number as u16));
        links.map(|link| self.medium(resolved, link)).collect()
    }

    fn medium(&self, resolved: &Resolved, link: LinkId) -> Result<Medium, RunError> {
        let under = |fault: FieldFault| -> RunError {
            resolved
                .fault(fault.under(&resolved.link_path(link)))
                .into()
        };
        match (resolved.link(link), self.channels(link)) {
            (Link::Wire(fields), _) => {
                let costs = fields.messages.unwrap_or_else(|| of_nodes(resolved, link));
                self.wire(link, fields, costs).map_err(under)
            }
            (Link::Switch(fields), _) => {
                let costs = fields.messages.unwrap_or_else(|| of_nodes(resolved, link));
                self.wire(link, &fields.port(), costs).map_err(under)
            }
            (Link::Radio(config), channels) => {
                let channels = channels.expect("a cell has channels").clone();
                let cell = Cell::new(config.as_ref().clone(), channels);
                let radio = Radio::new(cell, config.sharing).with_costs(config.messages);
                Ok(Medium::Radio(Box::new(radio)))
            }
        }
    }

    /// A wire, or the ports of a switch.
    fn wire(
        &self,
        link: LinkId,
        fields: &crate::medium::Wire,
        costs: MessageCost,
    ) -> Result<Medium, FieldFault> {
        let terms = WireTerms {
            rate: fields.rate.0,
            delay: fields.delay.0,
            jitter: fields.jitter.0,
            per_message: fields.per_message.0,
            energy_per_bit: fields.energy_per_bit.0,
        };
        let wire = Wire::new(terms, self.streams[link.index()])?;
        let shared = fields.sharing == WireSharing::Equal;
        let link = WireLink::new(wire, shared).with_costs(costs);
        Ok(Medium::Wire(Box::new(link)))
    }
}

/// What messages cost the nodes that `link` joins, of several the most.
fn of_nodes(resolved: &Resolved, link: LinkId) -> MessageCost {
    let topology = &resolved.topology;
    let nodes = topology.links[link.index()].ends.nodes();
    let costs = nodes
        .iter()
        .filter_map(|node| topology.at(*node).profile.messages);
    costs.fold(MessageCost::default(), MessageCost::most)
}
