//! Ways through the links.

use super::{Ends, Link, LinkId, NodeId, Topology};
use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::visit::{Bfs, EdgeRef};

/// One transfer of a way: over `link`, from one node to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// What carries it.
    pub link: LinkId,
    /// Where it begins.
    pub from: NodeId,
    /// Where it ends.
    pub to: NodeId,
}

/// Every pair of nodes between which a transfer needs nobody else: a hub with each member, the
/// ends of a wire, any two nodes on a switch.
pub(super) fn graph(nodes: usize, links: &[Link]) -> UnGraph<NodeId, LinkId> {
    let mut graph = UnGraph::default();
    for node in 0..nodes {
        graph.add_node(NodeId(node as u16));
    }
    let place = |node: NodeId| NodeIndex::new(node.index());
    for (link, id) in links.iter().zip((0..).map(LinkId)) {
        match &link.ends {
            Ends::Cell { hub, members } => {
                for member in members {
                    graph.add_edge(place(*hub), place(*member), id);
                }
            }
            Ends::Wire { from, to } => {
                graph.add_edge(place(*from), place(*to), id);
            }
            Ends::Switch { members } => {
                for (number, one) in members.iter().enumerate() {
                    for other in &members[number + 1..] {
                        graph.add_edge(place(*one), place(*other), id);
                    }
                }
            }
        }
    }
    graph
}

impl Topology {
    /// The way from `a` to `b` of the fewest hops, of several the one whose links come first;
    /// nothing from a node to itself. From one member of a cell to another it goes up to the
    /// hub and down again.
    pub fn route(&self, a: NodeId, b: NodeId) -> Option<Vec<Hop>> {
        let place = |node: NodeId| NodeIndex::new(node.index());
        let left = self.hops_to(place(b));
        let mut hops = Vec::new();
        let mut here = place(a);
        if left[here.index()] == u32::MAX {
            return None;
        }
        while let Some(more) = left[here.index()].checked_sub(1) {
            let edges = self.graph.edges(here);
            let nearer = edges.filter(|edge| left[edge.target().index()] == more);
            let next = nearer.min_by_key(|edge| (*edge.weight(), edge.target()))?;
            hops.push(Hop {
                link: *next.weight(),
                from: self.graph[here],
                to: self.graph[next.target()],
            });
            here = next.target();
        }
        Some(hops)
    }

    /// Of every node whether a way leads from there to `end`.
    pub fn reaches(&self, end: NodeId) -> Vec<bool> {
        let hops = self.hops_to(NodeIndex::new(end.index()));
        hops.into_iter().map(|hops| hops != u32::MAX).collect()
    }

    /// The hops from every node to `end`; the largest number where there is no way.
    fn hops_to(&self, end: NodeIndex) -> Vec<u32> {
        let mut hops = vec![u32::MAX; self.graph.node_count()];
        hops[end.index()] = 0;
        let mut search = Bfs::new(&self.graph, end);
        while let Some(node) = search.next(&self.graph) {
            let near = hops[node.index()] + 1;
            for other in self.graph.neighbors(node) {
                let known = &mut hops[other.index()];
                *known = near.min(*known);
            }
        }
        hops
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Profile;
    use crate::topology::Node;

    fn topology(names: &[&str], links: Vec<Ends>) -> Topology {
        let profile = Profile::Preset("jetson-orin-nano".to_owned());
        let node = |name: &&str| Node {
            name: (*name).to_owned(),
            group: name.trim_end_matches(char::is_numeric).to_owned(),
            label: String::new(),
            profile: profile.resolve().unwrap(),
            basis: profile.basis(),
        };
        let link = |(index, ends)| Link {
            name: format!("link{index}"),
            ends,
        };
        let links = links.into_iter().enumerate().map(link);
        Topology::new(names.iter().map(node).collect(), links.collect())
    }

    fn ways(topology: &Topology, from: &str, to: &str) -> Option<Vec<(u16, String)>> {
        let [from, to] = [from, to].map(|name| topology.node(name).unwrap());
        let hops = topology.route(from, to)?.into_iter();
        let name = |hop: Hop| (hop.link.0, topology.at(hop.to).name.clone());
        Some(hops.map(name).collect())
    }

    #[test]
    fn ways_take_the_fewest_hops_and_of_equal_ones_the_first_links() {
        // cloud 0, edge 1, phone0 2, phone1 3, lone 4, hub 5
        let names = ["cloud", "edge", "phone0", "phone1", "lone", "relay"];
        let wire = |from, to| Ends::Wire {
            from: NodeId(from),
            to: NodeId(to),
        };
        let cell = Ends::Cell {
            hub: NodeId(1),
            members: vec![NodeId(2), NodeId(3)],
        };
        let topology = topology(
            &names,
            vec![wire(1, 5), wire(5, 0), cell, wire(1, 0), wire(0, 1)],
        );
        let found = |from, to| ways(&topology, from, to);
        let hop = |link, name: &str| (link, name.to_owned());
        assert_eq!(
            found("phone0", "cloud"),
            Some(vec![hop(2, "edge"), hop(3, "cloud")])
        );
        assert_eq!(
            found("phone0", "phone1"),
            Some(vec![hop(2, "edge"), hop(2, "phone1")])
        );
        assert_eq!(found("cloud", "edge"), Some(vec![hop(3, "edge")]));
        assert_eq!(found("edge", "edge"), Some(Vec::new()));
        assert_eq!(found("edge", "lone"), None);
        let reached = topology.reaches(NodeId(0));
        assert_eq!(reached, [true, true, true, true, false, true]);
        assert_eq!(topology.between(NodeId(2), NodeId(3)), Some(LinkId(2)));
        assert_eq!(topology.between(NodeId(2), NodeId(0)), None);
        assert_eq!(topology.group("phone"), [NodeId(2), NodeId(3)]);
    }
}
