//! The resources of a system: what each node computes on, and its end of every link.

use super::error::ExecutionError;
use super::media::Medium;
use crate::engine::{ResourceId, Resources};
use crate::topology::{Ends, Link, LinkId, NodeId, Topology};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Who works where.
#[derive(Debug)]
pub(super) struct NodeResources {
    compute: Vec<ResourceId>,
    uplink: BTreeMap<(LinkId, NodeId), ResourceId>,
    downlink: BTreeMap<(LinkId, NodeId), ResourceId>,
    wires: BTreeMap<(LinkId, NodeId), ResourceId>,
    stacks: BTreeMap<NodeId, ResourceId>,
}

impl NodeResources {
    pub(super) fn declare(
        topology: &Topology,
        media: &[Medium],
        resources: &mut Resources,
    ) -> Result<Self, ExecutionError> {
        let name = |node: NodeId| &topology.nodes[node.index()].name;
        let nodes = (0..topology.nodes.len()).map(|node| NodeId(node as u16));
        let compute = nodes
            .map(|node| resources.add(format!("{}.compute", name(node)), 1))
            .collect::<Result<_, _>>()?;
        let cells_of = |node: NodeId| {
            let cells = topology.links.iter().filter(|link| match &link.ends {
                Ends::Cell { hub, members } => *hub == node || members.contains(&node),
                Ends::Wire { .. } | Ends::Switch { .. } => false,
            });
            cells.count()
        };
        let mut own = Self {
            compute,
            uplink: BTreeMap::new(),
            downlink: BTreeMap::new(),
            wires: BTreeMap::new(),
            stacks: BTreeMap::new(),
        };
        for (number, link) in topology.links.iter().enumerate() {
            let id = LinkId(number as u16);
            let lane = |node: NodeId, direction: &str| match cells_of(node) {
                1 => format!("{}.{direction}", name(node)),
                _ => format!("{}.{}.{direction}", name(node), link.name),
            };
            match &link.ends {
                Ends::Cell { hub, members } => {
                    for member in members {
                        let up = resources.add(lane(*member, "uplink"), 1)?;
                        own.uplink.insert((id, *member), up);
                        let down = resources.add(lane(*member, "downlink"), 1)?;
                        own.downlink.insert((id, *member), down);
                    }
                    let send = resources.add(lane(*hub, "downlink"), 1)?;
                    own.downlink.insert((id, *hub), send);
                }
                Ends::Wire { .. } | Ends::Switch { .. } => {
                    for end in ends(link) {
                        let shared = media[number].is_shared();
                        let places = if shared { u32::MAX } else { 1 };
                        let wire = format!("{}.{}", name(end), link.name);
                        let wire = resources.add(wire, places)?;
                        own.wires.insert((id, end), wire);
                    }
                }
            }
        }
        for (link, medium) in topology.links.iter().zip(media) {
            let costly = !medium.costs().is_nothing();
            for end in ends(link).into_iter().filter(|_| costly) {
                if let Entry::Vacant(place) = own.stacks.entry(end) {
                    place.insert(resources.add(format!("{}.messages", name(end)), 1)?);
                }
            }
        }
        Ok(own)
    }

    pub(super) fn compute(&self, node: NodeId) -> ResourceId {
        self.compute[node.index()]
    }

    /// Where `member` sends into the cell `link`.
    pub(super) fn uplink(&self, link: LinkId, member: NodeId) -> ResourceId {
        self.uplink[&(link, member)]
    }

    /// Where `node` hears the cell `link`, or its hub sends.
    pub(super) fn downlink(&self, link: LinkId, node: NodeId) -> ResourceId {
        self.downlink[&(link, node)]
    }

    /// Where `node` hands messages to a network and takes them from there, one after the other.
    pub(super) fn stack(&self, node: NodeId) -> ResourceId {
        self.stacks[&node]
    }

    /// Where `node` sends into the wire `link`, or its port of the switch.
    pub(super) fn wire(&self, link: LinkId, node: NodeId) -> ResourceId {
        self.wires[&(link, node)]
    }
}

/// Every node at an end of `link`.
fn ends(link: &Link) -> Vec<NodeId> {
    match &link.ends {
        Ends::Cell { hub, members } => members.iter().chain([hub]).copied().collect(),
        Ends::Wire { from, to } => vec![*from, *to],
        Ends::Switch { members } => members.clone(),
    }
}
