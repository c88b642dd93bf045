//! What the fields of a scenario are: path, type, unit, default and meaning of each.
//!
//! Nothing is written here twice. The rooms' own types derive a JSON schema next to their
//! serde traits, from the same attributes and with their doc comments as descriptions;
//! this room walks that schema and turns it into words and RON.
//!
//! A field's path names the variants on the way, `links.*.Radio.budget.Normalised.snr`, and steps
//! into lists and maps by `[]`: `workload[].Score.text`; what has a name of the scenario's own
//! is `*`. Whoever asks may leave all of them out, as overrides do variants.

mod prose;
mod shape;
#[cfg(test)]
mod tests;
mod typed;
mod value;

pub use prose::TextBlock;

use super::moved;
use super::schema::Scenario;
use schemars::schema_for;
use serde_json::Value;
use shape::{Child, Inside, Shapes};
use std::collections::BTreeMap;

/// All fields of a scenario.
#[derive(Debug)]
pub struct Fields {
    shapes: Shapes,
}

/// A field, or a variant that a field may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is, such as `links.*.Radio.budget.Normalised.snr`; empty for the whole scenario.
    pub path: String,
    /// How many levels below the place that was asked for.
    pub depth: usize,
    /// Field or variant.
    pub role: Role,
    /// What it holds, in words: `frequency in Hz`, `Full | Summary | Off`; empty if nothing.
    pub holds: String,
    /// How it is written, for a quantity.
    pub example: Option<String>,
    /// What its doc comment says, then what that of its type adds.
    pub text: Vec<TextBlock>,
    /// The path under which the same inside is listed already, and therefore not again.
    pub same_as: Option<String>,
}

/// What an entry is to that which holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// A field that has to be there.
    Required,
    /// A field that may be left out without a value taking its place.
    Optional,
    /// A field that may be left out, with what it is then, in RON.
    Default(String),
    /// One of the forms that a field may take.
    Variant,
}

impl Entry {
    /// The last part of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }

    /// The first sentence of its text.
    pub fn summary(&self) -> String {
        prose::first_sentence(&self.text)
    }
}

/// A path that leads to no field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a scenario has no field `{path}`; {help}")]
pub struct NoField {
    /// The path as asked for.
    pub path: String,
    /// Which fields may be meant.
    pub help: String,
}

/// A place of the schema.
#[derive(Debug, Clone)]
struct Place<'a> {
    path: String,
    role: Role,
    schema: &'a Value,
}

/// A name is suggested if it is at least this similar (Jaro–Winkler, 0 to 1).
const SIMILAR: f64 = 0.8;

/// So many are suggested.
const MOST_SUGGESTIONS: usize = 3;

impl Default for Fields {
    fn default() -> Self {
        Self::new()
    }
}

impl Fields {
    /// The fields of [`Scenario`].
    pub fn new() -> Self {
        Self {
            shapes: Shapes::new(schema_for!(Scenario).to_value()),
        }
    }

    /// The JSON Schema of a scenario.
    pub fn schema(&self) -> &Value {
        self.shapes.root()
    }

    /// Every field once: insides that occur at several places are listed at the first.
    pub fn all(&self) -> Vec<Entry> {
        self.listing(&self.root(), false)[1..].to_vec()
    }

    /// What `path` leads to, each with everything inside it. Variants and entries may be
    /// left out on the way, so that several places may be meant. A path that leads nowhere
    /// from the outermost level is looked for anywhere.
    ///
    /// # Errors
    /// If there is none; the error names similar fields.
    pub fn find(&self, path: &str) -> Result<Vec<Vec<Entry>>, NoField> {
        if names(path).next().is_none() {
            return Err(self.no_field(path));
        }
        let mut places = self.walk(vec![self.root()], path, true);
        if places.is_empty() {
            places = self.anywhere(path);
        }
        if places.is_empty() {
            return Err(self.no_field(path));
        }
        let found = places.iter().map(|place| self.listing(place, true));
        Ok(found.collect())
    }

    /// The paths, from the outermost level on, of all fields called `name`: variants are left
    /// out of them, as overrides do.
    pub fn paths_of(&self, name: &str) -> Vec<String> {
        let mut paths: Vec<String> = Vec::new();
        for entry in self.all() {
            let is_word = |part: &&str| !part.starts_with(char::is_uppercase);
            let path: Vec<&str> = entry.path.split('.').filter(is_word).collect();
            let path = path.join(".");
            let called = entry.role != Role::Variant && prose::last_name(&entry.path) == name;
            if called && !paths.contains(&path) {
                paths.push(path);
            }
        }
        paths
    }

    /// Whether what stands at `path` is a quantity whose SI unit is `unit`.
    pub fn holds_quantity(&self, path: &str, unit: &str) -> bool {
        let places = self.walk(vec![self.root()], path, true);
        let mut entries = places.iter().flat_map(|place| self.listing(place, true));
        entries.any(|entry| entry.holds.ends_with(&format!(" in {unit}")))
    }

    /// Where the names of `path` lead from any of `places`; with `own`, also through names that
    /// a scenario gives itself.
    fn walk<'a>(&'a self, mut places: Vec<Place<'a>>, path: &str, own: bool) -> Vec<Place<'a>> {
        for name in names(path) {
            places = places
                .iter()
                .flat_map(|place| {
                    let found = self.step(place, name);
                    match self.named(place).filter(|_| found.is_empty() && own) {
                        Some(entry) => vec![entry],
                        None => found,
                    }
                })
                .collect();
        }
        places
    }

