//! Where things are: named nodes, the links between them, and ways from one to another.
//!
//! Devices, edge servers and clouds are nodes alike; what tells them apart is their profile.
//! A link is a radio cell, a hub with members around it, a wire between two nodes, or a switch with nodes on its ports. Which
//! rate or channel a link has is of no concern here.

mod config;
mod route;

pub use config::{NodeGroup, check_name, load_profiles, nearest, nodes};
pub use route::Hop;

use crate::device::{Basis, DeviceProfile};
use petgraph::graph::UnGraph;
use std::collections::BTreeMap;

/// The number of a node: nodes are counted in the order of their groups' names, then by their
/// number in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

impl NodeId {
    /// Its place in [`Topology::nodes`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// The number of a link: links are counted in the order of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u16);

impl LinkId {
    /// Its place in [`Topology::links`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Something that computes.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its own name, such as `phone0`.
    pub name: String,
    /// The name of its group, such as `phone`; of a node alone its own.
    pub group: String,
    /// The name of its profile: a preset's, or `custom`.
    pub label: String,
    /// What it can do.
    pub profile: DeviceProfile,
    /// What that is known from.
    pub basis: Basis,
}

/// Something that carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// Which nodes it joins.
    pub ends: Ends,
}

/// Which nodes a link joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ends {
    /// A hub with each of its members, and members with each other through the hub.
    Cell {
        /// The node at the centre.
        hub: NodeId,
        /// The nodes around it, in the order in which the link's fields number them.
        members: Vec<NodeId>,
    },
    /// Two nodes, both ways.
    Wire {
        /// The first named.
        from: NodeId,
        /// The other.
        to: NodeId,
    },
    /// Each with each other.
    Switch {
        /// The nodes on its ports, in order.
        members: Vec<NodeId>,
    },
}

impl Ends {
    /// The nodes that it joins.
    pub fn nodes(&self) -> Vec<NodeId> {
        match self {
            Self::Cell { hub, members } => [&[*hub], members.as_slice()].concat(),
            Self::Wire { from, to } => vec![*from, *to],
            Self::Switch { members } => members.clone(),
        }
    }

    /// Whether a transfer from `a` to `b` can take this link alone.
    pub fn join(&self, a: NodeId, b: NodeId) -> bool {
        let has = |node: NodeId| match self {
            Self::Cell { hub, members } => node == *hub || members.contains(&node),
            Self::Wire { from, to } => node == *from || node == *to,
            Self::Switch { members } => members.contains(&node),
        };
        a != b && has(a) && has(b)
    }
}

/// All nodes and links.
#[derive(Debug, Clone)]
pub struct Topology {
    /// Every node, by its [`NodeId`].
    pub nodes: Vec<Node>,
    /// Every link, by its [`LinkId`].
    pub links: Vec<Link>,
    names: BTreeMap<String, NodeId>,
    graph: UnGraph<NodeId, LinkId>,
}

impl Topology {
    /// Puts nodes and links together.
    ///
    /// # Panics
    /// If a link ends at a node that is not there.
    pub fn new(nodes: Vec<Node>, links: Vec<Link>) -> Self {
        let ids = (0..nodes.len()).map(|index| NodeId(index as u16));
        let names = nodes
            .iter()
            .map(|node| node.name.clone())
            .zip(ids)
            .collect();
        let graph = route::graph(nodes.len(), &links);
        Self {
            nodes,
            links,
            names,
            graph,
        }
    }

    /// The node called `name`.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        self.names.get(name).copied()
    }

    /// The nodes of the group called `name`, in order; none if there is no such group.
    pub fn group(&self, name: &str) -> Vec<NodeId> {
        let numbered = self.nodes.iter().enumerate();
        let of = numbered.filter(|(_, node)| node.group == name);
        of.map(|(index, _)| NodeId(index as u16)).collect()
    }

    /// The node called `name`, or the nodes of the group called so; none if there is neither.
    pub fn named(&self, name: &str) -> Vec<NodeId> {
        match self.node(name) {
            Some(node) => vec![node],
            None => self.group(name),
        }
    }

    /// The link called `name`.
    pub fn link(&self, name: &str) -> Option<LinkId> {
        let found = self.links.iter().position(|link| link.name == name)?;
        Some(LinkId(found as u16))
    }

    /// What there is at `id`.
    pub fn at(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The nodes around the hub of the cell `link`; none of another link.
    pub fn members(&self, link: LinkId) -> &[NodeId] {
        match &self.links[link.index()].ends {
            Ends::Cell { members, .. } => members,
            Ends::Wire { .. } | Ends::Switch { .. } => &[],
        }
    }

    /// The first link that joins `a` and `b`: a cell its hub with each member, and members
    /// with each other through the hub; a wire its ends, both ways; a switch each with each other.
    pub fn between(&self, a: NodeId, b: NodeId) -> Option<LinkId> {
        let found = self.links.iter().position(|link| link.ends.join(a, b))?;
        Some(LinkId(found as u16))
    }
}
