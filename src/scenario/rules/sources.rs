//! Where requests come from: a node, or a group, from which a way leads to every replica.

use crate::placement::Placed;
use crate::scenario::schema::Scenario;
use crate::topology::{NodeId, Topology, nearest};
use crate::units::FieldFault;
use std::collections::BTreeSet;

/// What is wrong with where the requests of `scenario` come from.
pub(super) fn faults(
    scenario: &Scenario,
    topology: &Topology,
    replicas: &[Placed],
) -> Vec<FieldFault> {
    let requests = scenario.workload.iter().enumerate();
    let named: Vec<(usize, &str)> = requests
        .filter_map(|(index, request)| Some((index, request.from()?)))
        .collect();
    if named.is_empty() {
        return Vec::new();
    }
    let entrances: BTreeSet<NodeId> = replicas.iter().map(Placed::at).collect();
    let reaching = entrances.into_iter().map(|at| (at, topology.reaches(at)));
    let reaching: Vec<(NodeId, Vec<bool>)> = reaching.collect();
    let faulty = named.into_iter().filter_map(|(index, name)| {
        let path = format!("workload[{index}].from");
        let message = fault(name, scenario, topology, &reaching)?;
        Some(FieldFault::new(path, message))
    });
    faulty.collect()
}

/// What is wrong with `name`; `reaching` has for the entrance of each replica the nodes from
/// which a way leads there.
fn fault(
    name: &str,
    scenario: &Scenario,
    topology: &Topology,
    reaching: &[(NodeId, Vec<bool>)],
) -> Option<String> {
    let nodes = topology.named(name);
    if nodes.is_empty() {
        let known = scenario.nodes.keys().map(String::as_str);
        let all = topology.nodes.iter().map(|node| node.name.as_str());
        let near = nearest(name, all.chain(known.clone()));
        let groups = known.collect::<Vec<_>>().join(", ");
        return Some(format!(
            "there is no node or group `{name}`; {near}nodes are those of {groups}"
        ));
    }
    let unreachable = |node: NodeId| {
        let mut missed = reaching.iter().filter(|(_, from)| !from[node.index()]);
        Some((node, missed.next()?.0))
    };
    let (node, at) = nodes.into_iter().find_map(unreachable)?;
    let [node, at] = [node, at].map(|node| &topology.at(node).name);
    Some(format!(
        "no link leads from {node} to {at}, where a replica begins; add a Wire or a Radio between \
         them"
    ))
}
