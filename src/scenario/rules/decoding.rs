//! What decoding asks of the model, of the other models, and of the links to them.

use crate::placement::Placed;
use crate::scenario::model::Model;
use crate::scenario::schema::Scenario;
use crate::serving::{Decoding, Draft, Role};
use crate::topology::{NodeId, Topology, nearest};
use crate::units::FieldFault;

/// What is wrong with how the replicas of `scenario` decode beyond what each says of itself.
pub(super) fn faults(
    scenario: &Scenario,
    topology: &Topology,
    replicas: &[Placed],
) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    for (number, (replica, placed)) in scenario.replicas.iter().zip(replicas).enumerate() {
        let second = match &replica.decoding {
            Decoding::Greedy | Decoding::Sample(_) | Decoding::EarlyExit(_) => continue,
            Decoding::Speculative(fields) => match &fields.draft {
                Draft::Model(draft) => Some(("Speculative.draft.Model", &draft.model, &draft.at)),
                Draft::Lookup(_) => None,
            },
            Decoding::Cascade(fields) => Some(("Cascade", &fields.model, &fields.at)),
        };
        let path = format!("replicas[{number}].decoding");
        let mut fault = |message: &str| faults.push(FieldFault::new(path.as_str(), message));
        if let Model::Shape(_) = scenario.model {
            fault(
                "a Shape computes no tokens to be sure of or to agree with; use a model's Folder, or \
                 the decoding Greedy",
            );
        }
        if replica.role != Role::Both {
            fault(
                "a draft is verified, and a cascade answered, where the prompt was read; use the \
                 role Both, or the decoding Greedy",
            );
        }
        if let Some((below, model, at)) = second {
            let reached = reached((model, at), scenario, topology, placed);
            let below = format!("{path}.{below}");
            faults.extend(reached.err().map(|fault| fault.under(&below)));
        }
    }
    faults
}

/// There is another model of that name, on nodes from which ways lead to the replica that is `placed` and
/// back, and to which every prompt finds a way.
fn reached(
    (model, at): (&str, &str),
    scenario: &Scenario,
    topology: &Topology,
    placed: &Placed,
) -> Result<(), FieldFault> {
    match scenario.models.get(model) {
        Some(Model::Folder(_) | Model::Gguf(_)) => {}
        Some(Model::Shape(_)) => {
            let message = format!("`{}` is a Shape, which computes no token", model);
            return Err(FieldFault::new("model", format!("{message}; use a Folder")));
        }
        None => {
            let known = || scenario.models.keys().map(String::as_str);
            let near = nearest(model, known());
            let message = match scenario.models.is_empty() {
                true => "add it, for example models: {\"draft\": Folder(\"../models/draft\")}"
                    .to_owned(),
                false => format!("{near}known are {}", known().collect::<Vec<_>>().join(", ")),
            };
            let message = format!("there is no `{}` among `models`; {message}", model);
            return Err(FieldFault::new("model", message));
        }
    }
    let nodes = topology.named(at);
    if nodes.is_empty() {
        let known = scenario.nodes.keys().map(String::as_str);
        let all = topology.nodes.iter().map(|node| node.name.as_str());
        let near = nearest(at, all.chain(known.clone()));
        let groups = known.collect::<Vec<_>>().join(", ");
        let message = format!(
            "there is no node or group `{}`; {near}nodes are those of {groups}",
            at
        );
        return Err(FieldFault::new("at", message));
    }
    let way = |from: NodeId, to: NodeId| {
        if topology.reaches(to)[from.index()] {
            return Ok(());
        }
        let [from, to] = [from, to].map(|node| &topology.at(node).name);
        let message = format!(
            "no link leads from {from} to {to}, and messages go between the models; add a Wire or a Radio \
             between them"
        );
        Err(FieldFault::new("at", message))
    };
    let stages = placed.stages();
    let ends = [placed.at(), stages[stages.len() - 1].at()];
    for node in &nodes {
        for end in ends {
            way(*node, end)?;
            way(end, *node)?;
        }
    }
    let sources = scenario
        .workload
        .iter()
        .filter_map(|request| request.from());
    for source in sources.flat_map(|name| topology.named(name)) {
        if !nodes.contains(&source) {
            way(source, nodes[0])?;
        }
    }
    Ok(())
}
