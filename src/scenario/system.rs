//! The system that a scenario describes: what it leaves out and implies, and its names found.

use super::schema::Scenario;
use crate::device::Profile;
use crate::medium::{self, Switch, Wire};
use crate::placement::{Placed, Placement, Single, place};
use crate::radio::RadioConfig;
use crate::serving::Replica;
use crate::topology::{self, Ends, Link, LinkId, NodeGroup, NodeId, Topology, check_name, nearest};
use crate::units::FieldFault;
use std::collections::BTreeMap;

/// The link that is implied.
const AIR: &str = "air";

/// More links than that are a slip of the pen.
const MOST_LINKS: usize = 1 << 12;

/// The hub where nothing says what it is.
fn server() -> NodeGroup {
    NodeGroup {
        profile: Profile::Preset("edge-server-l4".to_owned()),
        ..NodeGroup::default()
    }
}

impl Scenario {
    /// Fills in the parts that are implied where they are left out: link, hub, replica.
    pub(super) fn complete(&mut self) {
        if self.links.is_empty() && self.counted().next().is_some() {
            let air = medium::Link::Radio(Box::default());
            self.links.insert(AIR.to_owned(), air);
        }
        let implied = RadioConfig::DEFAULT_HUB;
        let is_hub = self.radios().any(|(_, radio)| radio.hub() == implied);
        if is_hub && !self.nodes.contains_key(implied) {
            self.nodes.insert(implied.to_owned(), server());
        }
        if !self.replicas.is_empty() {
            return;
        }
        let placement = match self.nodes.first_key_value() {
            Some((name, group)) if self.nodes.len() == 1 && group.size() == 1 => {
                let at = group.name(name, 0);
                Placement::Single(Single { at })
            }
            _ if self.radios().count() == 1 => Placement::TensorParallel(Box::default()),
            _ => return,
        };
        self.replicas.push(Replica::new(placement));
    }

    /// The groups that have a count, by name.
    fn counted(&self) -> impl Iterator<Item = &String> {
        let counted = self.nodes.iter().filter(|(_, group)| group.count.is_some());
        counted.map(|(name, _)| name)
    }

    /// The radios among the links, by name.
    pub(super) fn radios(&self) -> impl Iterator<Item = (&String, &RadioConfig)> {
        self.links.iter().filter_map(|(name, link)| match link {
            medium::Link::Radio(radio) => Some((name, radio.as_ref())),
            medium::Link::Wire(_) | medium::Link::Switch(_) => None,
        })
    }
}

/// Nodes, links and where the replicas lie on them.
#[derive(Debug, Clone)]
pub(super) struct System {
    pub(super) topology: Topology,
    pub(super) replicas: Vec<Placed>,
}

/// The nodes and links of a completed `scenario`.
///
/// # Errors
/// Every name that leads nowhere, and every field of nodes and wires that is impossible.
pub(super) fn topology(scenario: &Scenario) -> Result<Topology, Vec<FieldFault>> {
    let nodes = topology::nodes(&scenario.nodes).map_err(|faults| {
        let outer = |fault: FieldFault| match fault.path.as_str() {
            "nodes" => fault,
            _ => fault.under("nodes"),
        };
        faults.into_iter().map(outer).collect::<Vec<_>>()
    })?;
    links(scenario, Topology::new(nodes, Vec::new()))
}

/// `unlinked`, whose nodes are those of `scenario`, with its links.
fn links(scenario: &Scenario, unlinked: Topology) -> Result<Topology, Vec<FieldFault>> {
    let names = Names {
        scenario,
        topology: &unlinked,
    };
    let mut faults = Vec::new();
    if scenario.links.len() > MOST_LINKS {
        let message = format!("{} links; use at most {MOST_LINKS}", scenario.links.len());
        faults.push(FieldFault::new("links", message));
    }
    let mut links = Vec::new();
    for (name, link) in &scenario.links {
        if let Err(message) = check_name(name) {
            faults.push(FieldFault::new("links", message));
            continue;
        }
        let ends = match link {
            medium::Link::Radio(radio) => names.cell(radio),
            medium::Link::Wire(wire) => names.wire(wire),
            medium::Link::Switch(switch) => names.switch(switch),
        };
        match ends {
            Ok(ends) => links.push(Link {
                name: name.clone(),
                ends,
            }),
            Err(fault) => faults.push(fault.under(&format!("links.{name}"))),
        }
    }
    match faults.is_empty() {
        true => Ok(Topology::new(unlinked.nodes, links)),
        false => Err(faults),
    }
}

struct Names<'a> {
    scenario: &'a Scenario,
    topology: &'a Topology,
}

