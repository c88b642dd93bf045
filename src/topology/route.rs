//! The way from one node to another: over as few links as possible.

use super::{Ends, Hop, LinkId, NodeId, Topology};
use petgraph::algo::astar;
use petgraph::graph::{NodeIndex, UnGraph};

impl Topology {
    /// The links from `from` to `to`, the fewest there can be; `None` if there is no way. Of two
    /// ways of equal length the one found first, which the order of nodes and links decides.
    pub fn route(&self, from: NodeId, to: NodeId) -> Option<Vec<Hop>> {
        let mut graph: UnGraph<(), LinkId, u32> = UnGraph::default();
        for _ in &self.nodes {
            graph.add_node(());
        }
        let index = |node: NodeId| NodeIndex::new(node.index());
        for (number, link) in self.links.iter().enumerate() {
            let id = LinkId(number as u16);
            match &link.ends {
                Ends::Cell { hub, members } => {
                    for member in members {
                        graph.add_edge(index(*hub), index(*member), id);
                    }
                }
                Ends::Wire { from, to } => {
                    graph.add_edge(index(*from), index(*to), id);
                }
            }
        }
        let goal = index(to);
        let (_, path) = astar(&graph, index(from), |node| node == goal, |_| 1u32, |_| 0)?;
        let hops = path.windows(2).map(|pair| {
            let (from, to) = (NodeId(pair[0].index() as u16), NodeId(pair[1].index() as u16));
            let link = self.between(from, to).expect("a path is made of links");
            Hop { link, from, to }
        });
        Some(hops.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Link;

    fn topology(links: Vec<Ends>, nodes: usize) -> Topology {
        let profile = crate::device::preset("edge-server-l4").unwrap().profile;
        let node = |n: usize| crate::topology::Node {
            name: format!("n{n}"),
            group: "n".to_owned(),
            label: String::new(),
            profile,
        };
        let named = links.into_iter().enumerate();
        Topology {
            nodes: (0..nodes).map(node).collect(),
            links: named
                .map(|(n, ends)| Link {
                    name: format!("l{n}"),
                    ends,
                })
                .collect(),
        }
    }

    #[test]
    fn members_of_a_cell_reach_each_other_through_the_hub_and_what_no_link_joins_is_out_of_reach() {
        let [a, b, hub, cloud, alone] = [0, 1, 2, 3, 4].map(NodeId);
        let cell = Ends::Cell {
            hub,
            members: vec![a, b],
        };
        let wire = Ends::Wire {
            from: hub,
            to: cloud,
        };
        let topology = topology(vec![cell, wire], 5);
        let way = |from, to| {
            let hops = topology.route(from, to)?;
            Some(hops.iter().map(|hop| (hop.link.0, hop.to.0)).collect::<Vec<_>>())
        };
        assert_eq!(way(a, b), Some(vec![(0, 2), (0, 1)]));
        assert_eq!(way(cloud, a), Some(vec![(1, 2), (0, 0)]));
        assert_eq!(way(a, a), Some(Vec::new()));
        assert_eq!(way(a, alone), None);
    }
}
