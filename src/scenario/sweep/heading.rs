//! What people call an axis and its values: the column headings of a sweep's tables.

use super::Sweep;
use super::axis::Axis;
use crate::scenario::literal::Literal;
use crate::scenario::range::{Scale, number_and_unit};
use crate::scenario::raw::{Path, Segment};
use crate::units::FieldFault;

/// One column of a sweep's tables: an axis, or one field of several that advance together.
#[derive(Debug, Clone, PartialEq)]
pub struct Heading {
    /// The number of its axis.
    pub axis: usize,
    /// The axis's `name`, else the last field of its path.
    pub name: String,
    /// What each value is called: the axis's `labels`, else the values as they are written.
    pub labels: Vec<String>,
    /// Whether the labels were given.
    pub labelled: bool,
    /// The field that it varies, with its values; none where it stands for several fields.
    pub field: Option<(Path, Vec<Literal>)>,
    /// Whether the values are a logarithmic range.
    pub logarithmic: bool,
    named: bool,
}

impl Heading {
    /// The given name, else the whole path.
    pub fn title(&self) -> String {
        match &self.field {
            Some((path, _)) if !self.named => path.to_string(),
            _ => self.name.clone(),
        }
    }

    /// The given label of value `index`, else the value as RON.
    pub fn cell(&self, index: usize) -> &str {
        match &self.field {
            Some((_, values)) if !self.labelled => values[index].as_str(),
            _ => &self.labels[index],
        }
    }

    /// The values as numbers with their common unit, empty where they have none; if they are
    /// none, the labels as such. `None` if neither are numbers of one unit.
    pub fn numbers(&self) -> Option<(Vec<f64>, String)> {
        let values = self.field.iter().flat_map(|(_, values)| values);
        let values: Vec<&str> = values
            .map(|value| value.as_str().trim_matches('"'))
            .collect();
        let labels = self.labels.iter().map(String::as_str);
        common(values.into_iter()).or_else(|| common(labels))
    }

    fn of(axis: usize, outer: &Axis) -> Result<Vec<Self>, FieldFault> {
        let mut columns = Vec::new();
        for (_, member) in outer.members() {
            let (path, values) = member.varied()?;
            let plain = |value: &Literal| value.as_str().trim_matches('"').to_owned();
            let labels = match &member.labels {
                Some(labels) => labels.clone(),
                None => values.iter().map(plain).collect(),
            };
            columns.push(Self {
                axis,
                name: member.name.clone().unwrap_or_else(|| last_name(path)),
                labels,
                labelled: member.labels.is_some(),
                logarithmic: member
                    .range
                    .as_ref()
                    .is_some_and(|range| range.scale == Scale::Log),
                named: member.name.is_some(),
                field: Some((path.clone(), values)),
            });
        }
        if outer.zip.is_none() || (outer.name.is_none() && outer.labels.is_none()) {
            if columns.iter().any(|column| column.labelled) {
                columns.retain(|column| column.labelled);
            }
            return Ok(columns);
        }
        let joined = |index: usize| {
            let labels = columns.iter().map(|column| column.labels[index].as_str());
            labels.collect::<Vec<_>>().join(", ")
        };
        let labels = match &outer.labels {
            Some(labels) => labels.clone(),
            None => (0..columns[0].labels.len()).map(joined).collect(),
        };
        let name = outer.name.clone();
        Ok(vec![Self {
            axis,
            name: name.unwrap_or_else(|| columns[0].name.clone()),
            labels,
            labelled: outer.labels.is_some(),
            field: None,
            logarithmic: false,
            named: true,
        }])
    }
}

/// The numbers that `texts` are, if they share a unit.
fn common<'a>(texts: impl Iterator<Item = &'a str>) -> Option<(Vec<f64>, String)> {
    let mut unit: Option<String> = None;
    let mut numbers = Vec::new();
    for text in texts {
        let (number, own) = number_and_unit(text)?;
        if *unit.get_or_insert_with(|| own.clone()) != own {
            return None;
        }
        numbers.push(number);
    }
    Some((numbers, unit?))
}

impl Sweep {
    /// The columns that tell its configurations apart, in the order of the axes. Fields that
    /// advance together have a column each, unless their axis has a name or labels; if some
    /// of them have labels, only those.
    ///
    /// # Errors
    /// If an axis is wrong by itself; a sweep of a resolved scenario is not.
    pub fn headings(&self) -> Result<Vec<Heading>, FieldFault> {
        let mut headings = Vec::new();
        for (index, axis) in self.axes.iter().enumerate() {
            headings.extend(Heading::of(index, axis)?);
        }
        Ok(headings)
    }

    /// How many values each axis has.
    pub fn lengths(&self) -> Vec<usize> {
        self.axes
            .iter()
            .map(|axis| axis.length() as usize)
            .collect()
    }

    /// How many configurations there are, apart from repetitions.
    pub fn configurations(&self) -> usize {
        self.lengths().iter().product()
    }

    /// The number of the value that configuration `index` takes on each axis.
    pub fn choice(&self, index: usize) -> Vec<usize> {
        let mut rest = index;
        let mut choice: Vec<usize> = Vec::new();
        for length in self.lengths().iter().rev() {
            choice.push(rest % length);
            rest /= length;
        }
        choice.reverse();
        choice
    }
}

/// The field that a path leads to, with its entry where it leads to one.
fn last_name(path: &Path) -> String {
    let field = |segment: &Segment| matches!(segment, Segment::Field(_));
    let start = path.0.iter().rposition(field).unwrap_or(0);
    Path(path.0[start..].to_vec()).to_string()
}