    /// What each name leads to in `place`, if the scenario names what is inside.
    fn named<'a>(&'a self, place: &Place<'a>) -> Option<Place<'a>> {
        match self.shapes.inside(place.schema) {
            Inside::Named(schema) => Some(Place {
                path: format!("{}.*", place.path),
                role: Role::Optional,
                schema,
            }),
            _ => None,
        }
    }

    /// Where `path` leads from any place of the scenario, each type once.
    fn anywhere(&self, path: &str) -> Vec<Place<'_>> {
        let mut found: Vec<Place<'_>> = Vec::new();
        for entry in self.all() {
            let start = self.walk(vec![self.root()], &entry.path, true);
            for place in self.walk(start, path, false) {
                if found.iter().all(|other| other.path != place.path) {
                    found.push(place);
                }
            }
        }
        found
    }

    fn root(&self) -> Place<'_> {
        Place {
            path: String::new(),
            role: Role::Required,
            schema: self.shapes.root(),
        }
    }

    /// The places called `name` inside `place`, or inside the variants there.
    fn step<'a>(&'a self, place: &Place<'a>, name: &str) -> Vec<Place<'a>> {
        let named = |places: Vec<Place<'a>>| -> Vec<Place<'a>> {
            let called = |place: &Place<'_>| prose::last_name(&place.path) == name;
            places.into_iter().filter(called).collect()
        };
        let inside = self.inside(place);
        let direct = named(inside.clone());
        if !direct.is_empty() {
            return direct;
        }
        let variants = inside
            .into_iter()
            .filter(|inner| inner.role == Role::Variant);
        named(variants.flat_map(|variant| self.inside(&variant)).collect())
    }

    /// Fields or variants directly inside `place`.
    fn inside<'a>(&'a self, place: &Place<'a>) -> Vec<Place<'a>> {
        let mut path = place.path.clone();
        let mut schema = place.schema;
        loop {
            match self.shapes.inside(schema) {
                Inside::Many(entries) => {
                    path.push_str("[]");
                    schema = entries;
                }
                Inside::Named(entries) => {
                    path.push_str(".*");
                    schema = entries;
                }
                Inside::Children(children) => {
                    let placed = |child: Child<'a>| Place {
                        path: match path.as_str() {
                            "" => child.name.to_owned(),
                            path => format!("{path}.{}", child.name),
                        },
                        role: child.role,
                        schema: child.schema,
                    };
                    return children.into_iter().map(placed).collect();
                }
                Inside::Nothing => return Vec::new(),
            }
        }
    }

    /// `place` and everything inside it, depth first. Variants that are bare words and
    /// that their field's type names already appear only if `words` are wanted.
    fn listing(&self, place: &Place<'_>, words: bool) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.list(place, 0, words, &mut BTreeMap::new(), &mut entries);
        entries
    }

    fn list(
        &self,
        place: &Place<'_>,
        depth: usize,
        words: bool,
        known: &mut BTreeMap<String, String>,
        entries: &mut Vec<Entry>,
    ) {
        let inside = self.inside(place);
        let named =
            |inner: &Place<'_>| inner.role != Role::Variant || !self.inside(inner).is_empty();
        let names_something = inside.iter().any(named);
        let same_as = match self.shapes.type_name(place.schema) {
            Some(name) if names_something => known.get(name).cloned(),
            _ => None,
        };
        if let Some(name) = self.shapes.type_name(place.schema)
            && same_as.is_none()
        {
            known.insert(name.to_owned(), place.path.clone());
        }
        let inside = if (words || names_something) && same_as.is_none() {
            inside
        } else {
            Vec::new()
        };
        entries.push(Entry {
            path: place.path.clone(),
            depth,
            role: place.role.clone(),
            holds: self.shapes.holds(place.schema),
            example: self.shapes.example(place.schema),
            text: self.shapes.text(place.schema),
            same_as,
        });
        for inner in inside {
            self.list(&inner, depth + 1, words, known, entries);
        }
    }

    /// Words the error of a path that leads nowhere.
    fn no_field(&self, path: &str) -> NoField {
        if let Some(now) = path.parse().ok().and_then(|path| moved::path(&path)) {
            return NoField {
                path: path.to_owned(),
                help: format!("it is `{now}` now"),
            };
        }
        let wanted = names(path).last().unwrap_or_default().to_lowercase();
        let whole = path.to_lowercase();
        let mut similar: Vec<(f64, String)> = self
            .all()
            .into_iter()
            .filter_map(|entry| {
                let last = strsim::jaro_winkler(&wanted, &entry.name().to_lowercase());
                let all = strsim::jaro_winkler(&whole, &entry.path.to_lowercase());
                (last >= SIMILAR).then_some((2.0 * last + all, entry.path))
            })
            .collect();
        similar.sort_by(|x, y| y.0.total_cmp(&x.0));
        let names: Vec<String> = similar
            .into_iter()
            .take(MOST_SUGGESTIONS)
            .map(|(_, path)| path)
            .collect();
        NoField {
            path: path.to_owned(),
            help: match names.as_slice() {
                [] => "`airloom fields` lists them all".to_owned(),
                names => format!("did you mean {}?", names.join(" or ")),
            },
        }
    }
}

/// The names on a path, without the numbers of entries.
fn names(path: &str) -> impl Iterator<Item = &str> {
    let parts = path.trim().split('.').map(prose::without_entry);
    parts.filter(|part| !part.is_empty() && part.parse::<u64>().is_err())
}
