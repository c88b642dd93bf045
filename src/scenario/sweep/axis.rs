//! One axis of a sweep: a field and its values, or several that advance together, and what
//! people call them.

use crate::scenario::literal::Literal;
use crate::scenario::range::Range;
use crate::scenario::raw::{Path, Segment};
use crate::units::FieldFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One field and the values it takes, as a list or a range, or several such that advance
/// together:
///
/// ```text
/// (path: "nodes.device.count", values: [1, 2, 4])
/// (path: "links.air.bandwidth", range: (from: "20 MHz", to: "120 MHz", count: 6, scale: Linear))
/// (zip: [(path: …, values: […]), (path: …, values: […])])
/// ```
///
/// Tables, figures and points call an axis by the last field of its path and its values as they
/// are written. `name` and `labels` call them something else, and make one column of fields that
/// advance together; where fields inside have labels, only those are shown:
///
/// ```text
/// (name: "model", labels: ["llama2-7b", "llama2-13b"], zip: [(path: …), (path: …)])
/// (zip: [(name: "model", labels: […], path: …), (name: "scheme", labels: […], …), (path: …)])
/// ```
///
/// `points.csv` keeps paths and values. Names and labels are no part of a point, so that changing
/// them makes no finished point stale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// What people call it. Default: the last field of the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What people call its values, one label for each, all different. Default: the values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Which field, such as `nodes.device.count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Path>,
    /// Its values, at least one and all different.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Literal>>,
    /// Its values, evenly spaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// In place of all these: axes of equal length that advance together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<Vec<Axis>>,
}

impl Axis {
    /// The fields that advance together, with their paths below the axis.
    pub(in crate::scenario) fn members(&self) -> Vec<(String, &Axis)> {
        match &self.zip {
            Some(axes) => axes
                .iter()
                .enumerate()
                .map(|(index, axis)| (format!(".zip[{index}]"), axis))
                .collect(),
            None => vec![(String::new(), self)],
        }
    }

    /// Path and values of one field.
    pub(super) fn varied(&self) -> Result<(&Path, Vec<Literal>), FieldFault> {
        let fault = |field: &str, message: &str| Err(FieldFault::new(field, message));
        let Some(path) = &self.path else {
            return fault(
                "path",
                "an axis needs a path, such as `path: \"nodes.device.count\"`, or fields that advance \
                 together, `zip: [(path: …, values: […]), …]`",
            );
        };
        match path.0.first() {
            Some(Segment::Field(name)) if name == "sweep" => {
                return fault("path", "a sweep cannot vary itself");
            }
            Some(Segment::Field(name)) if name == "seed" => {
                return fault(
                    "path",
                    "the seed names the experiment and is the same at all points; use `runs` for \
                     repetitions, or --seed for another experiment",
                );
            }
            _ => {}
        }
        match (&self.values, &self.range) {
            (Some(values), None) if values.is_empty() => {
                fault("values", "the list is empty; give at least one value")
            }
            (Some(values), None) => Ok((path, values.clone())),
            (None, Some(range)) => {
                Ok((path, range.values().map_err(|fault| fault.under("range"))?))
            }
            (Some(_), Some(_)) => fault("range", "there is a list already; keep one of the two"),
            (None, None) => fault(
                "values",
                "an axis needs values; give `values: [1, 2]` or `range: (from: 1, to: 8, count: 8)`",
            ),
        }
    }

    /// How many values it has, as far as that can be said without making them.
    pub(super) fn length(&self) -> u64 {
        self.members().iter().fold(0, |length, (_, axis)| {
            let listed = axis.values.as_ref().map_or(0, Vec::len) as u64;
            let ranged = axis.range.as_ref().map_or(0, |range| range.count);
            length.max(listed).max(ranged.into())
        })
    }

