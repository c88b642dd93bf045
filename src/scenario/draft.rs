//! A scenario on its way from text to meaning: the raw tree, its overrides, and the
//! texts that its places refer to.

use super::fault::{Fault, Location, ScenarioError, SourceText};
use super::fields::Fields;
use super::literal::Literal;
use super::moved;
use super::overrides::Override;
use super::raw::{self, Node, Path, Place, Segment, Value};
use super::schema::Scenario;
use crate::units::FieldFault;
use std::sync::Arc;

/// How many faults are reported at once.
pub(super) const MOST_FAULTS: usize = 16;

/// So much text stays within [`raw::MAX_LENGTH`] whatever defaults come to it: none of its
/// bytes grows to a hundred.
const SURELY_SHORT: usize = 8 << 10;

/// So many places are named at which a field exists.
const MOST_PLACES: usize = 3;

/// The text of a scenario with overrides in place, not yet checked.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    tree: Node,
    /// The file, then one for each override.
    sources: Vec<Arc<SourceText>>,
}

impl Draft {
    /// Reads `text`, which errors call `label`.
    pub(super) fn parse(label: String, text: String) -> Result<Self, ScenarioError> {
        let parsed = raw::parse(&text, 0);
        Self::of(parsed, label, text)
    }

    /// Reads `text`, which is JSON and which errors call `label`.
    pub(super) fn parse_json(label: String, text: String) -> Result<Self, ScenarioError> {
        let parsed = raw::parse_json(&text, 0).map(|tree| Fields::new().typed(tree));
        Self::of(parsed, label, text)
    }

    fn of(
        parsed: Result<Node, raw::SyntaxError>,
        label: String,
        text: String,
    ) -> Result<Self, ScenarioError> {
        let source = SourceText::file(label, text);
        match parsed {
            Ok(tree) => Ok(Self {
                tree,
                sources: vec![Arc::new(source)],
            }),
            Err(error) => Err(ScenarioError::from(Fault {
                location: Some(source.location(error.place)),
                help: error.help,
                ..Fault::new(error.message)
            })),
        }
    }

    /// Puts an override in place.
    pub(super) fn apply(&mut self, change: &Override) -> Result<(), ScenarioError> {
        let (value, place) = change.node(self.sources.len() as u32);
        self.sources.push(Arc::new(SourceText::change(change)));
        self.set(change.path(), value, place)
    }

    /// Puts `value` at `path`, which was written at `place`. Parents that the text leaves
    /// out appear with their defaults, so that one field of a default can be changed
    /// alone.
    pub(super) fn set(
        &mut self,
        path: &Path,
        value: Node,
        place: Place,
    ) -> Result<(), ScenarioError> {
        if let Some(now) = moved::path(path) {
            return Err(ScenarioError::from(Fault {
                location: self.location(place),
                ..Fault::new(format!("`{path}` is `{now}` now"))
            }));
        }
        self.adopt_defaults(path, place);
        self.tree.set(path, value, place).map_err(|error| {
            ScenarioError::from(Fault {
                location: self.location(place),
                ..Fault::new(error.to_string())
            })
        })
    }

    /// Every text that is written, with its path.
    pub(super) fn texts(&self) -> Vec<(Path, &str)> {
        self.tree.texts()
    }

    /// The fault of `scenario`, decoded from here, if with its defaults it is longer than a text
    /// that can be read again.
    pub(super) fn too_long(&self, scenario: &Scenario) -> Option<Fault> {
        let written: usize = self.sources.iter().map(|source| source.len()).sum();
        if written <= SURELY_SHORT {
            return None;
        }
        let whole = raw::pretty(&tree_of(scenario));
        (whole.len() > raw::MAX_LENGTH).then(|| Fault {
            location: self.location(self.tree.head()),
            ..Fault::new(format!(
                "with every default written out, as run folders keep it, the scenario has {} \
                 bytes, and the limit is {}; shorten its lists and texts",
                whole.len(),
                raw::MAX_LENGTH
            ))
        })
    }

    /// What stands at `path`.
    pub(super) fn get(&self, path: &Path) -> Option<&Node> {
        self.tree.get(path)
    }

    /// Takes the field `name` of the scenario away.
    pub(super) fn remove(&mut self, name: &str) {
        if let Value::Record(_, fields) = &mut self.tree.value {
            fields.retain(|field| field.name.text != name);
        }
    }