impl Names<'_> {
    fn cell(&self, radio: &RadioConfig) -> Result<Ends, FieldFault> {
        let hub = self.end(radio.hub(), "hub")?;
        let group = match &radio.members {
            Some(group) => group,
            None => self.only_group(radio.hub())?,
        };
        let members = self.topology.group(group);
        let fault = |message: String| Err(FieldFault::new("members", message));
        if members.is_empty() {
            let groups = || self.scenario.nodes.keys().map(String::as_str);
            let near = nearest(group, groups());
            let known = groups().collect::<Vec<_>>().join(", ");
            return fault(match self.topology.node(group) {
                Some(node) => format!(
                    "`{group}` is one node of the group `{}`; members are a whole group",
                    self.topology.at(node).group
                ),
                None => format!("there is no group `{group}`; {near}known are {known}"),
            });
        }
        if members.contains(&hub) {
            let hub = radio.hub();
            return fault(format!(
                "the hub `{hub}` is among its own members; give another hub or another group"
            ));
        }
        Ok(Ends::Cell { hub, members })
    }

    fn only_group(&self, hub: &str) -> Result<&String, FieldFault> {
        let others = self.scenario.counted().filter(|name| *name != hub);
        let counted: Vec<&String> = others.collect();
        let message = match counted.as_slice() {
            [only] => return Ok(only),
            [] => "no group has a count; say with `members` who is around the hub".to_owned(),
            several => {
                let names = several.iter().map(|name| name.as_str());
                format!(
                    "several groups have a count; say which is around the hub: {}",
                    names.collect::<Vec<_>>().join(", ")
                )
            }
        };
        Err(FieldFault::new("members", message))
    }

    fn wire(&self, wire: &Wire) -> Result<Ends, FieldFault> {
        wire.validate()?;
        let (one, two) = &wire.between;
        let [from, to] = [self.end(one, "between")?, self.end(two, "between")?];
        if from == to {
            let message = format!("both ends are `{one}`; a wire joins two nodes");
            return Err(FieldFault::new("between", message));
        }
        Ok(Ends::Wire { from, to })
    }

    fn switch(&self, switch: &Switch) -> Result<Ends, FieldFault> {
        switch.port().validate()?;
        let fault = |message: String| Err(FieldFault::new("members", message));
        let mut members = Vec::new();
        for name in &switch.members {
            let named = self.topology.named(name);
            if named.is_empty() {
                self.end(name, "members")?;
            }
            if let Some(twice) = named.iter().find(|node| members.contains(*node)) {
                let twice = &self.topology.at(*twice).name;
                return fault(format!("`{twice}` is listed twice; a node has one port"));
            }
            members.extend(named);
        }
        match members.len() {
            0 | 1 => fault("a switch joins two nodes or more; list groups or nodes".to_owned()),
            count if count > Switch::MOST_MEMBERS => fault(format!(
                "{count} nodes on one switch; use at most {}",
                Switch::MOST_MEMBERS
            )),
            _ => Ok(Ends::Switch { members }),
        }
    }

    /// The node called `name`, which the field `path` wants at an end.
    fn end(&self, name: &str, path: &str) -> Result<NodeId, FieldFault> {
        let topology = self.topology;
        if let Some(node) = topology.node(name) {
            return Ok(node);
        }
        let message = match topology.group(name).len() {
            0 => {
                let nodes = || topology.nodes.iter().map(|node| node.name.as_str());
                let near = nearest(name, nodes());
                let groups: Vec<&str> = self.scenario.nodes.keys().map(String::as_str).collect();
                let groups = groups.join(", ");
                format!("there is no node `{name}`; {near}nodes are those of {groups}")
            }
            count => format!(
                "`{name}` is a group of {count} nodes, and one is wanted here, such as `{name}0`"
            ),
        };
        Err(FieldFault::new(path, message))
    }
}

/// Where the replicas of `scenario` lie.
///
/// # Errors
/// Every name that leads nowhere, and every way that is missing.
pub(super) fn replicas(
    scenario: &Scenario,
    topology: &Topology,
) -> Result<Vec<Placed>, Vec<FieldFault>> {
    let mut placed = Vec::new();
    let mut faults = Vec::new();
    if scenario.replicas.is_empty() {
        let message = "say where the model lies, for example replicas: [(placement: Single(at: \
                       \"edge\"))]; only with one Radio or one node that is implied";
        faults.push(FieldFault::new("replicas", message));
    }
    for (index, replica) in scenario.replicas.iter().enumerate() {
        let path = format!("replicas[{index}]");
        if let Err(fault) = replica.validate() {
            faults.push(fault.under(&path));
        }
        match place(&replica.placement, &format!("{path}.placement"), topology) {
            Ok(replica) => placed.push(replica),
            Err(found) => faults.extend(found),
        }
    }
    match faults.is_empty() {
        true => Ok(placed),
        false => Err(faults),
    }
}

/// The links of `scenario` by their numbers.
pub(super) fn link(scenario: &Scenario, id: LinkId) -> &medium::Link {
    let link = scenario.links.values().nth(id.index());
    link.expect("links are numbered in the order of their names")
}

/// The field of the profile of node `number` of `group`.
pub(super) fn profile_path(
    groups: &BTreeMap<String, NodeGroup>,
    group: &str,
    number: usize,
) -> String {
    let except = groups.get(group).map(|group| &group.except);
    let except = u32::try_from(number)
        .ok()
        .filter(|number| except.is_some_and(|except| except.contains_key(number)));
    match except {
        Some(number) => format!("nodes.{group}.except[{number}]"),
        None => format!("nodes.{group}.profile"),
    }
}