    /// Checks the axis by itself.
    pub(super) fn validate(&self) -> Result<(), FieldFault> {
        let fault = |path: String, message: String| Err(FieldFault::new(path, message));
        if let Some(zip) = &self.zip {
            let beside = [
                ("path", self.path.is_some()),
                ("values", self.values.is_some()),
                ("range", self.range.is_some()),
            ];
            if let Some((name, _)) = beside.iter().find(|(_, given)| *given) {
                return fault(
                    (*name).to_owned(),
                    "beside `zip` this has no meaning; put it into the zipped list".into(),
                );
            }
            if zip.is_empty() {
                return fault(
                    "zip".into(),
                    "the list is empty; give two axes or more".into(),
                );
            }
            if let Some(index) = zip.iter().position(|axis| axis.zip.is_some()) {
                return fault(
                    format!("zip[{index}].zip"),
                    "these advance together already; list their axes in the outer `zip`".into(),
                );
            }
        }
        let mut lengths = Vec::new();
        let mut rows: Vec<String> = Vec::new();
        for (below, axis) in self.members() {
            let below = below.trim_start_matches('.');
            let (_, values) = axis.varied().map_err(|fault| match below {
                "" => fault,
                below => fault.under(below),
            })?;
            rows.resize(rows.len().max(values.len()), String::new());
            for (row, value) in rows.iter_mut().zip(&values) {
                row.push_str(value.as_str());
                row.push(',');
            }
            lengths.push(values.len());
        }
        if let Some(index) = lengths.iter().position(|length| *length != lengths[0]) {
            return fault(
                format!("zip[{index}]"),
                format!(
                    "it has {} values, but the first of the zipped axes has {}; zipped axes need \
                     equally many",
                    lengths[index], lengths[0]
                ),
            );
        }
        let mut seen = BTreeSet::new();
        if let Some(index) = rows.iter().position(|row| !seen.insert(row)) {
            let row = rows[index].trim_end_matches(',');
            let path = match (&self.zip, &self.range) {
                (Some(_), _) => format!("zip[0].values[{index}]"),
                (None, None) => format!("values[{index}]"),
                (None, Some(_)) => "range".to_owned(),
            };
            return fault(
                path,
                format!("{row} is there twice; remove one, or use `runs` for repetitions"),
            );
        }
        self.validate_names(rows.len())
    }

    /// Checks what the axis, its fields and their values are called.
    fn validate_names(&self, values: usize) -> Result<(), FieldFault> {
        let inner = self.zip.iter().flatten().enumerate();
        let inner = inner.map(|(index, axis)| (format!("zip[{index}]."), axis));
        for (below, axis) in std::iter::once((String::new(), self)).chain(inner) {
            let fault = |field: String, message: String| {
                Err(FieldFault::new(below.clone() + &field, message))
            };
            if let Some(Err(message)) = axis.name.as_deref().map(printable) {
                return fault("name".into(), message);
            }
            let Some(labels) = &axis.labels else { continue };
            if labels.len() != values {
                return fault(
                    "labels".into(),
                    format!(
                        "{} labels for {values} values; give one for each value",
                        labels.len()
                    ),
                );
            }
            for (index, label) in labels.iter().enumerate() {
                if let Err(message) = printable(label) {
                    return fault(format!("labels[{index}]"), message);
                }
            }
            // Of several fields it is enough if all labels together tell values apart.
            let rows = match below.is_empty() {
                true => labels.iter().map(|label| vec![label]).collect(),
                false => self.labels_of_fields(values),
            };
            if let Some(index) = (0..values).find(|index| rows[..*index].contains(&rows[*index])) {
                let row = rows[index].iter().map(|label| label.as_str());
                let row = row.collect::<Vec<_>>().join(", ");
                return fault(
                    format!("labels[{index}]"),
                    format!("`{row}` is there twice; labels must tell values apart"),
                );
            }
        }
        Ok(())
    }

    /// The labels of all zipped fields that have any, for each value.
    fn labels_of_fields(&self, values: usize) -> Vec<Vec<&String>> {
        let fields = || self.zip.iter().flatten().filter_map(|f| f.labels.as_ref());
        let row = |index: usize| fields().filter_map(|labels| labels.get(index)).collect();
        (0..values).map(row).collect()
    }
}

/// Refuses a text that a line of a table cannot show.
fn printable(text: &str) -> Result<(), String> {
    match text {
        "" => Err("it is empty; write what people should read".to_owned()),
        text if text.trim() != text || text.contains(char::is_control) => Err(format!(
            "{text:?} starts or ends with a blank or has a line break; write one plain line"
        )),
        _ => Ok(()),
    }
}