    /// Where `path` leads through fields that are not written, writes their defaults.
    fn adopt_defaults(&mut self, path: &Path, place: Place) {
        let parents = path.0.len().saturating_sub(1);
        let missing = (1..=parents)
            .map(|length| Path(path.0[..length].to_vec()))
            .find(|parent| self.tree.get(parent).is_none());
        let Some(missing) = missing else {
            return;
        };
        // Other faults are reported when the whole is decoded.
        let Ok(mut scenario) = raw::decode::<Scenario>(&self.tree) else {
            return;
        };
        scenario.complete();
        let defaults = tree_of(&scenario);
        let Some(mut default) = defaults.get(&missing).cloned() else {
            return;
        };
        // Of named parts that are implied the path may need none: then none come with it.
        if let Value::Map(entries) = &mut default.value
            && defaults
                .get(&Path(path.0[..=missing.0.len()].to_vec()))
                .is_none()
        {
            entries.clear();
        }
        if !matches!(&default.value, Value::Word(word) if word == "None") {
            default.relocate(place);
            let set = self.tree.set(&missing, default, place);
            set.expect("what holds the missing field is there");
        }
    }

    /// Decodes the tree and fills in what it implies; after a fault, once more without the value at fault, so that
    /// independent faults are found together.
    pub(super) fn decode(&self) -> Result<Scenario, ScenarioError> {
        let mut tree = self.tree.clone();
        let mut faults: Vec<Fault> = Vec::new();
        let mut pruned: Vec<Place> = Vec::new();
        loop {
            let error = match raw::decode::<Scenario>(&tree) {
                Ok(mut scenario) if faults.is_empty() => {
                    scenario.complete();
                    return Ok(scenario);
                }
                Ok(_) => break,
                Err(error) => error,
            };
            let place = error.place.unwrap_or(tree.place);
            // A field misses where one was just taken out or had another name.
            let consequence = error.missing.is_some() && pruned.contains(&place);
            if !consequence {
                let known = error.help.as_deref().unwrap_or_default();
                let elsewhere = error.unknown.as_deref();
                let elsewhere = elsewhere.and_then(|name| {
                    let outermost = known.contains("workload");
                    moved::field(name, outermost).or_else(|| self::elsewhere(name))
                });
                faults.push(Fault {
                    help: elsewhere.or(error.help),
                    location: self.location(place),
                    ..Fault::new(error.message)
                });
            }
            if faults.len() == MOST_FAULTS || !tree.prune(place, &mut pruned) {
                break;
            }
        }
        Err(ScenarioError { faults })
    }

    fn location(&self, place: Place) -> Option<Location> {
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
            location: place.and_then(|place| self.location(place)),
            path: Some(path.map_or(fault.path, |path| path.to_string())),
            ..Fault::new(fault.message)
        }
    }
}

/// Where a field called `name` exists, if it does: such a one is meant rather than one of a
/// similar name here.
fn elsewhere(name: &str) -> Option<String> {
    let paths = Fields::new().paths_of(name);
    let named: Vec<String> = paths
        .iter()
        .take(MOST_PLACES)
        .map(|path| format!("`{path}`"))
        .collect();
    (!named.is_empty()).then(|| {
        let more = if paths.len() > named.len() {
            " …"
        } else {
            ""
        };
        format!(
            "did you mean {}{more}? `airloom fields {name}` explains it",
            named.join(" or ")
        )
    })
}

/// The path as overrides write it: rooms name variants on the way, paths do not. What names a
/// node or a link is no variant.
pub(super) fn written(path: &str) -> Option<Path> {
    let mut path: Path = path.parse().ok()?;
    let named = match path.0.first() {
        Some(Segment::Field(first)) if first == "nodes" || first == "links" => 1,
        _ => 0,
    };
    let mut index = 0;
    path.0.retain(|segment| {
        index += 1;
        match segment {
            Segment::Field(name) => index == named + 1 || !name.starts_with(char::is_uppercase),
            Segment::Entry(_) => true,
        }
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
    let mut tree = raw::parse_own(&text, 0, 0).expect("ron writes RON");
    let axes = scenario.sweep.iter().flat_map(|sweep| &sweep.axes);
    for (axis, swept) in axes.enumerate() {
        for (below, member) in swept.members() {
            // ron writes literals as texts; here they become what they stand for.
            let mut write = |place: String, value: &Literal| {
                let path = format!("sweep.axes[{axis}]{below}.{place}");
                let path: Path = path.parse().expect("a path just written");
                let place = tree.place;
                let set = tree.set(&path, value.node(), place);
                set.expect("ron has written every entry");
            };
            for (index, value) in member.values.iter().flatten().enumerate() {
                write(format!("values[{index}]"), value);
            }
            if let Some(range) = &member.range {
                write("range.from".to_owned(), &range.from);
                write("range.to".to_owned(), &range.to);
            }
        }
    }
    if let Value::Record(name, _) = &mut tree.value {
        *name = Some(raw::Name {
            text: "Scenario".to_owned(),
            place: tree.place,
        });
    }
    tree
}
