//! A scenario that may run: decoded, checked, every default filled in.

use super::draft::{Draft, MOST_FAULTS, tree_of};
use super::fault::{Fault, ScenarioError};
use super::json::json;
use super::missing;
use super::model::Model;
use super::overrides::Override;
use super::raw;
use super::rules;
use super::schema::Scenario;
use super::system::{self, System};
use crate::device::DeviceProfile;
use crate::files;
use crate::medium::Link;
use crate::placement::Placed;
use crate::radio::RadioConfig;
use crate::topology::{LinkId, NodeId, Topology, load_profiles};
use crate::units::FieldFault;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// No scenario is longer; what is too long to be parsed is told at its place.
const MOST_BYTES: u64 = 64 << 20;

/// A scenario without fault.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The file's stem.
    pub name: String,
    /// The file's folder, to which its paths are relative.
    pub folder: PathBuf,
    /// Every field, and the parts that are implied where they are left out.
    pub scenario: Scenario,
    /// Its nodes and links.
    pub topology: Topology,
    /// Where each replica lies.
    pub replicas: Vec<Placed>,
    /// Where the model lies, if not where the scenario says.
    model_elsewhere: Option<PathBuf>,
    draft: Draft,
}

/// What the name of a file ends with whose scenario is JSON.
const JSON: &str = "json";

/// Reads the scenario in the file `path`, JSON if its name ends so and else RON, and puts `overrides` in place, in order.
///
/// # Errors
/// Every fault that can be found at once: an unreadable file, a text that is not RON,
/// fields and values that do not exist, rules that do not hold.
pub fn load(path: &Path, overrides: &[Override]) -> Result<Resolved, ScenarioError> {
    let unreadable = |reason: String, help: &str| {
        ScenarioError::from(Fault {
            help: Some(help.to_owned()),
            ..Fault::new(format!(
                "cannot read the scenario {}: {reason}",
                path.display()
            ))
        })
    };
    let bytes = files::read(path, MOST_BYTES).map_err(|error| {
        let help = match error.kind() {
            ErrorKind::NotFound => missing::help(path),
            ErrorKind::IsADirectory if path.join("manifest.json").is_file() => {
                format!(
                    "it is a run folder; `airloom replay {}` runs it again",
                    path.display()
                )
            }
            ErrorKind::IsADirectory => {
                "give a scenario's file, which ends in .ron or .json".to_owned()
            }
            _ => "check the path and its permissions".to_owned(),
        };
        unreadable(error.to_string(), &help)
    })?;
    if bytes.len() > raw::MAX_LENGTH {
        let limit = format!("it has more than {} bytes", raw::MAX_LENGTH);
        return Err(unreadable(limit, "give a scenario's file"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        unreadable(
            format!("it is not UTF-8 from byte {offset} on"),
            "a scenario is a text file",
        )
    })?;
    let label = path.display().to_string();
    let draft = match path.extension().is_some_and(|end| end == JSON) {
        true => Draft::parse_json(label, text),
        false => Draft::parse(label, text),
    };
    changed(draft?, path, overrides, None)
}

/// Like [`load`], for a `text` that takes the place of the file `path`.
///
/// # Errors
/// Those of [`load`], save for reading the file.
pub fn parse(text: &str, path: &Path, overrides: &[Override]) -> Result<Resolved, ScenarioError> {
    parse_with_model(text, path, overrides, None)
}

/// The model that the scenario `text` names, whether or not it is there.
///
/// # Errors
/// If the text, which errors call `label`, is no scenario.
pub fn model_of(text: &str, label: &str) -> Result<Model, ScenarioError> {
    let draft = Draft::parse(label.to_owned(), text.to_owned())?;
    Ok(draft.decode()?.model)
}

/// Like [`parse`], with the model's folder at `model` rather than where the text says.
///
/// # Errors
/// Those of [`parse`].
pub fn parse_with_model(
    text: &str,
    path: &Path,
    overrides: &[Override],
    model: Option<PathBuf>,
) -> Result<Resolved, ScenarioError> {
    let draft = Draft::parse(path.display().to_string(), text.to_owned())?;
    changed(draft, path, overrides, model)
}

/// The scenario `draft`, which lies at `path`, with `overrides` in place.
fn changed(
    mut draft: Draft,
    path: &Path,
    overrides: &[Override],
    model: Option<PathBuf>,
) -> Result<Resolved, ScenarioError> {
    let mut faults = Vec::new();
    for change in overrides {
        if let Err(error) = draft.apply(change) {
            faults.extend(error.faults);
        }
    }
    if !faults.is_empty() {
        return Err(ScenarioError { faults });
    }
    let name = path
        .file_stem()
        .map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy());
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    Resolved::new(name.into_owned(), folder.to_owned(), draft, model)
}

