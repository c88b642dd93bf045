//! From names to nodes and links: what a scenario's placement means on its topology.

use super::config::{Pipeline, Placement, Single};
use super::placed::Placed;
use crate::policy::Partition;
use crate::policy::partition::Fixed;
use crate::topology::{Ends, LinkId, NodeId, Topology, nearest};
use crate::units::FieldFault;

/// What `placement`, the field at `path`, means on `topology`.
///
/// # Errors
/// Every name that leads nowhere, and every way that is missing.
pub fn place(
    placement: &Placement,
    path: &str,
    topology: &Topology,
) -> Result<Placed, Vec<FieldFault>> {
    let finder = Finder { topology };
    match placement {
        Placement::Single(Single { at }) => {
            let path = format!("{path}.Single");
            let at = finder
                .node(at, &format!("{path}.at"))
                .map_err(|fault| vec![fault])?;
            Ok(Placed::Single { path, at })
        }
        Placement::TensorParallel(fields) => {
            let path = format!("{path}.TensorParallel");
            let names = [&fields.over, &fields.at, &fields.link];
            let Team { members, at, link } = finder.team(names, &path)?;
            Ok(Placed::Tensor {
                path,
                members,
                at,
                link,
                fields: fields.clone(),
            })
        }
        Placement::Experts(fields) => {
            let path = format!("{path}.Experts");
            let names = [&fields.over, &fields.at, &fields.link];
            let Team { members, at, link } = finder.team(names, &path)?;
            Ok(Placed::Experts {
                path,
                members,
                at,
                link,
                fields: fields.clone(),
            })
        }
        Placement::Pipeline(fields) => finder.pipeline(fields, format!("{path}.Pipeline")),
    }
}

/// Nodes that work on the same layers, and the one that puts their parts together.
struct Team {
    members: Vec<NodeId>,
    at: NodeId,
    link: Option<LinkId>,
}

struct Finder<'a> {
    topology: &'a Topology,
}

