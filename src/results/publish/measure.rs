//! A metric in the unit in which it is published.

use crate::results::metrics::{DEFINITIONS, Definition};
use crate::results::outcomes::{Configuration, Estimate};
use crate::units::{Conversion, FieldFault, plain};

/// A name is suggested if it is at least this similar (Jaro–Winkler, 0 to 1).
const SIMILAR: f64 = 0.75;

/// A metric and a unit.
#[derive(Debug)]
pub struct Measure {
    /// The metric.
    pub metric: &'static Definition,
    /// The unit.
    pub unit: String,
    conversion: Conversion,
}

impl Measure {
    /// The metric `name` that stands in `field`, in the unit that stands in another field, or
    /// else its own.
    ///
    /// # Errors
    /// If there is no such metric, or it has no such unit; the nearest is suggested.
    pub fn of(
        field: &str,
        name: &str,
        (unit_field, unit): (&str, Option<&str>),
    ) -> Result<Self, FieldFault> {
        let Some(metric) = DEFINITIONS.iter().find(|metric| metric.name == name) else {
            let near = DEFINITIONS
                .iter()
                .map(|metric| (strsim::jaro_winkler(name, metric.name), metric.name))
                .filter(|(similarity, _)| *similarity >= SIMILAR)
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let near = near.map_or(String::new(), |(_, near)| {
                format!("did you mean `{near}`? ")
            });
            return Err(FieldFault::new(
                field,
                format!("unknown metric `{name}`; {near}`airloom list metrics` shows all"),
            ));
        };
        let unit = unit.unwrap_or(metric.unit);
        match Conversion::between(metric.unit, unit) {
            Ok(conversion) => Ok(Self {
                metric,
                unit: plain(unit).into_owned(),
                conversion,
            }),
            Err(known) => {
                let near = known
                    .iter()
                    .find(|known| known.to_lowercase() == unit.to_lowercase());
                let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
                Err(FieldFault::new(
                    unit_field,
                    format!(
                        "{name} is in {}, which is no number of `{unit}`; {near}it can be in {}",
                        metric.unit,
                        known.join(", ")
                    ),
                ))
            }
        }
    }

    /// The mean over the runs of `configuration`, in the unit.
    pub fn estimate(&self, configuration: &Configuration<'_>) -> Option<Estimate> {
        let estimate = configuration.estimate(self.metric.name)?;
        Some(estimate.map(|value| self.conversion.apply(value)))
    }

    /// `name` with the unit behind it, for the heading of a column.
    pub fn column(&self, name: &str) -> String {
        match self.unit.as_str() {
            "1" => name.to_owned(),
            unit => format!("{name}_{unit}"),
        }
    }
}