impl Resolved {
    fn new(
        name: String,
        folder: PathBuf,
        draft: Draft,
        model_elsewhere: Option<PathBuf>,
    ) -> Result<Self, ScenarioError> {
        let mut scenario = draft.decode()?;
        let located = |faults: Vec<FieldFault>| {
            let faults = faults.into_iter().take(MOST_FAULTS);
            let faults = faults.map(|fault| draft.rule_fault(fault));
            ScenarioError {
                faults: faults.collect(),
            }
        };
        load_profiles(&mut scenario.nodes, &folder).map_err(|faults| {
            let faults = faults.into_iter();
            located(faults.map(|fault| fault.under("nodes")).collect())
        })?;
        let system = rules::check(&scenario, &folder, model_elsewhere.as_deref());
        let System { topology, replicas } = system.map_err(located)?;
        if let Some(fault) = draft.too_long(&scenario) {
            return Err(fault.into());
        }
        Ok(Self {
            name,
            folder,
            topology,
            replicas,
            scenario,
            model_elsewhere,
            draft,
        })
    }

    /// Every text that is written, with its path.
    pub(super) fn texts(&self) -> Vec<(raw::Path, &str)> {
        self.draft.texts()
    }

    /// The fields of a link.
    pub fn link(&self, link: LinkId) -> &Link {
        system::link(&self.scenario, link)
    }

    /// The fields of a radio.
    ///
    /// # Panics
    /// If the link is a wire.
    pub fn radio(&self, link: LinkId) -> &RadioConfig {
        self.link(link).radio().expect("the link is a radio")
    }

    /// The field of a link, for what is found wrong with it.
    pub fn link_path(&self, link: LinkId) -> String {
        format!("links.{}", self.topology.links[link.index()].name)
    }

    /// The radios among the links, in order.
    pub fn radios(&self) -> Vec<LinkId> {
        let radios = self.scenario.radios();
        radios
            .filter_map(|(name, _)| self.topology.link(name))
            .collect()
    }

    /// What a node can do.
    pub fn profile(&self, node: NodeId) -> &DeviceProfile {
        &self.topology.at(node).profile
    }

    /// How many forward passes of a replica are on their way at once.
    pub fn in_flight(&self, replica: usize) -> usize {
        let given = self.scenario.replicas[replica].in_flight;
        given.unwrap_or_else(|| self.replicas[replica].stages().len())
    }

    /// The seed that the scenario states.
    pub fn seed(&self) -> u64 {
        self.scenario.seed
    }

    /// A path written in the scenario, seen from where the program runs.
    pub fn path(&self, written: &str) -> PathBuf {
        self.folder.join(written)
    }

    /// The folder of the model that the scenario writes so.
    pub fn model_path(&self, written: &str) -> PathBuf {
        let elsewhere = self.model_elsewhere.clone();
        elsewhere.unwrap_or_else(|| self.path(written))
    }

    /// The model's folder; `None` if it is only a shape.
    pub fn model_folder(&self) -> Option<PathBuf> {
        let written = self.scenario.model.written()?;
        Some(self.model_path(written))
    }

    /// The folder of the other model `name`; `None` if there is none, or it is only a shape.
    pub fn other_model_folder(&self, name: &str) -> Option<PathBuf> {
        match self.scenario.models.get(name)? {
            Model::Folder(written) | Model::Gguf(written) => Some(self.path(written)),
            Model::Shape(_) => None,
        }
    }

    /// Every field, defaults included: a scenario that resolves to the same.
    pub fn to_ron(&self) -> String {
        raw::pretty(&tree_of(&self.scenario))
    }

    /// [`to_ron`](Self::to_ron) in JSON: a file that ends in `.json` and resolves to the same.
    pub fn to_json(&self) -> String {
        let mut tree = tree_of(&self.scenario);
        if let raw::Value::Record(name, _) = &mut tree.value {
            *name = None;
        }
        let text = serde_json::to_string_pretty(&json(&tree));
        text.expect("a tree of texts and numbers is JSON") + "\n"
    }

    /// What one run depends on: [`to_ron`](Self::to_ron) without the sweep, so that a
    /// point of a sweep and the same configuration run alone have one text.
    pub fn configuration(&self) -> String {
        let alone = Scenario {
            sweep: None,
            ..self.scenario.clone()
        };
        raw::pretty(&tree_of(&alone))
    }

    /// A fault that was found later in a value of this scenario, with its place.
    pub fn fault(&self, fault: FieldFault) -> ScenarioError {
        self.draft.rule_fault(fault).into()
    }

    /// A remark's fault with the place of its field; `None` if nothing is written there.
    pub(super) fn remark(&self, fault: FieldFault, if_written: bool) -> Option<Fault> {
        let there = !if_written || self.written(&fault.path).is_some();
        there.then(|| self.draft.rule_fault(fault))
    }

    /// This scenario without its sweep.
    pub(super) fn alone(&self) -> Self {
        let mut alone = self.clone();
        alone.scenario.sweep = None;
        alone.draft.remove("sweep");
        alone
    }

    /// What stands at `path` of the text, if anything is written there.
    pub(super) fn written(&self, path: &str) -> Option<&raw::Node> {
        self.draft.get(&path.parse().expect("a path just written"))
    }

    /// The scenario with these values in place.
    pub(super) fn with<'a>(
        &self,
        values: impl Iterator<Item = (&'a raw::Path, &'a raw::Node)>,
    ) -> Result<Self, ScenarioError> {
        let mut draft = self.draft.clone();
        for (path, node) in values {
            draft.set(path, node.clone(), node.place)?;
        }
        let elsewhere = self.model_elsewhere.clone();
        Self::new(self.name.clone(), self.folder.clone(), draft, elsewhere)
    }
}
