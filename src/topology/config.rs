//! The nodes of a scenario.

use super::Node;
use crate::device::Profile;
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// One node, or several of a kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NodeGroup {
    /// How many there are, at least 1: of `phone` they are called `phone0`, `phone1` and so
    /// on. Default: one node of the group's very name.
    pub count: Option<usize>,
    /// What each of them is. Default: the preset `jetson-orin-nano`.
    pub profile: Profile,
    /// Nodes that are something else, by number from 0.
    pub except: BTreeMap<u32, Profile>,
}

impl Default for NodeGroup {
    fn default() -> Self {
        Self {
            count: None,
            profile: Profile::Preset("jetson-orin-nano".to_owned()),
            except: BTreeMap::new(),
        }
    }
}

/// The event log numbers nodes with 16 bits, one of whose values means "none".
const MOST_NODES: usize = 65_535;

/// A name is suggested if it is at least this similar (Jaro–Winkler, 0 to 1).
const SIMILAR: f64 = 0.75;

/// The one of `known` that `name` most probably stands for, as a question.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let lower = name.to_lowercase();
    known
        .map(|known| (strsim::jaro_winkler(&lower, &known.to_lowercase()), known))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|x, y| x.0.total_cmp(&y.0))
        .map_or(String::new(), |(_, known)| {
            format!("did you mean `{known}`? ")
        })
}

/// Refuses what cannot name a node or a link: such a name stands in paths, in the names of
/// resources and in cells of tables.
///
/// # Errors
/// What is wrong with it, and the fix.
pub fn check_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if name.starts_with(char::is_alphabetic) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(format!(
        "{name:?} is no name: it begins with a letter, and letters, digits, `_` and `-` follow"
    ))
}

impl NodeGroup {
    /// How many nodes it is.
    pub fn size(&self) -> usize {
        self.count.unwrap_or(1)
    }

    /// The name of node `number` of the group called `group`.
    pub fn name(&self, group: &str, number: usize) -> String {
        match self.count {
            Some(_) => format!("{group}{number}"),
            None => group.to_owned(),
        }
    }

    /// The profile of node `number`.
    pub fn profile(&self, number: usize) -> &Profile {
        let except = u32::try_from(number).ok();
        let except = except.and_then(|number| self.except.get(&number));
        except.unwrap_or(&self.profile)
    }

    /// Reads the profiles that are files, by paths relative to `folder`.
    fn load(&mut self, folder: &Path) -> Vec<FieldFault> {
        let mut faults = Vec::new();
        if let Err(fault) = self.profile.load(folder) {
            faults.push(fault.under("profile"));
        }
        for (number, profile) in &mut self.except {
            if let Err(fault) = profile.load(folder) {
                faults.push(fault.under(&format!("except[{number}]")));
            }
        }
        faults
    }

    fn validate(&self) -> Vec<FieldFault> {
        let mut faults = Vec::new();
        let size = self.size();
        if size == 0 || size > MOST_NODES {
            let message = format!("{size} nodes; use 1 to {MOST_NODES}, or leave the group out");
            faults.push(FieldFault::new("count", message));
        }
        if let Err(fault) = self.profile.resolve() {
            faults.push(fault.under("profile"));
        }
        for (number, profile) in &self.except {
            let path = format!("except[{number}]");
            if *number as usize >= size || self.count.is_none() {
                let message = match self.count {
                    Some(count) => {
                        format!("there is no node {number} among {count}, which are counted from 0")
                    }
                    None => "the group is one node alone; give its `profile`, or a `count`".into(),
                };
                faults.push(FieldFault::new(path.as_str(), message));
            }
            if let Err(fault) = profile.resolve() {
                faults.push(fault.under(&path));
            }
        }
        faults
    }
}

/// Reads the profiles of `groups` that are files, by paths relative to `folder`.
///
/// # Errors
/// All that cannot be read or are no profiles, by path from the groups on.
pub fn load_profiles(
    groups: &mut BTreeMap<String, NodeGroup>,
    folder: &Path,
) -> Result<(), Vec<FieldFault>> {
    let mut faults = Vec::new();
    for (name, group) in groups {
        let found = group.load(folder).into_iter();
        faults.extend(found.map(|fault| fault.under(name)));
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults),
    }
}

/// The nodes of `groups`, in order.
///
/// # Errors
/// Everything wrong with them, by path from the groups on.
pub fn nodes(groups: &BTreeMap<String, NodeGroup>) -> Result<Vec<Node>, Vec<FieldFault>> {
    let mut faults = Vec::new();
    for (name, group) in groups {
        match check_name(name) {
            Ok(()) => faults.extend(group.validate().into_iter().map(|fault| fault.under(name))),
            // Its path would lead nowhere.
            Err(message) => faults.push(FieldFault::new("nodes", message)),
        }
    }
    if groups.is_empty() {
        let message = "there is no node; add some, for example \"device\": (count: 4)";
        faults.push(FieldFault::new("nodes", message));
    }
    let total = groups.values().map(NodeGroup::size);
    let total = total.fold(0, usize::saturating_add);
    if faults.is_empty() && total > MOST_NODES {
        let message = format!("{total} nodes in all; use at most {MOST_NODES}");
        faults.push(FieldFault::new("nodes", message));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut nodes = Vec::with_capacity(total);
    for (name, group) in groups {
        for number in 0..group.size() {
            let profile = group.profile(number);
            nodes.push(Node {
                name: group.name(name, number),
                group: name.clone(),
                label: profile.label().to_owned(),
                profile: profile.resolve().map_err(|fault| vec![fault])?,
                basis: profile.basis(),
            });
        }
    }
    let mut groups_of: BTreeMap<&str, &str> = BTreeMap::new();
    for node in &nodes {
        if let Some(other) = groups_of.insert(&node.name, &node.group) {
            let (one, two) = (&node.group, other);
            let message = format!(
                "a node of `{one}` and one of `{two}` are both called `{}`; rename one group",
                node.name
            );
            return Err(vec![FieldFault::new(one.as_str(), message)]);
        }
    }
    Ok(nodes)
}
