//! Nodes, and the links between them.
//!
//! A node is a device, an edge server or a cloud: these are data, not types. A link is a radio
//! cell, which joins a hub to its members and them to each other through it, or a wire.

mod route;

use crate::device::DeviceProfile;

/// The number of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

/// The number of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u16);

impl NodeId {
    /// Its place among all nodes.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl LinkId {
    /// Its place among all links.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A node.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name, unique in its system.
    pub name: String,
    /// The group that it is one of.
    pub group: String,
    /// The name of its profile.
    pub label: String,
    /// What it can do.
    pub profile: DeviceProfile,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its name, unique in its system.
    pub name: String,
    /// Whom it joins.
    pub ends: Ends,
}

/// Whom a link joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ends {
    /// A hub with its members.
    Cell {
        /// The node in the middle.
        hub: NodeId,
        /// The nodes around it, in order.
        members: Vec<NodeId>,
    },
    /// Two nodes, both ways.
    Wire {
        /// One of them.
        from: NodeId,
        /// The other one.
        to: NodeId,
    },
}

/// One link's part of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// The link.
    pub link: LinkId,
    /// Who sends.
    pub from: NodeId,
    /// Who receives.
    pub to: NodeId,
}

/// Nodes and links of a system.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Topology {
    /// In the order of their numbers.
    pub nodes: Vec<Node>,
    /// In the order of their numbers.
    pub links: Vec<Link>,
}

impl Topology {
    /// The node called `name`.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        let place = self.nodes.iter().position(|node| node.name == name)?;
        Some(NodeId(place as u16))
    }

    /// The nodes of the group called `name`, in order.
    pub fn group(&self, name: &str) -> Vec<NodeId> {
        let nodes = self.nodes.iter().enumerate();
        let own = nodes.filter(|(_, node)| node.group == name);
        own.map(|(place, _)| NodeId(place as u16)).collect()
    }

    /// The link that joins two nodes directly, of several the first: hub and member of a cell,
    /// or the ends of a wire.
    pub fn between(&self, a: NodeId, b: NodeId) -> Option<LinkId> {
        let joins = |link: &Link| match &link.ends {
            Ends::Cell { hub, members } => {
                (*hub == a && members.contains(&b)) || (*hub == b && members.contains(&a))
            }
            Ends::Wire { from, to } => [(*from, *to), (*to, *from)].contains(&(a, b)),
        };
        let place = self.links.iter().position(joins)?;
        Some(LinkId(place as u16))
    }
}
