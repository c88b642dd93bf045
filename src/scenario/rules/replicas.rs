//! What replicas ask of the workload, of the links around them, and of each other.

use crate::placement::Placed;
use crate::scenario::schema::Scenario;
use crate::scenario::workload::Request;
use crate::serving::{Cache, Order, Preemption, Role};
use crate::topology::{NodeId, Topology, nearest};
use crate::units::FieldFault;

/// What is wrong with the replicas of `scenario` beyond what each says of itself.
pub(super) fn faults(
    scenario: &Scenario,
    topology: &Topology,
    replicas: &[Placed],
) -> Vec<FieldFault> {
    let rules = Rules {
        scenario,
        topology,
        replicas,
    };
    let mut faults = Vec::new();
    for (number, replica) in scenario.replicas.iter().enumerate() {
        let path = format!("replicas[{number}]");
        let mut check = |result: Result<(), FieldFault>| {
            faults.extend(result.err().map(|fault| fault.under(&path)));
        };
        if replica.order == Order::ShortestFirst {
            check(rules.outputs_known());
        }
        if let Some(Cache::Paged(paged)) = &replica.cache
            && let Preemption::Swap(swap) = &paged.preemption
        {
            let swaps = rules.swaps(number, &swap.to);
            check(swaps.map_err(|fault| fault.under("cache.Paged.preemption.Swap")));
        }
        if replica.role != Role::Both {
            check(rules.apart(number, replica.role));
        }
    }
    faults
}

struct Rules<'a> {
    scenario: &'a Scenario,
    topology: &'a Topology,
    replicas: &'a [Placed],
}

impl Rules<'_> {
    /// The shortest cannot go first where nobody knows which it is.
    fn outputs_known(&self) -> Result<(), FieldFault> {
        let mut requests = self.scenario.workload.iter();
        match requests.position(|request| matches!(request, Request::Generate(_))) {
            None => Ok(()),
            Some(index) => Err(FieldFault::new(
                "order",
                format!(
                    "ShortestFirst has to know how many tokens a request will get, and \
                     workload[{index}], a Generate, tells only a limit; use another order, or \
                     Arrivals or a Trace, whose outputs count as known"
                ),
            )),
        }
    }

    /// Caches that are swapped go to another node than those that hold them, over links.
    fn swaps(&self, replica: usize, to: &str) -> Result<(), FieldFault> {
        let fault = |message: String| Err(FieldFault::new("to", message));
        let Some(node) = self.topology.node(to) else {
            let group = self.topology.group(to).len();
            if group > 0 {
                return fault(format!(
                    "`{to}` is a group of {group} nodes, and one is wanted here, such as `{to}0`"
                ));
            }
            let nodes = self.topology.nodes.iter();
            let near = nearest(to, nodes.map(|node| node.name.as_str()));
            let groups: Vec<&str> = self.scenario.nodes.keys().map(String::as_str).collect();
            return fault(format!(
                "there is no node `{to}`; {near}nodes are those of {}",
                groups.join(", ")
            ));
        };
        let reaches = self.topology.reaches(node);
        for holder in holders(&self.replicas[replica]) {
            if holder == node {
                return fault(format!(
                    "`{to}` holds the replica's cache itself; swap to another node, or use \
                     Recompute"
                ));
            }
            if !reaches[holder.index()] {
                let holder = &self.topology.at(holder).name;
                return fault(format!(
                    "no link leads from {holder}, which holds a part of the cache, to {to}; add a \
                     Wire or a Radio between them"
                ));
            }
        }
        Ok(())
    }

    /// Where prefill and decode are apart there are both, on whole stages, with a way between.
    fn apart(&self, number: usize, role: Role) -> Result<(), FieldFault> {
        let fault = |message: String| Err(FieldFault::new("role", message));
        let (other, task) = match role {
            Role::Prefill => (Role::Decode, "generates after its prompts"),
            _ => (Role::Prefill, "reads prompts for it"),
        };
        let all = self.scenario.replicas.iter().zip(self.replicas);
        let mut others = all.filter(|(replica, _)| replica.role == other).peekable();
        if others.peek().is_none() {
            return fault(format!(
                "no replica {task}; give another one the role {other:?}, or this one Both"
            ));
        }
        let own = &self.replicas[number];
        let whole = |stage: &Placed| matches!(stage, Placed::Single { .. });
        if !own.stages().iter().all(whole) {
            return fault(format!(
                "a replica that does {role:?} alone hands its cache over node by node, so each of \
                 its stages is Single; use Single, a Pipeline of them, or the role Both"
            ));
        }
        for (_, placed) in others {
            for end in holders(placed) {
                let reaches = self.topology.reaches(end);
                let lost = holders(own).into_iter().find(|node| !reaches[node.index()]);
                if let Some(lost) = lost {
                    let [one, two] = [lost, end].map(|node| &self.topology.at(node).name);
                    return fault(format!(
                        "caches go from prefill to decode, and no link leads from {one} to {two}; \
                         add a Wire or a Radio between them"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The nodes that hold a part of the cache of a replica, each once.
fn holders(replica: &Placed) -> Vec<NodeId> {
    let mut holders: Vec<NodeId> = Vec::new();
    for stage in replica.stages() {
        let nodes = match stage {
            // Attention, and with it the cache, stays where experts meet.
            Placed::Experts { at, .. } => std::slice::from_ref(at),
            stage => stage.members(),
        };
        holders.extend(nodes);
    }
    holders.sort_unstable();
    holders.dedup();
    holders
}