impl Finder<'_> {
    fn name(&self, node: NodeId) -> &str {
        &self.topology.at(node).name
    }

    fn node(&self, name: &str, path: &str) -> Result<NodeId, FieldFault> {
        let topology = self.topology;
        if let Some(node) = topology.node(name) {
            return Ok(node);
        }
        let message = match topology.group(name).as_slice() {
            [] => {
                let names = topology.nodes.iter().map(|node| node.name.as_str());
                format!(
                    "there is no node `{name}`; {}{}",
                    nearest(name, names),
                    self.groups()
                )
            }
            [first, ..] => format!(
                "`{name}` is a group of nodes, and one is wanted here; name it, such as `{}`",
                self.name(*first)
            ),
        };
        Err(FieldFault::new(path, message))
    }

    fn group(&self, name: &str, path: &str) -> Result<Vec<NodeId>, FieldFault> {
        let topology = self.topology;
        let members = topology.group(name);
        if !members.is_empty() {
            return Ok(members);
        }
        let message = match topology.node(name) {
            Some(node) => format!(
                "`{name}` is one node, and a group is wanted here, such as `{}`",
                topology.at(node).group
            ),
            None => {
                let groups = topology.nodes.iter().map(|node| node.group.as_str());
                format!(
                    "there is no group `{name}`; {}{}",
                    nearest(name, groups),
                    self.groups()
                )
            }
        };
        Err(FieldFault::new(path, message))
    }

    fn link(&self, name: &str, path: &str) -> Result<LinkId, FieldFault> {
        self.topology.link(name).ok_or_else(|| {
            let names = || self.topology.links.iter().map(|link| link.name.as_str());
            let known = match names().collect::<Vec<_>>().join(", ").as_str() {
                "" => "there are none; add one under `links`".to_owned(),
                known => format!("known are {known}"),
            };
            let near = nearest(name, names());
            FieldFault::new(path, format!("there is no link `{name}`; {near}{known}"))
        })
    }

    /// What there is to choose from, for an error.
    fn groups(&self) -> String {
        let mut known: Vec<String> = Vec::new();
        for node in &self.topology.nodes {
            let name = match node.name == node.group {
                true => node.name.clone(),
                false => format!("{0} ({0}0, …)", node.group),
            };
            if !known.contains(&name) {
                known.push(name);
            }
        }
        format!("known are {}", known.join(", "))
    }

    /// Finds `over`, `at` and `link`, each of which may be left out where another says it.
    fn team(
        &self,
        [over, at, link]: [&Option<String>; 3],
        path: &str,
    ) -> Result<Team, Vec<FieldFault>> {
        let within = |field: &str| format!("{path}.{field}");
        let link = link.as_ref().map(|name| self.link(name, &within("link")));
        let at = at.as_ref().map(|name| self.node(name, &within("at")));
        let over = over.as_ref().map(|name| self.group(name, &within("over")));
        let (link, at, over) = match (link.transpose(), at.transpose(), over.transpose()) {
            (Ok(link), Ok(at), Ok(over)) => (link, at, over),
            (link, at, over) => {
                let faults = [link.err(), at.err(), over.err()];
                return Err(faults.into_iter().flatten().collect());
            }
        };
        self.complete(over, at, link, path)
            .map_err(|fault| vec![fault])
    }

    fn complete(
        &self,
        over: Option<Vec<NodeId>>,
        at: Option<NodeId>,
        link: Option<LinkId>,
        path: &str,
    ) -> Result<Team, FieldFault> {
        let fault =
            |field: &str, message: String| Err(FieldFault::new(format!("{path}.{field}"), message));
        let link = match link {
            Some(link) => Some(link),
            None => self.only_cell(over.as_deref(), at).map_err(|cells| {
                let message = format!("several radio links could be meant: {cells}; name one");
                FieldFault::new(format!("{path}.link"), message)
            })?,
        };
        let cell = link.map(|link| &self.topology.links[link.index()]);
        let (hub, around) = match cell.map(|link| &link.ends) {
            Some(Ends::Cell { hub, members }) => (Some(*hub), Some(members.clone())),
            _ => (None, None),
        };
        let Some(members) = over.or(around) else {
            let message = format!("say which group of nodes works together; {}", self.groups());
            return fault("over", message);
        };
        let Some(at) = at.or(hub) else {
            let message = format!(
                "say which node puts their parts together; {}",
                self.groups()
            );
            return fault("at", message);
        };
        let apart = |joined: &dyn Fn(NodeId) -> bool| {
            let mut others = members.iter().filter(|member| **member != at);
            others.find(|member| !joined(**member)).copied()
        };
        if let Some(cell) = cell {
            let joined = |member| match &cell.ends {
                Ends::Cell { hub, members } => *hub == at && members.contains(&member),
                wire => wire.join(member, at),
            };
            if let Some(member) = apart(&joined) {
                let message = format!(
                    "`{}` does not lead from `{}` to `{}`; name another link, or leave it out",
                    cell.name,
                    self.name(member),
                    self.name(at)
                );
                return fault("link", message);
            }
        }
        if let Some(member) = apart(&|member| self.topology.route(member, at).is_some()) {
            return fault("over", self.no_way(member, at));
        }
        Ok(Team { members, at, link })
    }

    /// The radio link that joins all of `over` with `at`, where it is the only one.
    fn only_cell(
        &self,
        over: Option<&[NodeId]>,
        at: Option<NodeId>,
    ) -> Result<Option<LinkId>, String> {
        let links = self.topology.links.iter().zip((0..).map(LinkId));
        let fits = |ends: &Ends| match ends {
            Ends::Cell { hub, members } => {
                let holds = |over: &[NodeId]| over.iter().all(|node| members.contains(node));
                at.is_none_or(|at| at == *hub) && over.is_none_or(holds)
            }
            Ends::Wire { .. } | Ends::Switch { .. } => false,
        };
        let found: Vec<_> = links.filter(|(link, _)| fits(&link.ends)).collect();
        match found.as_slice() {
            [] => Ok(None),
            [(_, only)] => Ok(Some(*only)),
            several => {
                let names = several.iter().map(|(link, _)| link.name.as_str());
                Err(names.collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn no_way(&self, from: NodeId, to: NodeId) -> String {
        let (from, to) = (self.name(from), self.name(to));
        format!(
            "no link leads from `{from}` to `{to}`; add one, for example \"wire\": \
             Wire(between: (\"{from}\", \"{to}\"), rate: \"10 Gbit/s\", delay: \"1 ms\")"
        )
    }

    fn pipeline(&self, fields: &Pipeline, path: String) -> Result<Placed, Vec<FieldFault>> {
        let fault = |field: &str, message: String| {
            vec![FieldFault::new(format!("{path}.{field}"), message)]
        };
        let stages = match (&fields.over, fields.stages.as_slice()) {
            (Some(over), []) => {
                let over = self.group(over, &format!("{path}.over"));
                let single = |at| Placed::Single {
                    path: format!("{path}.over"),
                    at,
                };
                over.map_err(|fault| vec![fault])?
                    .into_iter()
                    .map(single)
                    .collect()
            }
            (None, []) => {
                let message = "a pipeline has stages: list them, for example stages: [Single(at: \
                               \"edge\"), Single(at: \"cloud\")], or name a group with `over`";
                return Err(fault("stages", message.to_owned()));
            }
            (Some(_), _) => {
                let message = "the stages are listed already; leave out one of both";
                return Err(fault("over", message.to_owned()));
            }
            (None, stages) => self.stages(stages, &path)?,
        };
        if let Partition::Fixed(Fixed(parts)) = &fields.partition {
            if parts.len() != stages.len() {
                let message = format!(
                    "{} numbers of layers for {} stages; give one each",
                    parts.len(),
                    stages.len()
                );
                return Err(fault("partition", message));
            }
            if parts.contains(&0) {
                let message = "a stage without layers; give each 1 or more, or leave it out";
                return Err(fault("partition", message.to_owned()));
            }
        }
        fields
            .bits
            .validate()
            .map_err(|fault| vec![fault.under(&path)])?;
        for pair in stages.windows(2) {
            let [from, to] = [pair[0].at(), pair[1].at()];
            if self.topology.route(from, to).is_none() {
                let message = self.no_way(from, to);
                return Err(vec![FieldFault::new(pair[1].path(), message)]);
            }
        }
        Ok(Placed::Pipeline {
            path,
            stages,
            fields: fields.clone(),
        })
    }

    fn stages(&self, stages: &[Placement], path: &str) -> Result<Vec<Placed>, Vec<FieldFault>> {
        let mut placed = Vec::new();
        let mut faults = Vec::new();
        for (index, stage) in stages.iter().enumerate() {
            let path = format!("{path}.stages[{index}]");
            if matches!(stage, Placement::Pipeline(_)) {
                let message = "a stage is no pipeline itself; list its stages here";
                faults.push(FieldFault::new(path, message));
                continue;
            }
            match place(stage, &path, self.topology) {
                Ok(stage) => placed.push(stage),
                Err(found) => faults.extend(found),
            }
        }
        match faults.is_empty() {
            true => Ok(placed),
            false => Err(faults),
        }
    }
}
