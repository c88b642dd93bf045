//! Whether what a sweep is to publish can be, apart from metrics and units.

use super::Sweep;
use super::heading::Heading;
use super::publish::{Changes, Publication};
use crate::units::FieldFault;

impl Sweep {
    /// Checks what is to be published, apart from metrics and units.
    pub(super) fn validate_publications(&self) -> Result<(), FieldFault> {
        let headings = self.headings()?;
        let mut files: Vec<&str> = Vec::new();
        for (index, publication) in self.publish.iter().enumerate() {
            let under = |fault: FieldFault| fault.under(&format!("publish[{index}]"));
            let file = publication.file();
            file_name(file).map_err(under)?;
            if files.contains(&file) {
                return Err(under(FieldFault::new(
                    "file",
                    format!("`{file}` is written twice; choose another name"),
                )));
            }
            files.push(file);
            match publication {
                Publication::Table(table) => {
                    self.one_each(&table.published).map_err(under)?;
                }
                Publication::Changes(changes) => {
                    self.validate_changes(changes, &headings).map_err(under)?;
                }
                Publication::Figure(figure) => {
                    heading("over", &figure.over, &headings).map_err(under)?;
                    self.one_each(&figure.published).map_err(under)?;
                }
                Publication::Tradeoff(tradeoff) => {
                    if let Some(by) = &tradeoff.by {
                        heading("by", by, &headings).map_err(under)?;
                    }
                }
                Publication::SpeedUp(gain) => {
                    heading("over", &gain.over, &headings).map_err(under)?;
                    let along = heading("along", &gain.along, &headings).map_err(under)?;
                    label("from", &gain.from, along).map_err(under)?;
                    if gain.over == gain.along {
                        let message = "is the axis `along` too, and its labels are compared, not \
                                       drawn to the right; name another one";
                        return Err(under(FieldFault::new("over", message)));
                    }
                }
                Publication::LoadCurve(curve) => {
                    heading("over", &curve.over, &headings).map_err(under)?;
                }
            }
        }
        Ok(())
    }

    fn validate_changes(&self, changes: &Changes, headings: &[Heading]) -> Result<(), FieldFault> {
        let along = heading("along", &changes.along, headings)?;
        label("from", &changes.from, along)?;
        let labels = &along.labels;
        let others = self.configurations() / labels.len();
        let cells = others * (labels.len() - 1);
        count(
            "published",
            &changes.published,
            cells,
            &format!("changes from `{}`", changes.from),
        )?;
        count(
            "published_mean",
            &changes.published_mean,
            labels.len() - 1,
            &format!("labels beside `{}`", changes.from),
        )?;
        let Some(named) = &changes.published_in else {
            return Ok(());
        };
        let fault = |message: String| Err(FieldFault::new("published_in", message));
        if !changes.published.is_empty() {
            return fault("there is a list `published` already; keep one of the two".into());
        }
        let tables = self.publish.iter().filter_map(|entry| match entry {
            Publication::Table(table) => Some(table),
            _ => None,
        });
        match tables.clone().find(|table| table.file == *named) {
            Some(table) if table.published.is_empty() => {
                fault(format!("the table `{named}` has no published numbers"))
            }
            Some(table) if table.metric != changes.metric => fault(format!(
                "the table `{named}` is of {}, not of {}",
                table.metric, changes.metric
            )),
            Some(_) => Ok(()),
            None => {
                let known: Vec<&str> = tables.map(|table| table.file.as_str()).collect();
                fault(format!(
                    "no Table has the file `{named}`; {}",
                    known_names("tables", &known)
                ))
            }
        }
    }

    /// Refuses a list of published numbers that has not one for each configuration.
    fn one_each(&self, published: &[Option<f64>]) -> Result<(), FieldFault> {
        count(
            "published",
            published,
            self.configurations(),
            "configurations",
        )
    }
}

/// Refuses a list that is there and has not `expected` numbers.
fn count(
    field: &str,
    numbers: &[Option<f64>],
    expected: usize,
    what: &str,
) -> Result<(), FieldFault> {
    if !numbers.is_empty() && numbers.len() != expected {
        return Err(FieldFault::new(
            field,
            format!(
                "{} numbers for {expected} {what}; give one for each in the sweep's order, None \
                 where the source has none",
                numbers.len()
            ),
        ));
    }
    Ok(())
}

/// Refuses a label, which stands in `field`, that is not there exactly once on the axis of `heading`.
fn label(field: &str, wanted: &str, heading: &Heading) -> Result<(), FieldFault> {
    let labels = &heading.labels;
    let name = &heading.name;
    let message = match labels.iter().filter(|label| *label == wanted).count() {
        1 => return Ok(()),
        0 => format!(
            "the axis `{name}` has no label `{wanted}`; its labels are {}",
            labels.join(", ")
        ),
        _ => format!(
            "`{wanted}` is there twice on the axis `{name}`; give the axis `labels` that differ"
        ),
    };
    Err(FieldFault::new(field, message))
}

/// The column called `name`, which stands in `field`.
fn heading<'a>(
    field: &str,
    name: &str,
    headings: &'a [Heading],
) -> Result<&'a Heading, FieldFault> {
    let mut found = headings.iter().filter(|heading| heading.name == name);
    match (found.next(), found.next()) {
        (Some(heading), None) => Ok(heading),
        (Some(_), Some(_)) => Err(FieldFault::new(
            field,
            format!("two axes are called `{name}`; give one of them another `name`"),
        )),
        (None, _) => {
            let names: Vec<&str> = headings
                .iter()
                .map(|heading| heading.name.as_str())
                .collect();
            Err(FieldFault::new(
                field,
                format!(
                    "no axis is called `{name}`; {}",
                    known_names("axes", &names)
                ),
            ))
        }
    }
}

fn known_names(what: &str, names: &[&str]) -> String {
    match names {
        [] => format!("the sweep has no {what}"),
        names => format!("the sweep's {what} are {}", names.join(", ")),
    }
}

fn file_name(name: &str) -> Result<(), FieldFault> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err(FieldFault::new(
            "file",
            format!(
                "{name:?} is no plain file name; use letters, digits, _, - and ., such as \"table1\""
            ),
        ));
    }
    Ok(())
}
