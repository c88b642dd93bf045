//! A scenario on its way from text to meaning: the raw tree, its overrides, and the
//! texts that its places refer to.

use super::fault::{Fault, ScenarioError, Source};
use super::overrides::Override;
use super::raw::{self, DecodeError, Node, Path, Place, Segment, Value};
use super::schema::Scenario;
use crate::units::FieldFault;

/// How many faults are reported at once.
const MOST_FAULTS: usize = 16;

/// The text of a scenario with overrides in place, not yet checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    tree: Node,
    /// The file, then one for each override.
    sources: Vec<Source>,
}

impl Draft {
    /// Reads `text`, which errors call `label`.
    pub(super) fn parse(label: String, text: String) -> Result<Self, ScenarioError> {
        let parsed = raw::parse(&text, 0);
        let source = Source { label, text };
        match parsed {
            Ok(tree) => Ok(Self {
                tree,
                sources: vec![source],
            }),
            Err(error) => Err(Fault {
                path: None,
                location: Some(source.location(error.place)),
                message: error.message,
                help: error.help,
            }
            .into()),
        }
    }

    /// Puts a change in place. Parents that the text leaves out appear with their
    /// defaults, so that one field of a default can be changed alone.
    pub(super) fn apply(&mut self, change: &Override) -> Result<(), Fault> {
        let source = self.sources.len() as u32;
        self.sources.push(Source {
            label: change.label(),
            text: change.as_str().to_owned(),
        });
        let place = Place {
            source,
            start: 0,
            end: change.path_length() as u32,
        };
        let fault = |place, message, help| Fault {
            path: None,
            message,
            help,
            location: Some(self.sources[source as usize].location(place)),
        };
        let value = change
            .node(source)
            .map_err(|error| fault(error.place, error.message, error.help))?;
        let mut tree = self.tree.clone();
        tree.adopt_defaults(change.path(), place);
        tree.set(change.path(), value, place)
            .map_err(|error| fault(place, error.to_string(), None))?;
        self.tree = tree;
        Ok(())
    }

    /// Takes the sweep away.
    pub(super) fn without_sweep(mut self) -> Self {
        self.tree
            .remove(&Path(vec![Segment::Field("sweep".to_owned())]));
        self
    }

    /// Decodes the tree; after a fault, once more without the value at fault, so that
    /// independent faults are found together.
    pub(super) fn decode(&self) -> Result<Scenario, ScenarioError> {
        let mut tree = self.tree.clone();
        let mut faults: Vec<Fault> = Vec::new();
        let mut pruned: Vec<(Place, String)> = Vec::new();
        loop {
            let error = match raw::decode::<Scenario>(&tree) {
                Ok(scenario) if faults.is_empty() => return Ok(scenario),
                Ok(_) => break,
                Err(error) => error,
            };
            let place = error.place.unwrap_or(tree.place);
            let consequence = error.missing.is_some_and(|missing| {
                pruned
                    .iter()
                    .any(|(parent, field)| *parent == place && field == missing)
            });
            if !consequence {
                faults.push(self.decode_fault(error, place));
            }
            if faults.len() == MOST_FAULTS || !tree.prune(place, &mut pruned) {
                break;
            }
        }
        Err(ScenarioError { faults })
    }

    fn decode_fault(&self, error: DecodeError, place: Place) -> Fault {
        Fault {
            path: None,
            message: error.message,
            help: error.help,
            location: self.location_of(place),
        }
    }

    fn location_of(&self, place: Place) -> Option<super::Location> {
        let source = self.sources.get(place.source as usize)?;
        Some(source.location(place))
    }

    /// A rule's fault with the place of its field, or of what holds it, where the text
    /// has either.
    pub(super) fn rule_fault(&self, fault: FieldFault) -> Fault {
        let path = written(&fault.path);
        let place = path.as_ref().and_then(|path| match self.tree.get(path) {
            Some(node) => Some(node.place),
            None => {
                let nearest = self.tree.at(path);
                (nearest.place != self.tree.place).then(|| nearest.head())
            }
        });
        Fault {
            location: place.and_then(|place| self.location_of(place)),
            path: Some(path.map_or(fault.path, |path| path.to_string())),
            message: fault.message,
            help: None,
        }
    }
}

/// The path as overrides write it: rooms name variants on the way, paths do not.
fn written(path: &str) -> Option<Path> {
    let mut path: Path = path.parse().ok()?;
    path.0.retain(|segment| match segment {
        Segment::Field(name) => !name.starts_with(char::is_uppercase),
        Segment::Entry(_) => true,
    });
    Some(path)
}

/// The whole scenario as a tree, every field written out.
pub(super) fn tree_of(scenario: &Scenario) -> Node {
    use ron::extensions::Extensions;
    let options = ron::Options::default()
        .with_default_extension(Extensions::UNWRAP_NEWTYPES)
        .with_default_extension(Extensions::IMPLICIT_SOME)
        .with_default_extension(Extensions::UNWRAP_VARIANT_NEWTYPES);
    let text = options
        .to_string(scenario)
        .expect("a scenario has no value that RON cannot write");
    let mut tree = raw::parse(&text, 0).expect("ron writes RON");
    if let Some(sweep) = &scenario.sweep {
        // ron writes literals as texts; here they become what they stand for.
        for (axis, swept) in sweep.axes.iter().enumerate() {
            for (index, value) in swept.values.iter().enumerate() {
                let path = format!("sweep.axes[{axis}].values[{index}]");
                let path: Path = path.parse().expect("a path just written");
                let place = tree.place;
                tree.set(&path, value.node(), place)
                    .expect("ron has written every entry");
            }
        }
    }
    if let Value::Record(name, _) = &mut tree.value {
        let place = tree.place;
        name.get_or_insert(raw::Name {
            text: "Scenario".to_owned(),
            place,
        });
    }
    tree
}

impl Node {
    /// Where `path` leads through fields that are not written, writes their defaults.
    fn adopt_defaults(&mut self, path: &Path, place: Place) {
        let written = (0..path.0.len())
            .take_while(|length| self.get(&Path(path.0[..*length].to_vec())).is_some())
            .count();
        let missing = Path(path.0[..written.min(path.0.len())].to_vec());
        if written >= path.0.len() {
            return;
        }
        let Ok(scenario) = raw::decode::<Scenario>(self) else {
            return;
        };
        if let Some(default) = tree_of(&scenario).get(&missing)
            && !matches!(&default.value, Value::Word(word) if word == "None")
        {
            let mut default = default.clone();
            default.relocate(place);
            // The parent exists, so nothing can be in the way.
            let _ = self.set(&missing, default, place);
        }
    }
}
